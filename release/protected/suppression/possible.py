"""Whole-number tables that agree with all that is published: what an outsider can't tell apart.

One table in the middle of the possible ones first, then others as far from it as wished at as many cells at once as
possible: a linear program with rewards that differ from cell to cell, so that no two changes cancel each other. A few
tables show the width of every cell; for the rare rest each cell gets its own program.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from release.codes import IntArray
from release.protected.suppression.joined import Joined, joined, mixed
from release.protected.suppression.view import NO_BOUND, BoolArray
from release.protected.suppression.whole import NEAR, FloatArray, Sums, corner, whole

_ROUNDS = 40
_PATIENCE = 4
_TURNED = 4
_FAR = 16
_REACH = 2**40
_ALONE = 400
"""Cells that get a program of their own when the rounds are over."""


@dataclass(eq=False)
class Possible:
    """Possible tables of the hidden cells found so far, and the lowest and highest value of each cell among them.

    sums: what every possible table keeps. tables: int64 [h] each, the first is the base that moves start from.
    fixed: bool [h], cells found to have one possible value only.
    """

    sums: Sums
    tables: list[IntArray]
    fixed: BoolArray = field(init=False)
    low: IntArray = field(init=False)
    high: IntArray = field(init=False)

    def __post_init__(self) -> None:
        self.low = np.min(self.tables, axis=0)
        self.high = np.max(self.tables, axis=0)
        self.fixed = np.diff(self.joined.steps.indptr) == 0

    @property
    def base(self) -> IntArray:
        return self.tables[0]

    @cached_property
    def joined(self) -> Joined:
        """The hidden cells in classes that move together."""
        return joined(self.sums.matrix)

    @cached_property
    def room(self) -> tuple[IntArray, IntArray]:
        """How far each class may go down and up from the base."""
        return self.joined.room(self.base - self.sums.low, self.sums.high - self.base)

    @property
    def width(self) -> IntArray:
        """Difference between the highest and lowest value found, [h]."""
        return np.asarray(self.high - self.low)

    @cached_property
    def around_base(self) -> Sums:
        """What the classes' shifts from the base keep."""
        down, up = self.room
        return Sums(self.joined.sums, np.zeros(self.joined.sums.shape[0], np.int64), -down, up)

    def wanting(self, width: IntArray) -> BoolArray:
        """Cells that may still get wider and should, bool [h]."""
        return np.asarray((self.width < width) & ~self.fixed)

    def add(self, shift: IntArray | None) -> bool:
        """Keeps base + steps @ shift if it is possible and shows something new; says whether it did."""
        if shift is None:
            return False
        table = self.base + self.joined.steps @ shift
        new = (table < self.low) | (table > self.high)
        if not new.any() or not self.sums.holds(table):
            return False
        self.tables.append(table)
        self.low, self.high = np.minimum(self.low, table), np.maximum(self.high, table)
        return True


def middle(sums: Sums, *, inside: int = 1) -> IntArray | None:
    """A whole-number table with as many cells as possible `inside` or more above their lower bound; None if none found.

    It depends on the sums and bounds alone, so on nothing that isn't published when they come from a view.
    """
    start = np.where(sums.low > -NO_BOUND, sums.low, np.where(sums.high < NO_BOUND, sums.high, 0))
    wished = np.where(sums.low > -NO_BOUND, np.minimum(inside, _half(sums.high - start)), 0).astype(np.float64)
    total = (sums.total - sums.matrix @ start).astype(np.float64)
    low = np.where(sums.low <= -NO_BOUND, -np.inf, sums.low - start)
    high = np.where(sums.high >= NO_BOUND, np.inf, sums.high - start)
    many = len(start)
    cost = np.concatenate([-np.ones(many), np.zeros(many)])
    lows, highs = np.concatenate([np.zeros(many), low]), np.concatenate([wished, high - wished])
    found = corner(cost, _beside(sums.matrix, sums.matrix), total, lows, highs)
    return None if found is None else whole(sums, start + found[:many] + found[many:])


def spread(possible: Possible, width: IntArray) -> None:
    """Adds possible tables until every cell that can has a width of at least `width` [h]; marks the fixed ones."""
    _by_rounds(possible, width)
    for cell in np.flatnonzero(possible.wanting(width))[:_ALONE]:
        if possible.wanting(width)[cell]:
            reach_alone(possible, int(cell), int(width[cell]))


def _by_rounds(possible: Possible, width: IntArray) -> None:
    """Far corners for all cells in want at once, until nothing is gained any more."""
    idle = still = 0
    for turn in range(_ROUNDS):
        wanting = possible.wanting(width)
        if not wanting.any() or idle >= _PATIENCE:
            return
        point, chosen = far_corner(possible, wanting, width, turn)
        possible.add(whole(possible.around_base, point))
        idle = 0 if possible.wanting(width).sum() < wanting.sum() else idle + 1
        still = 0 if np.abs(point[chosen]).max(initial=0) > NEAR or turn < _TURNED else still + 1
        if still == 2 and turn % 2 == 1:
            possible.fixed |= wanting & (possible.width == 0)
            still = 0


def far_corner(possible: Possible, wanting: BoolArray, width: IntArray, turn: int) -> tuple[FloatArray, IntArray]:
    """The classes' shift [k] that goes furthest for the cells in want, and the classes that hold them.

    Each such class is rewarded up to what its cells still want, in a direction and with a weight drawn anew every other
    turn and turned round in between. With such weights no two changes cancel each other, so when neither the corner nor
    the opposite one moves anything, none of these classes can move from the base.
    """
    sign, weight = _drawn(possible, turn)
    goal, votes = _goals(possible, wanting, width, sign)
    reach = _FAR + 4 * int(goal.max(initial=1))
    down, up = (np.minimum(side, reach).astype(np.float64) for side in possible.room)
    chosen, others = np.flatnonzero(votes), np.flatnonzero(votes == 0)
    low, high, ahead = -down[chosen], up[chosen], sign[chosen] > 0
    first_low, first_high = (
        np.where(ahead, low, np.maximum(low, -goal[chosen])),
        np.where(ahead, np.minimum(high, goal[chosen]), high),
    )
    slope = -(weight * votes * sign / np.maximum(goal, 1))[chosen]
    sums = possible.joined.sums
    found = corner(
        np.concatenate([slope, np.zeros(len(chosen) + len(others))]),
        _beside(sums[:, chosen], sums[:, chosen], sums[:, others]),
        np.zeros(sums.shape[0]),
        np.concatenate([first_low, np.where(ahead, 0, low - first_low), -down[others]]),
        np.concatenate([first_high, np.where(ahead, high - first_high, 0), up[others]]),
    )
    shift = np.zeros(len(sign))
    if found is not None:
        shift[chosen] = found[: len(chosen)] + found[len(chosen) : 2 * len(chosen)]
        shift[others] = found[2 * len(chosen) :]
    return shift, chosen


def reach_alone(possible: Possible, cell: int, width: int) -> None:
    """One cell as high and as low as it can get from the base: widens it, or marks it and its class as fixed."""
    name = int(possible.joined.steps[[cell]].tocoo().col[0])
    ends = [_end(possible, name, direction) for direction in (-1, 1)]
    if max(abs(end) for end in ends) < 1 - NEAR:
        possible.fixed[possible.joined.steps[:, [name]].tocoo().row] = True
        return
    for direction, end in zip((-1, 1), ends, strict=True):
        if possible.width[cell] < width and abs(end) >= 1 - NEAR:
            possible.add(_integer_end(possible, name, direction)[1])


def ends_of_class(possible: Possible, name: int) -> tuple[int, int]:
    """How far one class can go down (<= 0) and up in whole numbers: reached, or proven not to be passed."""
    down, up = (_whole_end(possible, name, direction) for direction in (-1, 1))
    return down, up


def _whole_end(possible: Possible, name: int, direction: int) -> int:
    limit = int(np.floor(abs(_end(possible, name, direction)) + NEAR))
    reached = _reached(possible, name, direction)
    if reached >= limit:
        return direction * limit
    proven, shift = _integer_end(possible, name, direction)
    possible.add(shift)
    return direction * min(limit, proven)


def _reached(possible: Possible, name: int, direction: int) -> int:
    """How far the possible tables found so far take one class in a direction."""
    entries = possible.joined.steps[:, [name]].tocoo()
    cell, step = int(entries.row[0]), int(entries.data[0])
    end = possible.high[cell] if step * direction > 0 else possible.low[cell]
    return int(abs(end - possible.base[cell]))


def _end(possible: Possible, name: int, direction: int) -> float:
    """How far one class gets in a direction, in fractions; the corner is kept when it can be made whole."""
    sums = possible.joined.sums
    cost = np.zeros(sums.shape[1])
    cost[name] = -direction
    down, up = (np.minimum(side, _REACH).astype(np.float64) for side in possible.room)
    point = corner(cost, sums, np.zeros(sums.shape[0]), -down, up)
    if point is None:
        return float(direction * _REACH)
    possible.add(whole(possible.around_base, point))
    return float(point[name])


def _integer_end(possible: Possible, name: int, direction: int) -> tuple[int, IntArray | None]:
    """The most that one class can move in a direction in whole numbers (proven), and the best shift that was found."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    sums = possible.joined.sums
    cost = np.zeros(sums.shape[1])
    cost[name] = -direction
    down, up = (np.minimum(side, _REACH).astype(np.float64) for side in possible.room)
    still = np.zeros(sums.shape[0])
    rules = LinearConstraint(sums, still, still)
    found = milp(
        cost, constraints=rules, bounds=Bounds(-down, up), integrality=np.ones(len(cost)), options={"node_limit": 500}
    )
    proven = _REACH if found.mip_dual_bound is None else int(np.floor(-found.mip_dual_bound + NEAR))
    return proven, None if found.x is None else np.round(found.x).astype(np.int64)


def _drawn(possible: Possible, turn: int) -> tuple[IntArray, FloatArray]:
    """Direction and weight of each class; in the first turns turned away from the bounds that a class stands at."""
    draw = mixed(np.arange(possible.joined.steps.shape[1]), turn // 2)
    sign = np.where(draw & np.uint64(1), 1, -1) * (1 if turn % 2 == 0 else -1)
    weight = 0.7 + 0.6 * (draw >> np.uint64(11)).astype(np.float64) / 2.0**53
    if turn < _TURNED:
        down, up = possible.room
        sign = np.where(down == 0, 1, np.where(up == 0, -1, sign))
    return sign.astype(np.int64), weight


def _goals(possible: Possible, wanting: BoolArray, width: IntArray, sign: IntArray) -> tuple[IntArray, IntArray]:
    """How far each class should go in the direction of its sign, and how many of its cells want it to, both [k]."""
    entries = possible.joined.steps.tocoo()
    asked = wanting[entries.row]
    cells, classes, step = entries.row[asked], entries.col[asked], entries.data[asked]
    upwards = step * sign[classes] > 0
    rise = possible.low + width - possible.base
    fall = possible.base - (possible.high - width)
    goal = np.zeros(len(sign), np.int64)
    np.maximum.at(goal, classes, np.where(upwards, rise[cells], fall[cells]))
    return goal, np.bincount(classes, minlength=len(sign))


def _half(room: IntArray) -> IntArray:
    return np.maximum(room // 2, 0)


def _beside(*parts: Any) -> Any:
    from scipy import sparse

    return sparse.hstack(parts, format="csc")
