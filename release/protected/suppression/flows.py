"""Cheapest whole-number moves of a system of sums, by linear programs that start where the last one ended (HiGHS)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from release.codes import IntArray
from release.errors import UtfallError
from release.protected.suppression.integers import Enough, cheapest, program, ready
from release.protected.suppression.question import BoolArray, FloatArray
from release.protected.suppression.whole import Sums, whole

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_MULTIPLES = (1, 2, 3, 4, 5, 6, 8, 10, 12)
"""Vertices of these programs are nearly always whole, or halves and thirds."""
_NEAR = 1e-6
_REACH = 2**40
_DIVES = 20
_STARTS = 4
_SOON = Enough(30, gap=0.1)
"""An integer program of a move that nothing else finds; the last tenth of its cost would take half of its time."""
_SOME = 4_000
"""Cells of an integer program, the cheapest of those that could help."""
DEARER = 3.0
"""Moves in whole numbers that cost so many times more than in fractions are taken only where nothing else is left."""
_SMALL = 150
"""Cells of one integer program, where a dear move isn't wanted anyway."""


@dataclass(frozen=True, eq=False)
class Move:
    """A change of a few cells that keeps every sum. cells: rising indices; change: int64, none of them 0."""

    cells: IntArray
    change: IntArray

    def at(self, cell: int) -> int:
        """The change of one cell."""
        place = int(np.searchsorted(self.cells, cell))
        there = place < len(self.cells) and self.cells[place] == cell
        return int(self.change[place]) if there else 0

    def reversed(self) -> Move:
        """The same the other way round."""
        return Move(self.cells, -self.change)


Read = Callable[[FloatArray], Move | None]
"""How a solution is read: as a move of whole numbers, None where it isn't one."""


class Flows:
    """One warm linear program: least total cost of a move, cells bounded below and above.

    cost: per unit moved, either way. down, up: how far each cell may fall and rise (>= 0, inf for no bound). reach: how
    far at most in a step, to keep moves small; a fractional step may be multiplied beyond it. dearer: whole numbers
    that cost so many times more than the fractional solution are refused. The model stays in HiGHS; each question
    changes the bounds that the last one left otherwise. Same questions in one order, same answers.
    """

    def __init__(
        self,
        relations: csr_array,
        *,
        cost: FloatArray,
        down: FloatArray,
        up: FloatArray,
        reach: float,
        dearer: float = DEARER,
    ) -> None:
        self.number = relations.shape[1]
        self.relations = relations
        self.cost = cost.astype(float)
        self.room, self.rise = down.astype(float), up.astype(float)
        self.down, self.up = np.minimum(self.room, reach), np.minimum(self.rise, reach)
        self.dearer = dearer
        self._free = np.concatenate([self.up, self.down])
        self._least, self._most = np.zeros_like(self._free), self._free.copy()
        self._model = _model(relations, self.cost, self.down, self.up)
        self._model.run()
        self._rest = self._model.getBasis()

    def set_cost(self, cells: IntArray, cost: FloatArray) -> None:
        """Change the costs of some cells."""
        order = np.argsort(cells, kind="stable")
        rising, asked = cells[order], cost[order].astype(float)
        new = asked != self.cost[rising]
        rising, asked = rising[new], asked[new]
        self.cost[rising] = asked
        both = np.concatenate([rising, rising + self.number]).astype(np.int32)
        self._model.changeColsCost(len(both), both, np.concatenate([asked, asked]))

    def cheapest(self, cell: int, amount: int, *, still: IntArray | None = None) -> Move | None:
        """The cheapest whole-number move that changes `cell` by `amount` (its sign counts); None if there is none.

        still: cells that must not change in it. A fractional move is multiplied, if that makes it whole (so it may
        change `cell` by more); else it is made whole step by step, so that it may cost more than need be.
        """
        fixed = np.empty(0, dtype=np.int64) if still is None else still[still != cell]
        held = np.append(fixed, cell)
        return self._move(held, np.append(np.zeros(len(fixed), np.int64), amount), self._multiplied)

    def answering(self, cells: IntArray, change: IntArray) -> Move | None:
        """The cheapest whole-number move in which these cells change so; None if none is found."""
        return self._move(cells, change, self._as_it_is)

    def _move(self, cells: IntArray, change: IntArray, read: Read) -> Move | None:
        """A move in which these cells change so, as `read` finds it in a solution."""
        ends, amounts = np.concatenate([cells, cells + self.number]), np.concatenate([change, -change])
        least, most = np.zeros_like(self._free), self._free.copy()
        least[ends] = most[ends] = np.maximum(amounts, 0)
        self._bound(least, most)
        self._model.setBasis(self._rest)
        solution = self._run()
        return None if solution is None else read(solution) or self._made_whole(solution, cells, change, read)

    def _made_whole(self, solution: FloatArray, cells: IntArray, change: IntArray, read: Read) -> Move | None:
        """Whole numbers instead of a fractional solution, unless they cost far more."""
        for first in range(_STARTS):
            if (move := self._dived(solution, first, read)) is not None:
                return move
        if np.isfinite(self.dearer):
            return self._near(solution, cells, change, largest=_SMALL)
        return self._by_integers(solution, cells, change) or self._near(solution, cells, change, largest=self.number)

    def _dived(self, solution: FloatArray, first: int, read: Read) -> Move | None:
        """One amount after the other is rounded up, else down, and the rest solved again; first: which one begins."""
        settled: list[int] = []
        before, move = (self._least, self._most), None
        while move is None and len(settled) < _DIVES:
            fraction = solution - np.floor(solution + _NEAR)
            order = np.argsort(-np.where(fraction > _NEAR, fraction, 0), kind="stable")
            column = int(order[0 if settled else first])
            settled.append(column)
            found = self._settled(column, float(np.floor(solution[column] + _NEAR)))
            if found is None:
                break
            solution, move = found, read(found)
        self._bound(*before)
        return move

    def _settled(self, column: int, floor: float) -> FloatArray | None:
        """The solution with one amount rounded up, else down."""
        for amount in (floor + 1, floor):
            least, most = self._least.copy(), self._most.copy()
            least[column] = most[column] = amount
            self._bound(least, most)
            if (solution := self._run()) is not None:
                return solution
        return None

    def _near(self, solution: FloatArray, cells: IntArray, change: IntArray, *, largest: int) -> Move | None:
        """Whole numbers near a fractional solution, unless they cost far more."""
        low, high = self._ends(cells, change)
        none = np.zeros(self.relations.shape[0], dtype=np.int64)
        amounts = solution[: self.number] - solution[self.number :]
        found = whole(Sums(self._long, none, low, high), amounts, largest=largest)
        if found is None or np.abs(found) @ self.cost > self.dearer * (np.abs(amounts) @ self.cost + self._typical):
            return None
        return self._checked(np.flatnonzero(found), found[found != 0])

    def _by_integers(self, solution: FloatArray, cells: IntArray, change: IntArray) -> Move | None:
        """A cheap solution in whole numbers: near the fractional one, else among all cells that are no dearer."""
        amounts = solution[: self.number] - solution[self.number :]
        used = np.abs(amounts) > _NEAR
        allowed = self.cost <= self.cost[used].max(initial=0)
        allowed[cells] = change != 0
        order = np.argsort(self.cost * ~used, kind="stable")
        for near in (self._touching(used), np.ones(self.number, dtype=bool)):
            some = order[(allowed & near)[order]][:_SOME]
            if (move := self._cheapest_among(np.sort(some), cells, change)) is not None:
                return move
        return None

    def _touching(self, cells: BoolArray) -> BoolArray:
        """Cells that share a sum with some. bool [n]."""
        size = abs(self._long)
        return np.asarray(size.T @ (size @ cells.astype(np.int64)) > 0)

    def _cheapest_among(self, some: IntArray, cells: IntArray, change: IntArray) -> Move | None:
        """The cheapest whole-number move of some cells. cells, change: those that change as given."""
        from scipy.sparse import hstack

        low, high = (end[some] for end in self._ends(cells, change))
        part = self.relations[:, some]
        ends = (np.concatenate([np.maximum(low, 0), np.maximum(-high, 0)]), np.concatenate([high, -low]))
        matrix, price = hstack([part, -part]).tocsr(), np.tile(self.cost[some], 2)
        most = (np.maximum(end, 0) for end in ends)
        found = cheapest(price, matrix, np.zeros(part.shape[0]), *most, enough=_SOON).point
        if found is None:
            return None
        moved = np.rint(found[: len(some)] - found[len(some) :]).astype(np.int64)
        return self._checked(some[moved != 0], moved[moved != 0])

    def _ends(self, cells: IntArray, change: IntArray) -> tuple[IntArray, IntArray]:
        """How far each cell may change, where some change as given."""
        low, high = -np.minimum(self.room, _REACH).astype(np.int64), np.minimum(self.up, _REACH).astype(np.int64)
        low[cells] = high[cells] = change
        return low, high

    def _run(self) -> FloatArray | None:
        """Solve what is set, from where the last one ended; None where there is no solution."""
        from highspy import HighsModelStatus

        self._model.run()
        if self._model.getModelStatus() == HighsModelStatus.kIterationLimit:
            self._run_again()
        if self._model.getModelStatus() != HighsModelStatus.kOptimal:
            return None
        return np.array(self._model.getSolution().col_value)

    def _run_again(self) -> None:
        """The same from scratch and without a limit, made smaller first: for the few that walk round too long."""
        for name, value in {"presolve": "on", "simplex_iteration_limit": 2**30}.items():
            self._model.setOptionValue(name, value)
        self._model.clearSolver()
        self._model.run()
        for name in ("presolve", "simplex_iteration_limit"):
            self._model.setOptionValue(name, _OPTIONS[name])

    def _bound(self, least: FloatArray, most: FloatArray) -> None:
        """Give the columns these bounds; only what differs is told to HiGHS, which takes long over many."""
        new = np.flatnonzero((least != self._least) | (most != self._most))
        set_bounds(self._model, new, least[new], most[new])
        self._least, self._most = least, most

    def _as_it_is(self, solution: FloatArray) -> Move | None:
        """The move if it is whole as it stands."""
        return self._multiplied(solution, (1,))

    def _multiplied(self, solution: FloatArray, multiples: Sequence[int] = _MULTIPLES) -> Move | None:
        """The move as whole numbers, checked; None when no small multiple is whole and keeps the bounds."""
        change = solution[: self.number] - solution[self.number :]
        cells = np.flatnonzero(np.abs(change) > _NEAR)
        for times in multiples:
            near = np.rint(change[cells] * times)
            if np.abs(near - change[cells] * times).max(initial=0) < _NEAR * times:
                return self._checked(cells, near.astype(np.int64))
        return None

    def _checked(self, cells: IntArray, change: IntArray) -> Move | None:
        moved = np.zeros(self.number, dtype=np.int64)
        moved[cells] = change
        inside = bool(((change >= -self.room[cells]) & (change <= self.rise[cells])).all())
        return Move(cells, change) if inside and not (self.relations @ moved).any() else None

    @cached_property
    def _typical(self) -> float:
        return float(np.median(self.cost))

    @cached_property
    def _long(self) -> Any:
        return self.relations.astype(np.int64)


@dataclass(frozen=True, eq=False)
class Neighbourhood:
    """A part of the system with its own warm program. cells: rising indices of its groups in the whole."""

    cells: IntArray
    flows: Flows

    def place(self, cells: IntArray) -> IntArray:
        """Places of cells of the whole within; those outside are left out."""
        at = np.minimum(np.searchsorted(self.cells, cells), len(self.cells) - 1)
        return np.asarray(at[self.cells[at] == cells], dtype=np.int64)


def uneven(cells: IntArray) -> FloatArray:
    """Factors near one for the prices of cells, never quite the same: ties cost time."""
    return 1 + (cells * 7919 % 101) / 1000


def set_bounds(model: Any, columns: IntArray, least: FloatArray, most: FloatArray) -> None:
    """Change bounds of columns; HiGHS wants them rising, and says nothing but a status when they aren't."""
    from highspy import HighsStatus

    if not len(columns):
        return
    rising, first = np.unique(columns, return_index=True)
    if model.changeColsBounds(len(rising), rising.astype(np.int32), least[first], most[first]) == HighsStatus.kError:
        raise UtfallError("the solver refused bounds of a linear program")


def _model(relations: csr_array, cost: FloatArray, down: FloatArray, up: FloatArray) -> Any:
    from scipy.sparse import hstack

    both, most = hstack([relations, -relations]), np.concatenate([up, down])
    return ready(program(np.tile(cost, 2), both, np.zeros(both.shape[0]), np.zeros(len(most)), most), _OPTIONS)


_OPTIONS: dict[str, Any] = {
    "presolve": "off",
    "solver": "simplex",
    "simplex_strategy": 1,
    "simplex_iteration_limit": 6_000,
}
