"""One possible table: whole numbers that agree with all that is published.

A function of sums and bounds alone, so of nothing that isn't published when they come from a view.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from release.codes import IntArray
from release.protected.suppression.corners import Room, room_from
from release.protected.suppression.joined import Joined, fractions, joined
from release.protected.suppression.mend import mended
from release.protected.suppression.pieces import Pieces, cut
from release.protected.suppression.pull import FAR, pulled_whole
from release.protected.suppression.view import NO_BOUND
from release.protected.suppression.whole import FloatArray, Sums, corner, whole, whole_anywhere

CUTS = 3_000, 9_000
"""Classes of a piece: smaller pieces are faster, and what moves in none of them may move in larger ones."""
_REACH = 2**40
_TURNS = 12
_STRAYS = 12
"""So many classes out of bounds are worth the search."""


def first_table(sums: Sums, branches: Sequence[IntArray] = ()) -> IntArray | None:
    """A whole-number table that keeps the sums and bounds, int64 [h]; None if none was found.

    branches: where the cells stand in the trees, each int64 [h], as `View.branches`; large tables are slow without.
    """
    start = np.where(sums.low > -NO_BOUND, sums.low, np.where(sums.high < NO_BOUND, sums.high, 0))
    near = Sums(sums.matrix, sums.total - sums.matrix @ start, *_between(sums, start))
    point = _corner(near)
    if point is None:
        return None
    found = _in_pieces(near, point, branches)
    if found is None:
        found = whole(near, point)
    if found is None:
        found = whole_anywhere(near)
    return None if found is None else start + found


def _between(sums: Sums, start: IntArray) -> tuple[IntArray, IntArray]:
    """Bounds of the change from `start`; unknown ones stay unknown."""
    low = np.where(sums.low <= -NO_BOUND, -NO_BOUND, sums.low - start)
    return low, np.where(sums.high >= NO_BOUND, NO_BOUND, sums.high - start)


def _corner(sums: Sums) -> FloatArray | None:
    """A table in fractions, not far from its bounds; None where there is none."""
    low = np.where(sums.low <= -NO_BOUND, -np.inf, sums.low)
    high = np.where(sums.high >= NO_BOUND, np.inf, sums.high)
    bounded = np.where(np.isfinite(low), 1.0, np.where(np.isfinite(high), -1.0, 0.0))
    cost = bounded * (1 + fractions(len(low), 0) / 1000)
    return corner(cost, sums.matrix, sums.total.astype(np.float64), low, high)


def _in_pieces(sums: Sums, point: FloatArray, branches: Sequence[IntArray]) -> IntArray | None:
    """The fractions rounded, sums mended piece by piece, and cells that are then out of bounds brought back."""
    classes = joined(sums.matrix)
    table, missing = classes.near(point)
    places = classes.branches(branches)
    number = cut(places, len(classes), most=CUTS[0])
    change = mended(room_from(table, sums, classes, reach=_REACH), missing, number)
    if change is None:
        return None
    mended_table = table + classes.steps @ change
    inside = brought_back(sums, classes, mended_table, places)
    return _pulled_back(sums, classes, mended_table, number) if inside is None else inside


def brought_back(sums: Sums, classes: Joined, table: IntArray, places: Sequence[IntArray]) -> IntArray | None:
    """A table within bounds: classes outside of them take the cheapest moves that bring them in and take none out.

    places: where the classes stand in the trees. None where no such move is found, or where many are outside.
    """
    while not sums.holds(table):
        room = room_from(table, sums, classes, reach=_REACH)
        outside = _outside(room)
        if len(outside) > _STRAYS:
            return None
        change = next((way for name in outside if (way := _way_back(room, name, places)) is not None), None)
        if change is None:
            return None
        table = table + classes.steps @ change
    return table


def _outside(room: Room) -> list[int]:
    """Classes out of bounds."""
    found: list[int] = np.flatnonzero((room.down < 0) | (room.up < 0)).tolist()
    return found


def _pulled_back(sums: Sums, classes: Joined, table: IntArray, number: IntArray) -> IntArray | None:
    """The same by pulls at all classes out of bounds at once, for as long as they become fewer: slower, finds more."""
    for turn in range(_TURNS):
        room = room_from(table, sums, classes, reach=_REACH)
        lacking = np.maximum(-room.down, 0) - np.maximum(-room.up, 0)
        if not lacking.any():
            return table
        down = np.where(lacking < 0, -lacking, np.clip(room.down, 0, FAR))
        up = np.where(lacking > 0, lacking, np.clip(room.up, 0, FAR))
        reward = np.sign(lacking) * (1 + fractions(len(lacking), turn))
        change = pulled_whole(room, Room(room.sums, down, up), reward, number, held=False)
        if change is not None:
            other = table + classes.steps @ change
            if len(_outside(room_from(other, sums, classes, reach=_REACH))) <= np.count_nonzero(lacking):
                table = other
    return table if sums.holds(table) else None


def _way_back(room: Room, name: int, places: Sequence[IntArray]) -> IntArray | None:
    """A move of one class back into its room, int64 [k]."""
    amount = int(-room.down[name] if room.down[name] < 0 else room.up[name])
    down, up = (np.maximum(end, 0).astype(float) for end in (room.down, room.up))
    cost = 1 + fractions(len(down), 0) / 10
    for most in CUTS:
        pieces = Pieces(room.sums, cost, down, up, float(abs(amount)), cut(places, len(cost), most=most))
        move = pieces.cheapest(name, amount, prices=cost, still=np.empty(0, dtype=np.int64), alone=False)
        if move is not None:
            return move.spread(len(cost))
    return None
