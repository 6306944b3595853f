"""Where the groups of a joined question stand in the trees of its system."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from release.codes import IntArray
from release.protected.suppression.structure import System


def branches_of(system: System) -> list[IntArray]:
    """Where each cell of a system stands in its trees, as `Boxes.branches`: from codes only, which are public."""
    return Boxes(system, np.arange(len(system))).branches


@dataclass(frozen=True, eq=False)
class Boxes:
    """Places of the groups of cells of a system. group: per cell of the system its group, -1 for none."""

    system: System
    group: IntArray

    @cached_property
    def _depths(self) -> list[IntArray]:
        pairs = zip(self.system.hierarchies, self.system.codes, strict=True)
        return [np.array([min(t.depth[c] for t in trees if c in t.depth) for c in codes]) for trees, codes in pairs]

    @cached_property
    def parents(self) -> list[IntArray]:
        """Per dimension the parent of each code in the first tree that knows it; the root is its own."""
        found = []
        for trees, codes in zip(self.system.hierarchies, self.system.codes, strict=True):
            place = {code: i for i, code in enumerate(codes)}
            above = {c: t.parents.get(c, c) for t in reversed(trees) for c in t.codes}
            found.append(np.array([place[above[c]] for c in codes]))
        return found

    @cached_property
    def branches(self) -> list[IntArray]:
        """Per dimension and depth: per group 0 if a cell of it stands at that depth or above, else its branch."""
        return [branch for _, branch in self._told]

    @cached_property
    def apart(self) -> list[IntArray]:
        """The branches that no sum crosses: none of dimensions where trees overlap; all, where that leaves none."""
        apart = [branch for d, branch in self._told if len(self.system.hierarchies[d]) == 1]
        return apart or self.branches

    @cached_property
    def _told(self) -> list[tuple[int, IntArray]]:
        depths = range(max(int(depth.max(initial=0)) for depth in self._depths))
        found = [(d, self._branch(d, depth)) for d in range(len(self._depths)) for depth in depths]
        return [(d, branch) for d, branch in found if branch.any()]

    def _branch(self, d: int, level: int) -> IntArray:
        number = branch_of_codes(self.parents[d], self._depths[d], level)
        there = np.flatnonzero(self.group >= 0)
        least = np.full(int(self.group.max(initial=-1)) + 1, len(number), dtype=np.int64)
        np.minimum.at(least, self.group[there], number[self.system.cells[there, d]])
        return least


def branch_of_codes(parents: IntArray, depth: IntArray, level: int) -> IntArray:
    """Per code 0 if it stands at a level or above, else the code at that level below which it stands.

    parents: of each code; the top is code 0, its own parent. depth: of each code, 0 at the top.
    """
    branch = np.arange(len(depth))
    while (deep := depth[branch] > level).any():
        branch[deep] = parents[branch[deep]]
    return np.where(depth > level, branch, 0)
