"""How far hidden cells can move, and which others would have to be hidden too (from a linear program's prices)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from release.codes import IntArray
from release.protected.suppression.integers import program, ready
from release.protected.suppression.question import BoolArray, FloatArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

NOBODY = -1
"""Of a demand: it is made for an outsider, who knows no cell."""
_NEAR = 1e-6
_TINY = 1e-9
_LARGE = 600
"""Cells from which on an integer program is made smaller first, which for fewer finds dearer patterns."""


@dataclass(frozen=True)
class Demand:
    """One cell must be able to move by `width` while the cells of contributor `still` (if any) stay as they are."""

    cell: int
    width: int = 1
    still: int = NOBODY


@dataclass(eq=False)
class Work:
    """Effort in units that don't depend on the machine: about one per small linear program."""

    left: float
    spent: float = 0.0

    def spend(self, units: float) -> None:
        """Count some work as done."""
        self.left -= units
        self.spent += units


@dataclass(frozen=True, eq=False)
class Reach:
    """The end of a cell's way in one direction: how far, the change of all cells there, and each bound's price."""

    amount: float
    change: FloatArray
    price: FloatArray


class Probe:
    """One warm linear program over moves: the farthest change of a cell, others in a box of width times their share.

    relations: sums [m, n]. room: float [n], how far each cell may fall; none rises more than the demanded width, since
    a move that does more than is asked is seldom needed. alone: contributor of each cell, NOBODY elsewhere. known_to:
    who knows each cell beforehand, as `Question.known_to`.
    """

    def __init__(
        self,
        relations: csr_array,
        room: FloatArray,
        *,
        alone: IntArray,
        known_to: Sequence[frozenset[int]],
        work: Work,
    ) -> None:
        self.relations, self.room, self.alone, self.known_to, self.work = relations, room, alone, known_to, work
        self.number = relations.shape[1]
        self._all = np.arange(self.number, dtype=np.int32)
        self._share, self._width, self._far = np.zeros(self.number), 1, 1
        self._model = model(relations)
        self._change = np.zeros(self.number)

    def open(self, share: FloatArray, *, far: int = 1) -> None:
        """Let every cell move within its share of `far` times the width: 0 published, 1 hidden, and what is between."""
        self._share, self._far = share.astype(float), far
        self._box(1)

    def reach(self, cell: int, sign: int) -> Reach:
        """The farthest change of the cell upwards (sign 1) or downwards (-1), at most the width of the box."""
        self._model.changeColCost(int(cell), float(sign))
        self._model.run()
        self.work.spend(1 + self.number / 100)
        solution = self._model.getSolution()
        price, change = np.array(solution.col_dual), np.array(solution.col_value)
        self._model.changeColCost(int(cell), 0.0)
        self._change = change
        return Reach(sign * float(change[cell]), change, price)

    def moves(self, demand: Demand) -> list[IntArray] | None:
        """Whole-number moves that meet a demand: one, or one up and one down; None where none was found."""
        self._fit(demand)
        try:
            return self._moves(demand)
        finally:
            self._release(demand)

    def cut(self, demand: Demand, fixed: BoolArray) -> FloatArray | None:
        """Weights of cells that must add up to 1 among the hidden ones, if the demand is to be met; None if it may be.

        Any move keeps the weighted sum of all sums, so by the program's prices the cell can't move farther than other
        cells allow. The prices come from a box, the weights from the true bounds (a cell may rise without end), cut off
        at what is missing (Fischetti and Salazar 2001, capacity constraints). fixed: hidden cells, weight 0.
        """
        self._fit(demand)
        try:
            weights = self._weights(demand)
        finally:
            self._release(demand)
        if weights is None:
            return None
        missing = demand.width - float(weights[fixed].sum())
        if missing < _NEAR:
            return None
        return np.where(fixed, 0.0, np.minimum(weights / missing, 1.0))

    def not_met_too(self, met: Demand, others: Sequence[Demand]) -> list[Demand]:
        """Those of other demands that the change which met one (the last that was found) doesn't meet as well."""
        change = np.abs(self._change)
        return [d for d in others if d.width != met.width or change[d.cell] < d.width - _NEAR or self._moves_him(d)]

    def _moves_him(self, demand: Demand) -> bool:
        return demand.still != NOBODY and bool((np.abs(self._change[self.alone == demand.still]) > _TINY).any())

    def insiders(self, demand: Demand) -> list[Demand]:
        """What those alone in a cell that a move for the demand's cell changes would ask for at that cell."""
        if demand.still != NOBODY:
            return []
        changed: set[int] = set()
        for sign in self._signs(demand.cell):
            end = self.reach(demand.cell, sign)
            changed = set(self.alone[np.abs(end.change) > _TINY].tolist())
            if end.amount > demand.width - _NEAR:
                break
        people = changed - {NOBODY} - self.known_to[demand.cell]
        return [Demand(demand.cell, 1, person) for person in sorted(people)]

    def _weights(self, demand: Demand) -> FloatArray | None:
        """The summed (width 1: the larger) weights of both ways; a width of 1 is one way or the other."""
        found, gone = np.zeros(self.number), 0.0
        for sign in self._signs(demand.cell):
            end = self.reach(demand.cell, sign)
            gone = max(gone, end.amount) if demand.width == 1 else gone + end.amount
            if gone > demand.width - _NEAR:
                return None
            one = self._capacities(end.price, demand)
            found = np.maximum(found, one) if demand.width == 1 else found + one
        return np.minimum(found, demand.width)

    def _capacities(self, price: FloatArray, demand: Demand) -> FloatArray:
        price = np.where(np.abs(price) < _TINY, 0.0, price)
        price[demand.cell] = 0.0
        if demand.still != NOBODY:
            price[self.alone == demand.still] = 0.0
        return np.minimum(np.where(price > 0, demand.width, -price * self.room), demand.width)

    def _signs(self, cell: int) -> tuple[int, ...]:
        return (1, -1) if self.room[cell] >= 1 else (1,)

    def _moves(self, demand: Demand) -> list[IntArray] | None:
        found: list[IntArray] = []
        low = high = 0
        for sign in self._signs(demand.cell):
            move = self._whole(demand, sign)
            if move is None:
                continue
            found.append(move)
            low, high = min(low, int(move[demand.cell])), max(high, int(move[demand.cell]))
            if high - low >= demand.width:
                return found
        return None

    def _whole(self, demand: Demand, sign: int) -> IntArray | None:
        end = self.reach(demand.cell, sign)
        if end.amount < 1 - _NEAR:
            return None
        move = self._checked(end.change)
        return self._branched(demand.cell, sign) if move is None else move

    def _checked(self, change: FloatArray) -> IntArray | None:
        near = np.rint(change)
        whole = np.abs(near - change).max(initial=0.0) < _NEAR and not (self.relations @ near).any()
        return near.astype(np.int64) if whole else None

    def _branched(self, cell: int, sign: int) -> IntArray | None:
        """The same as an integer program, for the rare corner that isn't whole."""
        self._whole_numbers(asked=True)
        end = self.reach(cell, sign)
        self._whole_numbers(asked=False)
        self.work.spend(self.number / 5 if self.number > _LARGE else 10)
        return self._checked(end.change) if end.amount > 1 - _NEAR else None

    def _whole_numbers(self, *, asked: bool) -> None:
        """Ask for whole numbers, or no longer. Large integer programs are made smaller first: 30 times faster."""
        from highspy import HighsVarType

        kind = HighsVarType.kInteger if asked else HighsVarType.kContinuous
        self._model.changeColsIntegrality(self.number, self._all, np.array([kind] * self.number))
        self._model.setOptionValue("presolve", "on" if asked and self.number > _LARGE else "off")

    def many(self, cells: BoolArray, rng: np.random.Generator) -> IntArray | None:
        """One whole-number move that changes many of the cells at once, each in a direction drawn by lot."""
        sign = np.where((self.room >= 1) & (rng.random(self.number) < 0.5), -1.0, 1.0)
        goal = np.where(cells, sign, 0.0) * (1 + 0.01 * rng.random(self.number))
        self._model.changeColsCost(self.number, self._all, goal)
        self._model.run()
        self.work.spend(2 + self.number / 50)
        change = np.array(self._model.getSolution().col_value)
        self._model.changeColsCost(self.number, self._all, np.zeros(self.number))
        return self._checked(change)

    def _fit(self, demand: Demand) -> None:
        if demand.width != self._width:
            self._box(demand.width)
        if demand.still != NOBODY:
            known = np.flatnonzero(self.alone == demand.still).astype(np.int32)
            self._model.changeColsBounds(len(known), known, np.zeros(len(known)), np.zeros(len(known)))

    def _release(self, demand: Demand) -> None:
        if demand.still != NOBODY:
            self._box(self._width)

    def _box(self, width: int) -> None:
        self._width = width
        most = width * self._far
        low = -np.minimum(self.room, most) * self._share
        self._model.changeColsBounds(self.number, self._all, low, most * self._share)


def model(relations: csr_array) -> Any:
    """A linear program over moves that keep the sums, all cells closed, to be maximised; one thread, no presolve."""
    import highspy

    rows, still = np.zeros(relations.shape[0]), np.zeros(relations.shape[1])
    moves = program(still, relations, rows, still, still)
    moves.sense_ = highspy.ObjSense.kMaximize
    return ready(moves, {"presolve": "off", "solver": "simplex", "simplex_strategy": 4})
