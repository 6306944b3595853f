"""What a ledger says of one request: read from a copy, without writing to it."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from release.ledger.verify import entry_bodies


@dataclass(frozen=True)
class Charge:
    """One request in the ledger: its last reservation, and the commit of its answer, None where there is none."""

    ledger_id: str
    rho: Fraction | None
    answer: str | None
    commit_hash: str | None


def charge_of(ledger: Path, request: str) -> Charge:
    """The charge of a request; the ledger itself is verified elsewhere."""
    ledger_id, rho, answer, commit_hash = "", None, None, None
    for body, written in entry_bodies(ledger):
        if body["kind"] == "genesis":
            ledger_id = body["ledger"]
        elif body.get("request") == request and body["kind"] == "reserve":
            rho = Fraction(body["rho"])
        elif body.get("request") == request and body["kind"] == "commit":
            answer, commit_hash = body["answer"], written
    return Charge(ledger_id, rho, answer, commit_hash)
