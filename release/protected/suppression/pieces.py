"""A large system in pieces that can be finished one after the other.

Each sum belongs to the last piece that has a cell in it. A move starts in one piece, the cells of earlier pieces
standing still; later pieces then answer, each by a small program, what the changes so far ask of their sums. Where
nothing moves in the piece alone, cells of earlier pieces may change too, and those pieces answer first. Asking a piece
that has nothing to answer yet has a price, so that moves keep to few.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from release.codes import IntArray
from release.protected.suppression.boxes import Boxes
from release.protected.suppression.flows import Flows, Move, Neighbourhood
from release.protected.suppression.question import BoolArray, FloatArray, Question

if TYPE_CHECKING:
    from scipy.sparse import csc_array, csr_array

_RETRIES = 4
_ASKING, _ASKING_IN_MANY, _MANY = 0.1, 20.0, 50_000
"""Price of asking one more piece to answer, as part of the typical cost of hiding a cell; and the same in systems of so
many cells and more, where moves of coarse cells would run through dozens of pieces otherwise."""


@dataclass(frozen=True, eq=False)
class Piece(Neighbourhood):
    """The sums of one piece with their warm program. own: bool, the cells that don't belong to other pieces.

    asks: sparse float [cells, pieces], 1 where a cell is in a sum of another piece, which has to answer its change.
    """

    own: BoolArray
    asks: csr_array


@dataclass(eq=False)
class Pieces:
    """down, up: float [n], how far each cell may fall and rise; reach: how far one may in a single step.

    number: int64 [n], the piece of each cell. The programs are made when they are first asked.
    """

    relations: csr_array
    cost: FloatArray
    down: FloatArray
    up: FloatArray
    reach: float
    number: IntArray
    _made: dict[int, Piece] = field(init=False, default_factory=dict)

    def cheapest(self, cell: int, amount: int, *, prices: FloatArray, still: IntArray, alone: bool) -> Move | None:
        """A cheap move of one cell; None where these steps find none, which need not mean that there is none.

        alone: cells of earlier pieces stand still. Where a later piece can't answer, what asks it stands still in the
        next attempt.
        """
        for _ in range(_RETRIES):
            course = _Course(self, prices, still)
            if not course.start(cell, amount, alone=alone):
                return None
            stuck = course.finish()
            if stuck is None:
                return course.move()
            asking = np.setdiff1d(course.asking(stuck), cell)
            if not len(asking):
                return None
            still = np.union1d(still, asking)
        return None

    def piece(self, number: int) -> Piece:
        """One piece with its program."""
        if number not in self._made:
            self._made[number] = self._make(number)
        return self._made[number]

    def _make(self, number: int) -> Piece:
        relations = self.relations[self._rows[number]]
        cells = np.union1d(relations.indices, self._cells[number])
        down, up = self.down[cells], self.up[cells]
        flows = Flows(relations[:, cells].tocsr(), cost=self.cost[cells], down=down, up=up, reach=self.reach)
        return Piece(cells, flows, self.number[cells] == number, self._asks[cells])

    @cached_property
    def of_row(self) -> IntArray:
        """Per sum the last piece that has a cell in it."""
        return last_piece(self.relations, self.number)

    @cached_property
    def columns(self) -> csc_array:
        """The sums of each cell."""
        return self.relations.astype(np.int64).tocsc()

    @cached_property
    def asking(self) -> float:
        """Price of asking one more piece."""
        return float(np.median(self.cost)) * (_ASKING if len(self.cost) < _MANY else _ASKING_IN_MANY)

    @cached_property
    def many(self) -> int:
        """How many pieces there are."""
        return int(self.number.max()) + 1

    @cached_property
    def _asks(self) -> csr_array:
        """Per cell the pieces but its own that have one of its sums: later ones, by `of_row`."""
        from scipy.sparse import csr_array

        sums = self.relations.tocoo()
        piece = self.of_row[sums.row]
        pairs = np.unique(np.stack([sums.col, piece])[:, piece != self.number[sums.col]], axis=1)
        return csr_array((np.ones(pairs.shape[1]), tuple(pairs)), (len(self.number), self.many))

    @cached_property
    def _rows(self) -> list[IntArray]:
        return _by_number(self.of_row, self.many)

    @cached_property
    def _cells(self) -> list[IntArray]:
        return _by_number(self.number, self.many)


def last_piece(relations: csr_array, number: IntArray) -> IntArray:
    """Per sum, none of them empty, the last piece that has a cell in it."""
    return np.asarray(np.maximum.reduceat(number[relations.indices], relations.indptr[:-1]))


def _by_number(number: IntArray, many: int) -> list[IntArray]:
    order = np.argsort(number, kind="stable")
    return np.split(order, np.searchsorted(number[order], np.arange(1, many)))


class _Course:
    """One move on its way through the pieces: changes so far, cells that are decided, sums that don't hold yet."""

    def __init__(self, pieces: Pieces, prices: FloatArray, still: IntArray) -> None:
        self.pieces, self.prices = pieces, prices
        self.change = np.zeros(len(prices), dtype=np.int64)
        self.decided = np.zeros(len(prices), dtype=bool)
        self.decided[still] = True
        self.missing: dict[int, int] = {}
        self.at = 0

    def start(self, cell: int, amount: int, *, alone: bool) -> bool:
        """The first step, in the piece of the cell; alone: cells of earlier pieces stand still."""
        self.at = int(self.pieces.number[cell])
        piece = self._priced(self.at, abs(amount))
        fixed = self.decided[piece.cells] | (~piece.own if alone else False)
        place = int(piece.place(np.array([cell]))[0])
        return self._decide(piece, piece.flows.cheapest(place, amount, still=np.flatnonzero(fixed)))

    def finish(self) -> int | None:
        """Sums that don't hold are answered: those of earlier pieces going up, then all later ones going down.

        Gives the piece that can't answer.
        """
        up = self.at
        while self.missing:
            waiting = {int(self.pieces.of_row[row]) for row in self.missing}
            above = [number for number in waiting if number < up]
            number = max(above) if above else min(waiting)
            up = number if above else 0
            if not self._answer(number):
                return number
        return None

    def asking(self, number: int) -> IntArray:
        """The changed cells that a piece is asked to answer."""
        cells = self.pieces.piece(number).cells
        return np.asarray(cells[self.change[cells] != 0])

    def move(self) -> Move:
        """All changes together."""
        cells = np.flatnonzero(self.change)
        return Move(cells, self.change[cells])

    def _answer(self, number: int) -> bool:
        """One piece answers what is asked of it: by its own cells, failing that with those of earlier pieces."""
        piece = self._priced(number, 1)
        fixed = self.decided[piece.cells]
        for held in (fixed | ~piece.own, fixed):
            places = np.flatnonzero(held)
            if self._decide(piece, piece.flows.answering(places, self.change[piece.cells[places]])):
                return True
            if (fixed | piece.own).all():
                break
        return False

    def _priced(self, number: int, amount: int) -> Piece:
        piece = self.pieces.piece(number)
        prices = self.prices[piece.cells] + piece.asks @ self._of_asking(number)
        piece.flows.set_cost(np.arange(len(piece.cells)), prices / amount)
        return piece

    def _of_asking(self, number: int) -> FloatArray:
        """Per piece what asking it costs: nothing where it must answer anyway. number: the piece that moves now."""
        price = np.full(self.pieces.many, self.pieces.asking)
        price[[number, *(self.pieces.of_row[row] for row in self.missing)]] = 0
        return price

    def _decide(self, piece: Piece, move: Move | None) -> bool:
        if move is None:
            return False
        cells = piece.cells[move.cells]
        fresh = self.change[cells] == 0
        self.change[cells[fresh]] = move.change[fresh]
        self.decided[piece.cells] = True
        for cell in cells[fresh].tolist():
            self._ask(cell)
        return True

    def _ask(self, cell: int) -> None:
        """The sums of a cell that changed."""
        columns, amount = self.pieces.columns, int(self.change[cell])
        own = slice(columns.indptr[cell], columns.indptr[cell + 1])
        for row, sign in zip(columns.indices[own].tolist(), columns.data[own].tolist(), strict=True):
            self.missing[row] = self.missing.get(row, 0) + sign * amount
            if not self.missing[row]:
                del self.missing[row]


def pieces_of(question: Question, boxes: Boxes, *, most: int) -> Pieces:
    """A question's system cut along those of its trees that no sum crosses; shown cells stand still."""
    return Pieces(
        question.relations,
        question.cost,
        down=np.where(question.publish, 0, question.values - question.lower).astype(float),
        up=np.where(question.publish, 0, np.inf),
        reach=float(question.width.max()),
        number=cut(boxes.apart, len(question), most=most),
    )


def cut(branches: Sequence[IntArray], cells: int, *, most: int) -> IntArray:
    """The piece of each cell, int64 [cells]: cut along the trees, coarse cells first.

    branches: as `Boxes.branches`. A piece has at most so many cells, or can't be cut.
    """
    number = np.zeros(cells, dtype=np.int64)
    for i, part in enumerate(parts(branches, np.arange(cells), most=most)):
        number[part] = i
    return number


def parts(branches: Sequence[IntArray], cells: IntArray, *, most: int) -> list[IntArray]:
    """Some cells in pieces, earlier ones first."""
    found = [cells] if len(cells) <= most else _best_cut(branches, cells)
    return found if len(found) == 1 else [piece for part in found for piece in parts(branches, part, most=most)]


def below(branch: IntArray) -> list[IntArray]:
    """The cells of each branch of one tree and depth, without those above. branch: int64 [n], of `Boxes.branches`."""
    return [part for part in _by_number(branch, int(branch.max(initial=0)) + 1)[1:] if len(part)]


def near(branches: Sequence[IntArray], cell: int) -> list[IntArray]:
    """Cells above the branches or in the same as one cell, by two trees at once or by one; the smallest sets first."""
    around = [(branch == 0) | (branch == branch[cell]) for branch in branches]
    both = [one & other for one, other in combinations(around, 2)]
    return sorted((np.flatnonzero(cells) for cells in [*both, *around]), key=len)


def _best_cut(branches: Sequence[IntArray], cells: IntArray) -> list[IntArray]:
    """The coarse cells and the branches below, of the tree and depth that leave the smallest parts."""
    best = [cells]
    for branch in branches:
        label = branch[cells]
        order = np.argsort(label, kind="stable")
        parts = np.split(cells[order], np.flatnonzero(np.diff(label[order])) + 1)
        if label.min() == 0 and sum(len(p) ** 2 for p in parts) < sum(len(p) ** 2 for p in best):
            best = parts
    return best
