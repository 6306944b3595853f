"""The plan's arithmetic: exact costs, expected errors, and the best that any linear method could do."""

from fractions import Fraction
from math import prod, sqrt

import numpy as np
import pytest
from helpers.workloads import balanced_tree, flat_of, policy_of, small_tree

from release.errors import PolicyError
from release.plan import make_plan
from release.protected.estimates import estimate
from release.residuals import cells_in, integer_residuals

TREES = [small_tree(), balanced_tree(), flat_of("sex", 2), flat_of("status", 5)]
TABLES = {
    "one": {"by": ["place", "field:broad"]},
    "two": {"by": ["place:region", "field", "sex"]},
    "three": {"by": ["sex", "status", "place"], "importance": 3},
}


@pytest.mark.parametrize("rho", ["1/2", "1/8", "3", "1/1000000", "0.02"])
@pytest.mark.parametrize("records", [1, 3])
def test_the_plan_costs_exactly_the_budget_and_no_scale_costs_more_than_its_share(rho, records):
    plan = make_plan(policy_of(TREES, TABLES, rho=rho, records=records))
    assert plan.rho == Fraction(rho)
    for residual in plan.residuals:
        assert all(group.cost(records) <= residual.rho for group in residual.groups)
        assert max(group.cost(records) for group in residual.groups) > residual.rho * Fraction(999_999, 1_000_000)


def test_every_family_with_siblings_is_measured_once_and_no_other():
    plan = make_plan(policy_of(TREES, TABLES))
    for residual in plan.residuals:
        levels = [plan.attributes[name].levels[number] for name, number in residual.combination]
        several = prod(int((level.siblings > 1).sum()) for level in levels)
        assert sum(group.cells for group in residual.groups) == several


def test_expected_errors_are_the_variances_that_estimates_will_have():
    policy = policy_of(TREES, TABLES)
    plan = make_plan(policy)
    estimates = estimate(noiseless_measurements(plan))
    for expected in plan.tables:
        exact = estimates.variances[policy.measured(policy.tables[expected.name])].mean()
        assert exact == pytest.approx(expected.count_variance, rel=1e-5)


def noiseless_measurements(plan):
    """Measurements of nobody, with no noise."""
    from release.measurements import Measurements
    from release.residuals import shape_of

    empty = {c: np.zeros(shape_of(c, plan.attributes), np.int64) for c in plan.combinations}
    values = {c: integer_residuals(v, c, plan.attributes) for c, v in empty.items()}
    return Measurements("0" * 64, plan.attributes, plan.records, plan.residuals, values, {})


BALANCED = [balanced_tree("field", 3, 4), flat_of("sex", 2)]
FLAT = [flat_of("place", 7), flat_of("sex", 2), flat_of("year", 3)]


@pytest.mark.parametrize(
    ("attributes", "tables"),
    [
        (FLAT, {"a": {"by": ["place", "sex"]}, "b": {"by": ["year", "sex"], "importance": 2}, "c": {"by": ["place"]}}),
        (
            BALANCED,
            {"a": {"by": ["field", "sex"]}, "b": {"by": ["field:broad"], "importance": 5}, "c": {"by": ["sex"]}},
        ),
    ],
    ids=["flat", "balanced"],
)
def test_the_error_equals_the_svd_bound(attributes, tables):
    """No linear method does better: (sum of singular values)^2 / (2 rho N), Li and Miklau 2013."""
    policy = policy_of(attributes, tables)
    assert objective(policy) == pytest.approx(svd_bound(policy), rel=1e-5)


def test_on_an_unbalanced_tree_the_error_is_near_the_bound_and_below_one_scale_for_all():
    policy = policy_of(TREES, TABLES)
    assert svd_bound(policy) * (1 - 1e-9) <= objective(policy) <= 1.2 * svd_bound(policy)
    assert objective(policy) < 0.97 * one_scale_for_all(policy)


def objective(policy) -> float:
    """Sum over tables of importance x mean variance."""
    return sum(table.importance * table.count_variance for table in make_plan(policy).tables)


def svd_bound(policy) -> float:
    values = np.linalg.svd(workload_matrix(policy), compute_uv=False)
    leaves = prod(len(a.leaves) for a in policy.attributes.values())
    return values.sum() ** 2 / leaves / (2 * float(policy.document.privacy.rho))


def workload_matrix(policy) -> np.ndarray:
    """All tables over all combinations of leaves, rows weighted by sqrt(importance / cells): slow and obvious."""
    rows = []
    for table in policy.tables.values():
        combination = policy.measured(table)
        levels = dict(combination)
        matrix = np.ones((1, 1))
        for name, attribute in policy.attributes.items():
            number = levels.get(name, 0)
            ancestors = attribute.ancestors(attribute.depth, number)
            one = (ancestors[None, :] == np.arange(len(attribute.levels[number]))[:, None]).astype(float)
            matrix = np.kron(matrix, one)
        rows.append(matrix * sqrt(table.importance / cells_in(combination, policy.attributes)))
    return np.vstack(rows)


def one_scale_for_all(policy) -> float:
    """The objective if every family of a residual got the scale that the largest one needs."""
    from release.plan import Workload
    from release.residuals import levels_of

    workload = Workload(policy)
    roots = []
    for residual in workload.needed:
        worst = prod(1 - 1 / int(level.siblings.max()) for level in levels_of(residual, policy.attributes))
        roots.append(sqrt(worst * plain_weight(workload, residual)))
    return sum(roots) ** 2 / (2 * float(policy.document.privacy.rho))


def plain_weight(workload, residual) -> float:
    """Weighted variance that unit noise on a residual (before centring) adds to the tables."""
    total, measured = 0.0, dict(residual)
    for name, table in workload.combinations.items():
        asked = dict(table)
        if any(level > asked.get(n, 0) for n, level in measured.items()):
            continue
        part = workload.policy.tables[name].importance / cells_in(table, workload.attributes)
        for axis, lower in asked.items():
            part *= axis_sum(workload.attributes[axis], measured.get(axis, 0), lower)
        total += part
    return total


def axis_sum(attribute, upper, lower) -> float:
    total = 0.0
    for node in range(len(attribute.levels[lower])):
        weight, at = 1.0, node
        for number in range(lower, upper, -1):
            level = attribute.levels[number]
            weight, at = weight / int(level.siblings[at]), int(level.parent[at])
        left = 1.0 if upper == 0 else 1 - 1 / int(attribute.levels[upper].siblings[at])
        total += weight**2 * left
    return total


def test_importance_buys_exactness():
    plain = {t.name: t.count_variance for t in make_plan(policy_of(TREES, TABLES)).tables}
    more = {**TABLES, "one": {**TABLES["one"], "importance": 20}}
    favoured = {t.name: t.count_variance for t in make_plan(policy_of(TREES, more)).tables}
    assert favoured["one"] < 0.7 * plain["one"]
    assert favoured["three"] > plain["three"]


def test_k_records_per_person_cost_k_squared():
    one = {t.name: t.count_variance for t in make_plan(policy_of(TREES, TABLES)).tables}
    three = {t.name: t.count_variance for t in make_plan(policy_of(TREES, TABLES, records=3)).tables}
    for name, variance in one.items():
        assert three[name] == pytest.approx(9 * variance, rel=1e-6)


def test_titles_and_thresholds_are_not_measured():
    one = make_plan(policy_of(TREES, TABLES))
    told = {name: {**table, "title": {"en": "Another title"}, "minimum": 30} for name, table in TABLES.items()}
    assert make_plan(policy_of(TREES, told)).digest() == one.digest()
    assert make_plan(policy_of(TREES, TABLES, rho="1/3")).digest() != one.digest()


@pytest.mark.parametrize("rho", ["1000000", "1e-30"])
def test_a_budget_that_makes_no_sense_is_refused(rho):
    with pytest.raises(PolicyError, match="noise of scale"):
        make_plan(policy_of(TREES, TABLES, rho=rho))


def test_a_workload_beyond_reach_is_refused_before_any_data():
    large = [flat_of("a", 400), flat_of("b", 400), flat_of("c", 400)]
    with pytest.raises(PolicyError, match="noisy values"):
        make_plan(policy_of(large, {"t": {"by": ["a", "b", "c"]}}))
