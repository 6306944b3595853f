"""What a kernel says, before anything else reads it: only the release's own kinds pass, all the rest is replaced.

Pure functions of messages. A message that isn't needed is dropped (None); one that passes is built anew from the
few fields we name, so a field that we don't know can't slip through.
"""

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from release import errors
from release.errors import BudgetError, Fault, LedgerError, PolicyError, UtfallError, VerificationError
from release.shown import PROGRESS_TYPE, SHOWN_TYPE

Message = dict[str, Any]

NOT_SHOWN = "output not shown: not one of the release's own kinds"
FAILED = "the cell failed; run it by hand in the office to see why"
HIDDEN = "the message is not shown here, because it looks as if it quotes the data"

LET_THROUGH = ("text/html", "text/plain", "image/svg+xml")
"""Kinds that pass in an output that carries the release's mark; every other kind is cut off."""

OURS = "release.errors."
"""Our kernels send an error of ours under its full name. The bare name proves nothing: pandas, duckdb, sqlite3 and
psycopg all have a `DataError` of their own, which quotes values."""

OUR_ERRORS: dict[str, type[UtfallError]] = {
    name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, UtfallError)
}
OF_PUBLIC_THINGS = (PolicyError, BudgetError, LedgerError, VerificationError)
"""Errors about policies, budgets, ledgers and releases: they may hold digests and long fractions."""

LONGEST_MESSAGE = 20_000
WORD = re.compile(r"[^\W_]+")
PATH = re.compile(r"(?<![\w.:/])(?:~|[A-Za-z]:)?[/\\](?=[\w.@+=-])(?:[\w.@+=-]+[/\\])*([\w.@+=-]*)")
QUOTED_PATH = re.compile(r"""(["'])(?:~|[A-Za-z]:)?[/\\][^"'\n]*?([^"'/\\\n]*)[/\\]?\1""")


def vetted(message: Mapping[str, Any]) -> Message | None:
    """The message as it may be stored, or None when it is to be dropped."""
    kind, content = message["msg_type"], message["content"]
    if kind == "status":
        return _message(message, kind, {"execution_state": content.get("execution_state")})
    if kind == "execute_input":
        return _message(message, kind, {"execution_count": content.get("execution_count")})
    if kind in ("display_data", "execute_result"):
        return _message(message, *_output(content.get("data")))
    if kind == "stream":
        return _message(message, *_not_shown())
    if kind == "error":
        return _message(message, kind, vetted_error(content))
    return None


def progress_in(message: Mapping[str, Any]) -> str | None:
    """The line of progress that a message carries: two whole numbers in words of our own; None if it isn't one."""
    if message["msg_type"] not in ("display_data", "update_display_data"):
        return None
    said = (message["content"].get("data") or {}).get(PROGRESS_TYPE)
    if not isinstance(said, Mapping) or not all(type(said.get(name)) is int for name in ("done", "total")):
        return None
    return f"{said['done']:,} of {said['total']:,} noisy values drawn".replace(",", " ")


def vetted_error(content: Mapping[str, Any]) -> dict[str, Any]:
    """Name and text of an error as they may be stored: ours if bland, else nothing but that the cell failed."""
    error = our_error(content.get("ename"), content.get("evalue"))
    if error is None:
        return {"ename": "Error", "evalue": FAILED, "traceback": []}
    return {"ename": type(error).__name__, "evalue": str(error), "traceback": []}


def our_error(name: object, text: object) -> UtfallError | None:
    """The error of ours that the kernel reports under its full name, made anew from its text; else None.

    When the text looks as if it quotes the data, the class stays (it decides the exit code) and the text goes.
    """
    kind = OUR_ERRORS.get(str(name).removeprefix(OURS)) if str(name).startswith(OURS) else None
    if kind is None:
        return None
    shown = without_folders(str(text))
    hide = len(shown) > LONGEST_MESSAGE or (kind not in OF_PUBLIC_THINGS and quotes_data(shown))
    return kind(HIDDEN, now="run the notebook by hand in the office to see it") if hide else kind(faults_of(shown))


def quotes_data(text: str) -> bool:
    """Whether a word looks like an identifier, a pseudonym or an amount. A net for slips, not a proof.

    Our own messages never hold five digits in one word: `roughly` puts a space after each three, and years have four.
    """
    return any(_like_an_identifier(word) for word in WORD.findall(text))


def without_folders(text: str) -> str:
    """The text with every absolute path cut down to the file's name. With spaces in it, a path must be in quotes."""
    return PATH.sub(lambda found: found.group(1) or "…", QUOTED_PATH.sub(r"\1\2\1", text))


def faults_of(text: str) -> list[Fault]:
    """The faults that an error's text was made of: `str(UtfallError(faults_of(text))) == text`."""
    return [_fault_of(part) for part in text.split("\n\n")]


def _fault_of(part: str) -> Fault:
    what, *rest = re.split(r"\n  (?=Where:    |What now: )", part)
    said = {line[:10].strip(": "): line[10:] for line in rest}
    fault = Fault(what, where=said.get("Where", ""), now=said.get("What now", ""))
    return fault if str(fault) == part else Fault(part)


def _like_an_identifier(word: str) -> bool:
    digits = sum(mark.isdigit() for mark in word)
    turns = sum(left.isdigit() != right.isdigit() for left, right in pairwise(word))
    return digits >= 5 or (len(word) >= 8 and turns >= 3)


def _output(data: object) -> tuple[str, dict[str, Any]]:
    if not isinstance(data, Mapping) or not isinstance(data.get(SHOWN_TYPE), Mapping):
        return _not_shown()
    kind = str(data[SHOWN_TYPE].get("kind"))
    shown: dict[str, Any] = {name: data[name] for name in LET_THROUGH if isinstance(data.get(name), str)}
    shown[SHOWN_TYPE] = {"kind": kind if kind.isidentifier() else "Shown"}
    return "display_data", {"data": shown, "metadata": {}}


def _not_shown() -> tuple[str, dict[str, Any]]:
    return "stream", {"name": "stdout", "text": NOT_SHOWN + "\n"}


def _message(original: Mapping[str, Any], kind: str, content: dict[str, Any]) -> Message:
    parent = {"msg_id": original.get("parent_header", {}).get("msg_id")}
    return {"msg_type": kind, "header": {"msg_type": kind}, "parent_header": parent, "metadata": {}, "content": content}
