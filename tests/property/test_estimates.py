"""Laws of the estimates: consistent, exact without noise, and the best linear ones (a full least squares as twin)."""

import numpy as np
import pytest
from helpers.workloads import balanced_tree, counts_of, exact_counts, flat_of, policy_of, random_leaves, small_tree
from hypothesis import given, settings
from hypothesis import strategies as st

from release.codes import tree
from release.measurements import Measurements
from release.plan import group_cells, make_plan
from release.protected.estimates import estimate
from release.protected.functionals import outcome_table
from release.residuals import family_sums, integer_residuals, levels_of, shape_of


@st.composite
def workloads(draw):
    """Random trees of two or three levels (single children included) and random tables over them."""
    families = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    attributes = [small_tree("place", tuple(families)), flat_of("sex", draw(st.integers(1, 3))), flat_of("year", 2)]
    levels = ["place", "place:region", "sex", "year"]
    tables = {}
    for number in range(draw(st.integers(1, 3))):
        by = draw(st.lists(st.sampled_from(levels), unique_by=lambda r: r.split(":")[0], max_size=3))
        tables[f"t{number}"] = {"by": by, "importance": draw(st.sampled_from([1.0, 2.5, 10.0]))}
    return policy_of(attributes, tables)


def measured(plan, leaves, seed=None) -> Measurements:
    """Measurements of the persons, with rounded normal noise of the planned scales (a test's noise)."""
    random = np.random.default_rng(seed)
    values = {}
    for residual in plan.residuals:
        c = residual.combination
        exact = integer_residuals(exact_counts(leaves, c, plan.attributes), c, plan.attributes)
        if seed is not None:
            for group, cells in group_cells(residual, plan.attributes):
                exact.reshape(-1)[cells] += np.rint(random.normal(0, group.scale, len(cells))).astype(np.int64)
        values[c] = exact
    return Measurements("0" * 64, plan.attributes, plan.records, plan.residuals, values, {})


@settings(max_examples=30, deadline=None)
@given(workloads(), st.integers(0, 60))
def test_without_noise_the_estimates_are_the_counts(policy, persons):
    plan = make_plan(policy)
    leaves = random_leaves(policy.attributes.values(), persons)
    estimates = estimate(measured(plan, leaves))
    for combination, counts in estimates.counts.items():
        np.testing.assert_allclose(counts, exact_counts(leaves, combination, policy.attributes), atol=1e-9)


@settings(max_examples=30, deadline=None)
@given(workloads(), st.integers(0, 1000))
def test_any_two_tables_agree_on_shared_margins(policy, seed):
    plan = make_plan(policy)
    leaves = random_leaves(policy.attributes.values(), 50)
    estimates = estimate(measured(plan, leaves, seed))
    for combination, counts in estimates.counts.items():
        for axis, (name, number) in enumerate(combination):
            above = tuple((n, v - 1 if n == name else v) for n, v in combination if n != name or v > 1)
            sums = family_sums(counts, policy.attributes[name].levels[number], axis)
            sums = sums.squeeze(axis) if number == 1 else sums
            np.testing.assert_allclose(sums, estimates.counts[above], atol=1e-6)


ATTRIBUTES = [small_tree("place", (3, 1, 2)), flat_of("sex", 2), balanced_tree("status", 2, 3)]
TABLES = {"a": {"by": ["place", "sex"]}, "b": {"by": ["place:region", "status"]}, "c": {"by": ["sex", "status:broad"]}}


def test_estimates_and_variances_equal_the_full_least_squares():
    """The slow, obvious twin: one linear system over all combinations of leaves, solved by pseudo-inverse."""
    policy = policy_of(ATTRIBUTES, TABLES)
    plan = make_plan(policy)
    measurements = measured(plan, random_leaves(ATTRIBUTES, 300), seed=5)
    rows, observed, scales = [], [], []
    for residual in plan.residuals:
        matrix = residual_matrix(residual.combination, policy.attributes)
        for group, cells in group_cells(residual, policy.attributes):
            rows.append(matrix[cells])
            observed.append(measurements.values[residual.combination].reshape(-1)[cells])
            scales.append(np.full(len(cells), group.scale))
    weights = 1 / np.concatenate(scales)
    system, right = np.vstack(rows) * weights[:, None], np.concatenate(observed) * weights
    information = np.linalg.pinv(system.T @ system, rcond=1e-10)
    leaves = information @ system.T @ right
    estimates = estimate(measurements)
    for table in policy.tables.values():
        combination = policy.measured(table)
        ask = table_matrix(combination, policy.attributes)
        np.testing.assert_allclose(estimates.counts[combination].reshape(-1), ask @ leaves, atol=1e-6)
        np.testing.assert_allclose(
            estimates.variances[combination].reshape(-1), np.diag(ask @ information @ ask.T), rtol=1e-6
        )


def table_matrix(combination, attributes) -> np.ndarray:
    levels = dict(combination)
    matrix = np.ones((1, 1))
    for name, attribute in attributes.items():
        number = levels.get(name, 0)
        ancestors = attribute.ancestors(attribute.depth, number)
        one = (ancestors[None, :] == np.arange(len(attribute.levels[number]))[:, None]).astype(float)
        matrix = np.kron(matrix, one)
    return matrix


def residual_matrix(combination, attributes) -> np.ndarray:
    """Integer residuals as a matrix over all combinations of leaves."""
    table = table_matrix(combination, attributes).astype(np.int64)
    shape = shape_of(combination, attributes)
    columns = [integer_residuals(column.reshape(shape), combination, attributes).reshape(-1) for column in table.T]
    return np.array(columns).T.astype(float)


def test_covariances_of_linear_functions_equal_the_full_least_squares():
    policy = policy_of(ATTRIBUTES, TABLES)
    plan = make_plan(policy)
    rows = []
    for residual in plan.residuals:
        matrix = residual_matrix(residual.combination, policy.attributes)
        rows += [matrix[cells] / group.scale for group, cells in group_cells(residual, policy.attributes)]
    system = np.vstack(rows)
    information = np.linalg.pinv(system.T @ system, rcond=1e-10)
    base = (("place", 1),)
    found = outcome_table(
        estimate(measured(plan, random_leaves(ATTRIBUTES, 50), seed=1)), base, outcome="status", level=2
    )
    a, b = np.array([1, 0, 2, 0, 0, -1.0]), np.array([1, 1, 1, 1, 1, 0.0])
    whole = table_matrix((("place", 1), ("status", 2)), policy.attributes)
    for cell in range(3):
        one = whole[cell * 6 : cell * 6 + 6]
        assert found.covariance(a, b)[cell] == pytest.approx(a @ one @ information @ one.T @ b, rel=1e-6, abs=1e-9)
        assert found.variance(a)[cell] == pytest.approx(a @ one @ information @ one.T @ a, rel=1e-6)


def test_large_numbers_stay_exact():
    """Where 64 bits would overflow, re-centring goes on in exact integers."""
    attribute = tree("big", ["all", "part", "leaf"], [(f"p{i % 7}", f"l{i}") for i in range(70)], {})
    other = flat_of("other", 50)
    attributes = {"big": attribute, "other": other}
    combination = (("big", 2), ("other", 1))
    from release.residuals import recentred, sibling_product

    exact = np.arange(3500, dtype=np.int64).reshape(70, 50) ** 2 * 10**7
    small = integer_residuals(exact // 10**7, combination, attributes)
    large = integer_residuals(exact, combination, attributes)
    assert int(np.abs(large).max()) * 4 * 500**2 > 2**62
    factor = sibling_product(levels_of(combination, attributes))
    np.testing.assert_allclose(recentred(large, combination, attributes), small / factor * 10**7, rtol=1e-12)


def test_counts_twin_of_the_plan_is_complete():
    policy = policy_of(ATTRIBUTES, TABLES)
    plan = make_plan(policy)
    assert set(counts_of(random_leaves(ATTRIBUTES, 10), plan).tables) == set(plan.combinations)
