"""Silence for the notebook libraries while a notebook runs: they log and warn with the text of exceptions."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

TALKATIVE = ("papermill", "nbclient", "jupyter_client", "traitlets", "asyncio", "tornado", "nbformat", "zmq")


@contextmanager
def quiet_libraries() -> Iterator[logging.Logger]:
    """A logger that says nothing, to hand to the libraries; their own are mute meanwhile and as before afterwards."""
    loggers = [logging.getLogger(name) for name in _talkative()]
    before = [(logger, logger.disabled, logger.propagate, logger.handlers) for logger in loggers]
    try:
        for logger in loggers:
            logger.disabled, logger.propagate, logger.handlers = True, False, [logging.NullHandler()]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield mute_logger()
    finally:
        for logger, disabled, propagate, handlers in before:
            logger.disabled, logger.propagate, logger.handlers = disabled, propagate, handlers


def mute_logger() -> logging.Logger:
    """A logger outside the tree of loggers, whose records go nowhere."""
    logger = logging.Logger("release.runner", level=logging.CRITICAL + 1)
    logger.addHandler(logging.NullHandler())
    return logger


def _talkative() -> list[str]:
    """The libraries' loggers and all beneath them; those made later hand their records up to these, which are mute."""
    known = [name for name in logging.root.manager.loggerDict if name.split(".")[0] in TALKATIVE]
    return sorted({*TALKATIVE, *known})
