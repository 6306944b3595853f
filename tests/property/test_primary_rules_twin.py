"""Rules of concentration against their definitions in plain fractions, and widths that are just enough."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from release.protected.suppression.primary import judge
from release.protected.suppression.rules import CellFacts, Dominance, PPercent, PriorPosterior
from release.protected.suppression.rules.ratios import numerators
from release.protected.suppression.rules.weights import largest_with_weights

cells = st.lists(st.integers(0, 200), min_size=2, max_size=7).map(lambda values: sorted(values, reverse=True))
percents = st.fractions(1, 60, max_denominator=8)


def facts_of(contributions: list[int], *, more: int = 0) -> CellFacts:
    """One cell; `more` is added to its sum as contributions too small to count."""
    largest = np.array([[*contributions, 0, 0, 0][:3]], np.int64)
    return CellFacts(counts=np.array([9]), sums=np.array([sum(contributions) + more]), largest=largest)


def estimate_is_close(contributions: list[int], p: Fraction, q: Fraction) -> bool:
    """Can the second largest work out the largest to within p %, if he knows each of the others to within q %?

    He takes his own from the sum, and for the others what he knows; he is wrong by at most q % of them.
    """
    largest, _, *others = contributions
    return q / 100 * sum(others) < p / 100 * largest


@pytest.mark.parametrize("make", [PPercent, lambda p: PriorPosterior(p, 70), lambda p: Dominance(2, p + 30)])
@given(contributions=cells, p=percents)
def test_rule_is_its_definition_and_its_width_just_enough(make, contributions, p):
    rule = make(p)
    if isinstance(rule, Dominance):
        expected = sum(contributions[:2]) > Fraction(rule.k) / 100 * sum(contributions)
    else:
        expected = estimate_is_close(contributions, p, getattr(rule, "q", Fraction(100)))
    primary = judge(facts_of(contributions), [rule])
    width = int(primary.width[0])
    assert bool(primary.flags[0]) == expected
    assert (width > 0) == expected
    assert not judge(facts_of(contributions, more=width), [rule]).flags[0]
    if width:
        assert judge(facts_of(contributions, more=width - 1), [rule]).flags[0]


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(1, 6)), min_size=3, max_size=5))
def test_weights_are_copies(pairs):
    ordered = sorted(pairs, reverse=True)
    copies = [value for value, weight in ordered for _ in range(weight)]
    values, weights = (np.array([column]) for column in zip(*ordered, strict=True))
    assert largest_with_weights(values, weights, top=3)[0].tolist() == copies[:3]
    assert largest_with_weights(values, weights * 10, top=3, scale=10)[0].tolist() == [10 * v for v in copies[:3]]


@settings(max_examples=50)
@given(st.integers(1, 120), st.integers(1, 4))
def test_numerators_are_those_that_round_to_the_share(base, digits):
    for x in range(base + 1):
        share = f"{x / base:.{digits}f}"
        found = numerators(share, base)
        assert x in found
        assert all(abs(Fraction(n, base) - Fraction(share)) <= Fraction(1, 2 * 10**digits) for n in found)
        outside = [n for n in (found.start - 1, found.stop) if 0 <= n <= base]
        assert all(abs(Fraction(n, base) - Fraction(share)) > Fraction(1, 2 * 10**digits) for n in outside)
