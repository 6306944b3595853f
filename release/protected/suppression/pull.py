"""One pull at many classes of cells at once: a linear program, rounded, and mended piece by piece.

A class gains by going where it is pulled, and by keeping off its bounds: what is rounded then stays within them, and
from a table away from its bounds more can move.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from release.codes import IntArray
from release.protected.suppression.corners import Pull, Room
from release.protected.suppression.integers import program, ready, solved
from release.protected.suppression.joined import fractions
from release.protected.suppression.mend import mended_roundings
from release.protected.suppression.question import FloatArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_MARGIN = 0.2
"""What keeping off a bound by one earns, as part of what a class earns that is pulled by one."""
_BEGUN = 0.4
"""A class that goes so far in fractions where it is pulled goes by one at least in whole numbers."""
_MANY = 5_000
"""Classes from which on an interior point method, with a corner at its end, is faster than the simplex method."""
_FAR, _TIMES = 100.0, 4
"""No class moves further in one go than this and so many times the largest goal."""


def pulled_whole(room: Room, pull: Pull, number: IntArray) -> Iterator[IntArray]:
    """Whole-number changes that keep the sums and go where they are pulled, int64 [k]; none where none was found.

    number: the piece of each class. Few classes may end up outside of the room, where mending can't do without.
    """
    point = furthest_inside(room.sums, room.down.astype(float), room.up.astype(float), pull)
    if point is None:
        return

    def rounding(amounts: FloatArray) -> tuple[IntArray, Room]:
        near = _rounded(amounts, pull)
        return near, Room(room.sums, room.down + near, room.up - near)

    yield from mended_roundings(point, rounding, number)


def _rounded(point: FloatArray, pull: Pull) -> IntArray:
    """The nearest whole numbers; a class that has begun to go where it is pulled goes by one at least."""
    near, ahead = np.rint(point), point * pull.sign
    begun = (pull.goal > 0) & (ahead > _BEGUN) & (ahead < 1)
    return np.where(begun, pull.sign, near).astype(np.int64)


def furthest_inside(sums: csr_array, down: FloatArray, up: FloatArray, pull: Pull) -> FloatArray | None:
    """The change in fractions that earns most, float [k]; None where none keeps the sums within the bounds.

    down, up: how far each class may fall and rise at most. It has to move (below 0) from where it is out of them.
    """
    from scipy.sparse import hstack

    start, length, earned = _segments(down, up, pull)
    used = [np.flatnonzero(part > 0) for part in length]
    asked = program(
        -np.concatenate([part[classes] for part, classes in zip(earned, used, strict=True)]),
        hstack([sums[:, classes] for classes in used]),
        -(sums @ start),
        np.zeros(sum(map(len, used))),
        np.concatenate([part[classes] for part, classes in zip(length, used, strict=True)]),
    )
    point = solved(ready(asked, {"solver": "ipm" if len(down) > _MANY else "simplex"}))
    return None if point is None else start + np.bincount(np.concatenate(used), point, len(down))


def _segments(down: FloatArray, up: FloatArray, pull: Pull) -> tuple[FloatArray, FloatArray, FloatArray]:
    """What each class earns as it rises, in segments that earn less and less: start [k], lengths and slopes [s, k].

    Off the lower bound, towards the goal if that is upwards, away from it if downwards, onto the upper bound.
    """
    far = _FAR + _TIMES * pull.goal.max(initial=0)
    low, high = np.maximum(-down, np.minimum(-far, up)), np.minimum(up, np.maximum(far, -down))
    below = np.where(down <= far, np.minimum(1.0, (high - low) / 2), 0.0)
    above = np.where(up <= far, np.minimum(1.0, (high - low) / 2), 0.0)
    goal = np.where(pull.goal > 0, np.clip(pull.sign * pull.goal, low, high), low)
    ends = np.sort([low, low + below, goal, high - above, high], axis=0)
    middle = (ends[1:] + ends[:-1]) / 2
    margin = _MARGIN * (1 + fractions(len(down), 0) / 10)
    kept_off = margin * ((middle < low + below).astype(float) - (middle > high - above))
    pulled = pull.weight * pull.sign * ((middle < goal) == (pull.sign > 0)) * (pull.goal > 0)
    return low, np.diff(ends, axis=0), kept_off + pulled
