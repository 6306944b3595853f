"""Replicates: balanced, of the measurements' own noise, and intervals that cover the truth of a small world.

The twin: intervals half as wide, and noise wrong by a fifth, fail the same tests.
"""

import numpy as np
import pytest
from helpers.outcome_policies import NONE, measured, outcome_policy
from helpers.workloads import flat_of, small_tree
from scipy.stats import binom, chi2

from release.codes import Attribute, flat
from release.errors import UsageError
from release.plan import make_plan
from release.protected.estimates import estimate
from synthetic import combine
from synthetic.make import Release, fit_release
from synthetic.records import draw_records
from synthetic.replicates import replicate_estimates, replicate_fits
from synthetic.runs import run_variance, runs_of_codes

EDGES = tuple(float(e) for e in range(1000, 3200, 200))
PAY = Attribute("pay", flat("pay", ["under", *map(str, EDGES[:-1]), "over", NONE]).levels, edges=EDGES)
STATUS = flat("status", ["work", "study", "none"])
DIMENSIONS = [small_tree("place", (3, 1, 2)), flat_of("sex", 2)]
TABLES = {
    "persons": {"by": ["place", "sex"]},
    "status": {"by": ["place:region", "sex"], "of": "status", "show": ["count", "share"]},
    "pay": {"by": ["sex"], "of": "pay", "show": ["p50"]},
}
MIDDLES = np.array([900, *(e + 100 for e in EDGES[:-1]), 3100, np.nan])


@pytest.fixture(scope="module")
def policy():
    return outcome_policy(DIMENSIONS, [STATUS, PAY], TABLES, rho="1/2", only_if={"pay": {"status": ["work"]}})


@pytest.fixture(scope="module")
def persons():
    random = np.random.default_rng(5)
    sex, place = random.integers(0, 2, 5_000), random.integers(0, 6, 5_000)
    status = (np.array([[0.6, 0.9, 1], [0.5, 0.8, 1]])[sex] < random.random(5_000)[:, None]).sum(axis=1)
    bins = np.clip(random.normal(6 - sex, 2.0, 5_000), 0, 11).astype(np.int64)
    return {"place": place, "sex": sex, "status": status, "pay": np.where(status == 0, bins, 12)}


def release_of(policy, persons, seed) -> Release:
    measurements = measured(make_plan(policy), persons, random=np.random.default_rng(seed))
    return Release(policy, measurements, estimate(measurements))


def analyses(status, sex, pay) -> list[float]:
    """Share at work; the same, women minus men; mean pay; the same, women minus men."""
    work = status == 0
    return [
        work.mean(),
        work[sex == 1].mean() - work[sex == 0].mean(),
        np.nanmean(pay),
        np.nanmean(pay[sex == 1]) - np.nanmean(pay[sex == 0]),
    ]


def test_replicates_are_balanced_around_the_estimates(policy, persons):
    release = release_of(policy, persons, 1)
    found = list(replicate_estimates(release.estimates, 4, seed=9))
    for combination, counts in release.estimates.counts.items():
        np.testing.assert_allclose(np.mean([one.counts[combination] for one in found], axis=0), counts, atol=1e-8)


@pytest.fixture(scope="module")
def many(policy, persons):
    """Estimates, and 1,000 replicates of them."""
    estimates = release_of(policy, persons, 1).estimates
    return estimates, list(replicate_estimates(estimates, 1_000, seed=9))


def test_replicates_spread_as_the_measurements_do(many):
    estimates, found = many
    freedom = len(found) - 1
    for combination, variance in estimates.variances.items():
        first = np.array([one.counts[combination].reshape(-1)[0] for one in found])
        squares = freedom * first.var(ddof=1) / variance.reshape(-1)[0]
        for wrong, fits in ((1.0, True), (1.2, False), (1 / 1.2, False)):
            tail = min(chi2.cdf(squares / wrong**2, freedom), chi2.sf(squares / wrong**2, freedom))
            assert (tail > 1e-6) == fits, combination


def test_same_seed_same_replicates_another_seed_others(policy, persons):
    release = release_of(policy, persons, 1)
    one, again, other = (list(replicate_fits(release, 2, seed=seed)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one[1].weights, again[1].weights)
    assert (one[0].weights != one[1].weights).any()
    assert (one[0].weights != other[0].weights).any()


def test_fewer_than_two_are_refused(policy, persons):
    with pytest.raises(UsageError, match="1 replicates"):
        next(replicate_fits(release_of(policy, persons, 1), 1, seed=1))


def test_combined_intervals_cover(policy, persons):
    """60 measurements, 5 replicates each. Fixed seeds: the test's noise is numpy's, not a release's."""
    truth = np.array(analyses(persons["status"], persons["sex"], MIDDLES[persons["pay"]]))
    runs = 60
    held, narrow = np.zeros(4), np.zeros(4)
    for seed in range(runs):
        figures, release = [], release_of(policy, persons, seed)
        for number, fit in enumerate((fit_release(release), *replicate_fits(release, 5, seed=seed))):
            records = draw_records(fit, fit.persons, np.random.default_rng([seed, number]))
            figures.append(analyses(records.leaves["status"], records.nodes("sex", 1), MIDDLES[records.leaves["pay"]]))
        found = [combine(points, agreeing=own) for own, *points in zip(*figures, strict=True)]
        miss = np.abs([one.point for one in found] - truth)
        half = np.array([one.upper - one.point for one in found])
        held += miss <= half
        narrow += miss <= half / 2
    assert (binom.cdf(held, runs, 0.95) > 1e-4).all(), held
    assert binom.cdf(narrow.sum(), 4 * runs, 0.95) < 1e-6, narrow


def test_variances_of_runs(policy, persons):
    """A run of one code has the code's own variance; a run of all codes that of the table without the outcome."""
    estimates = release_of(policy, persons, 1).estimates
    for combination in ((("pay", 1),), (("sex", 1), ("pay", 1))):
        base = combination[:-1]
        alone = run_variance(estimates, combination, "pay", np.arange(13))
        whole = run_variance(estimates, combination, "pay", np.zeros(13, np.int64))
        np.testing.assert_allclose(alone, estimates.variances[combination])
        np.testing.assert_allclose(whole[..., 0], estimates.variances[base])


def test_variance_of_a_run_is_what_replicates_show(many):
    estimates, found = many
    combination = (("sex", 1), ("pay", 1))
    run = runs_of_codes(PAY, 4)
    expected = run_variance(estimates, combination, "pay", run)[0]
    shown = np.array([one.counts[combination][0] for one in found])
    spread = np.array([shown[:, run == r].sum(axis=1).var(ddof=1) for r in range(run.max() + 1)])
    np.testing.assert_allclose(spread, expected, rtol=0.2)


def test_runs_are_even_and_leave_special_codes_alone():
    assert runs_of_codes(PAY, 4).tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4]
