"""More possible tables of a large system: far ones first, then many small moves from each of them.

A far table comes from one linear program over all cells, rounded and mended piece by piece. What isn't wide enough
after some of these takes the cheapest moves found in pieces; moves that share no class make one table. From another
table other moves are possible.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from release.codes import IntArray
from release.protected.suppression.corners import Room
from release.protected.suppression.first_table import CUTS, brought_back
from release.protected.suppression.flows import Move
from release.protected.suppression.joined import fractions
from release.protected.suppression.pieces import Pieces, cut
from release.protected.suppression.pull import FAR, pulled_whole
from release.protected.suppression.question import FloatArray

if TYPE_CHECKING:
    from release.protected.suppression.possible import Possible

_REACH = 2**40
_TURNS = 30
_FEW = 1 / 60
"""Part of the classes that is left to steps."""
_BASES = 8
_PATIENCE = 6
_MOVED_FIRST = 4
"""So many first tables become the base of the next ones: far from bounds more can move."""
_OFTEN = 0.2
"""By how much more or fewer classes are kept off their bounds in the next turn."""


def spread_large(possible: Possible, width: IntArray) -> None:
    """Adds possible tables until few classes lack width [h]; needs trees."""
    small, larger = (cut(possible.places, len(possible.joined), most=most) for most in CUTS)
    _far_tables(possible, width, small, few=int(_FEW * len(possible.joined)))
    for table in possible.tables[-1 : -1 - _BASES : -1]:
        possible.base = table
        _step_by_step(possible, width, small)
    _far_tables(possible, width, small, few=0, kept=0.0)
    _step_by_step(possible, width, larger)


# Far tables --------------------------------------------------------------------------------------------------------


def _far_tables(possible: Possible, width: IntArray, number: IntArray, *, few: int, kept: float = 1.0) -> None:
    """One pull at all cells in want after the other, until few are left or nothing is gained.

    kept: part of the classes that are kept off their bounds at first, so that rounding leaves few outside; fewer where
    pulls gain little, since some have nowhere else to go, more where nothing whole was found.
    """
    idle = 0
    for turn in range(_TURNS):
        before = int(possible.wanting(width).sum())
        if before <= few or idle > _PATIENCE:
            return
        found = _pulled(possible, width, number, (turn, kept))
        if found is not None and possible.keep(found) and turn < _MOVED_FIRST:
            possible.base = found
        gained = before - possible.wanting(width).sum()
        idle = 0 if gained else idle + 1
        if found is None or gained < before / 4:
            kept = min(kept + _OFTEN, 1.0) if found is None else max(kept - _OFTEN, 0.0)


def _pulled(possible: Possible, width: IntArray, number: IntArray, at: tuple[int, float]) -> IntArray | None:
    """A table to which classes in want are pulled, up or down by lot; None where none was found in whole numbers.

    at: the turn, and the part of classes kept off their bounds.
    """
    turn, kept = at
    classes, room = possible.joined, possible.room(_REACH)
    off = (fractions(len(classes), 3 * turn) < kept).astype(np.int64)
    box = Room(room.sums, np.clip(room.down - off, 0, FAR), np.minimum(room.up, FAR))
    change = pulled_whole(room, box, _rewards(possible, width, turn), number, held=kept == 0)
    if change is None:
        return None
    return brought_back(possible.sums, classes, possible.base + classes.steps @ change, possible.places)


def _rewards(possible: Possible, width: IntArray, turn: int) -> FloatArray:
    """What a rise of each class by one earns, [k]: turned round every other turn; 0 where it is wide enough."""
    wanting = possible.joined.most(possible.wanting(width).astype(np.int64)) > 0
    many = len(wanting)
    sign = np.where(fractions(many, 2 * (turn // 2) + 1) < 0.5, 1, -1) * (1 if turn % 2 == 0 else -1)
    return np.where(wanting, sign * (0.7 + 0.6 * fractions(many, turn + 50)), 0.0)


# Steps -------------------------------------------------------------------------------------------------------------


def _step_by_step(possible: Possible, width: IntArray, number: IntArray) -> None:
    """Adds what the base and the cheapest moves in pieces give."""
    for alone in (True, False):
        if possible.wanting(width).any():
            steps = _Steps.of(possible, width, number)
            steps.serve_all(alone=alone)
            for change in steps.together():
                possible.add(change)


@dataclass(eq=False)
class _Steps:
    """Moves of classes from the base, and how far each class gets by them.

    pieces: the system cut, with the room that classes have from the base. wanted: int64 [k], 0 where nothing is.
    """

    pieces: Pieces
    wanted: IntArray
    low: IntArray
    high: IntArray
    moves: list[Move] = field(default_factory=list)

    @classmethod
    def of(cls, possible: Possible, width: IntArray, number: IntArray) -> _Steps:
        """Nothing tried yet. width: int64 [h]."""
        classes, room = possible.joined, possible.room(_REACH)
        wanted = classes.most(np.where(possible.wanting(width), width, 0))
        cells, step = classes.first
        ends = [step * (end - possible.base)[cells] for end in (possible.low, possible.high)]
        down, up = (np.where(end >= _REACH, np.inf, end) for end in (room.down, room.up))
        cost = 1 + fractions(len(classes), 0) / 10
        pieces = Pieces(classes.sums, cost, down, up, float(wanted.max(initial=1)), number)
        return cls(pieces, wanted, np.minimum(*ends), np.maximum(*ends))

    def serve_all(self, *, alone: bool) -> None:
        """A move, or one up and one down, for each class in want, those of earlier pieces first."""
        for name in np.argsort(self.pieces.number, kind="stable").tolist():
            if self._lacking(name) > 0:
                self._serve(name, alone=alone)

    def together(self) -> list[IntArray]:
        """The moves as few changes of all classes, each int64 [k]: those that share no class happen at once."""
        packs: list[IntArray] = []
        for move in self.moves:
            free = next((pack for pack in packs if not pack[move.cells].any()), None)
            if free is None:
                packs.append(free := np.zeros(len(self.wanted), dtype=np.int64))
            free[move.cells] = move.change
        return packs

    def _lacking(self, name: int) -> int:
        return int(self.wanted[name] - (self.high[name] - self.low[name]))

    def _serve(self, name: int, *, alone: bool) -> None:
        still = np.empty(0, dtype=np.int64)
        for amount in self._amounts(name):
            move = self.pieces.cheapest(name, amount, prices=self.pieces.cost, still=still, alone=alone)
            if move is not None:
                self.moves.append(move)
                self.low[move.cells] = np.minimum(self.low[move.cells], move.change)
                self.high[move.cells] = np.maximum(self.high[move.cells], move.change)
            if self._lacking(name) <= 0:
                return

    def _amounts(self, name: int) -> list[int]:
        """All that is lacking upwards, or downwards, or one step each way; no further than there is room."""
        up, down = self.wanted[name] + self.low[name], self.wanted[name] - self.high[name]
        room = self.pieces.down[name], self.pieces.up[name]
        return [int(amount) for amount in dict.fromkeys((up, -down, 1, -1)) if -room[0] <= amount <= room[1]]
