"""What a ledger says of one request: read from a copy, without writing to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from release.ledger.verify import entry_bodies


@dataclass(frozen=True)
class Charge:
    """One request in the ledger: its last reservation, and the commit of its answer, None where there is none.

    published: digests of the manifests that were noted as published, by release. outside: what each release disclosed
    outside of ε, as last noted.
    """

    ledger_id: str = ""
    rho: Fraction | None = None
    answer: str | None = None
    commit_hash: str | None = None
    published: Mapping[str, frozenset[str]] = field(default_factory=dict)
    outside: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)


def charge_of(ledger: Path, request: str) -> Charge:
    """The charge of a request; the ledger itself is verified elsewhere."""
    charge = Charge()
    for body, written in entry_bodies(ledger):
        if body["kind"] == "genesis" or body.get("request") == request:
            charge = _after(charge, body, written)
    return charge


def _after(charge: Charge, body: Mapping[str, Any], written: str) -> Charge:
    """The charge with one more entry. written: the entry's hash."""
    match body["kind"]:
        case "genesis":
            return replace(charge, ledger_id=body["ledger"])
        case "reserve":
            return replace(charge, rho=Fraction(body["rho"]))
        case "commit":
            return replace(charge, answer=body["answer"], commit_hash=written)
        case "publish":
            noted = charge.published.get(body["release"], frozenset()) | {body["files"]}
            outside = {**charge.outside, body["release"]: body.get("outside")}
            return replace(charge, published={**charge.published, body["release"]: noted}, outside=outside)
    return charge
