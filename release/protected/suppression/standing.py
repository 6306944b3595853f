"""A safe pattern while it is being improved: what is hidden, and the moves that show each hidden cell to be safe."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from release.codes import IntArray
from release.protected.suppression.flows import Move
from release.protected.suppression.probe import NOBODY, Demand
from release.protected.suppression.question import BoolArray, FloatArray, Pattern, Question

if TYPE_CHECKING:
    from scipy.sparse import csc_array, csr_array


@dataclass(eq=False)
class Standing:
    """hidden: bool [n]. moves: by number. users: for each cell, by the number of each move that changes it, how much.

    people: who is alone in a cell that a move changes, by its number.
    """

    question: Question
    hidden: BoolArray
    moves: dict[int, Move]
    users: dict[int, dict[int, int]]
    next_number: int = 0
    people: dict[int, frozenset[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, question: Question, moves: Iterable[Move]) -> Standing:
        """What these moves make safe: all cells that they change are hidden, besides those that must be."""
        standing = cls(question, question.primary.copy(), {}, {})
        for move in moves:
            standing.hidden[move.cells] = True
            standing.add(move)
        return standing

    @cached_property
    def room(self) -> FloatArray:
        """How far each cell may fall, [n]."""
        return (self.question.values - self.question.lower).astype(float)

    @cached_property
    def typical(self) -> float:
        """The typical cost of hiding a cell."""
        return float(np.median(self.question.cost))

    @cached_property
    def alone(self) -> IntArray:
        """The contributor alone in each cell, NOBODY elsewhere, [n]."""
        return known_alone(self.question)

    @cached_property
    def walk(self) -> tuple[csr_array, csr_array]:
        """One step of a walk from cells to their sums [m, n], one from sums to their cells [n, m], each as likely."""
        from scipy.sparse import csr_array, diags_array

        there = csr_array(abs(self.question.relations), dtype=np.float64)
        of_cell, of_sum = there.sum(axis=0), there.sum(axis=1)
        return there @ diags_array(1 / np.maximum(of_cell, 1)), there.T.tocsr() @ diags_array(1 / of_sum)

    @cached_property
    def columns(self) -> csc_array:
        """The sums by column, [m, n]."""
        return self.question.relations.tocsc()

    @property
    def secondary(self) -> IntArray:
        """The cells hidden for the sake of others."""
        return np.flatnonzero(self.hidden & ~self.question.primary)

    @property
    def cost(self) -> float:
        """What hiding the secondaries costs."""
        return float(self.question.cost[self.secondary].sum())

    def add(self, move: Move) -> None:
        """Remember a move."""
        self.moves[self.next_number] = move
        self.people[self.next_number] = frozenset(self.alone[move.cells].tolist()) - {NOBODY}
        for cell, change in zip(move.cells.tolist(), move.change.tolist(), strict=True):
            self.users.setdefault(cell, {})[self.next_number] = change
        self.next_number += 1

    def drop(self, numbers: Iterable[int]) -> list[Move]:
        """Forget moves; gives them, for those who regret it."""
        numbers = list(numbers)
        gone = [self.moves.pop(number) for number in numbers]
        for number, move in zip(numbers, gone, strict=True):
            for cell in move.cells.tolist():
                del self.users[cell][number]
        return gone

    def moves_through(self, cells: Iterable[int]) -> set[int]:
        """The moves that change any of these cells."""
        return set().union(*(self.users.get(cell, ()) for cell in cells))

    def orphans(self, lost: set[int]) -> list[Demand]:
        """What the hidden cells would ask for, if these moves were gone."""
        return [demand for cell in sorted(self.changed_by(lost)) for demand in self.missing_at(cell, lost)]

    def changed_by(self, numbers: Iterable[int]) -> set[int]:
        """The cells that some moves change."""
        return {cell for number in numbers for cell in self.moves[number].cells.tolist()}

    def missing_at(self, cell: int, lost: AbstractSet[int] = frozenset()) -> list[Demand]:
        """The demands of one cell that the moves left don't meet."""
        left = {number: change for number, change in self.users.get(cell, {}).items() if number not in lost}
        width = int(self.question.width[cell]) if self.question.primary[cell] else 1
        low, high = min([0, *left.values()]), max([0, *left.values()])
        missing = [Demand(cell, width)] if high - low < width else []
        return missing + [Demand(cell, 1, insider) for insider in self._insiders(cell, left)]

    def ends_of(self, cell: int, lost: AbstractSet[int] = frozenset()) -> tuple[int, int]:
        """Lowest and highest change of a cell over all moves, or those that aren't lost."""
        changes = [change for number, change in self.users.get(cell, {}).items() if number not in lost]
        return min([0, *changes]), max([0, *changes])

    def _insiders(self, cell: int, numbers: Iterable[int]) -> list[int]:
        """Those alone in a cell whom no move of this cell leaves in peace; all of them when there is no move."""
        if self.question.alone is None or not self.question.guarded(cell):
            return []
        known: frozenset[int] | None = None
        for number in numbers:
            here = self.people[number] - self.question.known_to(cell)
            known = here if known is None else known & here
            if not known:
                return []
        return sorted(known or ())

    def publish_needless(self, among: IntArray | None = None) -> None:
        """Show secondaries that no move changes (of all, or among some cells)."""
        for cell in (self.secondary if among is None else among).tolist():
            if not self.users.get(cell) and not self.question.primary[cell]:
                self.hidden[cell] = False

    def pattern(self, bound: float | None = None) -> Pattern:
        """The standing as a finished pattern, with the moves that reach highest and lowest at each cell."""
        order = sorted(self.moves)
        high, low = self._ends(order)
        return Pattern(self.hidden.copy(), self._matrix(order), high, low, self.cost, bound)

    def _matrix(self, order: list[int]) -> csr_array:
        from scipy.sparse import csr_array

        chosen = [self.moves[number] for number in order]
        starts = np.cumsum([0, *(len(move.cells) for move in chosen)])
        cells = np.concatenate([move.cells for move in chosen]) if chosen else np.zeros(0, np.int64)
        changes = np.concatenate([move.change for move in chosen]) if chosen else np.zeros(0, np.int64)
        return csr_array((changes, cells, starts), shape=(len(order), len(self.question)))

    def _ends(self, order: list[int]) -> tuple[np.ndarray, np.ndarray]:
        number = len(self.question)
        ends = np.zeros((2, number), np.int64)
        which = np.full((2, number), -1, np.int32)
        for row, name in enumerate(order):
            move = self.moves[name]
            for side, further in enumerate((move.change > ends[0, move.cells], move.change < ends[1, move.cells])):
                ends[side, move.cells[further]] = move.change[further]
                which[side, move.cells[further]] = row
        return which[0], which[1]


def known_alone(question: Question) -> IntArray:
    """The contributor alone in each cell who must not learn others, NOBODY elsewhere, [n]."""
    if question.alone is None or question.insiders == "nobody":
        return np.full(len(question), NOBODY)
    return question.alone
