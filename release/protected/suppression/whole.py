"""From a corner of a linear program to whole numbers that keep the same sums.

Corners of these programs are nearly always whole. Where some aren't, the fractional ones are rounded together: a small
integer program for each group of them that hangs together, in a neighbourhood that grows until it succeeds.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from release.codes import IntArray
from release.protected.suppression.integers import Enough, cheapest

FloatArray = npt.NDArray[np.float64]
NEAR = 1e-5
"""Closer than this to a whole number counts as whole; what is rounded is always checked in whole numbers."""
_GROWTHS = 8
_MANY = 10_000
"""Unknowns from which on an interior point method, with a corner at its end, is faster than the simplex method."""
_UNBOUNDED = 2**62
_WORK = 50_000
"""Branches times cells of one integer program: a limit that doesn't depend on the machine's speed."""


@dataclass(frozen=True, eq=False)
class Sums:
    """Whole numbers x with `matrix @ x == total` and `low <= x <= high`; sparse int64 [k, h], int64 [k], [h], [h]."""

    matrix: Any
    total: IntArray
    low: IntArray
    high: IntArray

    @property
    def ends(self) -> tuple[FloatArray, FloatArray]:
        """The bounds as numbers in fractions, infinite where there are none."""
        low = np.where(self.low <= -_UNBOUNDED, -np.inf, self.low.astype(np.float64))
        return low, np.where(self.high >= _UNBOUNDED, np.inf, self.high.astype(np.float64))

    def holds(self, point: IntArray) -> bool:
        """Whether a whole-number point keeps all sums and bounds."""
        inside = bool((point >= self.low).all() and (point <= self.high).all())
        return inside and not (self.matrix @ point - self.total).any()


def corner(cost: FloatArray, matrix: Any, total: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray | None:
    """A cheapest corner of `matrix @ x == total, low <= x <= high`; None where there is none."""
    from scipy.optimize import linprog

    if not len(cost):
        return np.zeros(0) if not np.any(total) else None
    method = "highs-ds" if len(cost) < _MANY else "highs-ipm"
    found = linprog(cost, A_eq=matrix, b_eq=total, bounds=np.column_stack([low, high]), method=method)
    return None if found.x is None else np.asarray(found.x, np.float64)


def whole(sums: Sums, point: FloatArray, *, largest: int = 2**62) -> IntArray | None:
    """Whole numbers near `point` that keep the sums; None where none was found nearby.

    largest: cells of one integer program at most.
    """
    rounded = np.clip(np.round(point).astype(np.int64), sums.low, sums.high)
    loose = np.abs(point - np.round(point)) > NEAR
    for growth in range(_GROWTHS):
        missing = sums.total - sums.matrix @ rounded
        if not missing.any():
            return rounded
        loose = _around(sums.matrix, loose, missing != 0, growth)
        for cells in _hanging_together(sums.matrix, loose):
            if len(cells) <= largest:
                _repair(sums, rounded, cells, 1 + growth)
    return rounded if sums.holds(rounded) else None


def whole_anywhere(sums: Sums) -> IntArray | None:
    """Any whole numbers that keep the sums, by one integer program over all of them; None where none was found."""
    cells = len(sums.low)
    total = sums.total.astype(np.float64)
    found = cheapest(np.zeros(cells), sums.matrix, total, *sums.ends, enough=_enough(cells)).point
    return None if found is None else whole(sums, found)


def _enough(cells: int) -> Enough:
    return Enough(max(_WORK // cells, 10))


def _around(matrix: Any, loose: npt.NDArray[np.bool_], wrong: npt.NDArray[np.bool_], growth: int) -> Any:
    """The loose cells, those of the wrong sums and, from the second time on, their neighbours."""
    size = abs(matrix)
    grown = loose | ((size.T @ wrong.astype(np.int64)) > 0)
    if growth == 0:
        return grown
    near = (size @ grown.astype(np.int64)) > 0 if growth > 4 else wrong | _touching(matrix, grown, wrong)
    return grown | ((size.T @ near.astype(np.int64)) > 0)


def _touching(matrix: Any, cells: npt.NDArray[np.bool_], wrong: npt.NDArray[np.bool_]) -> Any:
    """Sums that share a cell with the groups of `cells` in which some sum is wrong."""
    reached = np.zeros(len(wrong), bool)
    for group in _hanging_together(matrix, cells):
        rows = np.unique(matrix[:, group].tocoo().row)
        if wrong[rows].any():
            reached[rows] = True
    return reached


def _hanging_together(matrix: Any, cells: npt.NDArray[np.bool_]) -> list[IntArray]:
    """The cells in groups that share sums, each ascending."""
    from scipy.sparse.csgraph import connected_components

    chosen = np.flatnonzero(cells)
    part = abs(matrix[:, chosen])
    labels = connected_components((part.T @ part), directed=False)[1]
    order = np.argsort(labels, kind="stable")
    return [chosen[group] for group in np.split(order, np.flatnonzero(np.diff(labels[order])) + 1) if len(group)]


def _repair(sums: Sums, rounded: IntArray, cells: IntArray, reach: int) -> None:
    """Shifts `rounded` at the cells, by at most `reach`, so that their sums hold; leaves it where that can't be."""
    part = sums.matrix[:, cells].tocsr()
    rows = np.flatnonzero(np.diff(part.indptr))
    missing = sums.total[rows] - sums.matrix[rows] @ rounded
    if not missing.any():
        return
    down = np.minimum(rounded[cells] - sums.low[cells], reach)
    up = np.minimum(sums.high[cells] - rounded[cells], reach)
    nothing = np.zeros(len(cells))
    found = cheapest(nothing, part[rows], missing, -down, up, enough=_enough(len(cells))).point
    if found is not None:
        rounded[cells] += np.round(found).astype(np.int64)
