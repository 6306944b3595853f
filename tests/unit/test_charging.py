"""Charge first, then draw; one draw per charge; the same request gives the stored answer."""

import dataclasses
import os
from fractions import Fraction

import pytest

from release import charging
from release.answers import answer_folder, store_answer
from release.charging import Request, charged_answer
from release.errors import BudgetError, LedgerError
from release.ledger import Ledger, verify_ledger

REQUEST = Request("graduates", "graduates-2026", Fraction(1, 3), {"residuals": [["provider", 1], "scale 7/2"]})


@pytest.fixture
def ledger(tmp_path):
    with Ledger.create(tmp_path / "graduates.ledger", population="graduates", by="Registrar") as ledger:
        ledger.grant(Fraction(1), by="Board", reason="decision 7/2026")
        yield ledger


class Dice:
    """Draws another answer each time, and remembers what the ledger said when it was asked."""

    def __init__(self, ledger, *, fails=False):
        self.ledger, self.fails, self.spent_when_drawing = ledger, fails, []

    def __call__(self):
        with Ledger.open(self.ledger.path) as seen:
            self.spent_when_drawing.append(seen.standing().spent)
        if self.fails:
            raise ZeroDivisionError
        return {"noisy.bin": os.urandom(8)}


def test_the_charge_is_on_disk_before_the_draw(ledger):
    dice = Dice(ledger)
    answer = charged_answer(ledger, REQUEST, dice)
    assert dice.spent_when_drawing == [Fraction(1, 3)]
    assert (answer.charged, answer.notice, answer.entry.kind) == (Fraction(1, 3), "", "commit")
    assert ledger.state(REQUEST.id).answer == answer.digest


def test_the_same_request_again_is_free_and_the_same(ledger):
    dice = Dice(ledger)
    first = charged_answer(ledger, REQUEST, dice)
    again = charged_answer(ledger, REQUEST, dice)
    assert (again.files, again.charged, len(dice.spent_when_drawing)) == (first.files, 0, 1)
    assert "no charge" in again.notice
    assert ledger.standing().spent == Fraction(1, 3)


def test_the_release_s_name_is_no_part_of_what_is_measured():
    assert dataclasses.replace(REQUEST, release="renamed").id == REQUEST.id


@pytest.mark.parametrize(
    "change",
    [{"population": "pupils"}, {"rho": Fraction(1, 4)}, {"parts": {"residuals": [["provider", 1], "scale 7/3"]}}],
)
def test_whatever_is_measured_otherwise_is_another_request(change):
    assert dataclasses.replace(REQUEST, **change).id != REQUEST.id


def test_floats_have_no_place_in_a_request(ledger):
    dice = Dice(ledger)
    with pytest.raises(LedgerError, match="float"):
        charged_answer(ledger, dataclasses.replace(REQUEST, parts={"scale": 3.5}), dice)
    assert (dice.spent_when_drawing, ledger.standing().spent) == ([], 0)


def test_over_the_grant_nothing_is_drawn(ledger):
    dice = Dice(ledger)
    with pytest.raises(BudgetError):
        charged_answer(ledger, dataclasses.replace(REQUEST, rho=Fraction(4, 3)), dice)
    assert (dice.spent_when_drawing, ledger.standing().spent) == ([], 0)


def test_another_population_is_refused(ledger):
    with pytest.raises(LedgerError, match='"graduates", the release of "pupils"'):
        charged_answer(ledger, dataclasses.replace(REQUEST, population="pupils"), Dice(ledger))


def test_a_failed_draw_costs_and_the_next_one_costs_again(ledger):
    with pytest.raises(ZeroDivisionError):
        charged_answer(ledger, REQUEST, Dice(ledger, fails=True))
    assert ledger.state(REQUEST.id).stage == "forfeited"
    assert ledger.entries()[-1].body["reason"] == "the draw failed"
    assert charged_answer(ledger, REQUEST, Dice(ledger)).charged == Fraction(1, 3)
    assert ledger.standing().spent == Fraction(2, 3)


def test_a_failed_store_is_not_yet_lost(ledger, monkeypatch):
    """The answer was drawn but is not on disk: the next run pays anew, for its own draw."""

    def full(*_):
        raise LedgerError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr(charging, "store_answer", full)
        with pytest.raises(LedgerError, match="disk full"):
            charged_answer(ledger, REQUEST, Dice(ledger))
    assert ledger.state(REQUEST.id).stage == "reserved"
    answer = charged_answer(ledger, REQUEST, Dice(ledger))
    assert "charged anew" in answer.notice
    assert ledger.standing().spent == Fraction(2, 3)


def test_a_run_killed_after_storing_is_completed_without_a_draw(ledger):
    ledger.reserve(REQUEST.id, rho=REQUEST.rho, details=REQUEST.details())
    store_answer(ledger.path, REQUEST.id, {"noisy.bin": b"first"})
    dice = Dice(ledger)
    answer = charged_answer(ledger, REQUEST, dice)
    assert (answer.files, answer.charged, dice.spent_when_drawing) == ({"noisy.bin": b"first"}, 0, [])
    assert "no further charge" in answer.notice


def test_a_committed_answer_that_was_lost_is_not_drawn_again(ledger):
    charged_answer(ledger, REQUEST, Dice(ledger))
    answer_folder(ledger.path, REQUEST.id).rename(ledger.path.with_name("elsewhere"))
    dice = Dice(ledger)
    with pytest.raises(LedgerError, match="missing"):
        charged_answer(ledger, REQUEST, dice)
    assert dice.spent_when_drawing == []


def test_the_ledger_notes_digests_of_the_parts_not_the_parts(ledger):
    charged_answer(ledger, REQUEST, Dice(ledger))
    details = ledger.entries()[2].body["details"]
    assert details["release"] == "graduates-2026"
    assert set(details["parts"]) == {"residuals"}
    assert len(details["parts"]["residuals"]) == 64
    assert verify_ledger(ledger.path).ok
