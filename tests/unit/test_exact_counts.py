"""Exact counts of exact tables: the same as a plain count of the linked rows, in every cell and for every holder."""

from collections import Counter
from itertools import product

import numpy as np
import pytest
from helpers.exact_cases import SECRET, exact_policy, random_registers
from helpers.small_registers import deliver, small_policy

from release.confidential.exact import exact_counts
from release.confidential.inputs import open_delivery
from release.confidential.link import RECORD_KEYS, link
from release.protected.exact.cells import holders_in_cells, keys_of_cells, sole_persons, true_cells
from release.protected.exact.sets import table_sets
from release.protected.perturb.keys import record_keys

TABLES = """\
  persons: {by: [place, cohort], protection: {suppression: {rules: {minimum: 3}}}}
  work: {by: ["place:region"], of: "activity-1:group", protection: {suppression: {rules: {minimum: 3,
    holders: {by: sex, minimum: 2}}}}}
  grades: {by: [], of: grade, protection: {cell-key: {}}}
"""


@pytest.fixture
def case(tmp_path):
    policy = exact_policy(tmp_path / "policy", TABLES)
    data = random_registers()
    linked = link(open_delivery(policy, deliver(tmp_path / "data", policy, data)), policy, secret=SECRET)
    sets = table_sets(policy)
    return (
        policy,
        data,
        linked,
        dict(zip([s.name for s in sets], exact_counts(linked, sets, policy), strict=True)),
        sets,
    )


def test_tables_that_share_cells_stand_together(case):
    *_, sets = case
    assert [(s.name, list(s.tables)) for s in sets] == [("persons", ["persons", "work"]), ("grades", ["grades"])]


def test_every_cell_holds_the_plain_count(case):
    _, data, _, counts, sets = case
    cells = true_cells(sets[0], counts["persons"])
    region = {"n1": "north", "n2": "north", "s1": "south"}
    acts = {row["person"]: {"w1": "work", "w2": "work", "i1": "idle"}[row["activity"]] for row in data["activity"]}
    expected = Counter()
    for row in data["degrees"]:
        places = ("all", region[row["place"]], row["place"])
        for place, cohort in product(places, ("all", str(row["cohort"]))):
            expected[place, cohort, "all"] += 1
        expected["all", "all", acts[row["person"]]] += 1
        expected[region[row["place"]], "all", acts[row["person"]]] += 1
    found = {cells.system.key(i): int(v) for i, v in enumerate(cells.values)}
    assert found == dict(expected)
    assert not (cells.system.relations @ cells.values).any()


def test_holders_are_counted_in_every_cell(case):
    _, data, _, counts, sets = case
    cells = true_cells(sets[0], counts["persons"])
    found = dict(zip(map(cells.system.key, range(len(cells.values))), holders_in_cells(cells, "sex"), strict=True))
    sexes = {(row["place"], str(row["cohort"])): set() for row in data["degrees"]}
    for row in data["degrees"]:
        sexes[row["place"], str(row["cohort"])].add(row["sex"])
    for (place, cohort), some in sexes.items():
        assert found[place, cohort, "all"] == len(some)
    assert found["all", "all", "all"] == 2


def test_someone_alone_has_one_number_everywhere(case):
    *_, counts, sets = case
    cells = true_cells(sets[0], counts["persons"])
    sole = sole_persons(cells)
    assert ((sole >= 0) == (cells.values == 1)).all()


def test_cell_keys_add_up_from_the_record_keys(case):
    *_, counts, sets = case
    whole = int(record_keys([f"p{i}" for i in range(60)], key=SECRET).sum(dtype=np.uint64))
    cells = true_cells(sets[1], counts["grades"])
    keys = dict(zip(map(cells.system.key, range(len(cells.values))), keys_of_cells(cells).tolist(), strict=True))
    assert keys[("all",)] == whole
    assert (keys[("1",)] + keys[("2",)]) % 2**64 == whole


def test_without_a_secret_there_are_no_record_keys(tmp_path):
    policy = small_policy(tmp_path / "policy")
    linked = link(open_delivery(policy, deliver(tmp_path / "data", policy, random_registers())), policy)
    assert RECORD_KEYS[0] not in linked._rows.columns


def test_counts_say_nothing_of_themselves(case):
    *_, counts, _ = case
    assert repr(counts["persons"]) == "<TrueCounts: confidential>"
