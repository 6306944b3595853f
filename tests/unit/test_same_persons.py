"""Estimates that know who is counted twice: the slow twin conditions one dense normal distribution; none gets worse."""

import numpy as np
import pytest
from helpers.dense_noise import dense_noise
from helpers.small_policy import POLICY, small_policy
from helpers.synthetic_cases import release_of, some_persons

from release.protected.estimates import Estimates
from synthetic.same_persons import with_same_persons

TABLES = (
    "tables:\n  a: {by: [sex, 'provider:region'], of: activity}\n"
    "  b: {by: ['provider:region'], of: pay, show: [p50], minimum: 30}\n"
    "  c: {by: [sex], of: pay, show: [p50], minimum: 30}\n"
)


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    """Pay by region and by sex, activity by both: both tell of those at work in regions, and of each sex."""
    text = POLICY[: POLICY.index("tables:")] + TABLES + POLICY[POLICY.index("withhold:") :]
    return small_policy(tmp_path_factory.mktemp("policy"), text)


@pytest.fixture(scope="module")
def persons(policy):
    return some_persons(policy, 400)


def apart(counts, policy, base):
    """Persons at work by activity, less persons with pay, straight from the two tables of a base."""
    activity, pay = (counts[policy.combination([*base, name])] for name in ("activity:status", "pay"))
    working = activity[..., sorted(policy.applicable["pay"]["activity"])].sum(axis=-1)
    codes = policy.attributes["pay"].leaves.codes
    return working - pay[..., [code != "not-applicable" for code in codes]].sum(axis=-1)


BASES = [[], ["provider:region"], ["sex"]]


def test_equals_conditioning_the_dense_normal(policy, persons):
    """The slow, obvious twin: the covariance of all estimates, whole, and a pseudo-inverse."""
    estimates = release_of(policy, persons, noise=5).estimates
    order = list(estimates.counts)
    units = dense_noise(estimates, order)
    covariance = units @ units.T
    y = np.concatenate([estimates.counts[c].reshape(-1) for c in order])
    known = np.array([_functions(column, estimates, policy, order) for column in np.eye(len(y))]).T
    expected = y - covariance @ known.T @ np.linalg.pinv(known @ covariance @ known.T, rcond=1e-9) @ (known @ y)
    found = with_same_persons(estimates, policy)
    np.testing.assert_allclose(np.concatenate([found.counts[c].reshape(-1) for c in order]), expected, atol=1e-6)
    assert np.abs(known @ expected).max() < 1e-6
    assert np.abs(known @ y).max() > 1


def _functions(column, estimates, policy, order):
    """What is known to be zero, of one column of all counts."""
    counts, start = {}, 0
    for c in order:
        size = estimates.counts[c].size
        counts[c] = column[start : start + size].reshape(estimates.counts[c].shape)
        start += size
    return np.concatenate([np.reshape(apart(counts, policy, base), -1) for base in BASES])


def test_exact_figures_stay_and_noisy_ones_come_nearer(policy, persons):
    exact = release_of(policy, persons).estimates
    same = with_same_persons(exact, policy)
    for combination, counts in exact.counts.items():
        np.testing.assert_allclose(same.counts[combination], counts, atol=1e-9)
    activity = policy.combination(["sex", "activity:status"])
    employed = sorted(policy.applicable["pay"]["activity"])
    truth = exact.counts[activity][:, employed].sum(axis=1)
    before, after = np.zeros(2)
    for seed in range(30):
        noisy = release_of(policy, persons, noise=seed).estimates
        before += ((noisy.counts[activity][:, employed].sum(axis=1) - truth) ** 2).mean()
        known = with_same_persons(noisy, policy)
        after += ((known.counts[activity][:, employed].sum(axis=1) - truth) ** 2).mean()
    assert after < 0.98 * before


def test_outcomes_without_a_table_tell_nothing(tmp_path, persons):
    """Pay alone was measured: nothing says how many are employed but pay itself."""
    text = POLICY[: POLICY.index("tables:")] + TABLES[: TABLES.index("  a:")] + TABLES[TABLES.index("  b:") :]
    policy = small_policy(tmp_path, text + POLICY[POLICY.index("withhold:") :])
    made = release_of(policy, persons, noise=1).estimates
    measured = {name for combination in made.counts for name, _ in combination}
    noisy = Estimates({name: made.attributes[name] for name in measured}, made.counts, made.noise)
    assert "activity" not in noisy.attributes
    assert with_same_persons(noisy, policy) is noisy
