"""Estimates that know the public zeros: the slow twin conditions one dense normal distribution; none gets worse."""

import numpy as np
import pytest
from helpers.dense_noise import dense_noise
from helpers.small_policy import small_policy
from helpers.synthetic_cases import leaves_of, release_of, some_persons

from release.plan import make_plan
from release.protected.estimates import estimate
from release.residuals import accumulate
from synthetic.asked import asked_by_calendar
from synthetic.fit import finest_levels, fit
from synthetic.support import possible_cells
from synthetic.zeros import known_zeros, sums_of_children, with_known_zeros


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    return small_policy(tmp_path_factory.mktemp("policy"))


@pytest.fixture(scope="module")
def persons(policy):
    return some_persons(policy, 400)


def test_zeros_are_right_for_every_person(policy, persons):
    """No possible person stands in a cell that is said to be empty, and those that are said to be are."""
    leaves = leaves_of(persons, policy)
    combination = policy.combination(["provider", "field", "cohort", "activity-3:group"])
    zero = known_zeros(policy, combination)
    nodes = [policy.attributes[n].ancestors(policy.attributes[n].depth, level)[leaves[n]] for n, level in combination]
    assert not zero[tuple(nodes)].any()
    codes = policy.attributes["activity-3"].levels[1].codes
    none, late = codes.index("not-applicable"), 3  # 2022 + 3 isn't followed
    assert zero[0, 0, late].tolist() == [code != "not-applicable" for code in codes]
    assert zero[0, 0, 0].tolist() == [i == none for i in range(len(codes))]
    assert zero[2, 0].all()  # C doesn't offer 01
    assert not zero[0, 0].all()


def test_children_are_added_up_as_counts_take_over_from_parents(policy, persons):
    """The transpose: u . (A v) = (A' u) . v for any u and v."""
    random = np.random.default_rng(4)
    counts = release_of(policy, persons).estimates.counts
    u, v = ({c: random.normal(size=x.shape) for c, x in counts.items()} for _ in range(2))
    forth, back = accumulate(v, policy.attributes), sums_of_children(u, policy.attributes)
    assert sum((u[c] * forth[c]).sum() for c in u) == pytest.approx(sum((back[c] * v[c]).sum() for c in u))


def test_given_the_zeros_equals_conditioning_the_dense_normal(policy, persons):
    """The slow, obvious twin: the covariance of all estimates, whole, and a pseudo-inverse."""
    estimates = release_of(policy, persons, noise=5).estimates
    order = list(estimates.counts)
    units = dense_noise(estimates, order)
    covariance = units @ units.T
    zero = np.concatenate([known_zeros(policy, c).reshape(-1) for c in order])
    y = np.concatenate([estimates.counts[c].reshape(-1) for c in order])
    inverse = np.linalg.pinv(covariance[np.ix_(zero, zero)], rcond=1e-9)
    expected = y - covariance[:, zero] @ inverse @ y[zero]
    found = with_known_zeros(estimates, policy)
    np.testing.assert_allclose(np.concatenate([found.counts[c].reshape(-1) for c in order]), expected, atol=1e-3)
    assert np.abs(expected[zero]).max() < 1e-6 < np.abs(y[zero]).max()


def test_errors_are_smaller_and_nothing_changes_without_noise(policy, persons):
    exact = release_of(policy, persons).estimates
    same = with_known_zeros(exact, policy)
    for combination, counts in exact.counts.items():
        np.testing.assert_allclose(same.counts[combination], counts, atol=1e-9)
    before, after = np.zeros(2)
    regions = policy.combination(["provider:region", "cohort"])
    for seed in range(10):
        noisy = release_of(policy, persons, noise=seed).estimates
        before += ((noisy.counts[regions] - exact.counts[regions]) ** 2).mean()
        after += ((with_known_zeros(noisy, policy).counts[regions] - exact.counts[regions]) ** 2).mean()
    assert after < 0.8 * before


def test_an_outcome_of_some_years_tells_how_many_are_of_them(tmp_path, persons):
    from helpers.small_policy import changed

    table = "  later-by-sex: {by: [sex], of: activity-3}\n"
    policy = small_policy(tmp_path, changed("withhold:\n", f"{table}withhold:\n"))
    release = release_of(policy, persons)
    support = possible_cells(policy, finest_levels(release.estimates, policy))
    (by_sex,) = asked_by_calendar(release.estimates, policy, support)
    followed = persons.cohort.astype(int) + 3 <= 2024
    expected = [(followed & (persons.sex == sex)).sum() for sex in ("1", "2")]
    np.testing.assert_allclose(by_sex.cells.value[:2, 0], expected, atol=1e-9)
    counted = by_sex.of(np.ones((support.size, 1)))[:, 0]
    late = np.isin(support.nodes["cohort"], [3, 4]).sum()
    assert counted[2] == late


def test_the_plan_of_the_small_policy_has_zeros_to_learn_from(policy):
    """Or the tests above would compare nothing."""
    estimates = estimate(release_of(policy, some_persons(policy, 20)).measurements)
    assert any(known_zeros(policy, c).any() for c in estimates.counts)
    assert make_plan(policy).rho > 0


def test_pay_tells_how_many_work_by_what_pay_was_measured_with(tmp_path, persons):
    """Pay by field and activity by sex: the fit of activity hears of those at work in each field."""
    from helpers.small_policy import POLICY

    text = POLICY[: POLICY.index("tables:")]
    tables = "tables:\n  a: {by: [sex], of: activity}\n  b: {by: [field], of: pay, show: [p50], minimum: 30}\n"
    policy = small_policy(tmp_path, text + tables + POLICY[POLICY.index("withhold:") :])
    release = release_of(policy, persons)
    found = fit(release.estimates, policy)
    field, chances = found.support.nodes["field"], found.outcomes["activity"].chances[found.outcomes["activity"].row]
    working = chances[:, sorted(policy.applicable["pay"]["activity"])].sum(axis=1) * found.weights
    at_work = persons.activity.isin(["10", "13", "22"])
    for code, node in policy.attributes["field"].leaves.index.items():
        expected = (at_work & (persons.field == code)).sum()
        assert abs(working[field == node].sum() - expected) < 1, "without pay's tables shares would be equal"
