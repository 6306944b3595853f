"""Every error that a person may meet, as a small letter: what happened, where, what to do now.

    UtfallError                 exit  1   our own fault
    ├── UsageError              exit  2   wrong usage of a command
    ├── PolicyError             exit  3   the policy is refused
    ├── DataError               exit  4   the delivery is refused
    ├── BudgetError             exit  5   the budget is refused
    ├── LedgerError             exit  6   the ledger is not trusted
    └── VerificationError       exit  7   a release does not verify

No error ever quotes a row, an identifier, a true small count or a path of the data. Numbers of rows are
given by `roughly`.
"""

import errno
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong. `where` names file, line, key or column; `now` says what to do."""

    what: str
    where: str = ""
    now: str = ""

    def __str__(self) -> str:
        lines = [self.what]
        if self.where:
            lines.append(f"  Where:    {self.where}")
        if self.now:
            lines.append(f"  What now: {self.now}")
        return "\n".join(lines)


class UtfallError(Exception):
    """Base of all our errors; holds one or more faults, all of which are shown."""

    exit_code = 1
    title = "Internal fault"

    def __init__(self, what: str | Sequence[Fault], *, where: str = "", now: str = "") -> None:
        self.faults: tuple[Fault, ...] = (Fault(what, where, now),) if isinstance(what, str) else tuple(what)
        super().__init__(str(self))

    def __str__(self) -> str:
        return "\n\n".join(str(fault) for fault in self.faults)


class UsageError(UtfallError):
    """The command was called in a way that can't work."""

    exit_code = 2
    title = "Wrong usage"


class PolicyError(UtfallError):
    """The policy is unclear, contradicts itself, or exceeds the house policy."""

    exit_code = 3
    title = "Policy refused"


class DataError(UtfallError):
    """The delivery breaks what the policy declares of it."""

    exit_code = 4
    title = "Data refused"


class BudgetError(UtfallError):
    """The privacy budget doesn't allow it."""

    exit_code = 5
    title = "Budget refused"


class LedgerError(UtfallError):
    """The ledger is missing, damaged, or not the one it says it is."""

    exit_code = 6
    title = "Ledger not trusted"


class VerificationError(UtfallError):
    """A release doesn't hold what it claims."""

    exit_code = 7
    title = "Verification failed"


def roughly(count: int) -> str:
    """A number of rows, banded so that it tells nothing about a few persons: "fewer than 10", "about 41 000"."""
    if count < 10:
        return "fewer than 10"
    digits = len(str(count))
    step = 10 ** (digits - 1 if digits < 4 else digits - 2)
    return f"about {round(count / step) * step:,}".replace(",", " ")


def nearest(word: str, known: Iterable[str]) -> str:
    """Text to append to "X isn't known": the nearest known word, or the whole list when none is near."""
    words = [str(k) for k in known]
    close = get_close_matches(str(word), words, n=1, cutoff=0.6)
    if close:
        return f'did you mean "{close[0]}"?'
    shown = ", ".join(words[:12]) + (" …" if len(words) > 12 else "")
    return f"known are: {shown}" if words else "none is declared"


def out_of_room(error: object) -> UtfallError | None:
    """What to say of an error of the system that had no room left, on disk or in memory; None for any other error."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return UtfallError("the disk is full, or its quota is used up", now="free some room and run again")
    if isinstance(error, MemoryError):
        return UtfallError("the memory is full", now="free some, or use a larger machine, and run again")
    return None
