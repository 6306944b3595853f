"""Refinement: single attributes of records are changed as long as the records come closer to all tables of the fit.

Many changes are tried at once. The gain of each alone is exact; of the best, as many are made as together lower the sum
of squared differences over all tables. Prior art: the records-adding and -moving searches of population synthesis.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from release.codes import IntArray
from release.policy.policy import Combination
from release.residuals import FloatArray

BoolArray = npt.NDArray[np.bool_]


@dataclass(eq=False)
class Margin:
    """One table that records should reproduce: the difference, records minus target, of every cell.

    cells[c]: the part of a support cell in the flat position; leaves[k]: the part of an outcome's leaf, if any.
    """

    combination: Combination
    cells: IntArray
    outcome: str
    leaves: IntArray
    weight: float
    difference: FloatArray = field(repr=False)

    def positions(self, cell: IntArray, leaves: Mapping[str, IntArray]) -> IntArray:
        """The flat position of each record."""
        place = self.cells[cell]
        return place + self.leaves[leaves[self.outcome]] if self.outcome else place


@dataclass(frozen=True, eq=False)
class Change:
    """Changes tried together: for each of `rows` a new cell and new leaves (as many as rows).

    dimensions: those in which new cells differ from the old.
    """

    rows: IntArray
    cell: IntArray
    leaves: Mapping[str, IntArray]
    dimensions: Collection[str]

    def touches(self, margin: Margin) -> bool:
        """Whether a table can tell the difference."""
        return any(name in self.dimensions or name in self.leaves for name, _ in margin.combination)


def refine(
    cell: IntArray, leaves: dict[str, IntArray], margins: Sequence[Margin], changes: Iterator[Change]
) -> tuple[IntArray, dict[str, IntArray]]:
    """Make those proposed changes that bring the records closer; each is proposed for the records as they are."""
    for change in changes:
        _make_the_best(cell, leaves, margins, change)
    return cell, leaves


@dataclass(frozen=True, eq=False)
class _Moved:
    margin: Margin
    old: IntArray
    new: IntArray


def _make_the_best(cell: IntArray, leaves: dict[str, IntArray], margins: Sequence[Margin], change: Change) -> None:
    moves = _moves(cell, leaves, margins, change)
    if not moves:
        return
    alone = sum((_gain_alone(move) for move in moves), np.zeros(len(change.rows)))
    best = _within_need(np.argsort(alone, kind="stable")[: int((alone < 0).sum())], moves)
    while len(best) and sum(_gain_together(move, best) for move in moves) >= 0:
        best = best[: len(best) // 2]
    if not len(best):
        return
    for move in moves:
        np.add.at(move.margin.difference, move.new[best], 1.0)
        np.add.at(move.margin.difference, move.old[best], -1.0)
    cell[change.rows[best]] = change.cell[best]
    for name, new in change.leaves.items():
        leaves[name][change.rows[best]] = new[best]


def _within_need(best: IntArray, moves: Sequence[_Moved]) -> IntArray:
    """Of the best changes, in order, as many as each cell has persons too many or too few (at least one)."""
    keep = np.ones(len(best), np.bool_)
    for move in moves:
        moving = move.old[best] != move.new[best]
        difference = move.margin.difference
        keep &= ~moving | (_turn(move.new[best]) < np.maximum(np.ceil(-difference[move.new[best]]), 1))
        keep &= ~moving | (_turn(move.old[best]) < np.maximum(np.ceil(difference[move.old[best]]), 1))
    return np.asarray(best[keep])


def _turn(cells: IntArray) -> IntArray:
    """How many earlier entries are equal to each."""
    order = np.argsort(cells, kind="stable")
    ordered = cells[order]
    first = np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - 1))
    turn = np.empty(len(cells), np.int64)
    turn[order] = np.arange(len(cells)) - np.repeat(first, np.diff(np.append(first, len(cells))))
    return turn


def _moves(cell: IntArray, leaves: Mapping[str, IntArray], margins: Sequence[Margin], change: Change) -> list[_Moved]:
    touched = [margin for margin in margins if change.touches(margin)]
    before = {name: leaves[name][change.rows] for name in {margin.outcome for margin in touched} - {""}}
    after = {**before, **change.leaves}
    old_cell = cell[change.rows]
    moves = []
    for margin in touched:
        old, new = margin.positions(old_cell, before), margin.positions(change.cell, after)
        if (old != new).any():
            moves.append(_Moved(margin, old, new))
    return moves


def _gain_alone(move: _Moved) -> FloatArray:
    """Change of the weighted sum of squares if a record alone moves: (d_new+1)^2 - d_new^2 + (d_old-1)^2 - d_old^2."""
    difference = move.margin.difference
    gain = 2 * (difference[move.new] - difference[move.old]) + 2
    return np.asarray(np.where(move.old != move.new, move.margin.weight * gain, 0.0))


def _gain_together(move: _Moved, chosen: IntArray) -> float:
    where = np.concatenate([move.new[chosen], move.old[chosen]])
    steps = np.concatenate([np.ones(len(chosen)), -np.ones(len(chosen))])
    positions, inverse = np.unique(where, return_inverse=True)
    total = np.bincount(inverse, weights=steps)
    return float(move.margin.weight * (total * (2 * move.margin.difference[positions] + total)).sum())
