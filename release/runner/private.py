"""Private places and a bare environment for a kernel: nothing of it is open to others or outlives the run."""

import os
import shutil
import site
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from release.errors import UsageError, UtfallError

INHERITED = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "JAVA_HOME", "VIRTUAL_ENV")
"""Variables a kernel gets from the office's own environment. All others must be passed by name."""

PASSED_ON = ("UTFALL_", "SPARK_", "OMP_", "PG")
"""Beginnings of the names that a run may pass to its kernels."""

LONGEST_SOCKET_FOLDER = 80
"""A Unix socket's path is limited to about 107 bytes; the rest is for the socket's own name."""


@dataclass(frozen=True)
class Place:
    """Where one kernel lives. All are 0700 and are removed after the run.

    sockets: connection file and sockets (short path); scratch: home, temporary files and IPython's folder.
    """

    work: Path
    sockets: Path
    scratch: Path

    def __repr__(self) -> str:
        return "<Place of a kernel>"

    @property
    def connection_file(self) -> Path:
        return self.sockets / "kernel.json"


@contextmanager
def private_place(work: Path) -> Iterator[Place]:
    """A kernel's folders, the work folder included, which stays. UtfallError when they can't be made."""
    try:
        work.mkdir(mode=0o700, parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=".kernel-", dir=work.resolve()))
        sockets = Path(tempfile.mkdtemp(prefix="utfall-", dir=_short_folder()))
    except OSError:
        raise UtfallError("the kernel's private folders can't be made", now="check the work folder's rights") from None
    for name in ("home", "tmp", "ipython"):
        (scratch / name).mkdir(mode=0o700)
    try:
        yield Place(work.resolve(), sockets, scratch)
    finally:
        shutil.rmtree(sockets, ignore_errors=True)
        shutil.rmtree(scratch, ignore_errors=True)


def kernel_environment(place: Place, passed: Mapping[str, str]) -> dict[str, str]:
    """The kernel's whole environment. UsageError when a passed name isn't one of ours."""
    for name in passed:
        if not name.startswith(PASSED_ON):
            raise UsageError(f'variable "{name}" is not passed to kernels', now=f"known are: {', '.join(PASSED_ON)}…")
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return {**inherited, **_python(), **_folders(place), **passed}


def kernel_manager(place: Place, log: Any) -> Any:
    """A manager that starts our own kernel with this interpreter and talks to it over Unix sockets."""
    from jupyter_client import AsyncKernelManager
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager

    class OurKernelOnly(KernelSpecManager):  # type: ignore[misc]
        def get_kernel_spec(self, kernel_name: str) -> Any:  # noqa: ARG002
            argv = [sys.executable, "-P", "-m", "release.runner.kernel", "-f", "{connection_file}"]
            return KernelSpec(argv=argv, display_name="Python 3", language="python")

    return AsyncKernelManager(
        kernel_name="python3",
        kernel_spec_manager=OurKernelOnly(),
        transport="ipc",
        ip=str(place.sockets / "s"),
        connection_file=str(place.connection_file),
        log=log,
    )


def _python() -> dict[str, str]:
    """What lets the kernel find this very installation, and give the same bytes each time."""
    paths = [str(Path(part).resolve()) for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part]
    found = {"PYTHONPATH": os.pathsep.join(paths)} if paths else {}
    return {
        **found,
        "PYTHONUSERBASE": site.getuserbase(),
        "PYTHONHASHSEED": "0",
        "PYTHONUTF8": "1",
        "PYTHONSAFEPATH": "1",
    }


def _folders(place: Place) -> dict[str, str]:
    scratch = place.scratch
    return {
        "HOME": str(scratch / "home"),
        "TMPDIR": str(scratch / "tmp"),
        "IPYTHONDIR": str(scratch / "ipython"),
        "JUPYTER_CONFIG_DIR": str(scratch / "home"),
        "JUPYTER_RUNTIME_DIR": str(place.sockets),
    }


def _short_folder() -> str:
    wanted = (os.environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir(), "/tmp")  # noqa: S108 (a 0700 folder in it)
    usable = (path for path in wanted if path and len(os.fsencode(path)) < LONGEST_SOCKET_FOLDER)
    return next((path for path in usable if os.access(path, os.W_OK)), tempfile.gettempdir())
