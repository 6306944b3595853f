"""What `utfall check` tells of exact tables before anything is protected."""

import pytest
from helpers.exact_cases import counted_sets, exact_policy

from release.errors import roughly
from release.protected.exact import forecast as module
from release.protected.exact.forecast import LONG, expected_minutes
from release.protected.exact.protect import check_set

PLAN = (
    "  persons: {by: [place, cohort, sex], protection: {suppression: {rules: {minimum: 3, holders: "
    "{by: grade, minimum: 2}}, effort: fast}}}\n"
)


@pytest.fixture
def lines(tmp_path):
    policy = exact_policy(tmp_path / "policy", PLAN)
    ((tables, counts),) = counted_sets(tmp_path, policy)
    return lambda: check_set(tables, counts, policy)


def test_cells_and_what_each_rule_hides_are_told_in_bands(lines):
    told = {what: (where, number) for where, what, number in lines()}
    assert set(told) == {
        "cells with persons",
        "cells hidden by rule: fewer than 3 persons",
        "cells hidden by rule: fewer than 2 different holders (grade)",
    }
    assert {where for where, _ in told.values()} == {"tables persons"}
    assert all(number.startswith(("about", "fewer than 10")) for _, number in told.values())


def test_minutes_are_told_where_they_are_many(lines, monkeypatch):
    assert LONG not in [what for _, what, _ in lines()]
    monkeypatch.setattr(module, "expected_minutes", lambda *_: 45)
    assert ("tables persons", LONG, roughly(45)) in lines()


@pytest.mark.parametrize(
    ("cells", "effort", "minutes"),
    [(1_000, "fast", 1), (1_000, "thorough", 6), (64_000, "fast", 4), (212_000, "fast", 22)],
)
def test_more_cells_and_thoroughness_take_longer(cells, effort, minutes):
    assert expected_minutes(cells, effort) == minutes
