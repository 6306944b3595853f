"""Secondaries that are shown again, the dearest first, where those they protected find cheaper moves near by.

Each gets a window: what its moves change, and cells that share a sum with those they served. All cells that lose a move
look for another one there, at the full price of what isn't hidden yet; the secondary stays when that costs too much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from release.codes import IntArray
from release.protected.suppression.fast import movable
from release.protected.suppression.flows import Flows, Move, uneven
from release.protected.suppression.improve import Service, closeness
from release.protected.suppression.probe import NOBODY, Work
from release.protected.suppression.standing import Standing

_MOVES, _ORPHANS, _CELLS = 20, 15, 800
"""Secondaries in more moves, with more cells that need another one or with longer moves are left alone: they take long,
and hardly ever find that many."""
_OFFERED, _HELPING = 150, 300
"""Cells of a window, the nearest, that may be hidden instead, and hidden ones that may help."""
_LITTLE = 0.01
"""Cost of moving a cell that is hidden already, as part of the typical cost of hiding one."""
_NEAR = 1e-6


@dataclass(frozen=True, eq=False)
class Parting:
    """What goes with a secondary. lost: its moves. own: secondaries with no other. orphans: who needs another move."""

    cell: int
    lost: frozenset[int]
    own: IntArray
    orphans: tuple[int, ...]
    saved: float


def spare(standing: Standing, work: Work, *, steps: int = 1) -> None:
    """Try each secondary once, while there is work left; changes `standing`. steps: how far windows look for cells."""
    secondary = standing.secondary
    for cell in secondary[np.argsort(-standing.question.cost[secondary], kind="stable")].tolist():
        if work.left <= 0:
            break
        work.spend(2)
        if standing.hidden[cell] and (parting := _parting(standing, cell)) is not None:
            _spared(standing, parting, work, steps)
    standing.publish_needless()


def _parting(standing: Standing, cell: int) -> Parting | None:
    """What showing one secondary would take along; None where that is too much to be worth a trial."""
    lost = frozenset(standing.users.get(cell, ()))
    cells = standing.changed_by(lost) if len(lost) <= _MOVES else set()
    if not cells or len(cells) > _CELLS:
        return None
    question, users = standing.question, standing.users
    own = {other for other in cells if not question.primary[other] and users[other].keys() <= lost}
    asking = [other for other in cells - own if question.primary[other] or question.guarded(other)]
    orphans = [other for other in asking if standing.missing_at(other, lost)]
    if len(orphans) > _ORPHANS:
        return None
    in_order = tuple(sorted(orphans, key=lambda other: (question.values[other], other)))
    shown = np.array(sorted(own), dtype=np.int64)
    return Parting(cell, lost, shown, in_order, float(question.cost[shown].sum()))


def _spared(standing: Standing, parting: Parting, work: Work, steps: int) -> bool:
    """Let all orphans find other moves for less than is saved; everything as before, and False, if that fails."""
    service = _service(standing, parting, work, steps)
    if service is None:
        return False
    before, first = standing.hidden.copy(), standing.next_number
    standing.hidden[parting.own] = False
    if _all_served(service, parting.orphans, first):
        standing.drop(sorted(parting.lost))
        return True
    standing.drop(range(first, standing.next_number))
    standing.hidden = before
    return False


class Plain(Flows):
    """Moves that are whole as they come out, or a small multiple: the others cost ten times their time."""

    def _made_whole(self, *_: object) -> None:
        return None


def _all_served(service: Repair, orphans: Sequence[int], first: int) -> bool:
    """Whether all orphans find moves, and whoever is hidden by these moves and lacks something does so too."""
    waiting = list(orphans)
    while waiting:
        if not all(service.serve(cell) for cell in waiting):
            return False
        waiting = service.lacking(first)
    return True


@dataclass(eq=False)
class Repair(Service):
    """Cheap moves in a window, that hide what they need. most: what may be spent on it."""

    most: float
    little: float

    def use(self, move: Move) -> bool:
        """Hide what a move changes, unless that costs too much."""
        cells = move.cells[~self.standing.hidden[move.cells]]
        self.most -= float(self.standing.question.cost[cells].sum())
        if self.most <= _NEAR:
            return False
        self.standing.hidden[cells] = True
        self.flows.set_cost(np.searchsorted(self.cells, cells), np.full(len(cells), self.little))
        return super().use(move)

    def lacking(self, first: int) -> list[int]:
        """Cells of moves from a number on that need another one."""
        cells = self.standing.changed_by(range(first, self.standing.next_number))
        return [cell for cell in sorted(cells) if self.standing.missing_at(cell, self.lost)]


def _service(standing: Standing, parting: Parting, work: Work, steps: int) -> Repair | None:
    """The window without the secondary itself; None where one of the orphans can't move in it."""
    cells, relations = movable(standing.columns, _window(standing, parting, steps))
    work.spend(8 + len(cells) / 50)
    if not np.isin(parting.orphans, cells).all():
        return None
    question = standing.question
    little = _LITTLE * standing.typical
    cheap = standing.hidden[cells] & ~np.isin(cells, parting.own)
    factor = uneven(cells) + (standing.alone[cells] != NOBODY)
    reach = float(question.width[list(parting.orphans)].max(initial=1))
    flows = Plain(
        relations,
        cost=np.where(cheap, little * factor, question.cost[cells]),
        down=standing.room[cells],
        up=np.full(len(cells), np.inf),
        reach=reach,
    )
    return Repair(standing, cells, flows, work, parting.lost, parting.saved, little)


def _window(standing: Standing, parting: Parting, steps: int) -> IntArray:
    """Cells of the moves that go, and near ones: hidden, or cheaper than what is saved; not the secondary itself."""
    question = standing.question
    near = closeness(standing, np.array([parting.cell, *parting.orphans]), steps=steps)
    open_cells = ~standing.hidden & ~question.publish & (question.cost < parting.saved)
    offered, helping = _nearest(open_cells, near, _OFFERED), _nearest(standing.hidden, near, _HELPING)
    moved = [standing.moves[number].cells for number in sorted(parting.lost)]
    return np.setdiff1d(np.concatenate([offered, helping, *moved]), parting.cell)


def _nearest(among: np.ndarray, near: np.ndarray, number: int) -> IntArray:
    cells = np.flatnonzero(among & (near > 0))
    return cells[np.argsort(-near[cells], kind="stable")[:number]]
