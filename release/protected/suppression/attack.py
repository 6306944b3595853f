"""What an outsider can derive of each hidden cell of an exact table: bounds in whole numbers, and how sure we are.

First bounds are carried along the sums until nothing changes. Then possible tables are looked for that differ at as
many cells as can be: these cells are safe, whatever else somebody computes. Cells that can't move in fractions can't in
whole numbers. What is left gets a program of its own, or is said to be undecided.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from release.codes import IntArray
from release.errors import Fault, UtfallError, roughly
from release.protected.suppression.first_table import first_table
from release.protected.suppression.possible import Possible
from release.protected.suppression.spread import ends_of_class, spread
from release.protected.suppression.view import NO_BOUND, BoolArray, View
from release.protected.suppression.whole import Sums

_ROUNDS = 10_000


class Contradiction(UtfallError):  # noqa: N818 (reads as what it is)
    """The published figures can't all be true."""

    exit_code = 4
    title = "Figures contradict each other"


@dataclass(frozen=True, eq=False)
class Findings:
    """What an outsider derives; all int64 [n] or bool [n], published cells stand at their value.

    lower, upper: no possible table goes outside of them. seen_low, seen_high: values that possible tables have.
    decided: whether it is known that the cell has the asked width, or known that it hasn't.
    """

    lower: IntArray
    upper: IntArray
    seen_low: IntArray
    seen_high: IntArray
    decided: BoolArray
    hidden: BoolArray

    @property
    def exactly_known(self) -> BoolArray:
        """Hidden cells whose value anybody can work out."""
        return np.asarray(self.hidden & (self.lower == self.upper))

    @property
    def width(self) -> IntArray:
        """How far two possible tables differ at each cell; the true range is at least this."""
        return np.asarray(self.seen_high - self.seen_low)

    @property
    def exact(self) -> BoolArray:
        """Cells whose bounds are reached by possible tables, so that they can't be narrowed."""
        return np.asarray((self.lower == self.seen_low) & (self.upper == self.seen_high))


def attack(view: View, *, width: IntArray | None = None, exact: bool = False) -> Findings:
    """Attacks a table with what is published only.

    width: int64 [n], decided means: known to be at least, or less, than this wide (1). exact: bounds of each cell that
    can't be narrowed, one or two programs a cell: for small tables. Contradiction where no table is possible.
    """
    _refuse_broken(view)
    matrix, total = view.equations
    low, high = view.free
    sums = propagated(Sums(matrix, total, low, high))
    asked = np.ones(len(low), np.int64) if width is None else np.asarray(width, np.int64)[view.hidden]
    base = first_table(sums, view.branches_of_hidden)
    if base is None:
        return _findings(view, sums, None, asked)
    possible = Possible(sums, [base], view.branches_of_hidden)
    spread(possible, asked)
    sums = _narrowed(sums, possible)
    if exact:
        sums = _exact(sums, possible)
    return _findings(view, sums, possible, asked)


def propagated(sums: Sums) -> Sums:
    """Bounds carried along the sums until nothing changes: a cell is what its sums leave for it, at least and most."""
    low, high = sums.low.copy(), sums.high.copy()
    for _ in range(_ROUNDS):
        tighter_low, tighter_high = _one_pass(Sums(sums.matrix, sums.total, low, high))
        if (tighter_low > tighter_high).any():
            raise _contradiction(int((tighter_low > tighter_high).sum()))
        if (tighter_low == low).all() and (tighter_high == high).all():
            break
        low, high = tighter_low, tighter_high
    return Sums(sums.matrix, sums.total, low, high)


def _one_pass(sums: Sums) -> tuple[IntArray, IntArray]:
    """Each sum once: what its other cells leave for each of its cells."""
    matrix = sums.matrix.tocsr()
    if not matrix.nnz:
        return sums.low, sums.high
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    cells, weight = matrix.indices, matrix.data
    first = np.where(weight > 0, sums.low[cells], sums.high[cells])
    last = np.where(weight > 0, sums.high[cells], sums.low[cells])
    rest_least = _rest(weight, first, rows, matrix.indptr)
    rest_most = _rest(weight, last, rows, matrix.indptr)
    ends = [_leaves(sums.total[rows], rest, weight) for rest in (rest_least, rest_most)]
    low, high = sums.low.copy(), sums.high.copy()
    for known, end, upper in ((rest_least[1], ends[0], weight > 0), (rest_most[1], ends[1], weight < 0)):
        np.minimum.at(high, cells[known & upper], end[0][known & upper])
        np.maximum.at(low, cells[known & ~upper], end[1][known & ~upper])
    return low, high


def _rest(weight: IntArray, bound: IntArray, rows: IntArray, starts: IntArray) -> tuple[IntArray, BoolArray]:
    """Sum over the other cells of the same row of weight times bound, and whether it is bounded at all, per entry."""
    open_ended = np.abs(bound) >= NO_BOUND
    part = np.where(open_ended, 0, weight * np.where(open_ended, 0, bound))
    totals = np.add.reduceat(part, starts[:-1])
    opens = np.add.reduceat(open_ended.astype(np.int64), starts[:-1])
    return totals[rows] - part, (opens[rows] - open_ended) == 0


def _leaves(total: IntArray, rest: tuple[IntArray, BoolArray], weight: IntArray) -> tuple[IntArray, IntArray]:
    """(total - rest) / weight, rounded down and up."""
    left = total - rest[0]
    return left // weight, -(-left // weight)


def _narrowed(sums: Sums, possible: Possible) -> Sums:
    """Bounds with the fixed cells at their only value."""
    low = np.where(possible.fixed, possible.base, sums.low)
    high = np.where(possible.fixed, possible.base, sums.high)
    return Sums(sums.matrix, sums.total, low, high)


def _exact(sums: Sums, possible: Possible) -> Sums:
    """Bounds as narrow as they can be: each class that moves is taken to both ends, in whole numbers."""
    low, high = sums.low.copy(), sums.high.copy()
    steps = possible.joined.steps.tocsc()
    for name in range(steps.shape[1]):
        cells = steps.indices[steps.indptr[name] : steps.indptr[name + 1]]
        step = steps.data[steps.indptr[name] : steps.indptr[name + 1]]
        down, up = ends_of_class(possible, name)
        ends = [possible.base[cells] - step * down, possible.base[cells] + step * up]
        low[cells] = np.maximum(low[cells], np.minimum(*ends))
        high[cells] = np.minimum(high[cells], np.maximum(*ends))
    return Sums(sums.matrix, sums.total, low, high)


def _findings(view: View, sums: Sums, possible: Possible | None, asked: IntArray) -> Findings:
    width = np.zeros(len(asked), np.int64) if possible is None else possible.width
    decided = (sums.low == sums.high) | (width >= asked) | (_difference(sums.high, sums.low) < asked)
    seen_low = sums.low if possible is None else possible.low
    seen_high = sums.low if possible is None else possible.high
    return Findings(
        lower=_over(view, sums.low),
        upper=_over(view, sums.high),
        seen_low=_over(view, seen_low),
        seen_high=_over(view, seen_high),
        decided=_over(view, decided, shown=True),
        hidden=~view.published,
    )


def _difference(high: IntArray, low: IntArray) -> IntArray:
    """high - low; no overflow where one of them is unknown."""
    return np.where((high >= NO_BOUND) | (low <= -NO_BOUND), NO_BOUND, high - np.maximum(low, -NO_BOUND + 1))


def _over(view: View, mine: Any, *, shown: Any = None) -> Any:
    """Values of the hidden cells put among those of all cells."""
    full = np.full(len(view.values), shown, bool) if shown is not None else view.values.copy()
    full[view.hidden] = mine
    return full


def _refuse_broken(view: View) -> None:
    if len(view.broken):
        raise _contradiction(len(view.broken))


def _contradiction(count: int) -> Contradiction:
    return Contradiction(
        (
            Fault(
                f"the published figures can't all be true: {roughly(count)} sums or cells have no possible value",
                where="the table under attack",
                now="check the hierarchy, the rounding, and which figures are missing",
            ),
        )
    )
