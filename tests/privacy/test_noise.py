"""The noise that our own measuring function draws with the installed OpenDP: its scale, shape and freshness.

Each statistical test accepts the right noise at an absurdly forgiving level, and rejects at that same level what is
wrong: a scale off by 10 %, noise clipped at zero, a draw used twice. Nothing here is seeded; nothing is flaky.
"""

from math import erfc, exp, lgamma, log, sqrt

import numpy as np
import pytest
from helpers.workloads import counts_of, exact_counts, flat_of, policy_of, random_leaves, small_tree

from release.confidential import measure, mechanisms
from release.errors import UtfallError
from release.plan import NoiseGroup, make_plan
from release.residuals import integer_residuals

CELLS = 20_000
FORGIVING = 1e-20
"""Chance of a false alarm; 10 % in the scale shows up at less than 1e-80 with so many draws."""


@pytest.fixture(scope="module")
def plan():
    """Two attributes of 20,000 codes: two large vectors of one scale each, and the total."""
    attributes = [flat_of("a", CELLS), flat_of("b", CELLS)]
    return make_plan(policy_of(attributes, {"t": {"by": ["a"]}, "u": {"by": ["b"]}}, rho="3"))


@pytest.fixture(scope="module")
def nobody(plan):
    return counts_of({"a": np.zeros(0, int), "b": np.zeros(0, int)}, plan)


@pytest.fixture(scope="module")
def noise(plan, nobody):
    """Noise on nobody: what is drawn is all there is. One draw, shared by the tests that only look at it."""
    return measure.draw(nobody, plan)


def scale_of(plan, name):
    residual = next(r for r in plan.residuals if r.combination == ((name, 1),))
    return residual.groups[0].scale


def variance_p_value(draws: np.ndarray, scale: float) -> float:
    """Two-sided p-value of sum of squares / scale^2 against its chi-square distribution (normal far out: generous)."""
    n = len(draws)
    z = (float((draws.astype(float) ** 2).sum()) / scale**2 - n) / sqrt(2 * n)
    return erfc(abs(z) / sqrt(2))


def shape_p_value(draws: np.ndarray, scale: float) -> float:
    """Chi-square test of 20 equally likely classes of a discrete Gaussian of this scale."""
    reach = int(12 * scale)
    values = np.arange(-reach, reach + 1)
    weights = np.exp(-(values.astype(float) ** 2) / (2 * scale**2))
    cumulative = np.cumsum(weights / weights.sum())
    edges = np.searchsorted(cumulative, np.linspace(0.05, 0.95, 19))
    expected = np.diff(np.concatenate([[0], cumulative[edges], [1]])) * len(draws)
    classes = np.searchsorted(values[edges], draws, side="left")
    observed = np.bincount(classes, minlength=20)
    return chi_square_tail(float(((observed - expected) ** 2 / expected).sum()), 19)


def chi_square_tail(x: float, degrees: int) -> float:
    """Upper tail by its leading term for large x: enough to tell 1e-20 from anything ordinary."""
    half = degrees / 2
    bound = exp(min(0.0, (half - 1) * log(max(x, 1e-9) / 2) - x / 2 - lgamma(half)))
    return 1.0 if x < degrees else min(1.0, bound * x / (x - degrees + 2))


@pytest.mark.parametrize("name", ["a", "b"])
def test_noise_has_the_stated_scale_and_the_test_sees_ten_per_cent(noise, plan, name):
    draws, scale = noise[(name, 1),].reshape(-1), scale_of(plan, name)
    assert variance_p_value(draws, scale) > FORGIVING
    assert variance_p_value(draws, scale * 1.1) < FORGIVING
    assert variance_p_value(draws, scale * 0.9) < FORGIVING


@pytest.mark.parametrize("name", ["a", "b"])
def test_noise_is_a_discrete_gaussian_and_the_test_sees_other_shapes(noise, plan, name):
    draws, scale = noise[(name, 1),].reshape(-1), scale_of(plan, name)
    assert shape_p_value(draws, scale) > FORGIVING
    laplace = np.rint(np.random.default_rng(1).laplace(0, scale / sqrt(2), CELLS))
    assert shape_p_value(laplace, scale) < FORGIVING
    assert shape_p_value(np.maximum(draws, 0), scale) < FORGIVING
    assert shape_p_value(draws * 1.1, scale) < FORGIVING


def test_a_small_scale_is_drawn_exactly():
    """Before OpenDP 0.14.2 the samplers were biased: the distribution at a scale near 1, value by value."""
    draws = mechanisms.with_noise(np.zeros(CELLS, np.int64), 1.25)
    values = np.arange(-12, 13)
    chances = np.exp(-(values.astype(float) ** 2) / (2 * 1.25**2))
    expected = chances / chances.sum() * CELLS
    observed = np.array([(draws == value).sum() for value in values])
    seen = expected > 5
    statistic = float(((observed - expected)[seen] ** 2 / expected[seen]).sum())
    assert chi_square_tail(statistic, int(seen.sum()) - 1) > FORGIVING


def looks_reused(noise) -> bool:
    """Whether the two large vectors, or two halves of one, hold the same noise."""
    one, two = (noise[(name, 1),].reshape(-1).astype(float) for name in ("a", "b"))
    half = CELLS // 2
    pairs = [(one, two), (one[:half], one[half:]), (two[:half], two[half:])]
    return any(abs(np.corrcoef(x, y)[0, 1]) > 12 / sqrt(len(x)) for x, y in pairs)


def test_every_value_gets_fresh_noise(noise):
    assert not looks_reused(noise)


def test_a_reused_draw_is_caught(plan, nobody, monkeypatch):
    kept: dict[int, np.ndarray] = {}
    fresh = mechanisms.with_noise

    def reused(values, scale):
        if len(values) not in kept:
            kept[len(values)] = fresh(np.zeros_like(values), scale)
        return values + kept[len(values)]

    monkeypatch.setattr(measure.mechanisms, "with_noise", reused)
    assert looks_reused(measure.draw(nobody, plan))


@pytest.mark.parametrize(
    "planted",
    [
        pytest.param(lambda values: np.maximum(values, 0), id="clipped"),
        pytest.param(lambda values: np.rint(values * 0.9).astype(np.int64), id="too little"),
    ],
)
def test_wrong_noise_in_our_own_function_is_caught(plan, nobody, monkeypatch, planted):
    fresh = mechanisms.with_noise
    monkeypatch.setattr(measure.mechanisms, "with_noise", lambda values, scale: planted(fresh(values, scale)))
    draws = measure.draw(nobody, plan)[("a", 1),].reshape(-1)
    assert min(variance_p_value(draws, scale_of(plan, "a")), shape_p_value(draws, scale_of(plan, "a"))) < FORGIVING


def test_two_draws_of_one_plan_differ(plan, nobody, noise):
    again = measure.draw(nobody, plan)
    assert not np.array_equal(again[("a", 1),], noise[("a", 1),])


# What one person can change

SMALL = [small_tree("place", (3, 1, 2)), flat_of("sex", 2), flat_of("status", 4)]
TABLES = {"a": {"by": ["place", "sex"]}, "b": {"by": ["place:region", "status"]}}


def largest_changes(plan, persons=1) -> dict[tuple, int]:
    """For each noise group the largest squared change when `persons` equal records come: all leaves are tried."""
    sizes = [len(attribute.leaves) for attribute in plan.attributes.values()]
    found: dict[tuple, int] = {}
    for leaves in np.ndindex(*sizes):
        record = {name: np.full(persons, leaf) for name, leaf in zip(plan.attributes, leaves, strict=True)}
        for residual in plan.residuals:
            c = residual.combination
            change = integer_residuals(exact_counts(record, c, plan.attributes), c, plan.attributes).reshape(-1)
            for group, cells in measure.group_cells(residual, plan.attributes):
                key = (c, group.siblings)
                found[key] = max(found.get(key, 0), int((change[cells] ** 2).sum()))
    return found


def claimed_changes(plan) -> dict[tuple, int]:
    return {(r.combination, g.siblings): g.squared_sensitivity(plan.records) for r in plan.residuals for g in r.groups}


@pytest.mark.parametrize("records", [1, 2])
def test_the_claimed_sensitivity_is_the_largest_change_one_person_can_make(records):
    plan = make_plan(policy_of(SMALL, TABLES, records=records))
    assert largest_changes(plan, records) == claimed_changes(plan)


def test_an_off_by_one_sensitivity_is_caught(monkeypatch):
    right = NoiseGroup.squared_sensitivity
    monkeypatch.setattr(NoiseGroup, "squared_sensitivity", lambda group, records: right(group, records) - 1)
    plan = make_plan(policy_of(SMALL, TABLES))
    assert any(change > claimed_changes(plan)[key] for key, change in largest_changes(plan).items())


def test_an_unbounded_person_is_caught():
    """A person with two records in a plan for one changes more than is claimed."""
    plan = make_plan(policy_of(SMALL, TABLES, records=1))
    assert any(change > claimed_changes(plan)[key] for key, change in largest_changes(plan, 2).items())


def test_a_person_is_in_one_noise_group_of_each_residual():
    """Why groups of one residual compose in parallel: a record changes only one of them."""
    plan = make_plan(policy_of(SMALL, TABLES))
    for leaves in np.ndindex(*[len(a.leaves) for a in plan.attributes.values()]):
        record = {name: np.full(1, leaf) for name, leaf in zip(plan.attributes, leaves, strict=True)}
        for residual in plan.residuals:
            c = residual.combination
            change = integer_residuals(exact_counts(record, c, plan.attributes), c, plan.attributes).reshape(-1)
            touched = [cells for _, cells in measure.group_cells(residual, plan.attributes) if change[cells].any()]
            assert len(touched) <= 1
            assert sum(int((change[cells] ** 2).sum()) for cells in touched) == int((change**2).sum())


def test_opendp_and_exact_fractions_agree_on_every_cost():
    plan = make_plan(policy_of(SMALL, TABLES, rho="1/7"))
    for residual in plan.residuals:
        for group in residual.groups:
            by_opendp = mechanisms.cost(mechanisms.gaussian(group.scale), group.squared_sensitivity(1))
            assert group.cost(1) <= by_opendp <= residual.rho


def test_a_plan_that_costs_more_than_it_says_draws_nothing(monkeypatch):
    plan = make_plan(policy_of(SMALL, TABLES))
    right = NoiseGroup.squared_sensitivity
    monkeypatch.setattr(NoiseGroup, "squared_sensitivity", lambda group, records: right(group, records) + 1)
    monkeypatch.setattr(measure.mechanisms, "with_noise", lambda *_: pytest.fail("noise was drawn"))
    with pytest.raises(UtfallError, match="costs more"):
        measure.draw(counts_of(random_leaves(SMALL, 5), plan), plan)


def test_counts_with_another_bound_per_person_draw_nothing(monkeypatch):
    plan = make_plan(policy_of(SMALL, TABLES))
    counts = counts_of(random_leaves(SMALL, 5), plan)
    counts.records_per_person = 2
    monkeypatch.setattr(measure.mechanisms, "with_noise", lambda *_: pytest.fail("noise was drawn"))
    with pytest.raises(UtfallError, match="another bound"):
        measure.draw(counts, plan)


@pytest.mark.parametrize("scale", [0.0, -1.0, 1e-300, float("inf"), float("nan"), 2.0**41])
def test_scales_that_opendp_would_take_are_refused(scale):
    with pytest.raises(UtfallError, match="scale"):
        mechanisms.gaussian(scale)


@pytest.mark.parametrize(
    "values",
    [np.zeros(3), np.zeros(3, np.int32), np.zeros((2, 2), np.int64), np.array([2**62], np.int64)],
    ids=["floats", "32 bits", "two axes", "huge"],
)
def test_only_vectors_of_64_bit_whole_numbers_reach_the_mechanism(values):
    with pytest.raises(UtfallError, match="whole numbers"):
        mechanisms.with_noise(values, 2.0)


def test_many_draws_go_through_several_processes_and_come_back_in_place(monkeypatch):
    """Large plans are drawn in parts by other processes: with little noise, each value is where it was."""
    monkeypatch.setattr(measure, "_ALONE", 10)
    monkeypatch.setattr(measure, "_CHUNK", 1_000)
    attributes = [small_tree("place", (3, 1, 2, 5)), flat_of("sex", 2), flat_of("big", 150)]
    plan = make_plan(policy_of(attributes, {"t": {"by": ["place", "sex", "big"]}}, rho="5000"))
    counts = counts_of(random_leaves(attributes, 400), plan)
    steps: list[int] = []
    with measure.crew(plan.draws) as pool:
        assert pool is not None
        noisy = measure.draw(counts, plan, pool=pool, progress=lambda done, _: steps.append(done))
    assert steps == sorted(steps)
    assert steps[-1] == plan.draws
    for residual in plan.residuals:
        c = residual.combination
        exact = integer_residuals(counts.tables[c], c, plan.attributes)
        largest = max(group.scale for group in residual.groups)
        assert np.abs(noisy[c] - exact).max() < 12 * largest
        scales = np.zeros(exact.shape).reshape(-1)
        for group, cells in measure.group_cells(residual, plan.attributes):
            scales[cells] = group.scale
        assert not (noisy[c] - exact).reshape(-1)[scales == 0].any()


def test_processes_that_cannot_start_are_told_of_before_anything_is_charged(monkeypatch):
    monkeypatch.setattr(measure, "_try_out", _dies)
    with pytest.raises(UtfallError, match="can't be started"), measure.crew(10**6):
        pytest.fail("the crew set to work")


def _dies(_):
    import os

    os._exit(1)
