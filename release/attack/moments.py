"""Number of answers, mean and standard deviation of a scale item: how often do the three give the whole histogram?"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import factorial, prod

Histogram = tuple[int, ...]
"""Answers 1, 2, … of an item, counted."""


def histograms(number: int, mean: Fraction, variance: Fraction, *, points: int = 5) -> list[Histogram]:
    """All histograms of `number` answers on 1 … `points` with this mean and variance (divided by number - 1)."""
    total = mean * number
    squares = variance * (number - 1) + total * mean
    if total.denominator != 1 or squares.denominator != 1:
        return []
    return [one for one in _all(number, points) if _moments(one) == (int(total), int(squares))]


def chance_fixed(number: int, chances: Sequence[float]) -> float:
    """Chance that number, mean and standard deviation leave a single histogram.

    chances: of each answer 1, 2, …, for independent respondents. With (.015, .025, .11, .30, .55): 95 % for 5
    respondents, 69 % for 10.
    """
    alike: dict[tuple[int, int], list[Histogram]] = {}
    for one in _all(number, len(chances)):
        alike.setdefault(_moments(one), []).append(one)
    return sum(_chance(found[0], chances) for found in alike.values() if len(found) == 1)


def _all(number: int, points: int) -> Iterator[Histogram]:
    if points == 1:
        yield (number,)
        return
    for first in range(number + 1):
        for rest in _all(number - first, points - 1):
            yield (first, *rest)


def _moments(one: Histogram) -> tuple[int, int]:
    """Sum of the answers and of their squares."""
    return sum(x * c for x, c in enumerate(one, 1)), sum(x * x * c for x, c in enumerate(one, 1))


def _chance(one: Histogram, chances: Sequence[float]) -> float:
    orders = factorial(sum(one)) // prod(factorial(count) for count in one)
    return orders * prod(chance**count for chance, count in zip(chances, one, strict=True))
