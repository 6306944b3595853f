"""Neighbourhoods in crossed trees: where a cheap move of one cell is likely to be found, small enough to solve at once.

The plain box of a cell holds, per dimension, all codes below its parent's code. Where that is large, a chosen box
holds the cell's own branch and those of a few siblings, the ones that are cheapest to move. Nothing rests on the
choice of cells but the cost of what is found: sums that leave a box are kept all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from release.codes import IntArray
from release.protected.suppression.question import BoolArray, FloatArray
from release.protected.suppression.structure import Hierarchy, System, found_among

_FEW = 8
"""Dimensions of at most so many codes are always taken whole."""


@dataclass(frozen=True, eq=False)
class Boxes:
    """Neighbourhoods of the groups of cells of a system. group: per cell of the system its group, -1 for none."""

    system: System
    group: IntArray

    @cached_property
    def top(self) -> IntArray:
        """Per group its cell of the highest level."""
        there = np.flatnonzero(self.group >= 0)
        level = np.sum([depth[self.system.cells[:, d]] for d, depth in enumerate(self._depths)], axis=0)
        order = there[np.lexsort((there, level[there]))]
        groups, first = np.unique(self.group[order], return_index=True)
        top = np.full(int(groups.max(initial=-1)) + 1, -1, dtype=np.int64)
        top[groups] = order[first]
        return top

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
    def branches(self) -> list[BoolArray]:
        """Per dimension: whether a code (column) is another (row) or below it; codes of further trees always are."""
        return [_branches(t, c) for t, c in zip(self.system.hierarchies, self.system.codes, strict=True)]

    @cached_property
    def _main(self) -> int:
        return int(np.argmax([len(codes) for codes in self.system.codes]))

    @cached_property
    def _by_code(self) -> list[IntArray]:
        codes = self.system.cells[:, self._main]
        order = np.argsort(codes, kind="stable")
        ends = np.searchsorted(codes[order], np.arange(len(self.system.codes[self._main]) + 1))
        return [order[a:b] for a, b in pairwise(ends.tolist())]

    def plain(self, group: int) -> tuple[int, ...]:
        """Name of the plain box of a group: its parents' codes."""
        codes = self.system.cells[self.top[group]].tolist()
        return tuple(int(above[i]) for above, i in zip(self.parents, codes, strict=True))

    def inside(self, name: tuple[int, ...]) -> IntArray:
        """Groups with a cell in a plain box, rising."""
        masks = [branch[code].copy() for branch, code in zip(self.branches, name, strict=True)]
        for mask, code in zip(masks, name, strict=True):
            mask[code] = code == 0
        return self._groups(masks)

    def level(self, group: int) -> tuple[int, ...]:
        """Depth of a group's highest cell in each dimension."""
        codes = self.system.cells[self.top[group]].tolist()
        return tuple(int(depth[i]) for depth, i in zip(self._depths, codes, strict=True))

    def coarse(self, level: tuple[int, ...]) -> IntArray:
        """Groups whose highest cell is no deeper than a level; small dimensions always in full. Rising."""
        cells = self.system.cells[self.top]
        fits = self.top >= 0
        for d, most in enumerate(level):
            if len(self.system.codes[d]) > _FEW:
                fits &= self._depths[d][cells[:, d]] <= most
        return np.flatnonzero(fits)

    def branching(self, group: int, support: IntArray) -> IntArray:
        """Groups in the branches of the codes of a coarse move, those of its deepest level; codes above as they are."""
        level, cells = self.level(group), self.system.cells[self.top[np.append(support, group)]]
        masks = []
        for d, most in enumerate(level):
            codes = np.unique(cells[:, d])
            deepest = codes[self._depths[d][codes] >= most]
            mask = self.branches[d][deepest].any(axis=0)
            mask[codes] = True
            masks.append(mask if len(mask) > _FEW else np.ones(len(mask), dtype=bool))
        return self._groups(masks)

    def chosen(self, group: int, prices: FloatArray, *, siblings: int) -> IntArray:
        """Groups in the branches of a group's own codes and of its cheapest siblings in each dimension, rising."""
        cell = self.top[group]
        return self._groups([self._chosen_codes(int(cell), d, prices, siblings) for d in range(len(self.parents))])

    def _chosen_codes(self, cell: int, d: int, prices: FloatArray, siblings: int) -> BoolArray:
        number, code = len(self.system.codes[d]), int(self.system.cells[cell, d])
        if number <= _FEW:
            return np.ones(number, dtype=bool)
        if code == 0:
            return self._occupied(cell, d)
        others = np.flatnonzero(self.parents[d] == self.parents[d][code])
        others = others[others != code]
        wanted = self.system.keys[cell] + (others - code) * self.system.steps[d]
        there = found_among(self.system.keys, wanted)
        group = np.where(there >= 0, self.group[there], -1)
        price = np.where(group >= 0, prices[group], np.inf)
        best = others[np.argsort(price, kind="stable")[:siblings]]
        return np.asarray(self.branches[d][np.append(best, code)].any(axis=0))

    def _occupied(self, cell: int, d: int) -> BoolArray:
        """Codes of a dimension that occur below a cell that stands at the root there, and all above them."""
        codes, leaves = self.system.cells[cell], self.system.leaves
        below = np.ones(len(leaves), dtype=bool)
        for k, code in enumerate(codes.tolist()):
            below &= self.branches[k][code][leaves[:, k]]
        return np.asarray(self.branches[d][:, np.unique(leaves[below, d])].any(axis=1))

    def _groups(self, masks: list[BoolArray]) -> IntArray:
        cells = np.concatenate([self._by_code[i] for i in np.flatnonzero(masks[self._main]).tolist()])
        for d, mask in enumerate(masks):
            if d != self._main and not mask.all():
                cells = cells[mask[self.system.cells[cells, d]]]
        found = np.unique(self.group[cells])
        return found[found >= 0]


def _branches(trees: tuple[Hierarchy, ...], codes: tuple[str, ...]) -> BoolArray:
    place = {code: i for i, code in enumerate(codes)}
    found = np.eye(len(codes), dtype=bool)
    for tree in trees:
        for code in tree.codes:
            for above in tree.path(code):
                found[place[above], place[code]] = True
    for code in codes:
        if code not in trees[0].depth:
            found[:, place[code]] = True
    return found
