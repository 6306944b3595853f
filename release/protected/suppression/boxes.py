"""Neighbourhoods in crossed trees: where a cheap move of one cell is likely to be found, small enough to solve at once.

The box of a cell holds, per dimension, all codes below its parent's code (wider boxes: below its grandparent's, and so
on). Nothing rests on the choice of cells but the cost of what is found: sums that leave a box are kept all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from release.codes import IntArray
from release.protected.suppression.question import BoolArray, FloatArray
from release.protected.suppression.structure import System

MOST_CELLS = 2_500


@dataclass(frozen=True, eq=False)
class Boxes:
    """Neighbourhoods of the groups of cells of a system. group: per cell of the system its group, -1 for none."""

    system: System
    group: IntArray
    cost: FloatArray

    @cached_property
    def _tops(self) -> IntArray:
        """Per group the highest code in each dimension among its cells: [groups, d]."""
        there = np.flatnonzero(self.group >= 0)
        tops = np.full((int(self.group.max(initial=-1)) + 1, len(self.system.dimensions)), -1, dtype=np.int64)
        for d, depth in enumerate(self._depths):
            codes = self.system.cells[there, d]
            order = np.lexsort((codes, -depth[codes]))
            tops[self.group[there][order], d] = codes[order]
        return tops

    @cached_property
    def _depths(self) -> list[IntArray]:
        pairs = zip(self.system.hierarchies, self.system.codes, strict=True)
        return [np.array([min(t.depth[c] for t in trees if c in t.depth) for c in codes]) for trees, codes in pairs]

    @cached_property
    def _parents(self) -> list[IntArray]:
        """Per dimension the parent of each code in the first tree that knows it; the root is its own."""
        found = []
        for trees, codes in zip(self.system.hierarchies, self.system.codes, strict=True):
            place = {code: i for i, code in enumerate(codes)}
            above = {c: t.parents.get(c, c) for t in reversed(trees) for c in t.codes}
            found.append(np.array([place[above[c]] for c in codes]))
        return found

    @cached_property
    def _below(self) -> list[list[BoolArray]]:
        """Per dimension and code: the codes strictly below it; all codes for the root."""
        return [[self._mask(d, i) for i in range(len(codes))] for d, codes in enumerate(self.system.codes)]

    def _mask(self, d: int, code: int) -> BoolArray:
        codes, trees = self.system.codes[d], self.system.hierarchies[d]
        if code == 0:
            return np.ones(len(codes), dtype=bool)
        leaves = next(t.below[codes[code]] for t in trees if codes[code] in t.below)
        first = trees[0]
        inside = [c in first.below and first.below[c] < leaves for c in codes]
        if len(trees) > 1:
            inside = [i or (c not in first.below) for i, c in zip(inside, codes, strict=True)]
        return np.array(inside)

    @cached_property
    def _main(self) -> int:
        return int(np.argmax([len(codes) for codes in self.system.codes]))

    @cached_property
    def _by_code(self) -> list[IntArray]:
        codes = self.system.cells[:, self._main]
        order = np.argsort(codes, kind="stable")
        ends = np.searchsorted(codes[order], np.arange(len(self.system.codes[self._main]) + 1))
        return [order[a:b] for a, b in pairwise(ends.tolist())]

    def keys_of(self, group: int) -> Iterator[tuple[int, ...]]:
        """Names of wider and wider boxes around a group."""
        tops = self._tops[group]
        last: tuple[int, ...] | None = None
        while True:
            tops = np.array([above[i] for above, i in zip(self._parents, tops.tolist(), strict=True)])
            name = tuple(tops.tolist())
            if name == last:
                return
            yield name
            last = name

    def groups_in(self, name: tuple[int, ...]) -> IntArray:
        """Groups with a cell in the box, rising; the cheapest ones where there are too many."""
        masks: list[Any] = [below[code] for below, code in zip(self._below, name, strict=True)]
        cells = np.concatenate([self._by_code[i] for i in np.flatnonzero(masks[self._main]).tolist()])
        for d, mask in enumerate(masks):
            if d != self._main and not mask.all():
                cells = cells[mask[self.system.cells[cells, d]]]
        found = np.unique(self.group[cells])
        return found[found >= 0]
