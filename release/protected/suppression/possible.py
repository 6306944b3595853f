"""Whole-number tables that agree with all that is published: what an outsider can't tell apart."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from release.codes import IntArray
from release.protected.suppression.corners import Room, room_from
from release.protected.suppression.joined import Joined, drawn_signs, joined
from release.protected.suppression.view import BoolArray
from release.protected.suppression.whole import Sums


@dataclass(eq=False)
class Possible:
    """Possible tables of the hidden cells found so far, and the lowest and highest value of each cell among them.

    sums: what every possible table keeps. tables: int64 [h] each. branches: where the cells stand in the trees, each
    [h]. fixed: bool [h], cells found to have one value only. base: the table that changes start from now.
    """

    sums: Sums
    tables: list[IntArray]
    branches: Sequence[IntArray] = ()
    base: IntArray = field(init=False)
    fixed: BoolArray = field(init=False)
    low: IntArray = field(init=False)
    high: IntArray = field(init=False)

    def __post_init__(self) -> None:
        self.base = self.tables[-1]
        self.low, self.high = np.min(self.tables, axis=0), np.max(self.tables, axis=0)
        self.fixed = np.diff(self.joined.steps.indptr) == 0

    @cached_property
    def joined(self) -> Joined:
        """The hidden cells in classes that move together."""
        return joined(self.sums.matrix)

    @cached_property
    def places(self) -> list[IntArray]:
        """Where the classes stand in the trees, each [k]."""
        return self.joined.branches(self.branches)

    def room(self, reach: int) -> Room:
        """How the classes can change from the base, by at most `reach`."""
        return room_from(self.base, self.sums, self.joined, reach=reach)

    def signs_off_bounds(self, turn: int) -> IntArray:
        """A direction for each class, [k]: off the bound it stands at in the base, else by lot (`drawn_signs`)."""
        room = self.room(1)
        return np.where(room.down == 0, 1, np.where(room.up == 0, -1, drawn_signs(len(self.joined), turn)))

    @property
    def width(self) -> IntArray:
        """Difference between the highest and lowest value found, [h]."""
        return np.asarray(self.high - self.low)

    def goals(self, width: IntArray, sign: IntArray, *, wanting: BoolArray) -> tuple[IntArray, IntArray]:
        """How far each class should go from the base in the direction of its sign, and how many of its cells want it.

        Both [k], 0 where none does. width: [h]. wanting: bool [h], the cells that are asked.
        """
        entries = self.joined.steps.tocoo()
        asked = wanting[entries.row]
        cells, classes, step = entries.row[asked], entries.col[asked], entries.data[asked]
        rise, fall = self.low + width - self.base, self.base - (self.high - width)
        goal = np.zeros(len(sign), np.int64)
        np.maximum.at(goal, classes, np.where(step * sign[classes] > 0, rise[cells], fall[cells]))
        votes = np.bincount(classes, minlength=len(sign))
        return np.where(votes > 0, np.maximum(goal, 1), 0), votes

    def wanting(self, width: IntArray) -> BoolArray:
        """Cells that may still get wider and should, bool [h]."""
        return np.asarray((self.width < width) & ~self.fixed)

    def add(self, change: IntArray | None) -> bool:
        """Keeps base + steps @ change if it is possible and shows something new; says whether it did."""
        if change is None:
            return False
        return self.keep(self.base + self.joined.steps @ change)

    def keep(self, table: IntArray) -> bool:
        """Keeps a table if it is possible and shows something new; says whether it did."""
        new = (table < self.low) | (table > self.high)
        if not new.any() or not self.sums.holds(table):
            return False
        self.tables.append(table)
        self.low, self.high = np.minimum(self.low, table), np.maximum(self.high, table)
        return True
