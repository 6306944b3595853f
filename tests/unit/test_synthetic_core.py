"""Support, raking, records and refinement: the laws they keep, on worlds small enough to check by hand."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from helpers.outcome_policies import NONE, counted, measured, outcome, outcome_policy
from helpers.workloads import balanced_tree, flat_of, small_tree
from hypothesis import given, settings
from hypothesis import strategies as st

from release.errors import PolicyError
from release.plan import make_plan
from release.protected.estimates import estimate
from synthetic import support as support_module
from synthetic.agree import agreeing, all_margins, fitted_table
from synthetic.fit import finest_levels, fit
from synthetic.rake import NoisyCells, RakedTable, families, inside_intervals, rake
from synthetic.records import concerned, draw_records, pick, systematic
from synthetic.refine import Change, Margin, refine
from synthetic.support import possible_cells

PLACE, FIELD, SEX = small_tree("place", (3, 1, 2)), balanced_tree("field", 2, 2), flat_of("sex", 2)
STATUS = outcome("status", ["work", "study", "none"])
PAY = outcome("pay", ["low", "high", "top"], beside=NONE)
TABLES = {
    "a": {"by": ["place", "field:broad"]},
    "b": {"by": ["field", "sex"], "of": "status", "show": ["count", "share"]},
    "c": {"by": ["place:region", "sex"], "of": "pay", "show": ["count"]},
}


def offered() -> np.ndarray:
    """Places may not offer every broad field."""
    allowed = np.ones((6, 2), bool)
    allowed[[0, 3, 5], [1, 0, 1]] = False
    return allowed


@pytest.fixture(scope="module")
def policy():
    rule = ((("place", 2), ("field", 1)), offered())
    return outcome_policy(
        [PLACE, FIELD, SEX], [STATUS, PAY], TABLES, rho="2", only_if={"pay": {"status": ["work"]}}, possible=[rule]
    )


@pytest.fixture(scope="module")
def persons(policy):
    """4,000 invented persons: pay only for those who work, only where it is offered."""
    random = np.random.default_rng(3)
    pairs = np.argwhere(offered())
    chosen = pairs[random.choice(len(pairs), 4_000, p=random.dirichlet(np.ones(len(pairs))))]
    sex = random.integers(0, 2, 4_000)
    field = chosen[:, 1] * 2 + (random.random(4_000) < 0.3 + 0.3 * sex)
    chances = np.array([[0.6, 0.3, 0.1], [0.4, 0.4, 0.2], [0.7, 0.1, 0.2], [0.2, 0.5, 0.3]])[field]
    status = (chances.cumsum(axis=1) < random.random(4_000)[:, None]).sum(axis=1)
    pay = np.where(status == 0, random.choice(3, 4_000, p=[0.5, 0.3, 0.2]), 3)
    return {"place": chosen[:, 0], "field": field, "sex": sex, "status": status, "pay": pay}


@pytest.fixture(scope="module")
def fitted(policy, persons):
    estimates = estimate(measured(make_plan(policy), persons, random=None))
    return fit(estimates, policy)


# Support


def test_the_support_is_every_combination_that_no_list_excludes(policy):
    levels = {"place": 2, "field": 2, "sex": 1}
    found = possible_cells(policy, levels)
    parent = FIELD.levels[2].parent
    wanted = {(p, f, s) for p, f, s in product(range(6), range(4), range(2)) if offered()[p, parent[f]]}
    assert set(zip(*(found.nodes[name].tolist() for name in ("place", "field", "sex")), strict=True)) == wanted
    assert found.size == len(wanted)


def test_a_coarser_cell_is_possible_if_any_child_is(policy):
    found = possible_cells(policy, {"place": 1, "field": 1})
    region = PLACE.levels[2].parent
    wanted = {(region[p], f) for p, f in np.argwhere(offered()).tolist()}
    assert set(zip(found.nodes["place"].tolist(), found.nodes["field"].tolist(), strict=True)) == wanted


def test_a_support_beyond_reach_is_refused(policy, monkeypatch):
    monkeypatch.setattr(support_module, "LARGEST_SUPPORT", 10)
    with pytest.raises(PolicyError, match="possible combinations"):
        possible_cells(policy, {"place": 2, "field": 2})


# Raking


def block(random, rows=12, columns=4):
    truth = random.gamma(1.0, 20.0, (rows, columns))
    truth[0, 1] = 0.0
    return truth


def table_of(truth, groups, columns, error):
    value = np.zeros((groups.max() + 1, columns.max() + 1))
    np.add.at(value, (groups[:, None], columns[None, :]), truth)
    return RakedTable(groups, columns, NoisyCells(value, np.full(value.shape, error), shrunk=True))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_raking_to_exact_tables_reproduces_them_and_keeps_rows_and_zeros(seed):
    truth = block(np.random.default_rng(seed))
    everyone = np.zeros(4, np.int64)
    tables = [
        table_of(truth, np.arange(12) % 3, np.arange(4), 0.01),
        table_of(truth, np.arange(12) // 6, np.arange(4) // 2, 0.01),
        table_of(truth, np.arange(12) // 2, everyone, 0.01),
    ]
    start = np.where(truth > 0, truth.sum() / truth.size, 0.0)
    raked = rake(start, tables, cycles=40)
    for table in tables:
        np.testing.assert_allclose(table.of(raked), table.cells.value, rtol=0.02, atol=0.5)
    assert raked[0, 1] == 0
    kept = rake(start, tables[:1], rows=truth.sum(axis=1))
    np.testing.assert_allclose(kept.sum(axis=1), truth.sum(axis=1))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.booleans())
def test_steps_on_a_table_seen_from_a_finer_one_are_those_on_the_block(seed, kept):
    """The slow, obvious twin: every table of a family touches the whole block."""
    random = np.random.default_rng(seed)
    truth = block(random)
    rows = truth.sum(axis=1) if kept else None
    finest, coarse = (np.arange(12) % 6, np.arange(4) // 2), (np.arange(12) % 3, np.zeros(4, np.int64))
    apart = (np.arange(12) // 6, np.arange(4))
    made = [table_of(random.normal(truth, 5.0), *parts, 5.0) for parts in (coarse, finest, apart)]
    twins = [RakedTable(t.rows, t.columns, NoisyCells(t.cells.value, t.cells.error, True)) for t in made[:2]]
    found = families(made)
    assert {id(family.finest): len(family.members) for family in found} == {id(made[1]): 2, id(made[2]): 1}
    family = next(f for f in found if f.finest is made[1])
    weights = family.moved(truth, RakedTable.step, rows=rows, backwards=False)
    slow = truth
    for table in twins:
        slow = slow * table.spread(table.step(table.of(slow)))
        slow = slow * (truth.sum() / slow.sum() if rows is None else block_rows(rows, slow, finest[0]))
    if rows is not None:
        slow = slow * (rows / slow.sum(axis=1))[:, None]
    np.testing.assert_allclose(weights, slow, rtol=1e-6, atol=1e-9)


def block_rows(rows, weights, groups):
    """Factors that bring each group of rows to what its rows must add up to."""
    wanted, have = (np.bincount(groups, weights=sums)[groups] for sums in (rows, weights.sum(axis=1)))
    return (wanted / have)[:, None]


def test_a_cell_that_is_all_noise_keeps_the_coarser_shape():
    """Two equal rows; one cell's noisy value is far off, but its error is larger still."""
    start = np.full((2, 2), 10.0)
    noisy = np.array([[40.0, 10.0], [10.0, 10.0]])
    table = RakedTable(np.arange(2), np.arange(2), NoisyCells(noisy, np.full((2, 2), 100.0), shrunk=True))
    assert abs(rake(start, [table])[0, 0] - 10.0) < 1.5


def test_cells_outside_their_intervals_come_inside_and_the_others_stay():
    weights = np.array([[100.0, 50.0], [30.0, 20.0]])
    value = np.array([[100.0, 50.0], [50.0, 20.0]])
    table = RakedTable(np.arange(2), np.arange(2), NoisyCells(value, np.full((2, 2), 5.0), shrunk=False))
    moved = inside_intervals(weights, [table], [])
    assert (np.abs(moved - value) < 1.96 * 5.0).all()
    assert abs(moved[0, 0] - 100) < 7  # the total is kept, so all others give a little


# Records


def test_the_fit_of_noiseless_tables_is_close_to_them(fitted, policy, persons):
    for table in policy.tables.values():
        combination = policy.measured(table)
        exact = counted(persons, combination, policy.attributes)
        name = next((n for n, _ in combination if n in policy.document.outcomes), None)
        exact = exact if name is None else np.moveaxis(exact, [n for n, _ in combination].index(name), -1)
        np.testing.assert_allclose(fitted_table(fitted, combination), exact.reshape(-1), atol=20)


def test_records_are_possible_and_an_outcome_is_there_exactly_where_it_applies(fitted):
    records = draw_records(fitted, 3_000, np.random.default_rng(1))
    parent = FIELD.levels[2].parent
    assert offered()[records.nodes("place", 2), parent[records.nodes("field", 2)]].all()
    works = records.leaves["status"] == 0
    assert np.array_equal(concerned(records, "pay"), works)
    assert np.array_equal(records.leaves["pay"] != 3, works)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0, 10), min_size=1, max_size=20).filter(lambda w: sum(w) > 0.1), st.integers(1, 200))
def test_systematic_sampling_is_within_one_of_its_expectation(weights, rows):
    weights = np.array(weights)
    drawn = np.bincount(systematic(weights, rows, np.random.default_rng(0)), minlength=len(weights))
    expected = np.cumsum(weights) / weights.sum() * rows
    assert np.abs(np.cumsum(drawn) - expected).max() <= 1 + 1e-9


def test_a_leaf_without_a_chance_is_never_picked():
    chances = np.array([[0.0, 0.5, 0.0, 0.5, 0.0], [1.0, 0.0, 0.0, 0.0, 0.0]])
    points = np.linspace(0, 1, 101, endpoint=False)
    assert set(pick(chances.cumsum(axis=1), np.zeros(101, np.int64), points)) == {1, 3}
    assert set(pick(chances.cumsum(axis=1), np.ones(101, np.int64), points)) == {0}


def test_the_same_seed_gives_the_same_records_and_another_one_others(fitted):
    one, two, three = (draw_records(fitted, 500, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(one.cell, two.cell)
    assert all(np.array_equal(one.leaves[name], two.leaves[name]) for name in one.leaves)
    assert not all(np.array_equal(one.leaves[name], three.leaves[name]) for name in one.leaves)


# Refinement


def objective(margins) -> float:
    return sum(margin.weight * float((margin.difference**2).sum()) for margin in margins)


def test_refined_records_are_closer_still_possible_and_the_differences_are_true(fitted):
    before = draw_records(fitted, 3_000, np.random.default_rng(1))
    after = agreeing(before, np.random.default_rng(2), rounds=4)
    assert objective(all_margins(after)) < 0.7 * objective(all_margins(before))
    assert np.array_equal(after.leaves["pay"] != 3, after.leaves["status"] == 0)
    parent = FIELD.levels[2].parent
    assert offered()[after.nodes("place", 2), parent[after.nodes("field", 2)]].all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_changes_are_made_only_if_all_together_they_help_and_are_booked_exactly(seed):
    """The twin: after every batch the differences are counted anew from the records."""
    random = np.random.default_rng(seed)
    cells, persons = 12, 60
    cell = random.integers(0, cells, persons)
    maps = [random.integers(0, 3, cells), random.integers(0, 4, cells), np.arange(cells)]
    targets = [random.multinomial(persons, np.full(m.max() + 1, 1 / (m.max() + 1))).astype(float) for m in maps]
    margins = [
        Margin((("d", 1),), m, "", np.zeros(0, np.int64), 1.0, np.bincount(m[cell], minlength=len(t)) - t)
        for m, t in zip(maps, targets, strict=True)
    ]
    was = objective(margins)
    changes = (Change(random.permutation(persons)[:20], random.integers(0, cells, 20), {}, ("d",)) for _ in range(5))
    refine(cell, {}, margins, changes)
    for margin, m, target in zip(margins, maps, targets, strict=True):
        np.testing.assert_allclose(margin.difference, np.bincount(m[cell], minlength=len(target)) - target)
    assert objective(margins) <= was


def test_levels_are_the_finest_measured(fitted, policy, persons):
    estimates = estimate(measured(make_plan(policy), persons, random=None))
    assert finest_levels(estimates, policy) == {"place": 2, "field": 2, "sex": 1}


def test_dimensions_that_no_record_needs_are_left_out_only_where_all_are_too_many(policy, persons, monkeypatch):
    wanted = outcome_policy([PLACE, FIELD, SEX], [STATUS, PAY], TABLES, rho="2", only_if={"pay": {"status": ["work"]}})
    asked = wanted.document.synthetic.model_copy(update={"columns": ["field", "sex", "pay"]})
    wanted = replace(wanted, document=wanted.document.model_copy(update={"synthetic": asked}))
    estimates = estimate(measured(make_plan(wanted), persons, random=None))
    assert set(fit(estimates, wanted).support.levels) == {"place", "field", "sex"}
    monkeypatch.setattr(support_module, "LARGEST_SUPPORT", 10)
    found = fit(estimates, wanted)
    assert (set(found.support.levels), set(found.outcomes)) == ({"field", "sex"}, {"status", "pay"})
    records = agreeing(draw_records(found, 2_000, np.random.default_rng(1)), np.random.default_rng(2), rounds=3)
    assert np.array_equal(records.leaves["pay"] != 3, records.leaves["status"] == 0)
    with pytest.raises(PolicyError, match="possible combinations"):
        fit(estimates, policy)
