"""Exact comparisons: rules are decided in whole numbers, so 85 % is 85 % on every machine."""

from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from release.codes import IntArray
from release.errors import PolicyError

WholeArray = npt.NDArray[Any]
"""int64, or Python's whole numbers where int64 could overflow."""
_ROOM = 2**62


def parameter(name: str, value: object, *, low: int, high: int | None = None) -> Fraction:
    """A rule's parameter as an exact number, low < value (< high). Floats are refused: 0.1 isn't one tenth."""
    if isinstance(value, bool) or not isinstance(value, int | Fraction | str):
        raise PolicyError(f"{name} is a whole number, or an exact decimal as text", now='write for example "12.5"')
    try:
        exact = Fraction(value)
    except (ValueError, ZeroDivisionError):
        raise PolicyError(f"{name} is no number", now='write for example "12.5"') from None
    if exact <= low or (high is not None and exact >= high):
        limits = f"above {low}" + ("" if high is None else f" and below {high}")
        raise PolicyError(f"{name} is {limits}", now="change it in the table's protection")
    return exact


def whole(name: str, value: int, *, at_least: int) -> int:
    """A rule's whole number, at least so much."""
    if isinstance(value, bool) or not isinstance(value, int) or value < at_least:
        raise PolicyError(f"{name} is a whole number, at least {at_least}", now="change it in the table's protection")
    return value


def roomy(values: IntArray, factor: int) -> WholeArray:
    """The same numbers in a type in which four of them times `factor` can be added up without overflow."""
    largest = max(abs(int(values.max(initial=0))), abs(int(values.min(initial=0))))
    return values if 4 * largest * abs(factor) < _ROOM else values.astype(object)


def ceiling(numerator: WholeArray, denominator: int) -> IntArray:
    """numerator / denominator, rounded up; at least 0."""
    return np.asarray(np.maximum(-((-numerator) // denominator), 0), np.int64)


def text(number: Fraction) -> str:
    """12.5 as people write it."""
    return str(number) if number.denominator == 1 else f"{float(number):.6g}"
