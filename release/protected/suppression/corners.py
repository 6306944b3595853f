"""Corners of the possible changes of a table: as far as wished at as many classes as possible, in whole numbers.

A linear program rewards every class of cells that should move, in a direction and with a weight of its own. With such
weights no two changes cancel each other: when rewards have no end, and neither this corner nor the opposite one moves
anything, nothing can.
Large tables are cut into blocks of neighbouring classes; what each block does alone fits together, since every block
keeps every sum.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from release.codes import IntArray
from release.protected.suppression.integers import cheapest, solved, warm
from release.protected.suppression.joined import mixed
from release.protected.suppression.view import BoolArray
from release.protected.suppression.whole import NEAR, FloatArray, Sums, corner, whole

_DIVES = 20
_HELD = 8
"""One of so many fractional classes is held at a whole number at a time."""
_SMALL = 300
_NEARBY = 1_500
"""Up to `_SMALL` fractional classes are made whole together with `_NEARBY` others; more are held back."""


@dataclass(frozen=True, eq=False)
class Pull:
    """Where classes are pulled: sign (+1, -1), weight, and how far at most, 0 for those not pulled; all [k]."""

    sign: IntArray
    weight: FloatArray
    goal: IntArray


@dataclass(frozen=True, eq=False)
class Room:
    """What changes of classes keep: `sums @ z == 0` and `-down <= z <= up`; sparse int64 [r, k], int64 [k] >= 0."""

    sums: Any
    down: IntArray
    up: IntArray

    def part(self, classes: IntArray) -> "Room":
        """The same for some classes while all others stand still."""
        sums = self.sums[:, classes].tocsr()
        kept = sums[np.flatnonzero(np.diff(sums.indptr))]
        return Room(kept, self.down[classes], self.up[classes])

    def around(self) -> Sums:
        """What whole-number changes keep."""
        return Sums(self.sums, np.zeros(self.sums.shape[0], np.int64), -self.down, self.up)

    def bounds(self) -> tuple[FloatArray, FloatArray]:
        """Bounds of a change in fractions."""
        return -self.down.astype(np.float64), self.up.astype(np.float64)


def pulled(room: Room, pull: Pull, *, size: int, offset: int) -> tuple[IntArray, BoolArray]:
    """A whole-number change [k] as far as the pull gets it, block by block, and which pulled classes could move at all.

    size: classes in a block; offset: where the first block ends.
    """
    many = len(pull.goal)
    change, moved = np.zeros(many, np.int64), np.zeros(many, bool)
    for block in np.split(np.arange(many), range(offset or size, many, size)):
        if pull.goal[block].any():
            mine = Pull(pull.sign[block], pull.weight[block], pull.goal[block])
            change[block], moved[block] = _pulled_block(room.part(block), mine)
    return change, moved


def _pulled_block(room: Room, pull: Pull) -> tuple[IntArray, BoolArray]:
    """One block: the corner; while it is fractional, corners with some fractional classes held at whole numbers.

    They are held nearer to 0, so no change at all stays possible and each corner exists. All others stay free to answer:
    held between whole numbers too, hardly any change would be left.
    """
    program = _Program(room, pull)
    down, up = room.down.copy(), room.up.copy()
    moved = np.zeros(len(down), bool)
    for dive in range(_DIVES):
        point = program.corner(down, up)
        moved |= (pull.goal > 0) & (np.abs(point) > NEAR)
        loose = np.abs(point - np.round(point)) > NEAR
        if loose.sum() <= _SMALL:
            found = whole(room.around(), point, largest=_NEARBY)
            if found is not None:
                return found, moved
        drawn = mixed(np.arange(len(down)), dive) % np.uint64(_HELD) == 0
        held = loose & (drawn | (dive >= _DIVES // 2))
        nearer = np.trunc(point[held]).astype(np.int64)
        down[held], up[held] = np.maximum(-nearer, 0), np.maximum(nearer, 0)
    return np.zeros(len(down), np.int64), moved


class _Program:
    """The linear program of a pull, solved again from where it ended when bounds change.

    Beyond its goal a class earns nothing more: each pulled class has two columns, one up to the goal, one beyond.
    """

    def __init__(self, room: Room, pull: Pull) -> None:
        self.mine, self.others = np.flatnonzero(pull.goal > 0), np.flatnonzero(pull.goal == 0)
        self.ahead, self.goal = pull.sign[self.mine] > 0, pull.goal[self.mine]
        slope = -pull.weight[self.mine] * pull.sign[self.mine] * (self.goal.min() / self.goal)
        pulled_sums = room.sums[:, self.mine]
        matrix = _beside(pulled_sums, pulled_sums, room.sums[:, self.others])
        cost = np.concatenate([slope, np.zeros(len(self.mine) + len(self.others))])
        self._model = warm(cost, matrix, *self._bounds(room.down, room.up))

    def corner(self, down: IntArray, up: IntArray) -> FloatArray:
        """The corner that the pull reaches within these bounds, in fractions; no change where none is found."""
        columns = np.arange(2 * len(self.mine) + len(self.others), dtype=np.int32)
        self._model.changeColsBounds(len(columns), columns, *self._bounds(down, up))
        found, many = solved(self._model), len(self.mine)
        point = np.zeros(many + len(self.others))
        if found is not None:
            point[self.mine] = found[:many] + found[many : 2 * many]
            point[self.others] = found[2 * many :]
        return point

    def _bounds(self, down: IntArray, up: IntArray) -> tuple[FloatArray, FloatArray]:
        low, high, goal = -down[self.mine], up[self.mine], self.goal
        first_low = np.where(self.ahead, low, np.maximum(low, -goal))
        first_high = np.where(self.ahead, np.minimum(high, goal), high)
        lowest = np.concatenate([first_low, np.where(self.ahead, 0, low - first_low), -down[self.others]])
        highest = np.concatenate([first_high, np.where(self.ahead, high - first_high, 0), up[self.others]])
        return lowest.astype(np.float64), highest.astype(np.float64)


def furthest(room: Room, name: int, direction: int) -> FloatArray | None:
    """The corner at which one class is furthest in a direction, in fractions."""
    cost = np.zeros(len(room.down))
    cost[name] = -direction
    return corner(cost, room.sums, np.zeros(room.sums.shape[0]), *room.bounds())


def furthest_whole(room: Room, name: int, direction: int, *, nodes: int) -> tuple[int | None, IntArray | None]:
    """How far one class can get in a direction in whole numbers (None: not known), and the best change found."""
    cost = np.zeros(len(room.down))
    cost[name] = -direction
    best = cheapest(cost, room.sums, np.zeros(room.sums.shape[0]), *room.bounds(), nodes=nodes)
    proven = None if best.bound is None else int(np.floor(-best.bound + NEAR))
    return proven, None if best.point is None else np.round(best.point).astype(np.int64)


def _beside(*parts: Any) -> Any:
    from scipy import sparse

    return sparse.hstack(parts, format="csc")
