"""Rounding at query time, and moments of a scale item: how much they give away, by enumeration."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from release.attack.moments import chance_fixed, histograms
from release.attack.unions import BLANK, FEW, recovered, shown

ANSWERS = (0.015, 0.025, 0.11, 0.30, 0.55)


def test_what_the_rule_shows():
    assert shown(np.arange(0, 12)).tolist() == [BLANK, FEW, FEW, FEW, FEW, 6, 6, 6, 9, 9, 9, 12]


@pytest.mark.parametrize(("categories", "most", "told"), [(4, 10, 0.66), (5, 7, 0.83)])
def test_unions_give_small_counts_back(categories, most, told):
    assert recovered(categories, most).share == pytest.approx(told, abs=0.005)


def test_fewer_unions_give_less():
    assert recovered(2, 10).share < 0.1 < recovered(3, 10).share < 0.3


def slow_share(categories, most):
    """The same with dictionaries: vectors grouped by the answers to all unions."""
    groups = {}
    for vector in product(range(most + 1), repeat=categories):
        sums = [sum(c for i, c in enumerate(vector) if n >> i & 1) for n in range(1, 2**categories)]
        groups.setdefault(tuple(shown(np.array(sums)).tolist()), []).append(vector)
    small = [(i, g) for g in groups.values() for v in g for i in range(categories) if 1 <= v[i] <= 4]
    return sum(len({v[i] for v in g}) == 1 for i, g in small) / len(small)


@pytest.mark.parametrize(("categories", "most"), [(1, 9), (2, 8), (3, 6)])
def test_enumeration_agrees_with_its_slow_twin(categories, most):
    assert recovered(categories, most).share == pytest.approx(slow_share(categories, most))


@pytest.mark.parametrize(("number", "told"), [(5, 0.95), (10, 0.69)])
def test_three_moments_fix_the_histogram(number, told):
    assert chance_fixed(number, ANSWERS) == pytest.approx(told, abs=0.005)


def test_histogram_from_number_mean_and_variance():
    answers = [5, 5, 4, 5, 3]
    mean = Fraction(sum(answers), 5)
    variance = sum((a - mean) ** 2 for a in answers) / 4
    assert histograms(5, mean, variance) == [(0, 0, 1, 1, 3)]
