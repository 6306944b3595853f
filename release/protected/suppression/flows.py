"""Cheapest whole-number moves of a system of sums, by linear programs that start where the last one ended (HiGHS)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from release.codes import IntArray
from release.protected.suppression.question import FloatArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_MULTIPLES = (1, 2, 3, 4, 5, 6, 8, 10, 12)
"""Vertices of these programs are nearly always whole, or halves and thirds."""
_NEAR = 1e-6


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

    cost: per unit moved, either way. down, up: how far each cell may fall and rise (>= 0, inf for no bound). The model
    stays in HiGHS; each question changes a few bounds and puts them back. Same questions in one order, same answers.
    """

    def __init__(self, relations: csr_array, *, cost: FloatArray, down: FloatArray, up: FloatArray) -> None:
        self.number = relations.shape[1]
        self.relations = relations
        self.cost, self.down, self.up = cost.astype(float), down.astype(float), up.astype(float)
        self.programs = 0
        self._model = _model(relations, self.cost, self.down, self.up)
        self._model.run()
        self._rest = self._model.getBasis()

    def set_cost(self, cells: IntArray, cost: FloatArray) -> None:
        """Change the costs of some cells."""
        self.cost[cells] = cost
        both = np.concatenate([cells, cells + self.number]).astype(np.int32)
        self._model.changeColsCost(len(both), both, np.concatenate([cost, cost]).astype(float))

    def set_bounds(self, cells: IntArray, *, down: FloatArray, up: FloatArray) -> None:
        """Change how far some cells may fall and rise; 0 and 0 keeps them still."""
        self.down[cells], self.up[cells] = down, up
        self._bound(cells, np.zeros(len(cells)), self.down[cells], self.up[cells])

    def cheapest(self, cell: int, amount: int, *, still: IntArray | None = None) -> Move | None:
        """The cheapest whole-number move that changes `cell` by `amount` (its sign counts); None if there is none.

        still: cells that must not change in it. A fractional vertex is multiplied up where bounds allow.
        """
        from highspy import HighsModelStatus

        one = np.array([cell])
        fixed = np.empty(0, dtype=np.int64) if still is None else still[still != cell]
        self._bound(fixed, np.zeros(len(fixed)), np.zeros(len(fixed)), np.zeros(len(fixed)))
        ahead, back = (one, one + self.number) if amount > 0 else (one + self.number, one)
        self._change(ahead, np.array([abs(amount)], float), np.array([abs(amount)], float))
        self._change(back, np.zeros(1), np.zeros(1))
        self._model.setBasis(self._rest)
        self._model.run()
        self.programs += 1
        found = self._model.getModelStatus() == HighsModelStatus.kOptimal
        solution = np.array(self._model.getSolution().col_value) if found else None
        self._bound(np.append(fixed, cell), *self._own(np.append(fixed, cell)))
        return None if solution is None else self._whole(solution[: self.number] - solution[self.number :])

    def _own(self, cells: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        return np.zeros(len(cells)), self.down[cells], self.up[cells]

    def _bound(self, cells: IntArray, least: FloatArray, down: FloatArray, up: FloatArray) -> None:
        both = np.concatenate([cells, cells + self.number])
        self._change(both, np.concatenate([least, least]), np.concatenate([up, down]))

    def _change(self, columns: IntArray, least: FloatArray, most: FloatArray) -> None:
        if len(columns):
            self._model.changeColsBounds(len(columns), columns.astype(np.int32), least, most)

    def _whole(self, change: FloatArray) -> Move | None:
        """The move as whole numbers, checked; None when no small multiple is whole, or it breaks a bound."""
        cells = np.flatnonzero(np.abs(change) > _NEAR)
        part = change[cells]
        for times in _MULTIPLES:
            near = np.rint(part * times)
            if np.abs(near - part * times).max(initial=0) < _NEAR * times:
                return self._checked(cells, near.astype(np.int64), times)
        return None

    def _checked(self, cells: IntArray, change: IntArray, times: int) -> Move | None:
        moved = np.zeros(self.number, dtype=np.int64)
        moved[cells] = change
        if (self.relations @ moved).any():
            return None
        room = self.room(cells)
        return Move(cells, change) if times == 1 or (change >= -room).all() else None

    def room(self, cells: IntArray) -> FloatArray:
        """How far cells may fall in a multiplied move; a caller with caps that are no true bounds overrides this."""
        return self.down[cells]


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
