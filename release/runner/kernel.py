"""The kernel process of a run: `python -P -m release.runner.kernel -f CONNECTION_FILE`.

An IPython kernel that reads no user's or machine's configuration, keeps no history, leaves no core dump, and says of
an error only what `release.errors` says of it. Its standard output and error go nowhere (see private.py).
"""

import os
import resource
import sys
from typing import Any

from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from ipykernel.zmqshell import ZMQInteractiveShell
from traitlets.config import Config

from release.errors import UtfallError, out_of_room

SETTINGS = Config(
    {
        "IPKernelApp": {"quiet": True, "capture_fd_output": False},
        "HistoryManager": {"enabled": False},
        "InteractiveShell": {"cache_size": 0},
        "InteractiveShellApp": {"ignore_cwd": True},
    }
)


class BlandShell(ZMQInteractiveShell):  # type: ignore[misc]
    """Says of an error its class and text when it's one of ours, and else nothing; never a traceback."""

    def _showtraceback(self, etype: object, evalue: object, stb: object) -> None:  # noqa: ARG002
        name, text = bland(evalue)
        super()._showtraceback(type(name, (Exception,), {}), text, [])


class BlandKernel(IPythonKernel):  # type: ignore[misc]
    """A kernel with a bland shell."""

    shell_class = BlandShell


class BlandApp(IPKernelApp):  # type: ignore[misc]
    """A kernel application that runs nothing but the notebook: no configuration, extension or start-up file."""

    kernel_class = BlandKernel

    def load_config_file(self, *args: Any, **options: Any) -> None:
        pass

    def init_extensions(self) -> None:
        pass

    def init_code(self) -> None:
        pass

    def close(self) -> None:
        """The last thing at exit, after all that cells registered: ipykernel's own now and then hangs for seconds."""
        os._exit(0)


def bland(error: object) -> tuple[str, str]:
    """Full name of our error's class in `release.errors`, and its text; for any other error ("Error", "").

    Decided here, where the exception itself is at hand: a name alone doesn't tell whose `DataError` it is.
    """
    error = out_of_room(error) or error
    if not isinstance(error, UtfallError) or not type(error).__module__.startswith("release."):
        return "Error", ""
    known = next(kind for kind in type(error).__mro__ if kind.__module__ == UtfallError.__module__)
    return f"{known.__module__}.{known.__name__}", "\n\n".join(str(fault) for fault in error.faults)


def main() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    app = BlandApp.instance(config=SETTINGS)
    app.initialize(sys.argv[1:])
    app.start()


if __name__ == "__main__":
    main()
