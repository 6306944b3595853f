"""The search for possible tables, until every cell that can is as wide as asked.

One possible table first, then others that are as far from it as wished at as many cells at once as possible. A few
tables show the width of every cell; for the rare rest each cell gets a program of its own.
"""

import numpy as np

from release.codes import IntArray
from release.protected.suppression.corners import REACH, Pull, furthest, furthest_whole, pulled
from release.protected.suppression.joined import drawn_signs, fractions
from release.protected.suppression.possible import Possible
from release.protected.suppression.steps import spread_large
from release.protected.suppression.view import BoolArray
from release.protected.suppression.whole import NEAR, FloatArray, whole

_TURNS = 60
_PATIENCE = 4
_BLOCK = 2_500
_LARGE = 1_000
"""More classes than this are searched piece by piece from the beginning, where trees are known."""
_FEW = 40
"""So many cells get programs of their own at once; of more most are found piece by piece, where trees are known."""
_FAR = 16
_NODES = 500
_NEARBY = 1_500


def spread(possible: Possible, width: IntArray, *, alone: int = 400) -> None:
    """Adds possible tables until every cell that can has a width of at least `width` [h]; marks the fixed ones.

    alone: cells that get programs of their own at most when all have been pulled at together.
    """
    trees = len(possible.branches) > 0
    if not trees or len(possible.joined) <= _LARGE:
        _by_turns(possible, width)
    if trees and possible.wanting(width).sum() > _FEW:
        spread_large(possible, width)
    if possible.wanting(width).sum() > alone:
        _settle(possible, width)
    for cell in np.flatnonzero(possible.wanting(width))[:alone]:
        if possible.wanting(width)[cell]:
            reach_alone(possible, int(cell), int(width[cell]))


def _by_turns(possible: Possible, width: IntArray) -> None:
    """Pulls at all cells in want at once, turn by turn, in larger blocks as gains shrink; then settles the rest."""
    many = len(possible.joined)
    size, idle = min(_BLOCK, many), 0
    for turn in range(_TURNS):
        wanting = possible.wanting(width)
        if not wanting.any():
            return
        change, _ = _pull(possible, wanting, width, (turn, size, False))
        if possible.add(change) and turn < _PATIENCE:
            possible.base = possible.tables[-1]
        gained = wanting.sum() - possible.wanting(width).sum()
        idle = idle + 1 if gained == 0 and size >= many else 0
        if idle >= 2:
            break
        if turn % 2 == 1 and gained < wanting.sum() / 20:
            size = min(2 * size, many)
    _settle(possible, width)


def _settle(possible: Possible, width: IntArray) -> None:
    """Pulls without end, both ways: what moves in no program is fixed; what moves in fractions only is left over."""
    many = len(possible.joined)
    left_over = np.zeros(many, bool)
    still = 0
    for turn in range(_TURNS, 2 * _TURNS):
        open_cells = possible.wanting(width) & (abs(possible.joined.steps) @ left_over.astype(np.int64) == 0)
        if not open_cells.any():
            return
        change, moved = _pull(possible, open_cells, width, (turn, many, True))
        possible.add(change)
        still = 0 if moved.any() else still + 1
        if still >= 2 and turn % 2 == 1:
            possible.fixed |= open_cells & (possible.width == 0)
            return
        left_over |= moved & (abs(possible.joined.steps.T) @ possible.wanting(width).astype(np.int64) > 0)


def _pull(
    possible: Possible, wanting: BoolArray, width: IntArray, at: tuple[int, int, bool]
) -> tuple[IntArray, BoolArray]:
    """One pull at the cells in want: the change, and which of their classes could move. at: turn, block size, endless.

    Only where rewards have no end and changes no other bounds than the table's own, no change at all in two opposite
    turns proves that there is none.
    """
    turn, size, endless = at
    sign, weight = _drawn(possible, turn)
    goal, votes = possible.goals(width, sign, wanting=wanting)
    goal = np.where(votes > 0, REACH, 0) if endless else goal
    room = possible.room(REACH if endless else _FAR + 4 * int(goal.max(initial=1)))
    pull = Pull(sign, weight * np.maximum(votes, 1), goal)
    return pulled(room, pull, size=size, offset=size // 2 * (turn // 2 % 2) if size < len(sign) else 0)


def _drawn(possible: Possible, turn: int) -> tuple[IntArray, FloatArray]:
    """Direction and weight of each class, drawn anew every other turn and turned round in between.

    In the first turns classes that stand at a bound are turned away from it.
    """
    many = len(possible.joined)
    sign = possible.signs_off_bounds(turn) if turn < _PATIENCE else drawn_signs(many, turn)
    return sign, 0.7 + 0.6 * fractions(many, 2 * (turn // 2) + 2)


def reach_alone(possible: Possible, cell: int, width: int) -> None:
    """One cell as high and as low as it can get from the base: widens it, or marks it and its class as fixed."""
    name = int(possible.joined.steps[[cell]].tocoo().col[0])
    ends = [_end(possible, name, direction) for direction in (-1, 1)]
    if max(ends) < 1 - NEAR:
        possible.fixed[possible.joined.steps[:, [name]].tocoo().row] |= possible.width[cell] == 0
        return
    for direction, end in zip((-1, 1), ends, strict=True):
        if possible.width[cell] < width and end >= 1 - NEAR:
            possible.add(furthest_whole(possible.room(REACH), name, direction, nodes=_NODES)[1])


def ends_of_class(possible: Possible, name: int) -> tuple[int, int]:
    """How far one class can go down and up (both >= 0) in whole numbers: reached, or proven not to be passed."""
    down, up = (_whole_end(possible, name, direction) for direction in (-1, 1))
    return down, up


def _whole_end(possible: Possible, name: int, direction: int) -> int:
    limit = int(np.floor(_end(possible, name, direction) + NEAR))
    if _reached(possible, name, direction) >= limit:
        return limit
    proven, change = furthest_whole(possible.room(REACH), name, direction, nodes=_NODES)
    possible.add(change)
    return limit if proven is None else min(limit, proven)


def _reached(possible: Possible, name: int, direction: int) -> int:
    """How far from the base the possible tables found so far take one class in a direction."""
    entries = possible.joined.steps[:, [name]].tocoo()
    cell, step = int(entries.row[0]), int(entries.data[0])
    end = possible.high[cell] if step * direction > 0 else possible.low[cell]
    return int(abs(end - possible.base[cell]))


def _end(possible: Possible, name: int, direction: int) -> float:
    """How far one class gets in a direction, in fractions (>= 0); the corner is kept when it can be made whole."""
    room = possible.room(REACH)
    point = furthest(room, name, direction)
    if point is None:
        return float(REACH)
    possible.add(whole(room.around(), point, largest=_NEARBY))
    return float(abs(point[name]))
