"""One run measures at a time: a lock beside the ledger, which the system releases when its holder dies."""

import fcntl
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from release.errors import LedgerError

_PAUSE = 0.2


def _to_standard_error(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@contextmanager
def ledger_lock(
    ledger: Path | str, *, wait: float | None = None, tell: Callable[[str], None] = _to_standard_error
) -> Iterator[None]:
    """Hold `<ledger>.lock` inside the block. If another run holds it, say so and wait.

    wait: seconds, then LedgerError; None: as long as it takes. Not for use twice at once in one process.
    Worker processes forked inside share the lock: if this process is killed, it is free when they too have ended.
    """
    ledger = Path(ledger)
    descriptor = _open(ledger.with_name(f"{ledger.name}.lock"))
    try:
        _take(descriptor, wait=wait, tell=tell)
        _sign(descriptor)
        yield
        os.ftruncate(descriptor, 0)
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError:
        raise LedgerError(
            "The ledger can't be locked.", where=path.name, now="Check that you may write its folder."
        ) from None


def _take(descriptor: int, *, wait: float | None, tell: Callable[[str], None]) -> None:
    if _taken(descriptor):
        return
    holder = os.pread(descriptor, 200, 0).decode("ascii", errors="replace").strip() or "another run"
    tell(f"Only one run may measure at a time under this ledger. This run waits for {holder}.")
    deadline = None if wait is None else time.monotonic() + wait
    while not _taken(descriptor):
        if deadline is not None and time.monotonic() > deadline:
            raise LedgerError(
                f"The ledger is still in use by {holder}. Nothing was charged.",
                now="Wait until that run has finished, then run again.",
            )
        time.sleep(_PAUSE)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sign(descriptor: int) -> None:
    since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"the run of process {os.getpid()}, since {since} UTC".encode(), 0)
