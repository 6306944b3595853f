"""The ledger's verifier: a small program of its own, which believes nothing that the writer believes.

It opens the file read-only, and recomputes everything from the entries' texts: form, chain, the order of each
request's entries, and that no more was ever reserved than was granted. By hand: python -m release.ledger FILE

It can't see a cut-off tail or an old copy put back: those are whole ledgers. Only a witness kept elsewhere sees them.
"""

import re
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote

from release.errors import Fault, LedgerError
from release.ledger.format import (
    FORMAT_VERSION,
    LONGEST_RHO,
    NO_PREDECESSOR,
    SCHEMA,
    digest,
    parse_body,
    read_header,
)

_ENTRIES = (
    "SELECT number, body, hash, typeof(number) || ' ' || typeof(body) || ' ' || typeof(hash) FROM entry ORDER BY number"
)
_COMMON = {"number", "kind", "previous", "time"}
_FIELDS = {
    "genesis": {"population", "by", "version", "ledger"},
    "grant": {"rho", "millionths", "by", "reason"},
    "correct": {"grant", "rho", "millionths", "by", "reason"},
    "reserve": {"request", "attempt", "rho", "millionths", "details"},
    "commit": {"request", "attempt", "answer"},
    "forfeit": {"request", "attempt", "reason"},
    "publish": {"request", "release", "files"},
}
_OPTIONAL = {"publish": {"outside"}}
"""Fields that an entry may have: `outside` names the exact tables that a release discloses outside of ε."""
_NUMBERS = {"number", "version", "grant", "millionths", "attempt"}
_DIGESTS = {"request", "answer", "files", "previous"}
_HEX = re.compile(r"[0-9a-f]{64}")
_TIME = re.compile(r"\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-6]\dZ")
_RHO = re.compile(r"[1-9]\d*(/[1-9]\d*)?")


@dataclass(frozen=True)
class Objection:
    """One thing that is wrong. entry: the number of the entry, or None if it is the file as a whole."""

    entry: int | None
    what: str

    def __str__(self) -> str:
        return self.what if self.entry is None else f"entry {self.entry}: {self.what}"


@dataclass(frozen=True)
class LedgerReport:
    """What the verifier found. Amounts are exact ρ; hashes are those of all entries in order, for a witness."""

    file: str
    population: str
    ledger_id: str
    granted: Fraction
    spent: Fraction
    hashes: tuple[str, ...]
    objections: tuple[Objection, ...]
    remarks: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.objections

    @property
    def head(self) -> str:
        return self.hashes[-1] if self.hashes else NO_PREDECESSOR

    @property
    def left(self) -> Fraction:
        return self.granted - self.spent

    def raise_if_broken(self) -> None:
        """LedgerError with the first objections, if there are any."""
        if self.ok:
            return
        shown = [Fault(f"The ledger can't be trusted: {objection}.") for objection in self.objections[:5]]
        advice = "Stop all runs. Find out who changed the file; put the newest trusted copy back."
        raise LedgerError([*shown, Fault(f"Objections in all: {len(self.objections)}.", self.file, advice)])


class _Account:
    """What the entries so far add up to, and what was wrong with them: the verifier's own bookkeeping."""

    def __init__(self) -> None:
        self.population = ""
        self.ledger_id = ""
        self.granted = Fraction(0)
        self.spent = Fraction(0)
        self.grants: dict[int, Fraction] = {}
        self.requests: dict[str, tuple[str, int]] = {}
        self.hashes: list[str] = []
        self.times: list[str] = []
        self.objections: list[Objection] = []

    def object(self, entry: int | None, faults: Iterable[str]) -> None:
        self.objections += [Objection(entry, what) for what in faults]


def verify_ledger(path: Path | str) -> LedgerReport:
    """Read a ledger and check all of it. Raises LedgerError only if the file can't be read as a ledger at all."""
    path = Path(path)
    read_header(path)
    account = _Account()
    try:
        with closing(_read_only(path)) as connection:
            account.object(None, _faults_of_file(connection))
            for number, row in enumerate(connection.execute(_ENTRIES)):
                account.object(number, _faults_of_entry(number, row, account))
        account.object(None, [] if account.hashes else ["it holds no entry"])
    except (sqlite3.Error, UnicodeDecodeError) as error:
        account.object(None, [_words_for(error)])
    return _report(path, account)


def entry_bodies(path: Path | str) -> Iterator[tuple[dict[str, Any], str]]:
    """What each well-formed entry says, with its hash, in order; LedgerError if the file can't be read as a ledger."""
    path = Path(path)
    read_header(path)
    try:
        with closing(_read_only(path)) as connection:
            rows = connection.execute(_ENTRIES).fetchall()
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise LedgerError(f"The ledger can't be read: {_words_for(error)}.", where=path.name) from None
    for _, text, written, _ in rows:
        if (body := _body_or_none(text)) is not None:
            yield body, _as_text(written)


def _report(path: Path, account: _Account) -> LedgerReport:
    return LedgerReport(
        file=path.name,
        population=account.population,
        ledger_id=account.ledger_id,
        granted=account.granted,
        spent=account.spent,
        hashes=tuple(account.hashes),
        objections=tuple(account.objections),
        remarks=tuple(_clock_remarks(account.times)),
    )


def _read_only(path: Path) -> sqlite3.Connection:
    """A connection that can't write, in one reading transaction; texts come as bytes."""
    uri = f"file:{quote(str(path.absolute()))}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=20)
    connection.text_factory = bytes
    connection.execute("PRAGMA query_only = 1")
    connection.execute("BEGIN")
    return connection


def _faults_of_file(connection: sqlite3.Connection) -> Iterator[str]:
    if connection.execute("PRAGMA integrity_check").fetchall() != [(b"ok",)]:
        yield "the file's structure is damaged"
    schema = connection.execute("SELECT sql FROM sqlite_master").fetchall()
    if sorted(sql or b"" for (sql,) in schema) != sorted(sql.encode() for sql in SCHEMA):
        yield "its table, or its own rules against changing entries, were altered"


def _words_for(error: Exception) -> str:
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN")):
        return "a killed run left a half-written entry beside it: run `utfall ledger show` where it is kept, then again"
    if name.startswith("SQLITE_BUSY"):
        return "another program is writing to it just now: run again when it has finished"
    return "the file is damaged"


def _faults_of_entry(number: int, row: tuple[object, ...], account: _Account) -> Iterator[str]:
    """Faults of one entry after all earlier ones; takes it into the account."""
    stored_number, text, written, types = row
    if stored_number != number:
        yield "its number is wrong: entries are missing, or were added in between"
    if types != b"integer text text":
        yield "it isn't stored as a number and two texts"
    if not isinstance(text, bytes) or digest(text) != _as_text(written):
        yield "its text was changed: the hash doesn't fit"
    body = _body_or_none(text)
    if body is None:
        yield "its text isn't in the ledger's form"
    else:
        yield from _faults_of_body(body, number, account)
    account.hashes.append(_as_text(written))


def _body_or_none(text: object) -> dict[str, Any] | None:
    """The body, if the text is canonical JSON with exactly the fields of its kind, each of the right form."""
    try:
        body = parse_body(_as_text(text))
    except (ValueError, RecursionError, LedgerError):
        return None
    fields = _FIELDS.get(str(body.get("kind")))
    optional = _OPTIONAL.get(str(body.get("kind")), set()) & set(body)
    if fields is None or set(body) != fields | _COMMON | optional:
        return None
    return body if all(_well_formed(name, value) for name, value in body.items()) else None


def _well_formed(name: str, value: object) -> bool:
    if name in _NUMBERS:
        return type(value) is int and value >= 0
    if name in ("details", "outside"):
        return isinstance(value, dict)
    if not isinstance(value, str):
        return False
    if name in _DIGESTS:
        return bool(_HEX.fullmatch(value))
    if name == "rho":
        return len(value) <= LONGEST_RHO and bool(_RHO.fullmatch(value)) and str(Fraction(value)) == value
    return bool(_TIME.fullmatch(value)) if name == "time" else bool(value.strip())


def _faults_of_body(body: dict[str, Any], number: int, account: _Account) -> Iterator[str]:
    account.times.append(body["time"])
    if body["number"] != number:
        yield "it says that it has another number"
    if body["previous"] != (account.hashes[-1] if account.hashes else NO_PREDECESSOR):
        yield "it doesn't follow the entry before it: the chain is broken"
    if (body["kind"] == "genesis") != (number == 0):
        yield "the first entry, and only the first, is the genesis"
    if "rho" in body and body["millionths"] != -(-Fraction(body["rho"]) * 1_000_000 // 1):
        yield "its millionths aren't the exact ρ rounded up"
    yield from _RULES[body["kind"]](body, account)
    if account.spent > account.granted:
        yield "more was reserved than granted"


def _genesis(body: dict[str, Any], account: _Account) -> Iterator[str]:
    account.population, account.ledger_id = body["population"], body["ledger"]
    if body["version"] != FORMAT_VERSION:
        yield "its version isn't known to this verifier"


def _grant(body: dict[str, Any], account: _Account) -> Iterator[str]:
    account.granted += Fraction(body["rho"])
    account.grants[body["number"]] = Fraction(body["rho"])
    yield from ()


def _correct(body: dict[str, Any], account: _Account) -> Iterator[str]:
    rho = Fraction(body["rho"])
    account.granted -= rho
    account.grants[body["grant"]] = account.grants.get(body["grant"], Fraction(0)) - rho
    if account.grants[body["grant"]] < 0:
        yield "it takes back more than that grant held"


def _reserve(body: dict[str, Any], account: _Account) -> Iterator[str]:
    stage, attempt = account.requests.get(body["request"], ("absent", 0))
    account.spent += Fraction(body["rho"])
    account.requests[body["request"]] = ("reserved", body["attempt"])
    if stage not in ("absent", "forfeited"):
        yield f"it reserves a request that is {stage} already"
    if body["attempt"] != attempt + 1:
        yield "its attempt isn't the next one"


def _close(body: dict[str, Any], account: _Account) -> Iterator[str]:
    """A commit or a forfeit."""
    before = account.requests.get(body["request"], ("absent", 0))
    stage = "committed" if body["kind"] == "commit" else "forfeited"
    account.requests[body["request"]] = (stage, body["attempt"])
    if before != ("reserved", body["attempt"]):
        yield f"only a reserved attempt can be {stage}; this one is {before[0]}"


def _publish(body: dict[str, Any], account: _Account) -> Iterator[str]:
    """A release without noise reserves nothing; then it must say what it discloses outside of ε."""
    nothing_noisy = body.get("outside", {}).get("noisy") is False and body["request"] not in account.requests
    if not nothing_noisy and account.requests.get(body["request"], ("absent", 0))[0] != "committed":
        yield "it publishes a request that has no committed answer"


_RULES: dict[str, Callable[[dict[str, Any], _Account], Iterator[str]]] = {
    "genesis": _genesis,
    "grant": _grant,
    "correct": _correct,
    "reserve": _reserve,
    "commit": _close,
    "forfeit": _close,
    "publish": _publish,
}


def _clock_remarks(times: list[str]) -> Iterator[str]:
    """A clock that runs backwards is no proof of anything, but worth a question."""
    for earlier, later in pairwise(times):
        if later < earlier:
            yield f"the clock ran backwards from {earlier} to {later}"


def _as_text(value: object) -> str:
    return value.decode("ascii", errors="replace") if isinstance(value, bytes) else ""


def main(arguments: list[str]) -> int:
    """Verify one file and say so: 0 if nothing is objected to, else 6."""
    try:
        report = verify_ledger(arguments[0])
        report.raise_if_broken()
    except (LedgerError, IndexError) as error:
        print(error if isinstance(error, LedgerError) else "usage: python -m release.ledger FILE", file=sys.stderr)
        return 6 if isinstance(error, LedgerError) else 2
    print(f"{report.file}: {len(report.hashes)} entries, nothing amiss; granted {report.granted}, spent {report.spent}")
    return 0
