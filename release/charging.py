"""Charge first, then draw: the one way from a request to its noisy answer."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

from release.answers import load_answer, store_answer, stored_answer_digest
from release.errors import LedgerError
from release.ledger import Entry, Ledger, RequestState, canonical_json, digest_of, ledger_lock

Files = Mapping[str, bytes]


@dataclass(frozen=True)
class Request:
    """What is to be measured. `parts` says all of it in plain values (text, integers, lists, mappings; no floats):
    linking rule, attributes, residuals with scales, keyed digest of the delivery, digest of the trusted core's source.

    rho: exact cost. release: for the record only. Titles, thresholds, formats and languages don't belong here.
    """

    population: str
    release: str
    rho: Fraction
    parts: Mapping[str, Any] = field(repr=False)

    @cached_property
    def id(self) -> str:
        """SHA-256 of the canonical JSON of population, exact cost and parts: the same request, the same answer."""
        return digest_of({"population": self.population, "rho": str(self.rho), "parts": self.parts})

    def details(self) -> dict[str, Any]:
        """What the ledger notes of it: the release's name, and a digest of each part."""
        return {"release": self.release, "parts": {name: digest_of(part) for name, part in self.parts.items()}}


@dataclass(frozen=True)
class Answer:
    """The stored noisy answer of a request. `entry` is the commit, for a witness line.

    charged: exact ρ that this run was charged, 0 if the answer was there already. notice: what the user should know.
    """

    request: Request
    files: Files = field(repr=False)
    digest: str
    entry: Entry
    charged: Fraction
    notice: str = ""


def charged_answer(ledger: Ledger, request: Request, draw: Callable[[], Files]) -> Answer:
    """The answer to a request: the stored one if there is one, else drawn after its cost is durably reserved.

    draw: draws the noise and gives the answer's files; called at most once, and only after the charge is on disk.
    Checks that may fail belong before this call: if `draw` raises, its budget is gone.
    Errors: BudgetError if the grant doesn't cover it; LedgerError if ledger or stored answer can't be trusted.
    """
    canonical_json(request.parts)
    _refuse_other_population(ledger, request)
    with ledger_lock(ledger.path):
        state = ledger.state(request.id)
        if state.stage == "committed":
            return _answer(ledger, request, state, notice="Measured before: the stored answer is used, at no charge.")
        if state.stage == "reserved":
            return _after_a_killed_run(ledger, request, draw)
        return _drawn(ledger, request, draw)


def _drawn(ledger: Ledger, request: Request, draw: Callable[[], Files], *, notice: str = "") -> Answer:
    """Reserve, draw, store, commit: in this order."""
    attempt = ledger.reserve(request.id, rho=request.rho, details=request.details()).body["attempt"]
    files = _files_or_forfeit(ledger, request, draw)
    stored = store_answer(ledger.path, request.id, files)
    ledger.commit(request.id, answer=stored, attempt=attempt)
    return _answer(ledger, request, ledger.state(request.id), charged=request.rho, notice=notice)


def _files_or_forfeit(ledger: Ledger, request: Request, draw: Callable[[], Files]) -> Files:
    try:
        return draw()
    except BaseException:
        with suppress(LedgerError):
            ledger.forfeit(request.id, reason="the draw failed")
        raise


def _after_a_killed_run(ledger: Ledger, request: Request, draw: Callable[[], Files]) -> Answer:
    """An earlier run reserved and died; we hold the lock, so it isn't alive. Its answer counts if it was stored."""
    stored = stored_answer_digest(ledger.path, request.id)
    if stored is not None:
        ledger.commit(request.id, answer=stored)
        notice = "An earlier run broke off after its answer was stored: that answer is used, at no further charge."
        return _answer(ledger, request, ledger.state(request.id), notice=notice)
    ledger.forfeit(request.id, reason="the run broke off before its answer was stored")
    notice = "An earlier run broke off before its answer was stored. Its budget is spent; this run was charged anew."
    return _drawn(ledger, request, draw, notice=notice)


def _answer(
    ledger: Ledger, request: Request, state: RequestState, *, charged: Fraction = Fraction(0), notice: str = ""
) -> Answer:
    if state.entry is None or state.answer is None:
        raise LedgerError("This request has no committed answer.", now="Run `utfall ledger verify`.")
    files = load_answer(ledger.path, request.id, state.answer)
    return Answer(request, files, state.answer, state.entry, charged, notice)


def _refuse_other_population(ledger: Ledger, request: Request) -> None:
    if request.population != ledger.population:
        raise LedgerError(
            f'The ledger is of population "{ledger.population}", the release of "{request.population}".',
            where=ledger.path.name,
            now="Name the population's own ledger with --ledger (or UTFALL_LEDGER).",
        )
