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
from release.protected.suppression.integers import Enough, cheapest
from release.protected.suppression.joined import Joined, mixed
from release.protected.suppression.view import BoolArray
from release.protected.suppression.whole import NEAR, FloatArray, Sums, corner, whole

REACH = 2**40
"""Further than this no class is ever said to go."""
_DIVES = 16
_SMALL = 300
_NEARBY = 1_500
"""Up to `_SMALL` fractional classes are made whole together with `_NEARBY` others; more are held back."""


@dataclass(frozen=True, eq=False)
class Pull:
    """Where classes are pulled: sign (+1, -1), weight, and how far at most, 0 for those not pulled; all [k]."""

    sign: IntArray
    weight: FloatArray
    goal: IntArray

    def part(self, classes: IntArray) -> "Pull":
        """The same for some classes."""
        return Pull(self.sign[classes], self.weight[classes], self.goal[classes])


@dataclass(frozen=True, eq=False)
class Room:
    """What changes of classes keep: `sums @ z == 0` and `-down <= z <= up`; sparse int64 [r, k], int64 [k].

    down or up is below 0 where a class is out of its bounds and has to come back.
    """

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


def room_from(table: IntArray, sums: Sums, classes: Joined, *, reach: int) -> Room:
    """How classes can change from a table [h], by at most `reach`; below 0 where the table is out of bounds."""
    down, up = classes.room(table - sums.low, sums.high - table)
    return Room(classes.sums, np.minimum(down, reach), np.minimum(up, reach))


def pulled(room: Room, pull: Pull, *, size: int, offset: int) -> tuple[IntArray, BoolArray]:
    """A whole-number change [k] as far as the pull gets it, block by block, and which pulled classes could move at all.

    size: classes in a block; offset: where the first block ends.
    """
    many = len(pull.goal)
    change, moved = np.zeros(many, np.int64), np.zeros(many, bool)
    for block in np.split(np.arange(many), range(offset or size, many, size)):
        if pull.goal[block].any():
            change[block], moved[block] = _pulled_block(room.part(block), pull.part(block))
    return change, moved


def _pulled_block(room: Room, pull: Pull) -> tuple[IntArray, BoolArray]:
    """One block: the corner; while it is fractional, corners with the fractional classes held between whole numbers.

    Half of them are held nearer to 0, and no change at all is always within, so each corner exists and one is whole.
    """
    down, up = room.down, room.up
    moved = np.zeros(len(down), bool)
    for dive in range(_DIVES):
        point = _corner(Room(room.sums, down, up), pull)
        moved |= (pull.goal > 0) & (np.abs(point) > NEAR)
        loose = np.abs(point - np.round(point)) > NEAR
        if loose.sum() <= _SMALL:
            found = whole(room.around(), point, largest=_NEARBY)
            if found is not None:
                return found, moved
        nearer = loose & ((mixed(np.arange(len(down)), dive) & np.uint64(1) == 0) | (dive >= _DIVES // 2))
        low = np.where(nearer, np.trunc(point), np.where(loose, np.floor(point), -down)).astype(np.int64)
        high = np.where(nearer, np.trunc(point), np.where(loose, np.ceil(point), up)).astype(np.int64)
        down, up = np.maximum(-low, 0), np.maximum(high, 0)
    return np.zeros(len(down), np.int64), moved


def _corner(room: Room, pull: Pull) -> FloatArray:
    """The corner that a pull reaches, in fractions: beyond its goal a class earns nothing more."""
    mine, others = np.flatnonzero(pull.goal > 0), np.flatnonzero(pull.goal == 0)
    ahead, goal = pull.sign[mine] > 0, pull.goal[mine]
    low, high = -room.down[mine], room.up[mine]
    first_low, first_high = np.where(ahead, low, np.maximum(low, -goal)), np.where(ahead, np.minimum(high, goal), high)
    slope = -pull.weight[mine] * pull.sign[mine] * (goal.min() / goal)
    found = corner(
        np.concatenate([slope, np.zeros(len(mine) + len(others))]),
        _beside(room.sums[:, mine], room.sums[:, mine], room.sums[:, others]),
        np.zeros(room.sums.shape[0]),
        np.concatenate([first_low, np.where(ahead, 0, low - first_low), -room.down[others]]),
        np.concatenate([first_high, np.where(ahead, high - first_high, 0), room.up[others]]),
    )
    point = np.zeros(len(pull.goal))
    if found is None:
        return point
    point[mine] = found[: len(mine)] + found[len(mine) : 2 * len(mine)]
    point[others] = found[2 * len(mine) :]
    return point


def furthest(room: Room, name: int, direction: int) -> FloatArray | None:
    """The corner at which one class is furthest in a direction, in fractions."""
    cost = np.zeros(len(room.down))
    cost[name] = -direction
    return corner(cost, room.sums, np.zeros(room.sums.shape[0]), *room.bounds())


def furthest_whole(room: Room, name: int, direction: int, *, nodes: int) -> tuple[int | None, IntArray | None]:
    """How far one class can get in a direction in whole numbers (None: not known), and the best change found."""
    cost = np.zeros(len(room.down))
    cost[name] = -direction
    best = cheapest(cost, room.sums, np.zeros(room.sums.shape[0]), *room.bounds(), enough=Enough(nodes))
    proven = None if best.bound is None else int(np.floor(-best.bound + NEAR))
    return proven, None if best.point is None else np.round(best.point).astype(np.int64)


def _beside(*parts: Any) -> Any:
    from scipy import sparse

    return sparse.hstack(parts, format="csc")
