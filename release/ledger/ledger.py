"""The ledger of a population's privacy budget: append-only, and charged before the first random number is drawn."""

import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

from release.budget import checked_rho, left_text, rho_in_millionths, spent_text
from release.errors import BudgetError, LedgerError
from release.ledger.books import Books, Entry, RequestState, Standing
from release.ledger.format import FORMAT_VERSION, LONGEST_RHO, NO_PREDECESSOR, canonical_json, digest, parse_body
from release.ledger.key import create_key
from release.ledger.store import Row, Store, create_file, take_back_half_written
from release.ledger.verify import verify_ledger

_HEX = re.compile(r"[0-9a-f]{64}")


class Ledger:
    """An open ledger. Every method first reads what others have appended, and writes inside one durable transaction.

    Errors: BudgetError when the budget or the request's state forbids it; LedgerError when the ledger can't be trusted.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._store = Store(path)
        self._entries: list[Entry] = []
        self._books = Books()
        with self._store.transaction():
            self._catch_up()

    @classmethod
    def create(cls, path: Path | str, *, population: str, by: str) -> "Ledger":
        """A new ledger for a population, and its secret key beside it. `by`: who made it."""
        path = Path(path)
        facts = {
            "population": said("population", population),
            "by": said("by", by),
            "version": FORMAT_VERSION,
            "ledger": secrets.token_hex(16),
        }
        create_file(path, row_of(0, "genesis", NO_PREDECESSOR, facts))
        try:
            create_key(path)
        except LedgerError:
            path.unlink()
            raise
        return cls.open(path, population=population)

    @classmethod
    def open(cls, path: Path | str, *, population: str | None = None) -> "Ledger":
        """An existing ledger, its whole chain verified; of this population, if one is named."""
        path = Path(path)
        take_back_half_written(path)
        verify_ledger(path).raise_if_broken()
        ledger = cls(path)
        if population is not None and ledger.population != population:
            ledger.close()
            raise LedgerError(
                f'This ledger is of population "{ledger.population}", not of "{population}".',
                where=path.name,
                now="Name the population's own ledger with --ledger (or UTFALL_LEDGER).",
            )
        return ledger

    @property
    def population(self) -> str:
        return self._books.population

    @property
    def ledger_id(self) -> str:
        """The random name that this ledger was given at its making."""
        return self._books.ledger_id

    @property
    def head(self) -> str:
        """Hash of the last entry."""
        return self.standing().head

    def entries(self) -> tuple[Entry, ...]:
        """All entries, oldest first."""
        with self._store.transaction():
            self._catch_up()
        return tuple(self._entries)

    def standing(self) -> Standing:
        """What is granted, spent and left."""
        with self._store.transaction():
            self._catch_up()
        return self._books.standing()

    def state(self, request_id: str) -> RequestState:
        """Where a request stands; "absent" if it was never reserved."""
        with self._store.transaction():
            self._catch_up()
        return self._books.state(request_id)

    def grant(self, rho: Fraction, *, by: str, reason: str) -> Entry:
        """Allow ρ more. by: who decided; reason: where the decision stands."""
        facts = {"by": said("by", by), "reason": said("reason", reason), **amount(rho)}
        return self._written("grant", facts)

    def correct(self, grant: int, *, rho: Fraction, by: str, reason: str) -> Entry:
        """Take back ρ of the grant entered as number `grant`: only what is not spent yet."""
        facts = {"grant": grant, "by": said("by", by), "reason": said("reason", reason), **amount(rho)}
        with self._appending("correct", facts) as books:
            refuse_taking_back(books, grant, rho)
        return self._entries[-1]

    def reserve(self, request_id: str, *, rho: Fraction, details: Mapping[str, Any]) -> Entry:
        """Charge ρ for a request, durably, before anything is drawn. Refused over the grant; never refunded."""
        facts: dict[str, Any] = {"request": checked_id(request_id), "details": dict(details), **amount(rho)}
        with self._appending("reserve", facts) as books:
            refuse_running_request(books.state(request_id))
            refuse_over_grant(books.standing(), rho)
            facts["attempt"] = books.state(request_id).attempt + 1
        return self._entries[-1]

    def commit(self, request_id: str, *, answer: str, attempt: int | None = None) -> Entry:
        """The reserved request's answer is stored; `answer` is its digest. The entry is what a witness writes down.

        attempt: the one that the answer was drawn for; refused if that one was forfeited meanwhile.
        """
        facts: dict[str, Any] = {"request": checked_id(request_id), "answer": checked_id(answer)}
        with self._appending("commit", facts) as books:
            facts["attempt"] = reserved_attempt(books.state(request_id), "committed", attempt)
        return self._entries[-1]

    def forfeit(self, request_id: str, *, reason: str) -> Entry:
        """Give up the reserved request: its budget stays spent, and no answer may be committed for it any more."""
        facts: dict[str, Any] = {"request": checked_id(request_id), "reason": said("reason", reason)}
        with self._appending("forfeit", facts) as books:
            facts["attempt"] = reserved_attempt(books.state(request_id), "forfeited")
        return self._entries[-1]

    def publish(self, request_id: str, *, release: str, files: str, outside: Mapping[str, Any] | None = None) -> Entry:
        """Files with this digest went out under this release's name. The same again adds no entry.

        outside: what the release discloses outside of ε, in plain values; `{"noisy": False, …}` where nothing in it was
        measured with noise, and so nothing was reserved.
        """
        facts = {"request": checked_id(request_id), "release": said("release", release), "files": checked_id(files)}
        known = self._published(request_id, release, files)
        if known is not None:
            return known
        without_noise = bool(outside) and outside is not None and outside.get("noisy") is False
        with self._appending("publish", facts | ({"outside": dict(outside)} if outside else {})) as books:
            stage = books.state(request_id).stage
            if stage != "committed" and not (without_noise and stage == "absent"):
                raise BudgetError("Only a committed answer can be published.", now="Run the release again.")
        return self._entries[-1]

    def close(self) -> None:
        self._store.close()

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _published(self, request_id: str, release: str, files: str) -> Entry | None:
        self.standing()
        return self._books.published.get((request_id, release, files))

    def _written(self, kind: str, facts: dict[str, Any]) -> Entry:
        with self._appending(kind, facts):
            pass
        return self._entries[-1]

    @contextmanager
    def _appending(self, kind: str, facts: dict[str, Any]) -> Iterator[Books]:
        """One transaction: read what is new, let the block check (and complete the facts), append, sync."""
        with self._store.transaction():
            self._catch_up()
            yield self._books
            row = row_of(self._books.next_number, kind, self._books.head, facts)
            self._store.append(row)
        self._take(row)

    def _catch_up(self) -> None:
        """Take in what others have appended; the last entry we know must still be where it was."""
        known = len(self._entries)
        rows = self._store.rows_from(max(known - 1, 0))
        if known and (not rows or rows[0][2] != self._books.head):
            raise LedgerError(
                "The ledger's last entries are gone.", where=self.path.name, now="Run `utfall ledger verify`."
            )
        for row in rows[1:] if known else rows:
            self._take(row)

    def _take(self, row: Row) -> None:
        try:
            entry = entry_of(row)
            self._books.enter(entry)
        except (KeyError, ValueError, TypeError):
            raise LedgerError(
                f"Entry {row[0]} isn't in the ledger's form.", now="Run `utfall ledger verify`."
            ) from None
        self._entries.append(entry)


def row_of(number: int, kind: str, previous: str, facts: Mapping[str, Any]) -> Row:
    """The row of a new entry, with the time of now (UTC, whole seconds)."""
    time = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = canonical_json({**facts, "number": number, "kind": kind, "previous": previous, "time": time})
    return number, body, digest(body)


def entry_of(row: Row) -> Entry:
    """The entry that a row holds; LedgerError if its hash is not that of its text."""
    number, text, written = row
    if digest(text) != written:
        raise LedgerError(f"Entry {number} of the ledger was changed.", now="Run `utfall ledger verify`.")
    body = parse_body(text)
    return Entry(number, body["kind"], body["time"], written, body)


def amount(rho: Fraction) -> dict[str, Any]:
    """ρ as it is recorded: the exact fraction, which counts, and whole millionths, rounded up, for reading."""
    if max(checked_rho(rho).as_integer_ratio()) >= 10 ** (LONGEST_RHO // 2 - 1):
        raise BudgetError("This ρ is too long a fraction to be recorded.", now="Round the cost up to whole millionths.")
    return {"rho": str(rho), "millionths": rho_in_millionths(rho)}


def refuse_running_request(state: RequestState) -> None:
    """A request is charged once; again only after it was forfeited."""
    if state.stage in ("reserved", "committed"):
        raise BudgetError(
            f"This request is {state.stage} already: attempt {state.attempt}, ρ = {state.rho}. Nothing was charged.",
            now="Run the release again: a committed answer is used at no charge, a broken-off run is cleared up.",
        )


def refuse_over_grant(standing: Standing, rho: Fraction) -> None:
    """BudgetError, with the figures and what to do, if ρ is more than what is left."""
    if rho > standing.left:
        raise BudgetError(
            f'The budget of population "{standing.population}" doesn\'t cover this request. Nothing was charged.\n'
            f"  Granted:  {left_text(standing.granted)}   (ρ, zCDP)\n"
            f"  Spent:    {spent_text(standing.spent)}\n"
            f"  Left:     {left_text(standing.left)}\n"
            f"  Asked:    {spent_text(rho)}   (exactly {rho})",
            now="Lower privacy.rho in the policy, or have more granted: utfall ledger grant --rho … --by … --reason …",
        )


def refuse_taking_back(books: Books, grant: int, rho: Fraction) -> None:
    """Only what a grant still holds and nobody has spent can be taken back."""
    if rho > books.grants.get(grant, Fraction(0)):
        raise BudgetError("There is no such grant, or it is smaller than that.", now="See `utfall ledger show`.")
    if rho > books.standing().left:
        raise BudgetError(
            f"Only {left_text(books.standing().left)} is unspent: spent budget is never taken back.",
            now="Take back less.",
        )


def reserved_attempt(state: RequestState, wish: str, attempt: int | None = None) -> int:
    """The attempt that is under way; LedgerError if none is, or if it isn't the one named."""
    if state.stage != "reserved" or attempt not in (None, state.attempt):
        raise LedgerError(
            f"Attempt {attempt or state.attempt} of this request isn't reserved, so it can't be {wish}"
            f" (the request is {state.stage}, attempt {state.attempt}).",
            now="Run the release again from the start.",
        )
    return state.attempt


def checked_id(text: str) -> str:
    """A request id or digest: 64 hexadecimal digits, lower case."""
    if not isinstance(text, str) or not _HEX.fullmatch(text):
        raise LedgerError("Requests and digests are 64 hexadecimal digits.", now="Use Request.id and digest().")
    return text


def said(name: str, text: str) -> str:
    """A text that must be there: who, why, what for. At most 500 characters."""
    if not isinstance(text, str) or not text.strip() or len(text) > 500:
        raise LedgerError(f'The ledger needs a text for "{name}", of at most 500 characters.', now=f"Give --{name}.")
    return text.strip()
