"""A large system in pieces: the coarse cells, and one block of finer cells for each branch of its largest tree.

No sum joins the finer cells of two blocks, so a move is found in steps: among the coarse cells and those of one block,
then block by block whatever the coarse changes ask of the finer cells there. Each step is a small program.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from release.codes import IntArray
from release.protected.suppression.boxes import Boxes
from release.protected.suppression.flows import Flows, Move
from release.protected.suppression.question import FloatArray, Question

if TYPE_CHECKING:
    from scipy.sparse import csr_array

COARSE = 0
_MOST_PARTS = 8


@dataclass(frozen=True, eq=False)
class Piece:
    """Some cells with their own warm program. cells, rows: rising indices in the whole."""

    cells: IntArray
    rows: IntArray
    flows: Flows

    def place(self, cells: IntArray) -> IntArray:
        """Places of cells of the whole within; those outside are left out."""
        at = np.minimum(np.searchsorted(self.cells, cells), len(self.cells) - 1)
        return np.asarray(at[self.cells[at] == cells], dtype=np.int64)


@dataclass(eq=False)
class Blocks:
    """part: int64 [n], COARSE or the number of a block. The programs are made when they are first asked."""

    question: Question
    part: IntArray
    _pieces: dict[tuple[int, ...], Piece] = field(init=False, default_factory=dict)

    def cheapest(self, cell: int, amount: int, *, prices: FloatArray, still: IntArray) -> Move | None:
        """A cheap move of one cell; None where these steps find none, which need not mean that there is none."""
        own = int(self.part[cell])
        near = None if own == COARSE else self._first(self._piece((own,)), cell, amount, prices, still)
        if near is not None and prices[near.cells].sum() <= self._modest:
            return near
        found = [near, self._by_steps(cell, amount, prices, still)]
        return min([m for m in found if m], key=lambda move: float(prices[move.cells].sum()), default=None)

    def _by_steps(self, cell: int, amount: int, prices: FloatArray, still: IntArray) -> Move | None:
        """A move of the coarse cells and the cell's block, completed; blocks that can't follow join the first step."""
        parts = {COARSE, int(self.part[cell])}
        while len(parts) <= _MOST_PARTS:
            first = self._first(self._piece(tuple(sorted(parts))), cell, amount, prices, still)
            if first is None:
                return None
            whole, stuck = self._completed(first, prices, still)
            if whole is not None:
                return whole
            parts.add(stuck)
        return None

    @cached_property
    def _modest(self) -> float:
        """A cost at which nobody looks further."""
        return 15 * float(np.median(self.question.cost))

    def _first(self, piece: Piece, cell: int, amount: int, prices: FloatArray, still: IntArray) -> Move | None:
        piece.flows.set_cost(np.arange(len(piece.cells)), prices[piece.cells] / abs(amount))
        move = piece.flows.cheapest(int(piece.place(np.array([cell]))[0]), amount, still=piece.place(still))
        return None if move is None else Move(piece.cells[move.cells], move.change)

    def _completed(self, move: Move, prices: FloatArray, still: IntArray) -> tuple[Move | None, int]:
        """The move with what it asks of the blocks; or the block that can't answer."""
        change = np.zeros(len(self.question), dtype=np.int64)
        change[move.cells] = move.change
        missing = self._long @ change
        for block in np.unique(self._block_of_row[missing != 0]).tolist():
            piece = self._piece((block,))
            piece.flows.set_cost(np.arange(len(piece.cells)), prices[piece.cells])
            answer = piece.flows.completing(-missing[piece.rows], still=piece.place(still))
            if answer is None:
                return None, block
            change[piece.cells[answer.cells]] = answer.change
        cells = np.flatnonzero(change)
        return Move(cells, change[cells]), COARSE

    @cached_property
    def _long(self) -> csr_array:
        return self.question.relations.astype(np.int64)

    @cached_property
    def _block_of_row(self) -> IntArray:
        """Per sum the block of its finer cells, COARSE where it has none."""
        return np.asarray(
            np.maximum.reduceat(self.part[self.question.relations.indices], self.question.relations.indptr[:-1])
        )

    def _piece(self, parts: tuple[int, ...]) -> Piece:
        if parts in self._pieces:
            return self._pieces[parts]
        piece = self._made(list(parts))
        if len(parts) <= 2:
            self._pieces[parts] = piece
        return piece

    def _made(self, parts: list[int]) -> Piece:
        cells = np.flatnonzero(np.isin(self.part, parts))
        rows = np.flatnonzero(np.isin(self._block_of_row, parts))
        relations = self.question.relations[rows][:, cells].tocsr()
        question = self.question
        room = (question.values - question.lower)[cells].astype(float)
        reach = np.where(question.publish[cells], 0.0, float(question.width.max()))
        down = np.minimum(room, reach)
        return Piece(cells, rows, Flows(relations, cost=question.cost[cells], down=down, up=reach, room=room))


def blocks_of(question: Question, boxes: Boxes) -> Blocks | None:
    """The pieces along the largest dimension with levels between; None where sums join the finer cells of several."""
    for d in boxes.by_size:
        part = boxes.branch_of(d)
        if part.max(initial=0) < 2:
            continue
        entries = part[question.relations.indices]
        most = np.maximum.reduceat(entries, question.relations.indptr[:-1])
        row = np.repeat(np.arange(len(most)), np.diff(question.relations.indptr))
        if ((entries == COARSE) | (entries == most[row])).all():
            return Blocks(question, part)
    return None
