"""Laws of the combining rule, and its coverage by simulation. The twin: intervals half as wide fail the same test."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import binomtest

from synthetic import combine

FIGURES = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=12)
FORGIVING = 1e-9
"""Level of the statistical tests; their seeds are fixed as well."""


def spread_out(points) -> bool:
    return max(points) - min(points) > 1e-3 * (1 + max(abs(p) for p in points))


@given(FIGURES, st.floats(-100, 100), st.floats(0.01, 100), st.booleans())
def test_another_unit_gives_the_same_interval_in_that_unit(points, shift, factor, mirrored):
    assume(spread_out(points))
    factor = -factor if mirrored else factor
    moved = [shift + factor * p for p in points]
    assume(spread_out(moved))
    plain, other = combine(points), combine(moved)
    ends = sorted([shift + factor * plain.lower, shift + factor * plain.upper])
    np.testing.assert_allclose([other.lower, other.upper], ends, rtol=1e-6, atol=1e-6 * (ends[1] - ends[0]))
    assert other.standard_error == pytest.approx(abs(factor) * plain.standard_error, rel=1e-6)
    assert other.degrees_of_freedom == pytest.approx(plain.degrees_of_freedom)


@given(FIGURES, st.floats(1.01, 50))
def test_wider_for_a_larger_spread(points, factor):
    assume(spread_out(points))
    mean = sum(points) / len(points)
    narrow, wide = combine(points), combine([mean + factor * (p - mean) for p in points])
    assert wide.upper - wide.lower > narrow.upper - narrow.lower


@given(FIGURES, st.floats(-100, 100), st.floats(-100, 100))
def test_the_further_the_records_that_agree_are_off_the_wider(points, one, other):
    """And the interval always holds both: the figure that agrees in its middle, the replicates' mean beside."""
    assume(spread_out(points))
    mean, (near, far) = sum(points) / len(points), sorted([one, other], key=abs)
    narrow, wide = (combine(points, agreeing=mean + off) for off in (near, far))
    assert wide.standard_error >= narrow.standard_error * (1 - 1e-9)
    assert narrow.standard_error >= combine(points).standard_error * (1 - 1e-9)
    assert wide.lower <= mean <= wide.upper


@given(FIGURES, st.floats(1e-6, 1e6), st.randoms())
def test_chance_widens_and_order_does_not_matter(points, variance, random):
    assume(spread_out(points))
    found = combine(points, [variance] * len(points), target="population")
    assert found.standard_error >= combine(points).standard_error
    mixed = random.sample(points, len(points))
    assert combine(mixed).upper == pytest.approx(combine(points).upper, rel=1e-9, abs=1e-6)


def cut_off(m: int, *, told: bool, runs: int = 4_000) -> int:
    """How often the truth, 0.3, is inside if nothing below 0 can be seen: noise then lifts every figure."""
    random = np.random.default_rng(12)
    measured = 0.3 + random.standard_normal((runs, 20))
    noise = random.standard_normal((m, runs, 20))
    figures = np.maximum(measured + noise - noise.mean(axis=0), 0).mean(axis=2).T
    agreeing = np.maximum(measured, 0).mean(axis=1)
    rows = zip(figures, agreeing, strict=True)
    found = [combine(row, agreeing=own if told else None) for row, own in rows]
    return sum(one.lower <= 0.3 <= one.upper for one in found)


def test_what_noise_does_to_a_figure_is_in_the_interval():
    """Twenty cells cut at zero lift it by over a standard error: where nobody tells, half of the intervals miss."""
    assert cut_off(5, told=True) > 0.92 * 4_000
    assert cut_off(5, told=False) < 0.6 * 4_000


def held(m: int, *, chance: float, narrower: float = 1.0, runs: int = 4_000) -> int:
    """How often 0 is inside: a measurement of noise 1 around a cohort's figure, and m balanced replicates of it."""
    random = np.random.default_rng(11)
    cohort = random.normal(0, chance, runs)
    balanced = random.standard_normal((runs, m))
    balanced -= balanced.mean(axis=1, keepdims=True)
    points = (cohort + random.standard_normal(runs))[:, None] + balanced
    target = "population" if chance else "cohort"
    found = (combine(row, [chance**2] * m, target=target) for row in points)
    return sum(abs(one.point) <= (one.upper - one.point) / narrower for one in found)


@pytest.mark.parametrize(("m", "chance"), [(2, 0.0), (5, 0.0), (20, 0.0), (5, 0.5), (5, 2.0)])
def test_coverage(m, chance):
    assert binomtest(held(m, chance=chance), 4_000, 0.95).pvalue > FORGIVING
    assert binomtest(held(m, chance=chance, narrower=2), 4_000, 0.95).pvalue < FORGIVING
