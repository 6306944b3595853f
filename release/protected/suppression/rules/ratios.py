"""Shares, means and percentiles are judged as publications of their numerators and denominators: 13.3 % of 15 is 2.

A ratio is shown only where its numerator and its base are. Where a share of one answer alone is shown, the rest of the
base is implied, and judged too. A percentile is judged by the persons on either side of it.
"""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

import numpy as np

from release.codes import IntArray
from release.errors import DataError
from release.protected.suppression.rules import Rule
from release.protected.suppression.rules.facts import BoolArray, CellFacts, any_of


def numerators(share: str, base: int) -> range:
    """Whole numbers whose share of `base`, rounded to the digits printed, is `share`: "0.133" of 15 -> 2 alone.

    share: decimal text of a fraction of one ("0.133" is 13.3 %). Both ways of rounding a half count.
    """
    value = Fraction(share)
    exponent = Decimal(share).as_tuple().exponent
    half = Fraction(1, 2) * Fraction(10) ** int(exponent)
    low = -((-(value - half) * base) // 1)
    high = ((value + half) * base) // 1
    return range(max(low, 0), min(high, base) + 1)


def ratio_hidden(numerator_hidden: BoolArray, base_hidden: BoolArray) -> BoolArray:
    """Where a share or a mean can't be shown: its numerator (or sum) or its base is hidden, by whichever rule."""
    return numerator_hidden | base_hidden


def unsafe_shares(numerator: CellFacts, base: CellFacts, rules: Sequence[Rule], *, alone: bool = False) -> BoolArray:
    """Shares that give away an unsafe numerator or base; `alone`: no other share of the base is in the table.

    numerator, base: one entry per share. With `alone` the persons outside the numerator are judged by the rules on
    persons: "93 % passed" of 15 tells that one failed.
    """
    parts = [numerator, base]
    if alone:
        parts.append(_rest(numerator, base))
    judged = [_broken(part, rules if i < 2 else _on_persons(rules)) for i, part in enumerate(parts)]
    return any_of(judged)


def percentile_sides(base: IntArray, percent: int) -> tuple[IntArray, IntArray]:
    """Least numbers of persons at or below, and at or above, the percentile of so many persons: exact, [n] each."""
    if not 0 < percent < 100:
        raise DataError("a percentile lies between 1 and 99") from None
    return base * percent // 100, base * (100 - percent) // 100


def unsafe_percentiles(base: CellFacts, percent: int, rules: Sequence[Rule]) -> BoolArray:
    """Percentiles with an unsafe base, or too few persons on one side: a p10 of 15 persons is the pay of the lowest."""
    sides = [CellFacts(counts=side) for side in percentile_sides(base.persons, percent)]
    too_few = [_broken(side, _on_persons(rules)) | ((side.counts == 0) & (base.counts > 0)) for side in sides]
    return any_of([_broken(base, rules), *too_few])


def _rest(numerator: CellFacts, base: CellFacts) -> CellFacts:
    """The base's persons outside the numerator."""
    if (numerator.counts > base.counts).any():
        raise DataError("some numerators exceed their base", now="count both from the same persons") from None
    respondents = None if base.respondents is None else base.respondents - numerator.persons
    return CellFacts(counts=base.counts - numerator.counts, respondents=respondents)


def _on_persons(rules: Sequence[Rule]) -> list[Rule]:
    """The rules that need nothing but persons."""
    return [rule for rule in rules if rule.name == "minimum-frequency"]


def _broken(facts: CellFacts, rules: Sequence[Rule]) -> BoolArray:
    """Cells that break any of the rules."""
    return any_of([np.zeros(len(facts), bool), *(rule.unsafe(facts) for rule in rules)])
