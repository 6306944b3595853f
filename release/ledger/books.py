"""The books that the entries add up to: what is granted and spent, and where each request stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

from release.errors import LedgerError
from release.ledger.format import NO_PREDECESSOR

Stage = Literal["absent", "reserved", "committed", "forfeited"]


@dataclass(frozen=True)
class Entry:
    """One line of the ledger. `body` holds all that was hashed: also number, kind, time (UTC) and previous hash."""

    number: int
    kind: str
    time: str
    hash: str
    body: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class RequestState:
    """Where one request stands. attempt counts its reservations; answer is the committed answer's digest."""

    stage: Stage
    attempt: int = 0
    rho: Fraction = Fraction(0)
    entry: Entry | None = None
    answer: str | None = None


@dataclass(frozen=True)
class Standing:
    """The budget of a population, in exact ρ. spent counts every reservation ever made; head is the last hash."""

    population: str
    granted: Fraction
    spent: Fraction
    entries: int
    head: str

    @property
    def left(self) -> Fraction:
        return self.granted - self.spent


ABSENT = RequestState("absent")


class Books:
    """Entries added up, one after the other. They were verified before they come here."""

    def __init__(self) -> None:
        self.population = ""
        self.ledger_id = ""
        self.next_number = 0
        self.head = NO_PREDECESSOR
        self.granted = Fraction(0)
        self.spent = Fraction(0)
        self.grants: dict[int, Fraction] = {}
        self.requests: dict[str, RequestState] = {}
        self.published: dict[tuple[str, str, str], Entry] = {}

    def enter(self, entry: Entry) -> None:
        """Take one more entry into account."""
        post = {
            "genesis": self._genesis,
            "grant": self._grant,
            "reserve": self._reserve,
            "commit": self._commit,
            "publish": self._publish,
            "forfeit": self._forfeit,
            "correct": self._correct,
        }.get(entry.kind)
        if post is None or entry.number != self.next_number or entry.body["previous"] != self.head:
            raise LedgerError("The ledger's entries don't follow each other.", now="Run `utfall ledger verify`.")
        post(entry)
        self.next_number, self.head = entry.number + 1, entry.hash

    def state(self, request_id: str) -> RequestState:
        return self.requests.get(request_id, ABSENT)

    def standing(self) -> Standing:
        return Standing(self.population, self.granted, self.spent, self.next_number, self.head)

    def _genesis(self, entry: Entry) -> None:
        self.population, self.ledger_id = entry.body["population"], entry.body["ledger"]

    def _grant(self, entry: Entry) -> None:
        rho = Fraction(entry.body["rho"])
        self.granted += rho
        self.grants[entry.number] = rho

    def _correct(self, entry: Entry) -> None:
        rho = Fraction(entry.body["rho"])
        self.granted -= rho
        self.grants[entry.body["grant"]] -= rho

    def _reserve(self, entry: Entry) -> None:
        rho = Fraction(entry.body["rho"])
        self.spent += rho
        self.requests[entry.body["request"]] = RequestState("reserved", entry.body["attempt"], rho, entry)

    def _commit(self, entry: Entry) -> None:
        self._move(entry, "committed", entry.body["answer"])

    def _forfeit(self, entry: Entry) -> None:
        self._move(entry, "forfeited", None)

    def _move(self, entry: Entry, stage: Stage, answer: str | None) -> None:
        before = self.requests[entry.body["request"]]
        after = RequestState(stage, before.attempt, before.rho, entry, answer)
        self.requests[entry.body["request"]] = after

    def _publish(self, entry: Entry) -> None:
        key = (entry.body["request"], entry.body["release"], entry.body["files"])
        self.published[key] = entry
