"""Cheapest whole-number moves of a system of sums, by linear programs that start where the last one ended (HiGHS)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from release.codes import IntArray
from release.errors import UtfallError
from release.protected.suppression.question import FloatArray
from release.protected.suppression.whole import Sums, whole

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_MULTIPLES = (1, 2, 3, 4, 5, 6, 8, 10, 12)
"""Vertices of these programs are nearly always whole, or halves and thirds."""
_NEAR = 1e-6
_REACH = 2**40
_SHAKES = 1
_NODES = 100


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


class Flows:
    """One warm linear program: least total cost of a move, cells bounded below and above.

    cost: per unit moved, either way. down, up: how far each cell may fall and rise (>= 0, inf for no bound). room: how
    far it may truly fall, where `down` is less, to keep moves small (a fraction may be multiplied up). The model
    stays in HiGHS; each question changes a few bounds and puts them back. Same questions in one order, same answers.
    """

    def __init__(
        self,
        relations: csr_array,
        *,
        cost: FloatArray,
        down: FloatArray,
        up: FloatArray,
        room: FloatArray | None = None,
    ) -> None:
        self.number = relations.shape[1]
        self.relations = relations
        self.cost, self.down, self.up = cost.astype(float), down.astype(float), up.astype(float)
        self.room = self.down if room is None else room
        self.programs = 0
        self._model = _model(relations, self.cost, self.down, self.up)
        self._model.run()
        self._rest = self._model.getBasis()

    def set_cost(self, cells: IntArray, cost: FloatArray) -> None:
        """Change the costs of some cells."""
        self.cost[cells] = cost
        order = np.argsort(cells, kind="stable")
        rising, cost = cells[order], cost[order].astype(float)
        both = np.concatenate([rising, rising + self.number]).astype(np.int32)
        self._model.changeColsCost(len(both), both, np.concatenate([cost, cost]))

    def set_bounds(self, cells: IntArray, *, down: FloatArray, up: FloatArray) -> None:
        """Change how far some cells may fall and rise; 0 and 0 keeps them still."""
        self.down[cells], self.up[cells] = down, up
        self._bound(cells, np.zeros(len(cells)), self.down[cells], self.up[cells])

    def cheapest(self, cell: int, amount: int, *, still: IntArray | None = None) -> Move | None:
        """The cheapest whole-number move that changes `cell` by `amount` (its sign counts); None if there is none.

        still: cells that must not change in it. Where the cheapest move is a fraction that can't be multiplied, costs
        are shaken for another one, and at last it is rounded, so that it may cost more than need be.
        """
        fixed = np.empty(0, dtype=np.int64) if still is None else still[still != cell]
        solution = self._solved(cell, amount, fixed)
        if solution is None:
            return None
        move = self._multiplied(solution)
        for shake in range(_SHAKES if move is None else 0):
            move = move or self._shaken(shake, cell, amount, fixed)
        return move or self._rounded(solution, fixed, cell, amount)

    def _shaken(self, shake: int, cell: int, amount: int, fixed: IntArray) -> Move | None:
        """The move for costs that are up to a half higher, here and there."""
        columns = np.arange(2 * self.number, dtype=np.int32)
        uneven = 1 + np.random.default_rng(shake).random(self.number) / 2
        self._model.changeColsCost(len(columns), columns, np.tile(self.cost * uneven, 2))
        solution = self._solved(cell, amount, fixed)
        self._model.changeColsCost(len(columns), columns, np.tile(self.cost, 2))
        return None if solution is None else self._multiplied(solution)

    def completing(self, totals: IntArray, *, still: IntArray) -> Move | None:
        """The cheapest whole-number change with `relations @ change == totals`; None if none is found."""
        rows = np.flatnonzero(totals)
        none = np.zeros(len(still))
        self._bound(still, none, none, none)
        self._total(rows, totals[rows])
        solution = self._run()
        self._total(rows, np.zeros(len(rows)))
        self._bound(still, *self._own(still))
        return None if solution is None else self._near(solution, totals, still)

    def _near(self, solution: FloatArray, totals: IntArray, still: IntArray) -> Move | None:
        change = solution[: self.number] - solution[self.number :]
        low, high = -np.minimum(self.room, _REACH).astype(np.int64), np.minimum(self.up, _REACH).astype(np.int64)
        low[still] = high[still] = 0
        found = whole(Sums(self._long, totals, low, high), change)
        return None if found is None else Move(np.flatnonzero(found), found[found != 0])

    def _total(self, rows: IntArray, totals: Any) -> None:
        for row, total in zip(rows.tolist(), np.asarray(totals, float).tolist(), strict=True):
            self._model.changeRowBounds(row, total, total)

    def _solved(self, cell: int, amount: int, fixed: IntArray) -> FloatArray | None:
        one = np.array([cell])
        self._bound(fixed, np.zeros(len(fixed)), np.zeros(len(fixed)), np.zeros(len(fixed)))
        ahead, back = (one, one + self.number) if amount > 0 else (one + self.number, one)
        self._change(ahead, np.array([abs(amount)], float), np.array([abs(amount)], float))
        self._change(back, np.zeros(1), np.zeros(1))
        solution = self._run()
        self._bound(np.append(fixed, cell), *self._own(np.append(fixed, cell)))
        return solution

    def _run(self) -> FloatArray | None:
        """Solve what is set, from rest; None where there is no solution."""
        from highspy import HighsModelStatus

        self._model.setBasis(self._rest)
        self._model.run()
        self.programs += 1
        if self._model.getModelStatus() != HighsModelStatus.kOptimal:
            return None
        return np.array(self._model.getSolution().col_value)

    def _own(self, cells: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        return np.zeros(len(cells)), self.down[cells], self.up[cells]

    def _bound(self, cells: IntArray, least: FloatArray, down: FloatArray, up: FloatArray) -> None:
        both = np.concatenate([cells, cells + self.number])
        self._change(both, np.concatenate([least, least]), np.concatenate([up, down]))

    def _change(self, columns: IntArray, least: FloatArray, most: FloatArray) -> None:
        _set_bounds(self._model, columns, least, most)

    def _multiplied(self, solution: FloatArray) -> Move | None:
        """The move as whole numbers, checked; None when no small multiple is whole and keeps the bounds."""
        change = solution[: self.number] - solution[self.number :]
        cells = np.flatnonzero(np.abs(change) > _NEAR)
        for times in _MULTIPLES:
            near = np.rint(change[cells] * times)
            if np.abs(near - change[cells] * times).max(initial=0) < _NEAR * times:
                return self._checked(cells, near.astype(np.int64))
        return None

    def _checked(self, cells: IntArray, change: IntArray) -> Move | None:
        moved = np.zeros(self.number, dtype=np.int64)
        moved[cells] = change
        fine = not (self.relations @ moved).any() and bool((change >= -self.room[cells]).all())
        return Move(cells, change) if fine else None

    def _rounded(self, solution: FloatArray, fixed: IntArray, cell: int, amount: int) -> Move | None:
        """Whole numbers instead of a fractional move: among its cells and cheap ones, dearer ones, at last all."""
        change = solution[: self.number] - solution[self.number :]
        moved = np.abs(change) > _NEAR
        dearest = self.cost[moved].max(initial=0)
        for most in (dearest / 10, dearest):
            allowed = moved | (self.cost <= most)
            allowed[fixed], allowed[cell] = False, True
            if (move := self._by_integers(np.flatnonzero(allowed), cell, amount)) is not None:
                return move
        low, high = -np.minimum(self.room, _REACH).astype(np.int64), np.minimum(self.up, _REACH).astype(np.int64)
        low[fixed] = high[fixed] = 0
        low[cell] = high[cell] = amount
        found = whole(Sums(self._long, np.zeros(self.relations.shape[0], dtype=np.int64), low, high), change)
        return None if found is None else self._checked(np.flatnonzero(found), found[found != 0])

    def _by_integers(self, cells: IntArray, cell: int, amount: int) -> Move | None:
        """The same question in whole numbers among some cells, to within a fifth of the least cost."""
        from scipy.optimize import Bounds, LinearConstraint, milp
        from scipy.sparse import hstack

        part = self.relations[:, cells]
        high = np.concatenate([self.up[cells], self.down[cells]])
        low = np.zeros(len(high))
        own = int(np.searchsorted(cells, cell))
        ends = (own, own + len(cells)) if amount > 0 else (own + len(cells), own)
        low[ends[0]] = high[ends[0]] = abs(amount)
        high[ends[1]] = 0
        found = milp(
            np.tile(self.cost[cells], 2),
            constraints=LinearConstraint(hstack([part, -part]).tocsr(), 0, 0),
            bounds=Bounds(low, high),
            integrality=np.ones(len(high)),
            options={"node_limit": _NODES, "mip_rel_gap": 0.2},
        )
        if found.x is None:
            return None
        change = np.rint(found.x[: len(cells)] - found.x[len(cells) :]).astype(np.int64)
        return self._checked(cells[change != 0], change[change != 0])

    @cached_property
    def _long(self) -> Any:
        return self.relations.astype(np.int64)


def _set_bounds(model: Any, columns: IntArray, least: FloatArray, most: FloatArray) -> None:
    """Change bounds of columns; HiGHS wants them rising, and says nothing but a status when they aren't."""
    from highspy import HighsStatus

    if not len(columns):
        return
    rising, first = np.unique(columns, return_index=True)
    if model.changeColsBounds(len(rising), rising.astype(np.int32), least[first], most[first]) == HighsStatus.kError:
        raise UtfallError("the solver refused bounds of a linear program")


def _model(relations: csr_array, cost: FloatArray, down: FloatArray, up: FloatArray) -> Any:
    import highspy
    from scipy.sparse import hstack

    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = 2 * relations.shape[1], relations.shape[0]
    program.col_cost_ = np.concatenate([cost, cost])
    program.col_lower_ = np.zeros(2 * len(cost))
    program.col_upper_ = np.concatenate([up, down])
    program.row_lower_ = program.row_upper_ = np.zeros(relations.shape[0])
    columns = hstack([relations, -relations]).tocsc()
    program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    program.a_matrix_.start_, program.a_matrix_.index_ = columns.indptr, columns.indices
    program.a_matrix_.value_ = columns.data.astype(float)
    model = highspy.Highs()
    for option, value in _OPTIONS.items():
        model.setOptionValue(option, value)
    model.passModel(program)
    return model


_OPTIONS: dict[str, Any] = {
    "output_flag": False,
    "threads": 1,
    "presolve": "off",
    "solver": "simplex",
    "simplex_strategy": 1,
    "random_seed": 1,
}
