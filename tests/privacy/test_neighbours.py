"""One person more or less, in all registers together, changes no key and at most the claimed number of cells."""

import numpy as np
import pytest
from helpers.random_registers import REGISTERS
from helpers.small_registers import counted, small_policy
from hypothesis import Phase, given, settings

from release.confidential import link as linking
from release.errors import UtfallError

SEVERAL_TIMES = {
    "degrees": [
        {"person": "p1", "place": "n1", "cohort": 2019, "sex": "1", "rank": 1, "grade": 1},
        {"person": "p2", "place": "n0", "cohort": 2019, "sex": "2", "rank": 1, "grade": 1},
        {"person": "p2", "place": "s1", "cohort": 2020, "sex": "2", "rank": 2, "grade": 2},
        {"person": "p2", "place": "n2", "cohort": 2021, "sex": "2", "rank": None, "grade": None},
        {"person": "p3", "place": "s1", "cohort": 2020, "sex": "9", "rank": 2, "grade": 1},
    ],
    "activity": [
        {"person": who, "activity": code, "year": year, "batch": batch}
        for who, code, year, batch in [("p1", "w1", 2020, 1), ("p2", "w1", 2021, 1), ("p2", "i1", 2021, 2)]
    ],
    "pay": [{"person": "p1", "pay": 25.5, "year": 2020}, {"person": "p1", "pay": 12.0, "year": 2020}],
    "survey": [{"person": "p2", "match": 3}, {"person": "p2", "match": 1}, {"person": "a stranger", "match": 2}],
}


def without(registers, person):
    return {name: [row for row in rows if row["person"] != person] for name, rows in registers.items()}


def check_neighbours(policy, make_folder, registers, person):
    """Adding a person to the rest is removing one from all: both directions are this one comparison."""
    with_all = counted(policy, make_folder("with"), registers)
    with_rest = counted(policy, make_folder("rest"), without(registers, person))
    bound = policy.document.privacy.records_per_person
    assert with_all.tables.keys() == with_rest.tables.keys()
    for combination, table in with_all.tables.items():
        assert table.shape == with_rest.tables[combination].shape
        change = table - with_rest.tables[combination]
        assert change.min() >= 0, "a person's coming takes nobody away"
        assert change.sum() <= bound


@pytest.fixture(params=[1, 2])
def policy(request, tmp_path):
    return small_policy(tmp_path / "policy", records=request.param)


@pytest.mark.parametrize("person", ["p1", "p2", "p3", "a stranger"])
def test_any_one_person_changes_at_most_the_bound(policy, tmp_path_factory, person):
    check_neighbours(policy, tmp_path_factory.mktemp, SEVERAL_TIMES, person)


@pytest.fixture(scope="module")
def bound_of_one(tmp_path_factory):
    return small_policy(tmp_path_factory.mktemp("policy"))


@settings(max_examples=6, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(registers=REGISTERS)
def test_so_it_is_in_random_registers(bound_of_one, tmp_path_factory, registers):
    person = registers["degrees"][0]["person"]
    if any(row["person"] != person for row in registers["degrees"]):
        check_neighbours(bound_of_one, tmp_path_factory.mktemp, registers, person)


def unbounded(table, key, order, most, original=linking.first_rows):
    return table if key == [linking.PERSON] and "rank" in table.columns else original(table, key, order, most)


def test_an_unbounded_person_is_refused_by_linking_itself(policy, tmp_path_factory, monkeypatch):
    monkeypatch.setattr(linking, "first_rows", unbounded)
    with pytest.raises(UtfallError, match="more rows after linking"):
        check_neighbours(policy, tmp_path_factory.mktemp, SEVERAL_TIMES, "p2")


def test_an_unbounded_person_is_seen_by_this_test(policy, tmp_path_factory, monkeypatch):
    monkeypatch.setattr(linking, "first_rows", unbounded)
    monkeypatch.setattr(linking, "_check_bound", lambda *_: None)
    with pytest.raises(AssertionError):
        check_neighbours(policy, tmp_path_factory.mktemp, SEVERAL_TIMES, "p2")


def test_a_join_that_makes_rows_is_refused(bound_of_one, tmp_path_factory, monkeypatch):
    """A register that slips through with a person twice must not multiply her rows."""
    monkeypatch.setattr(linking, "_one_row_each", lambda delivery, _, name, **__: delivery.tables[name])
    with pytest.raises(UtfallError, match="made or lost rows"):
        check_neighbours(bound_of_one, tmp_path_factory.mktemp, SEVERAL_TIMES, "p2")


def test_counts_are_of_the_keys_and_not_of_the_data(bound_of_one, tmp_path_factory):
    counts = counted(bound_of_one, tmp_path_factory.mktemp("one"), {"degrees": SEVERAL_TIMES["degrees"][:1]})
    assert counts.tables[()] == 1
    for combination, table in counts.tables.items():
        assert table.shape == tuple(len(bound_of_one.attributes[name].levels[level]) for name, level in combination)
        assert table.sum() == 1
        assert table.dtype == np.int64
        assert not table.flags.writeable
