"""Turns every failure on the confidential side into an error that says nothing of the data.

Libraries quote rows, values and paths in their exceptions. None of that may reach a person, a log or a saved
notebook, so each public function of this folder is wrapped: what comes out is one of our own errors, without cause,
context or traceback of the place where it happened.
"""

import traceback
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import NoReturn, ParamSpec, TypeVar

from release.errors import UtfallError

P = ParamSpec("P")
R = TypeVar("R")

HERE = Path(__file__).resolve().parent


def bland(what: str, *, now: str, error: type[UtfallError] = UtfallError) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorator: our own errors pass, stripped of what led to them; any other becomes `error(what, now=now)`."""

    def wrap(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return function(*args, **kwargs)
            except UtfallError as ours:
                refused = ours
            except Exception as foreign:  # noqa: BLE001 - whatever it is, its text may quote a row
                refused = error(what, where=_place(foreign), now=now)
            # Outside the `except`, so that nothing is chained to it.
            _raise_alone(refused)

        return guarded

    return wrap


def _raise_alone(error: UtfallError) -> NoReturn:
    error.__cause__ = error.__context__ = None
    raise error.with_traceback(None)


def _place(error: Exception) -> str:
    """The kind of an exception and the last line of this folder it passed: for support, never its text."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if Path(f.filename).parent == HERE and Path(f.filename) != Path(__file__).resolve()]
    return (
        f"{type(error).__name__} in {Path(ours[-1].filename).name}, line {ours[-1].lineno}"
        if ours
        else type(error).__name__
    )
