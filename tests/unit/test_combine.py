"""The combining rule on figures worked out by hand, and what it refuses."""

from math import sqrt

import numpy as np
import pytest
from scipy import stats

from release.errors import UsageError
from synthetic import Combined, combine

POINTS = [10.0, 12.0, 11.0, 9.0, 13.0]
"""Mean 11, variance (1 + 1 + 0 + 4 + 4) / 4 = 2.5."""


def test_cohort_by_hand():
    """Variance 2.5, t with 4 degrees of freedom: 2.776 standard errors of 1.581."""
    found = combine(POINTS)
    assert found.point == 11
    assert found.between == 2.5
    assert found.standard_error == pytest.approx(1.5811388)
    assert found.degrees_of_freedom == 4
    assert found.lower == pytest.approx(11 - 4.3899, abs=1e-4)
    assert found.upper == pytest.approx(11 + 4.3899, abs=1e-4)


def test_population_by_hand():
    """Variance 2.5 + 0.5 = 3; degrees of freedom 4 (3 / 2.5)^2 = 5.76."""
    found = combine(POINTS, [0.4, 0.6, 0.5, 0.5, 0.5], target="population")
    assert found.within == pytest.approx(0.5)
    assert found.standard_error == pytest.approx(sqrt(3))
    assert found.degrees_of_freedom == pytest.approx(5.76)
    assert found.upper - 11 == pytest.approx(stats.t.ppf(0.975, 5.76) * sqrt(3))


def test_variances_do_not_widen_a_cohorts_interval():
    assert combine(POINTS, [9.0] * 5) == Combined(**{**vars(combine(POINTS)), "within": 9.0})


def test_where_chance_outweighs_noise_the_interval_is_the_usual_one():
    found = combine([5.0, 5.0001], [4.0, 4.0], target="population")
    assert found.upper - found.point == pytest.approx(1.959964 * 2, abs=1e-4)


def test_with_the_figure_of_the_records_that_agree_by_hand():
    """Mean 11 against 10: noise shifts by 1 x 5/4; variance 2.5 + 1.5625 around 10, and chance 0.5 beside."""
    found = combine(POINTS, agreeing=10.0)
    assert found.shift == pytest.approx(1.25)
    assert found.point == 10
    assert found.standard_error == pytest.approx(sqrt(4.0625))
    assert found.degrees_of_freedom == pytest.approx(4)
    with_chance = combine(POINTS, [0.5] * 5, agreeing=10.0, target="population")
    assert with_chance.standard_error == pytest.approx(sqrt(4.5625))
    assert with_chance.degrees_of_freedom == pytest.approx(4 * (4.5625 / 4.0625) ** 2)


def test_records_that_agree_with_the_mean_change_nothing():
    assert combine(POINTS, agreeing=11.0) == combine(POINTS)


def test_level():
    assert combine(POINTS, level=0.9).upper == pytest.approx(11 + stats.t.ppf(0.95, 4) * sqrt(2.5))


def test_arrays_are_welcome():
    assert combine(np.array(POINTS), np.full(5, 0.5)).point == 11


@pytest.mark.parametrize(
    ("points", "rest", "says"),
    [
        ([], {}, "0 replicates can't tell"),
        ([3.0], {}, "1 replicates can't tell"),
        ([1.0, float("nan")], {}, "points hold a value"),
        ([1.0, float("inf")], {}, "points hold a value"),
        ([1.0, 2.0], {"variances": [1.0]}, "2 points but 1 variances"),
        ([1.0, 2.0], {"variances": [1.0, float("nan")]}, "variances hold a value"),
        ([1.0, 2.0], {"variances": [1.0, -1.0]}, "below zero"),
        ([1.0, 2.0], {"agreeing": float("nan")}, "agreeing hold"),
        ([1.0, 2.0], {"target": "population"}, "needs variances"),
        ([1.0, 2.0], {"target": "world"}, 'target "world"'),
        ([1.0, 2.0], {"level": 95}, "level 95"),
        ([0.3, 0.3, 0.3], {}, "all replicates give the same figure"),
        ([0.0, 0.0], {}, "all replicates give the same figure"),
    ],
)
def test_refused(points, rest, says):
    with pytest.raises(UsageError, match=says) as refused:
        combine(points, **rest)
    assert refused.value.faults[0].now
