"""The fast engine: each unprotected cell takes the cheapest move in its neighbourhood; moves are shared.

Cells are served in order of value. The cells that a move changes are hidden, and safe by it from then on. Whoever is
alone in a cell must not be in all moves of another cell: such a cell gets a second one, once all cells have a first.
Afterwards moves that no cell needs are dropped, and what only they changed is shown again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from release.codes import IntArray
from release.errors import roughly
from release.protected.suppression.flows import DEARER, Flows, Move, Neighbourhood, uneven
from release.protected.suppression.pieces import Pieces, near
from release.protected.suppression.question import BoolArray, FloatArray, Question, Unprotectable

if TYPE_CHECKING:
    from scipy.sparse import csc_array, csr_array

LITTLE = 1e-3
"""Cost of moving a cell that is hidden already, as part of the typical cost of hiding one: more makes moves shorter,
which large systems, and those with overlapping trees, need for speed, and patterns dearer."""
_FAR = 1e9
_TRIES = 12


@dataclass(eq=False)
class Search:
    """What is hidden so far and why: moves found, and per cell which insiders all its moves so far depend on."""

    question: Question
    little: float = LITTLE
    hidden: BoolArray = field(init=False)
    moves: list[Move] = field(init=False, default_factory=list)
    highest: IntArray = field(init=False)
    lowest: IntArray = field(init=False)
    common: list[frozenset[int] | None] = field(init=False)
    _whole: dict[bool, Neighbourhood | None] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        number = len(self.question)
        self.hidden = self.question.primary.copy()
        self.highest, self.lowest = np.zeros(number, np.int64), np.zeros(number, np.int64)
        self.common = [None] * number

    # What a cell has, and what it still needs

    def safe(self, cell: int) -> bool:
        """Whether the moves found so far are wide enough at a cell and no insider is in all of them."""
        return self.wide(cell) and (not self.common[cell] or not self.question.guarded(cell))

    def wide(self, cell: int) -> bool:
        return bool(self.highest[cell] - self.lowest[cell] >= self.question.width[cell])

    @cached_property
    def alone(self) -> IntArray:
        """Per cell who is alone there, -1 for nobody."""
        given = self.question.alone
        return np.full(len(self.question), -1, dtype=np.int64) if given is None else given

    def cells_of(self, people: frozenset[int] | None) -> IntArray:
        """Hidden cells in which one of them is alone."""
        if not people:
            return np.empty(0, dtype=np.int64)
        return np.sort(np.concatenate([self._where_alone[person] for person in sorted(people)]))

    @cached_property
    def _where_alone(self) -> dict[int, IntArray]:
        found: dict[int, list[int]] = {}
        for cell in np.flatnonzero(self.alone >= 0).tolist():
            found.setdefault(int(self.alone[cell]), []).append(cell)
        return {person: np.array(cells) for person, cells in found.items()}

    # Finding moves

    def serve(self, cell: int, ways: Sequence[Way], *, enough: Enough) -> bool:
        """Find moves until the cell has enough of them, and use them; False when these ways find too few."""
        for _ in range(_TRIES):
            if enough(self, cell):
                return True
            move = self._next_move(cell, ways)
            if move is None:
                return False
            self.take(move)
        return enough(self, cell)

    def unprotectable(self, cell: int) -> Unprotectable:
        """What to say where no way serves a cell."""
        return _unprotectable(self.question, cell, outsider=not self.wide(cell))

    def _next_move(self, cell: int, ways: Sequence[Way]) -> Move | None:
        """A move that leaves all cells still of those in all moves so far; failing that, of one of them."""
        people = self.common[cell] or frozenset()
        for still in [people, *([frozenset([min(people)])] if len(people) > 1 else [])]:
            if (move := self._cheap_move(cell, ways, still=self.cells_of(still))) is not None:
                return move
        return None

    def _cheap_move(self, cell: int, ways: Sequence[Way], *, still: IntArray) -> Move | None:
        """A move of a cell by one of the amounts that it lacks, in the first way that finds one."""
        room = self.question.values[cell] - self.question.lower[cell]
        amounts = [amount for amount in self._amounts(cell) if -amount <= room]
        for way, amount in product(ways, amounts):
            if (move := way(self, cell, amount, still)) is not None:
                return move
        return None

    def _amounts(self, cell: int) -> list[int]:
        width, highest, lowest = int(self.question.width[cell]), int(self.highest[cell]), int(self.lowest[cell])
        if highest - lowest >= width:
            width, highest, lowest = 1, 0, 0
        return _amounts(width, highest, lowest)

    def in_pieces(self, cell: int, amount: int, still: IntArray, *, pieces: Pieces, alone: bool) -> Move | None:
        """A move found piece by piece; alone: cells of pieces before the cell's own stand still."""
        return pieces.cheapest(cell, amount, prices=self.prices, still=still, alone=alone)

    def anywhere(self, cell: int, amount: int, still: IntArray, *, bounded: bool) -> Move | None:
        """The cheapest move among all cells; bounded: no cell changes by more than the largest width."""
        if bounded not in self._whole:
            self._whole[bounded] = self._part(np.arange(len(self.question)), bounded=bounded)
        return self._cheapest_in(self._whole[bounded], cell, amount, still)

    def in_branches(self, cell: int, amount: int, still: IntArray, *, branches: Sequence[IntArray]) -> Move | None:
        """A cheap move near a cell: among coarse cells and those of its own branches, of two trees or of one."""
        for cells in near(branches, cell):
            if (move := self._cheapest_in(self._part(cells, bounded=True), cell, amount, still)) is not None:
                return move
        return None

    def _cheapest_in(self, near: Neighbourhood | None, cell: int, amount: int, still: IntArray) -> Move | None:
        if near is None or not len(place := near.place(np.array([cell]))):
            return None
        near.flows.set_cost(np.arange(len(near.cells)), self.prices[near.cells] / abs(amount))
        move = near.flows.cheapest(int(place[0]), amount, still=near.place(still))
        return None if move is None else Move(near.cells[move.cells], move.change)

    def _part(self, cells: IntArray, *, bounded: bool) -> Neighbourhood | None:
        cells, relations = movable(self._columns, cells[~self.question.publish[cells]])
        if not len(cells):
            return None
        room = (self.question.values - self.question.lower)[cells].astype(float)
        reach = float(self.question.width.max()) if bounded else _FAR
        up = np.full(len(cells), np.inf)
        dearer = DEARER if bounded else np.inf
        flows = Flows(relations, cost=self.prices[cells], down=room, up=up, reach=reach, dearer=dearer)
        return Neighbourhood(cells, flows)

    @cached_property
    def _columns(self) -> csc_array:
        return self.question.relations.tocsc()

    # Keeping account

    @cached_property
    def prices(self) -> FloatArray:
        """Cost of moving each cell by one: of hiding it, or very little where it is hidden already."""
        return np.where(self.hidden, self._little, self.question.cost)

    @cached_property
    def _little(self) -> FloatArray:
        """A little for each hidden cell, more where someone is alone, never quite the same: ties cost time."""
        typical = float(np.median(self.question.cost))
        factor = uneven(np.arange(len(self.question)))
        return self.little * typical * factor + np.where(self.alone >= 0, typical / 20, 0)

    def take(self, move: Move) -> None:
        """Use a move for all cells it changes."""
        cells = move.cells
        fresh = cells[~self.hidden[cells]]
        self.hidden[fresh] = True
        self.prices[fresh] = self._little[fresh]
        self.moves.append(move)
        self._credit(move)

    def _credit(self, move: Move) -> None:
        cells = move.cells
        self.highest[cells] = np.maximum(self.highest[cells], move.change)
        self.lowest[cells] = np.minimum(self.lowest[cells], move.change)
        people = self.alone[cells]
        inside = frozenset(people[people >= 0].tolist())
        for cell in cells.tolist():
            others = inside - self.question.known_to(cell)
            before = self.common[cell]
            self.common[cell] = others if before is None else before & others


Way = Callable[[Search, int, int, IntArray], Move | None]
"""How to look for a move: the search, the cell, the amount, and cells that must not change."""

Enough = Callable[[Search, int], bool]
"""Whether a cell has all moves that it needs: from outsiders, or from insiders too."""

_ANYWHERE: tuple[Way, ...] = (partial(Search.anywhere, bounded=True), partial(Search.anywhere, bounded=False))


def fast(
    question: Question,
    *,
    cuts: Sequence[Pieces] = (),
    branches: Sequence[IntArray] = (),
    little: float = LITTLE,
) -> list[Move]:
    """Moves that make all primary cells safe, small values first, and the secondaries that they change.

    cuts: the system in small pieces, in larger ones and so on, where to look first; everywhere at once without them.
    In the smallest, cells of earlier pieces stand still: larger ones serve such a cell sooner than answers up and down.
    branches: where cells stand in the trees, as `Boxes.branches`; what no piece serves is looked for there next.
    little: as `LITTLE`. Raises Unprotectable.
    """
    search = Search(question, little)
    for place, pieces in enumerate(cuts):
        alone, with_earlier = (partial(Search.in_pieces, pieces=pieces, alone=alone) for alone in (True, False))
        _serve_all(search, (alone, with_earlier) if place else (alone,), pieces.number)
    near: tuple[Way, ...] = (partial(Search.in_branches, branches=branches),) if branches else ()
    left = _serve_all(search, (*near, *_ANYWHERE), np.zeros(len(question), dtype=np.int64))
    if left:
        raise search.unprotectable(left[0])
    return search.moves


def _serve_all(search: Search, ways: Sequence[Way], piece: IntArray) -> list[int]:
    """Serve all hidden cells, and what is hidden on the way; gives those that these ways can't serve.

    First against outsiders: after that many a cell has moves of others, and no insider is in all of them. piece: int64
    [n]; cells of earlier pieces come first, since their moves serve finer cells too.
    """
    left = _serve(search, ways, piece, enough=Search.wide)
    return left + _serve(search, ways, piece, enough=Search.safe, but=left)


def _serve(
    search: Search, ways: Sequence[Way], piece: IntArray, *, enough: Enough, but: Sequence[int] = ()
) -> list[int]:
    """Serve hidden cells, each once, until nothing new is hidden on the way; gives those that lack moves still."""
    left: list[int] = []
    seen = np.zeros(len(search.question), dtype=bool)
    seen[list(but)] = True
    while (search.hidden & ~seen).any():
        waiting = _in_order(search, search.hidden & ~seen, piece, enough=enough)
        seen |= search.hidden
        left += [cell for cell in waiting.tolist() if not search.serve(cell, ways, enough=enough)]
    return left


def _in_order(search: Search, among: BoolArray, piece: IntArray, *, enough: Enough) -> IntArray:
    """Cells that lack moves, those of earlier pieces first, then small values."""
    cells = np.array([cell for cell in np.flatnonzero(among).tolist() if not enough(search, cell)], dtype=np.int64)
    return cells[np.lexsort((search.question.values[cells], piece[cells]))]


def movable(columns: csc_array, cells: IntArray) -> tuple[IntArray, csr_array]:
    """Of some cells those that can move when all others stand still, and the sums between them."""
    from scipy.sparse import csr_array

    part = columns[:, cells].tocoo()
    row, column, sign = part.row, part.col, part.data
    free = np.ones(len(cells), dtype=bool)
    while True:
        lonely = np.bincount(row, minlength=1)[row] == 1
        if not lonely.any():
            break
        free[column[lonely]] = False
        kept = free[column]
        row, column, sign = row[kept], column[kept], sign[kept]
    rows, row = np.unique(row, return_inverse=True)
    place = np.cumsum(free) - 1
    return cells[free], csr_array((sign, (row, place[column])), (len(rows), int(free.sum())))


def _amounts(width: int, highest: int, lowest: int) -> list[int]:
    """Changes to try at a cell, so that its range reaches the width."""
    up, down = width + lowest, width - highest
    halves = [up * 3 // 4, up // 2, up // 4] if width > 1 else []
    return [a for a in [up, -down, *halves, *(-h for h in halves)] if a != 0]


def _unprotectable(question: Question, cell: int, *, outsider: bool) -> Unprotectable:
    """What stands in the way of one cell, without naming its value."""
    who = "an outsider" if outsider else "someone who is alone in another cell"
    near = f" ({' / '.join(question.system.key(cell))})" if question.system is not None else ""
    forced = int(question.publish.sum())
    return Unprotectable(
        f"a cell that must be hidden can be worked out by {who}, whatever else is hidden{near}",
        where=f"cells that the policy or an earlier release shows: {roughly(forced)}" if forced else "the table's sums",
        now="show fewer cells, ask for a smaller width, or publish a coarser table",
    )
