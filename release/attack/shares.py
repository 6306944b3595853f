"""Shares are published numerators: 13.3 % of 15 persons is 2 persons. What they tell of hidden counts."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from release.attack.published import BoolArray, Published
from release.attack.trees import total_of
from release.codes import IntArray

ENOUGH = 3
"""So many shown shares must be their count's part of a total before the others are believed to be."""


def with_shares(counts: Published, shares: Published) -> Published:
    """The counts with what their shares tell: hidden ones are bounded where the share and the total are shown.

    The total is found out: that of the dimension of which all shown shares are parts, as fractions or in per cent.
    """
    at = _same_cells(counts, shares)
    for d, dimension in enumerate(counts.dimensions):
        whole = _totals(counts, d, total_of(dimension.codes, dimension.labels))
        for hundred in (1, 100):
            low, high = _numerators(shares, at, whole, hundred * 10**shares.decimals)
            told = (at >= 0) & (whole > 0) & ~shares.hidden[np.maximum(at, 0)]
            if _fits(counts, told, low, high):
                hidden = told & counts.hidden
                lower = np.where(hidden, np.maximum(counts.lower, low), counts.lower)
                upper = np.where(hidden, np.minimum(counts.upper, high), counts.upper)
                return replace(counts, lower=lower.astype(np.int64), upper=upper.astype(np.int64))
    return counts


def _same_cells(counts: Published, shares: Published) -> IntArray:
    """For each count the place of its share, -1 where there is none."""
    place = {codes: i for i, codes in enumerate(_codes(shares))}
    return np.array([place.get(codes, -1) for codes in _codes(counts)], np.int64)


def _codes(table: Published) -> list[tuple[str, ...]]:
    columns = [[dimension.codes[i] for i in table.cells[:, d].tolist()] for d, dimension in enumerate(table.dimensions)]
    return list(zip(*columns, strict=True))


def _totals(counts: Published, d: int, total: str | None) -> IntArray:
    """For each cell the shown count at the total of dimension d, 0 where it isn't shown."""
    shown = {
        codes: int(value)
        for codes, value, hidden in zip(_codes(counts), counts.lower, counts.hidden, strict=True)
        if not hidden and codes[d] == total
    }
    return np.array([shown.get((*c[:d], total or "", *c[d + 1 :]), 0) for c in _codes(counts)], np.int64)


def _numerators(shares: Published, at: IntArray, whole: IntArray, unit: int) -> tuple[IntArray, IntArray]:
    """Least and largest counts whose share of the total is shown so, rounded to the last decimal shown."""
    share = shares.lower[at].astype(object)
    low = -((-(2 * share - 1) * whole.astype(object)) // (2 * unit))
    high = ((2 * share + 1) * whole.astype(object)) // (2 * unit)
    return _clipped(low), _clipped(high)


def _clipped(numbers: npt.NDArray[np.object_]) -> IntArray:
    return np.array([max(min(int(number), 2**61), -(2**61)) for number in numbers], np.int64)


def _fits(counts: Published, told: BoolArray, low: IntArray, high: IntArray) -> bool:
    known = told & ~counts.hidden
    inside = (low <= counts.lower) & (counts.lower <= high)
    return int(known.sum()) >= ENOUGH and bool(inside[known].all())
