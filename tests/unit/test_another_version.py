"""A new version of the trusted core makes every request new: the user is told so before anything is charged again."""

from fractions import Fraction

import pytest

from release.charging import Request
from release.errors import BudgetError
from release.ledger import Ledger
from release.pipeline import _refuse_over_grant

PARTS = {"linking": "rule", "measured": "tables", "delivery": "digest", "core": "version 1"}


@pytest.fixture
def ledger(tmp_path):
    with Ledger.create(tmp_path / "ledger.sqlite", population="people", by="test") as book:
        book.grant(Fraction(1), by="test", reason="test")
        first = request(PARTS)
        book.reserve(first.id, rho=first.rho, details=first.details())
        yield book


def request(parts, rho="1/2"):
    return Request(population="people", release="r", rho=Fraction(rho), parts=parts)


def test_the_same_by_another_version_is_told(ledger):
    said: list[str] = []
    _refuse_over_grant(ledger, request({**PARTS, "core": "version 2"}), said.append)
    assert "another version" in said[0]
    assert "charged anew" in said[0]


def test_another_delivery_is_nothing_to_tell_of(ledger):
    said: list[str] = []
    _refuse_over_grant(ledger, request({**PARTS, "delivery": "other", "core": "version 2"}), said.append)
    assert said == []


def test_where_the_budget_is_gone_the_remedy_is_the_other_version(ledger):
    with pytest.raises(BudgetError, match="with that version"):
        _refuse_over_grant(ledger, request({**PARTS, "core": "version 2"}, rho="3/4"), print)
    with pytest.raises(BudgetError, match=r"Lower privacy\.rho"):
        _refuse_over_grant(ledger, request({**PARTS, "measured": "more"}, rho="3/4"), print)
