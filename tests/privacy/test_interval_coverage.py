"""One real measurement through OpenDP: 95 % intervals hold 95 % of the true counts, and tables agree on their margins.

The twin: intervals from variances that are wrong by 10 % must fail the same test.
"""

from types import SimpleNamespace

import numpy as np
import pytest
from helpers.workloads import flat_of, policy_of, small_tree

from release.confidential.measure import draw
from release.measurements import Measurements
from release.plan import make_plan
from release.protected.estimates import estimate
from release.protected.intervals import count_figures
from release.residuals import downward_closure, family_sums, shape_of

ATTRIBUTES = [small_tree("place", (5, 31, 2, 1, 17, 8, 25, 12, 4, 15)), flat_of("field", 36), flat_of("status", 5)]
ATTRIBUTES.append(flat_of("cohort", 4))
TABLES = {"finest": {"by": ["place", "field", "status", "cohort"]}, "persons": {"by": ["place", "field", "cohort"]}}
AVERAGE = 400
"""Persons in a cell of the finest table: far from zero, where intervals are cut."""


@pytest.fixture(scope="module")
def measured():
    """(policy, exact counts, estimates)"""
    policy = policy_of(ATTRIBUTES, TABLES, rho="1/2")
    plan = make_plan(policy)
    finest = policy.measured(policy.tables["finest"])
    cells = np.random.default_rng(7).poisson(AVERAGE, shape_of(finest, policy.attributes)).astype(np.int64)
    exact = {c: rolled_up(cells, finest, dict(c), policy.attributes) for c in downward_closure(plan.combinations)}
    values = draw(SimpleNamespace(tables=exact, records_per_person=1), plan)
    return policy, exact, estimate(Measurements("0" * 64, plan.attributes, 1, plan.residuals, values, {}))


def rolled_up(cells, finest, levels, attributes) -> np.ndarray:
    """Counts at coarser levels: axis by axis, each node added to its ancestor."""
    for axis in reversed(range(len(finest))):
        name, number = finest[axis]
        moved = np.moveaxis(cells, axis, 0)
        above = attributes[name].ancestors(number, levels.get(name, 0))
        sums = np.zeros((above.max() + 1, *moved.shape[1:]), np.int64)
        np.add.at(sums, above, moved)
        cells = np.moveaxis(sums, 0, axis) if name in levels else sums[0]
    return cells


def coverage(measured, wrong_by: float = 1.0) -> float:
    """Share of all published counts whose interval holds the true count."""
    policy, exact, estimates = measured
    held = cells = 0
    for table in policy.tables.values():
        combination = policy.measured(table)
        counts = estimates.counts[combination]
        figures = count_figures(counts, estimates.variances[combination] * wrong_by, counts, chance=False)
        held += int(((figures.lower <= exact[combination]) & (exact[combination] <= figures.upper)).sum())
        cells += counts.size
    assert cells > 100_000
    return held / cells


def fits(share: float) -> bool:
    """One standard error is 0.0007."""
    return 0.945 <= share <= 0.955


def test_intervals_hold_the_truth_95_times_in_100(measured):
    assert fits(coverage(measured))


@pytest.mark.parametrize("wrong_by", [0.9, 1.1])
def test_a_variance_wrong_by_a_tenth_is_seen(measured, wrong_by):
    assert not fits(coverage(measured, wrong_by))


def test_any_two_tables_agree_on_shared_margins(measured):
    policy, _, estimates = measured
    assert len(estimates.counts) > 20
    for combination, counts in estimates.counts.items():
        for axis, (name, number) in enumerate(combination):
            above = tuple((n, v - 1 if n == name else v) for n, v in combination if n != name or v > 1)
            sums = family_sums(counts, policy.attributes[name].levels[number], axis)
            sums = sums.squeeze(axis) if number == 1 else sums
            np.testing.assert_allclose(sums, estimates.counts[above], rtol=0, atol=1e-6)


def test_estimates_are_not_the_exact_counts(measured):
    policy, exact, estimates = measured
    finest = policy.measured(policy.tables["finest"])
    assert np.std(estimates.counts[finest] - exact[finest]) > 1
