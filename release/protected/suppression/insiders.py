"""What someone who is alone in a cell, and so knows it, learns of other hidden cells. An inner check, with the truth.

A move is a change of hidden cells that keeps every sum. Where the true table can be changed at a cell by a move that
leaves all cells of an insider as they are, this insider can't tell the two tables apart. So a cell is safe from all
insiders that miss one of its moves; only insiders that stand in all known moves of a cell need a search of their own.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from release.codes import IntArray
from release.protected.suppression.certificate import sums_of
from release.protected.suppression.knowing import known_beforehand
from release.protected.suppression.possible import Possible
from release.protected.suppression.spread import spread
from release.protected.suppression.view import BoolArray, View
from release.protected.suppression.whole import Sums
from release.shown import Closed

_GROUPS = 16


@dataclass(frozen=True, eq=False, repr=False)
class Insiders(Closed):
    """Pairs of an insider and a hidden cell that he learns exactly, or may, and doesn't know beforehand (`knowing`).

    learns, undecided: int64 [k, 2], the insider's number and the cell's position. number: of insiders. Stays in the
    office.
    """

    learns: IntArray
    undecided: IntArray
    number: int

    @property
    def safe(self) -> bool:
        """Whether it is shown that no insider learns anything."""
        return len(self.learns) == 0 and len(self.undecided) == 0


@dataclass(eq=False)
class _Known:
    """Moves known so far, and who stands in them. moves: sparse [k, h]; cells: sparse [h, p], cells of each insider.

    asked: rising positions of the hidden cells that nobody shall learn. branches: where the cells stand in the trees.
    """

    sums: Sums
    truth: IntArray
    cells: Any
    asked: IntArray
    branches: list[IntArray]
    moves: Any

    def add(self, tables: list[IntArray]) -> None:
        """Takes in the differences of possible tables from the truth, each in the pieces that share no sum."""
        from scipy import sparse

        pieces = [_pieces(self.sums.matrix, table - self.truth) for table in tables]
        self.moves = sparse.vstack([self.moves, *pieces], format="csr")

    def threats(self, people: IntArray | None = None) -> IntArray:
        """Pairs (insider, hidden cell), [k, 2]: he stands in all known moves of an asked cell that isn't his.

        people: whom to look at, rising; everybody when not given.
        """
        people = np.arange(self.cells.shape[1]) if people is None else people
        changes = (self.moves != 0).astype(np.int32).tocsr()
        mine = self.cells[:, people].tocsr()
        stands = ((changes @ mine) != 0).astype(np.int32)
        changes, mine = changes.tocsc()[:, self.asked], mine[self.asked]
        needed = np.asarray(changes.sum(axis=0)).ravel()
        both = (changes.T @ stands).tocoo()
        always = both.data == needed[both.row]
        unmoved = np.flatnonzero(needed == 0)
        cells = np.concatenate([both.row[always], np.repeat(unmoved, len(people))])
        who = np.concatenate([both.col[always], np.tile(np.arange(len(people)), len(unmoved))])
        others = np.asarray(mine[cells, who]).ravel() == 0 if len(cells) else np.zeros(0, bool)
        return np.column_stack([people[who[others]], self.asked[cells[others]]]).astype(np.int64)


@dataclass(frozen=True, eq=False)
class _Found:
    """What a search found with some cells held still: tables [h], and per cell its width and whether it is fixed."""

    tables: list[IntArray]
    width: IntArray
    fixed: BoolArray


def insiders(
    view: View, truth: IntArray, alone: IntArray, *, moves: Any = None, asked: BoolArray | None = None
) -> Insiders:
    """Who learns another hidden cell exactly, given the true table.

    truth: int64 [n]. alone: int64 [n], a number for the one contributor of a cell, -1 where there are none or several;
    the same number in several cells is one person or holding, who knows all of them. moves: sparse [k, n], moves from
    the truth that are known already (the engine's), each checked here; without them all are searched. asked: bool [n],
    cells that nobody shall learn, all hidden ones when not given.
    """
    sums, mine = sums_of(view), np.asarray(truth, np.int64)[view.hidden]
    names, cells = _known_cells(view, np.asarray(truth, np.int64), np.asarray(alone, np.int64))
    whom = np.arange(len(mine)) if asked is None else np.flatnonzero(asked[view.hidden])
    known = _Known(sums, mine, cells, whom, view.branches_of_hidden, _checked(sums, mine, view, moves))
    if known.moves.shape[0] == 0 or len(np.unique(known.threats()[:, 0])) > 2 * _GROUPS:
        _search_by_groups(known)
    learns, undecided = _settled(known)
    return Insiders(_pairs(view, names, learns), _pairs(view, names, undecided), len(names))


def _search_by_groups(known: _Known) -> None:
    """First moves where none are given: each of a few groups of insiders stands still in turn."""
    many = known.cells.shape[1]
    for group in np.array_split(np.arange(many), min(many, _GROUPS)) if many else []:
        still = np.asarray(known.cells[:, group].sum(axis=1)).ravel() > 0
        known.add(_search(known, still, ~still).tables)


def _settled(known: _Known) -> tuple[list[IntArray], list[IntArray]]:
    """Settles all threats: groups of insiders whose cells all stand still together, halved until one is left."""
    learns: list[IntArray] = []
    undecided: list[IntArray] = []
    waiting = [np.unique(known.threats()[:, 0])]
    while waiting:
        group = waiting.pop()
        threats = known.threats(group)
        if not len(threats):
            continue
        found, left = _of_group(known, threats)
        people = np.unique(left[:, 0])
        if len(group) > 1:
            waiting.extend(half for half in np.array_split(people, 2) if len(half))
        else:
            learns.append(left[found.fixed[left[:, 1]]])
            undecided.append(left[~found.fixed[left[:, 1]]])
    return learns, undecided


def _of_group(known: _Known, threats: IntArray) -> tuple[_Found, IntArray]:
    """Searches with the cells of all insiders of the threats held still; gives also the threats that are left."""
    still = np.asarray(known.cells[:, np.unique(threats[:, 0])].sum(axis=1)).ravel() > 0
    wanted = np.zeros(len(known.truth), bool)
    wanted[threats[:, 1]] = True
    found = _search(known, still, wanted & ~still)
    known.add(found.tables)
    return found, threats[found.width[threats[:, 1]] < 1]


def _search(known: _Known, still: BoolArray, wanted: BoolArray) -> _Found:
    """Possible tables that keep the still cells at the truth and differ from it at the wanted cells."""
    free = np.flatnonzero(~still)
    sums = Sums(known.sums.matrix[:, free], known.sums.total, known.sums.low[free], known.sums.high[free])
    own = sums.matrix @ known.truth[free]
    places = [branch[free] for branch in known.branches]
    possible = Possible(Sums(sums.matrix, own, sums.low, sums.high), [known.truth[free]], places)
    spread(possible, wanted[free].astype(np.int64))
    width, fixed = np.zeros(len(still), np.int64), np.ones(len(still), bool)
    width[free], fixed[free] = possible.width, possible.fixed
    return _Found([_completed(known.truth, free, table) for table in possible.tables[1:]], width, fixed)


def _completed(truth: IntArray, free: IntArray, values: IntArray) -> IntArray:
    table = truth.copy()
    table[free] = values
    return table


def _pieces(matrix: Any, change: IntArray) -> Any:
    """A change of hidden cells in the pieces that share no sum, each a move of its own; sparse [pieces, h]."""
    from scipy import sparse
    from scipy.sparse.csgraph import connected_components

    cells = np.flatnonzero(change)
    part = abs(matrix[:, cells])
    count, labels = connected_components(part.T @ part, directed=False)
    return sparse.csr_array((change[cells], (labels, cells)), shape=(count if len(cells) else 0, len(change)))


def _known_cells(view: View, truth: IntArray, alone: IntArray) -> tuple[IntArray, Any]:
    """The insiders' numbers [p], and the hidden cells that each knows beforehand, sparse [h, p]."""
    from scipy import sparse

    mine = np.where(view.published, -1, alone)
    known = known_beforehand(view.relations, truth, view.lower, mine)
    names = np.array(sorted(known), np.int64)
    pairs = [(cell, i) for i, name in enumerate(names.tolist()) for cell in known[name] if not view.published[cell]]
    cells, who = np.array(pairs, np.int64).reshape(-1, 2).T
    place, ones = np.searchsorted(view.hidden, cells), np.ones(len(cells), np.int32)
    return names, sparse.csr_array((ones, (place, who)), shape=(len(view.hidden), len(names)))


def _checked(sums: Sums, truth: IntArray, view: View, moves: Any) -> Any:
    """The given moves of hidden cells that the true table allows, sparse [k, h]."""
    from scipy import sparse

    if moves is None or moves.shape[0] == 0:
        return sparse.csr_array((0, len(truth)), dtype=np.int64)
    mine = moves.tocsr().astype(np.int64)[:, view.hidden].tocsr()
    inside = abs(moves).sum(axis=1) == abs(mine).sum(axis=1)
    keeps = abs(sums.matrix @ mine.T).sum(axis=0) == 0
    entries = mine.tocoo()
    after = truth[entries.col] + entries.data
    outside = (after < sums.low[entries.col]) | (after > sums.high[entries.col])
    possible = np.bincount(entries.row[outside], minlength=mine.shape[0]) == 0
    return mine[np.flatnonzero(np.ravel(inside) & np.ravel(keeps) & possible)]


def _pairs(view: View, names: IntArray, found: list[IntArray]) -> IntArray:
    """Pairs of positions among insiders and hidden cells as pairs of the insider's number and the cell, [k, 2]."""
    pairs = np.concatenate([np.empty((0, 2), np.int64), *found])
    both = np.column_stack([names[pairs[:, 0]], view.hidden[pairs[:, 1]]])
    return both[np.lexsort((both[:, 1], both[:, 0]))].astype(np.int64)
