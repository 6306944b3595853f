"""The ledger's rules: charged first, never over the grant, never refunded, each request once."""

import sqlite3
from fractions import Fraction

import pytest

from release.errors import BudgetError, LedgerError
from release.ledger import Ledger, canonical_json, digest, verify_ledger

A, B = digest("request a"), digest("request b")
HALF = Fraction(1, 2)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "graduates.ledger"


@pytest.fixture
def ledger(path):
    with Ledger.create(path, population="graduates", by="Registrar") as ledger:
        ledger.grant(Fraction(1), by="Board", reason="decision 7/2026")
        yield ledger


def amounts(ledger):
    standing = ledger.standing()
    return standing.granted, standing.spent, standing.left


def test_a_new_ledger_has_nothing_granted(path):
    with Ledger.create(path, population="graduates", by="Registrar") as ledger:
        assert amounts(ledger) == (0, 0, 0)
        assert [entry.kind for entry in ledger.entries()] == ["genesis"]
        assert ledger.population == "graduates"


def test_the_way_of_a_request(ledger, path):
    assert ledger.state(A).stage == "absent"
    reserved = ledger.reserve(A, rho=HALF, details={"release": "graduates-2026"})
    assert (reserved.kind, reserved.body["rho"], reserved.body["millionths"]) == ("reserve", "1/2", 500_000)
    assert ledger.state(A).stage == "reserved"
    committed = ledger.commit(A, answer=B)
    assert (ledger.state(A).stage, ledger.state(A).answer) == ("committed", B)
    published = ledger.publish(A, release="graduates-2026", files=B)
    assert published.body["previous"] == committed.hash
    assert ledger.head == published.hash
    assert amounts(ledger) == (1, HALF, HALF)
    assert verify_ledger(path).ok


def test_publishing_the_same_again_adds_no_entry(ledger):
    ledger.reserve(A, rho=HALF, details={})
    ledger.commit(A, answer=B)
    first = ledger.publish(A, release="graduates-2026", files=B)
    assert ledger.publish(A, release="graduates-2026", files=B) == first
    assert ledger.publish(A, release="graduates-2026", files=A) != first


def test_over_the_grant_nothing_is_written(ledger):
    ledger.reserve(A, rho=Fraction(2, 3), details={})
    before = ledger.head
    with pytest.raises(BudgetError) as refusal:
        ledger.reserve(B, rho=Fraction(1, 3) + Fraction(1, 10**30), details={})
    assert ledger.head == before
    assert ledger.state(B).stage == "absent"
    for words in (
        "Granted:  1.000000",
        "Spent:    0.666667",
        "Left:     0.333333",
        "Asked:    0.333334",
        "utfall ledger grant",
    ):
        assert words in str(refusal.value)


def test_thirds_add_up_exactly(ledger):
    for name in ("a", "b", "c"):
        ledger.reserve(digest(name), rho=Fraction(1, 3), details={})
    assert amounts(ledger) == (1, 1, 0)


def test_a_request_is_charged_once(ledger):
    ledger.reserve(A, rho=Fraction(1, 8), details={})
    with pytest.raises(BudgetError, match="reserved already"):
        ledger.reserve(A, rho=Fraction(1, 8), details={})
    ledger.commit(A, answer=B)
    with pytest.raises(BudgetError, match="committed already"):
        ledger.reserve(A, rho=Fraction(1, 8), details={})
    assert ledger.standing().spent == Fraction(1, 8)


def test_forfeited_budget_stays_spent_and_a_new_attempt_pays_again(ledger):
    ledger.reserve(A, rho=HALF, details={})
    ledger.forfeit(A, reason="the run broke off")
    assert (ledger.state(A).stage, ledger.standing().spent) == ("forfeited", HALF)
    with pytest.raises(LedgerError, match="isn't reserved"):
        ledger.commit(A, answer=B)
    assert ledger.reserve(A, rho=HALF, details={}).body["attempt"] == 2
    with pytest.raises(LedgerError, match="Attempt 1"):
        ledger.commit(A, answer=B, attempt=1)
    ledger.commit(A, answer=B, attempt=2)
    assert ledger.standing().left == 0


@pytest.mark.parametrize("step", ["commit", "forfeit", "publish"])
def test_nothing_happens_to_a_request_that_was_never_reserved(ledger, step):
    arguments = {"commit": {"answer": B}, "forfeit": {"reason": "x"}, "publish": {"release": "r", "files": B}}[step]
    before = ledger.head
    with pytest.raises((LedgerError, BudgetError)):
        getattr(ledger, step)(A, **arguments)
    assert ledger.head == before


def test_a_committed_request_is_not_forfeited(ledger):
    ledger.reserve(A, rho=HALF, details={})
    ledger.commit(A, answer=B)
    with pytest.raises(LedgerError):
        ledger.forfeit(A, reason="second thoughts")


def test_a_correction_takes_back_only_what_is_unspent(ledger):
    ledger.reserve(A, rho=HALF, details={})
    with pytest.raises(BudgetError, match="unspent"):
        ledger.correct(1, rho=Fraction(3, 4), by="Board", reason="slip")
    ledger.correct(1, rho=Fraction(1, 4), by="Board", reason="slip")
    assert amounts(ledger) == (Fraction(3, 4), HALF, Fraction(1, 4))
    with pytest.raises(BudgetError, match="no such grant"):
        ledger.correct(2, rho=Fraction(1, 8), by="Board", reason="not a grant")
    with pytest.raises(BudgetError, match="smaller"):
        ledger.correct(1, rho=Fraction(1), by="Board", reason="more than it holds")


@pytest.mark.parametrize("rho", [0.5, 1, "1/2", Fraction(0), Fraction(-1, 2)])
def test_only_exact_fractions_over_zero(ledger, rho):
    before = ledger.head
    for attempt in (
        lambda: ledger.grant(rho, by="Board", reason="x"),
        lambda: ledger.reserve(A, rho=rho, details={}),
        lambda: ledger.correct(1, rho=rho, by="Board", reason="x"),
    ):
        with pytest.raises(BudgetError):
            attempt()
    assert ledger.head == before


def test_a_fraction_that_would_slow_down_every_sum_is_refused(ledger):
    with pytest.raises(BudgetError, match="too long"):
        ledger.reserve(A, rho=Fraction(1, 10**200), details={})
    assert ledger.reserve(A, rho=Fraction(0.1), details={}).body["rho"] == str(Fraction(0.1))


@pytest.mark.parametrize(
    "details", [{"scale": 3.5}, {"a": {"b": [1, float("nan")]}}, {"s": {1, 2}}, {1: "x"}, {"b": b"x"}]
)
def test_no_floats_nor_foreign_types_in_entries(ledger, details):
    before = ledger.head
    with pytest.raises(LedgerError):
        ledger.reserve(A, rho=HALF, details=details)
    assert ledger.head == before


def test_canonical_json_is_one_text():
    assert canonical_json({"b": [1, None, True], "a": "ä"}) == r'{"a":"\u00e4","b":[1,null,true]}'
    assert canonical_json({"a": "ä", "b": (1, None, True)}) == canonical_json({"b": [1, None, True], "a": "ä"})


@pytest.mark.parametrize("request_id", ["", "a", "../../x", "A" * 64, digest("x") + "\n", None])
def test_request_ids_are_digests(ledger, request_id):
    with pytest.raises(LedgerError):
        ledger.reserve(request_id, rho=HALF, details={})


@pytest.mark.parametrize("text", ["", "   ", None, "x" * 501])
def test_who_and_why_must_be_said(ledger, text):
    with pytest.raises(LedgerError, match="text for"):
        ledger.grant(HALF, by=text, reason="x")
    with pytest.raises(LedgerError, match="text for"):
        ledger.grant(HALF, by="x", reason=text)


def test_another_open_ledger_sees_what_was_written(ledger, path):
    with Ledger.open(path) as other:
        ledger.reserve(A, rho=Fraction(3, 4), details={})
        with pytest.raises(BudgetError):
            other.reserve(B, rho=HALF, details={})
        other.commit(A, answer=B)
    assert ledger.state(A).stage == "committed"


def test_the_file_itself_refuses_change(path, ledger):
    connection = sqlite3.connect(path)
    for statement in (
        "UPDATE entry SET body = '{}' WHERE number = 1",
        "DELETE FROM entry",
        "INSERT INTO entry VALUES (7, '{}', '')",
        "INSERT OR REPLACE INTO entry VALUES (1, '{}', '')",
    ):
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(statement)
    connection.close()


def test_opening_for_another_population_is_refused(path, ledger):
    with pytest.raises(LedgerError, match='"graduates", not of "pupils"'):
        Ledger.open(path, population="pupils")
    Ledger.open(path, population="graduates").close()


def test_entries_are_in_order_chained_and_stamped_in_utc(ledger):
    ledger.reserve(A, rho=HALF, details={"release": "x"})
    entries = ledger.entries()
    assert [entry.number for entry in entries] == [0, 1, 2]
    assert [entry.body["previous"] for entry in entries[1:]] == [entry.hash for entry in entries[:-1]]
    assert all(entry.time.endswith("Z") and entry.hash == digest(canonical_json(entry.body)) for entry in entries)


def test_a_full_disk_is_told_plainly_and_the_ledger_shut(ledger, path):
    ledger._store._connection.execute("PRAGMA max_page_count = 2")
    with pytest.raises(LedgerError, match="disk is full"):
        ledger.reserve(A, rho=HALF, details={"filling": "x" * 20_000})
    with pytest.raises(LedgerError, match="shut after a failed write"):
        ledger.standing()
    assert [entry.kind for entry in Ledger.open(path).entries()] == ["genesis", "grant"]


def test_a_ledger_locked_by_another_program_is_told_plainly(ledger, path):
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    ledger._store._connection.execute("PRAGMA busy_timeout = 50")
    with pytest.raises(LedgerError, match="Another program is writing"):
        ledger.reserve(A, rho=HALF, details={})
    other.execute("ROLLBACK")
    assert ledger.reserve(A, rho=HALF, details={}).kind == "reserve"
    other.close()


def test_a_file_replaced_while_open_is_noticed(ledger, path, tmp_path):
    copy = tmp_path / "copy"
    copy.write_bytes(path.read_bytes())
    copy.chmod(0o600)
    copy.replace(path)
    with pytest.raises(LedgerError, match="replaced while it was open"):
        ledger.reserve(A, rho=HALF, details={})


def test_a_foreign_entry_added_while_open_is_noticed(ledger, path):
    connection = sqlite3.connect(path)
    connection.execute("INSERT INTO entry VALUES (2, '{}', ?)", (digest("{}"),))
    connection.commit()
    connection.close()
    with pytest.raises(LedgerError, match="Entry 2 isn't in the ledger's form"):
        ledger.standing()


def test_a_tail_cut_off_while_open_is_noticed(ledger, path):
    connection = sqlite3.connect(path)
    connection.execute("DROP TRIGGER entry_kept")
    connection.execute("DELETE FROM entry WHERE number = 1")
    connection.commit()
    connection.close()
    with pytest.raises(LedgerError, match="last entries are gone"):
        ledger.standing()
