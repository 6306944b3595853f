"""One possible table: whole numbers that agree with all that is published.

A function of sums and bounds alone, so of nothing that isn't published when they come from a view.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from release.codes import IntArray
from release.protected.suppression.corners import REACH, Pull, Room, room_from
from release.protected.suppression.integers import program, ready, solved
from release.protected.suppression.joined import Joined, fractions, joined
from release.protected.suppression.mend import brought_inside, mended_roundings
from release.protected.suppression.pieces import cut, near
from release.protected.suppression.pull import furthest_inside
from release.protected.suppression.view import NO_BOUND
from release.protected.suppression.whole import FloatArray, Sums, corner, whole, whole_anywhere

CUTS = 3_000, 9_000
"""Classes of a piece: smaller pieces are faster, and what moves in none of them may move in larger ones."""
_TURNS = 12
_LITTLE = 0.05
"""What going where the lot falls earns: less than keeping off a bound."""
_TRIED = 4
"""So many roundings of one solution are tried, of those that could be mended."""
_STRAYS = 40
"""So many classes out of bounds are worth the search."""
_NEAR, _FAR = 2_000, 20_000
"""Steps of the simplex method to bring one back, among classes near by and everywhere. Most need some hundred, or no
step to see that there is no way near by; where there is one at all, up to 5,000 everywhere find it."""


def first_table(sums: Sums, branches: Sequence[IntArray] = ()) -> IntArray | None:
    """A whole-number table that keeps the sums and bounds, int64 [h]; None if none was found.

    branches: where the cells stand in the trees, each int64 [h], as `View.branches`; large tables are slow without.
    """
    start = np.where(sums.low > -NO_BOUND, sums.low, np.where(sums.high < NO_BOUND, sums.high, 0))
    change = Sums(sums.matrix, sums.total - sums.matrix @ start, *_between(sums, start))
    found = _off_bounds(change, branches) if len(branches) else None
    if found is None:
        found = _from_corner(change)
    return None if found is None else start + found


def _between(sums: Sums, start: IntArray) -> tuple[IntArray, IntArray]:
    """Bounds of the change from `start`; unknown ones stay unknown."""
    low = np.where(sums.low <= -NO_BOUND, -NO_BOUND, sums.low - start)
    return low, np.where(sums.high >= NO_BOUND, NO_BOUND, sums.high - start)


# Off the bounds, in pieces -----------------------------------------------------------------------------------------


def _off_bounds(sums: Sums, branches: Sequence[IntArray]) -> IntArray | None:
    """A table that is off its bounds where it can be, so that many others are near: in fractions, then whole."""
    point = _centre(sums)
    if point is None:
        return None
    classes = joined(sums.matrix)
    places = classes.branches(branches)
    number = cut(places, len(classes), most=CUTS[1])
    low, high = sums.ends
    down, up = classes.room(point - low, high - point)
    for turn in range(_TURNS):
        change = furthest_inside(classes.sums, down, up, _by_lot(len(classes), turn))
        if change is None:
            return None
        tables = _whole_near(sums, classes, point + classes.steps @ change, number)
        if (inside := first_inside(sums, classes, tables, places)) is not None:
            return inside
    return None


def _centre(sums: Sums) -> FloatArray | None:
    """A table in fractions away from all bounds, where an interior point method without a goal ends; None without."""
    asked = program(np.zeros(len(sums.low)), sums.matrix, sums.total.astype(np.float64), *sums.ends)
    return solved(ready(asked, {"solver": "ipm", "run_crossover": "off"}))


def _by_lot(many: int, turn: int) -> Pull:
    """Nobody is pulled at first; later all are, a little and by lot, since whole numbers weren't found."""
    sign = np.where(fractions(many, turn) < 0.5, 1, -1).astype(np.int64)
    return Pull(sign, np.full(many, _LITTLE), np.full(many, min(turn, 1)))


def _whole_near(sums: Sums, classes: Joined, point: FloatArray, number: IntArray) -> Iterator[IntArray]:
    """A table in fractions rounded, this way and that, and mended; few classes may be out of bounds."""
    cells, step = classes.first
    fractional = step * point[cells]
    fixed = np.rint(point - classes.steps @ fractional).astype(np.int64)

    def rounding(amounts: FloatArray) -> tuple[IntArray, Room]:
        whole_amounts = np.rint(amounts).astype(np.int64)
        return whole_amounts, room_from(fixed + classes.steps @ whole_amounts, sums, classes, reach=REACH)

    for amounts in mended_roundings(fractional, rounding, number):
        yield fixed + classes.steps @ amounts


def first_inside(
    sums: Sums, classes: Joined, tables: Iterator[IntArray], places: Sequence[IntArray]
) -> IntArray | None:
    """The first of some tables that can be brought within bounds, brought there; None where none of the first few can.

    places: where the classes stand in the trees.
    """
    for table in islice(tables, _TRIED):
        if (inside := _brought_back(sums, classes, table, places)) is not None:
            return inside
    return None


def _brought_back(sums: Sums, classes: Joined, table: IntArray, places: Sequence[IntArray]) -> IntArray | None:
    """A table within bounds: classes outside of them come back one after the other, and none goes out for it.

    None where one doesn't come back, or where many are outside.
    """
    room = room_from(table, sums, classes, reach=REACH)
    outside = np.flatnonzero((room.down < 0) | (room.up < 0))
    if len(outside) > _STRAYS:
        return None
    for name in outside.tolist():
        change = _way_back(room_from(table, sums, classes, reach=REACH), name, places)
        if change is None:
            return None
        table = table + classes.steps @ change
    return table if sums.holds(table) else None


def _way_back(room: Room, name: int, places: Sequence[IntArray]) -> IntArray | None:
    """A change that brings one class back into its room, int64 [k]: among those near it in the trees, or anywhere."""
    others = np.arange(len(room.down)) != name
    down, up = (np.where(others, np.maximum(end, 0), end) for end in (room.down, room.up))
    tries = [*((classes, _NEAR) for classes in near(places, name)), (np.arange(len(down)), _FAR)]
    for classes, steps in tries:
        found = brought_inside(Room(room.sums, down, up).part(classes), steps=steps)
        if found is not None:
            change = np.zeros(len(down), dtype=np.int64)
            change[classes] = found
            return change
    return None


# At a corner, all at once ------------------------------------------------------------------------------------------


def _from_corner(sums: Sums) -> IntArray | None:
    """A table not far from its bounds: a corner in fractions, then whole numbers near it, failing that any."""
    low, high = sums.ends
    bounded = np.where(np.isfinite(low), 1.0, np.where(np.isfinite(high), -1.0, 0.0))
    cost = bounded * (1 + fractions(len(low), 0) / 1000)
    point = corner(cost, sums.matrix, sums.total.astype(np.float64), low, high)
    if point is None:
        return None
    found = whole(sums, point)
    return whole_anywhere(sums) if found is None else found
