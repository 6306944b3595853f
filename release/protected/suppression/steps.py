"""More possible tables of a large system: pulls in branches, pulls at all classes, then small moves of what is left.

A pull is one program for many classes. In branches of one tree, all else standing still, programs are small and their
answers fit together; then one program over all classes takes half of the rest each time. What isn't wide enough after
that takes the cheapest moves found in pieces; moves that share no class make one table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from release.codes import IntArray
from release.protected.suppression.corners import REACH, Pull, Room
from release.protected.suppression.fast import movable
from release.protected.suppression.first_table import CUTS, first_inside
from release.protected.suppression.flows import Move
from release.protected.suppression.joined import fractions
from release.protected.suppression.pieces import Pieces, below, cut, parts
from release.protected.suppression.possible import Possible
from release.protected.suppression.pull import pulled_whole

_TURNS = 20
_WORTH = 1 / 8
"""Part of the cells in want that pulls in branches must widen, or they are given up."""
_SOME = 40
"""Of so many classes one is left to steps: a program for all isn't worth it."""
_HARDER = 50.0
"""How much harder a single class is pulled than one of many: it may have to take others to their bounds."""
_PATIENCE = 4
_BASES = 4


def spread_large(possible: Possible, width: IntArray) -> None:
    """Adds possible tables until few classes lack width [h]; needs trees."""
    _in_branches(possible, width)
    small, larger = (cut(possible.places, len(possible.joined), most=most) for most in CUTS)
    _all_at_once(possible, width, larger, few=len(possible.joined) // _SOME)
    for table in [possible.tables[0], *possible.tables[: -1 - _BASES : -1]]:
        possible.base = table
        _step_by_step(possible, width, small)
    possible.base = possible.tables[0]
    _step_by_step(possible, width, larger)
    _all_at_once(possible, width, larger, few=0)


def _pull(possible: Possible, width: IntArray, turn: int) -> Pull:
    """All classes in want are pulled up or down by lot, each the other way round next; off a bound where one is."""
    many, sign = len(possible.joined), possible.signs_off_bounds(turn)
    goal, _ = possible.goals(width, sign, wanting=possible.wanting(width))
    weight = (0.7 + 0.6 * fractions(many, turn + 50)) * (1 + _HARDER / max(int(np.count_nonzero(goal)), 1))
    return Pull(sign, weight, goal)


# Pulls in branches -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Block:
    """Classes that can move while all others stand still, and the sums between them."""

    classes: IntArray
    sums: Any

    def pulled(self, room: Room, pull: Pull) -> IntArray:
        """A change of its classes within their room; none where nothing whole was found."""
        mine, still = Room(self.sums, room.down[self.classes], room.up[self.classes]), np.zeros_like(self.classes)
        change = next(pulled_whole(mine, pull.part(self.classes), number=still), still)
        return still if ((change < -mine.down) | (change > mine.up)).any() else change


def _in_branches(possible: Possible, width: IntArray) -> None:
    """Pulls in the branches of one tree after the other, for as long as that is worth it."""
    trees = [_blocks(possible, branch) for branch in possible.places]
    for turn in range(_TURNS):
        before = possible.wanting(width).sum()
        for blocks in trees:
            for side in (0, 1):
                _pulled_in(possible, width, blocks, 2 * turn + side)
        if before - possible.wanting(width).sum() <= before * _WORTH:
            return


def _blocks(possible: Possible, branch: IntArray) -> list[_Block]:
    """The branches of one tree and depth, cut further where they are large."""
    columns = possible.joined.sums.tocsc()
    pieces = [piece for part in below(branch) for piece in parts(possible.places, part, most=CUTS[0])]
    found = [_Block(*movable(columns, piece)) for piece in pieces]
    return [block for block in found if len(block.classes)]


def _pulled_in(possible: Possible, width: IntArray, blocks: Sequence[_Block], turn: int) -> None:
    """One pull in each block that has a class in want; together they make one table."""
    room, pull = possible.room(REACH), _pull(possible, width, turn)
    change = np.zeros(len(possible.joined), dtype=np.int64)
    for block in blocks:
        if pull.goal[block.classes].any():
            change[block.classes] = block.pulled(room, pull)
    possible.add(change)


# Pulls at all classes ----------------------------------------------------------------------------------------------


def _all_at_once(possible: Possible, width: IntArray, number: IntArray, *, few: int) -> None:
    """One pull at all classes in want after the other, until few cells are left or nothing is gained."""
    idle = 0
    for turn in range(_TURNS):
        before = possible.wanting(width).sum()
        if before <= few or idle > _PATIENCE:
            return
        found = _far(possible, _pull(possible, width, turn), number)
        if found is not None:
            possible.keep(found)
        idle = 0 if possible.wanting(width).sum() < before else idle + 1


def _far(possible: Possible, pull: Pull, number: IntArray) -> IntArray | None:
    """The table to which a pull gets the base; None where none was found in whole numbers."""
    classes = possible.joined
    changes = pulled_whole(possible.room(REACH), pull, number)
    tables = (possible.base + classes.steps @ change for change in changes)
    return first_inside(possible.sums, classes, tables, possible.places)


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
        classes, room = possible.joined, possible.room(REACH)
        wanted = classes.most(np.where(possible.wanting(width), width, 0))
        cells, step = classes.first
        ends = [step * (end - possible.base)[cells] for end in (possible.low, possible.high)]
        down, up = (np.where(end >= REACH, np.inf, end) for end in (room.down, room.up))
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
