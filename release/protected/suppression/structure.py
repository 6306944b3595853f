"""The structure of exact tables: trees of codes, cells by key, and every sum that a reader can write down.

A *cell* is one combination of codes, a *relation* one sum: a total equals its parts. Linked tables share cells by
key: a dimension that a table lacks stands at its root. Cells that no leaf combination reaches don't exist here: they
are zeros that everybody may know.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from release.codes import IntArray
from release.errors import DataError, Fault, PolicyError, nearest

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Codes = npt.NDArray[np.int32]
Table = Sequence[str] | Mapping[str, int]
"""A table's dimensions; as a mapping, with the number of levels below the root that it shows of each."""


@dataclass(frozen=True)
class Hierarchy:
    """One tree over the codes of a dimension. `parents`: parent of every code but the root. Raises PolicyError."""

    name: str
    parents: Mapping[str, str]

    def __post_init__(self) -> None:
        faults = tuple(self._faults())
        if faults:
            raise PolicyError(faults)

    @classmethod
    def from_edges(cls, name: str, edges: Iterable[tuple[str, str]]) -> Hierarchy:
        """A tree from (parent, child) pairs; a child with two parents is refused."""
        pairs = list(dict.fromkeys(edges))
        twice = _repeated([child for _, child in pairs])
        if twice:
            raise PolicyError(f"codes of tree {name} have two parents: {_some(twice)}", now="give each code one parent")
        return cls(name, {child: parent for parent, child in pairs})

    @classmethod
    def flat(cls, name: str, leaves: Iterable[str], *, root: str = "Total") -> Hierarchy:
        """A total with its parts, no levels between."""
        return cls(name, dict.fromkeys(leaves, root))

    def _faults(self) -> Iterable[Fault]:
        roots = sorted(set(self.parents.values()) - set(self.parents))
        if len(roots) > 1:
            yield Fault(f"tree {self.name} has several totals: {_some(roots)}", now="give all but one a parent")
        if not self.parents:
            yield Fault(f"tree {self.name} has no codes", now="name the total and its parts")
        elif looping := self._looping():
            yield Fault(f"codes of tree {self.name} run in a circle: {_some(looping)}", now="correct their parents")

    def _looping(self) -> list[str]:
        reached = set(self.parents.values()) - set(self.parents)
        children = self.children
        edge = list(reached)
        while edge:
            edge = [child for code in edge for child in children.get(code, ())]
            reached.update(edge)
        return sorted(set(self.parents) - reached)

    @cached_property
    def root(self) -> str:
        """The total."""
        return next(iter(set(self.parents.values()) - set(self.parents)))

    @cached_property
    def children(self) -> Mapping[str, tuple[str, ...]]:
        """Children of every total, in the order given."""
        found: dict[str, list[str]] = {}
        for child, parent in self.parents.items():
            found.setdefault(parent, []).append(child)
        return {parent: tuple(codes) for parent, codes in found.items()}

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """All codes, level by level, the root first."""
        return tuple(self.depth)

    @cached_property
    def leaves(self) -> tuple[str, ...]:
        """Codes without children."""
        return tuple(code for code in self.codes if code not in self.children)

    @cached_property
    def depth(self) -> Mapping[str, int]:
        """Levels below the root of every code."""
        found, edge = {self.root: 0}, [self.root]
        while edge:
            edge = [child for code in edge for child in self.children.get(code, ())]
            found.update((code, found[self.parents[code]] + 1) for code in edge)
        return found

    def path(self, code: str) -> tuple[str, ...]:
        """The code and all above it, up to the root."""
        steps = [code]
        while steps[-1] != self.root:
            steps.append(self.parents[steps[-1]])
        return tuple(steps)

    @cached_property
    def below(self) -> Mapping[str, frozenset[str]]:
        """Leaves below each code (a leaf: itself)."""
        found: dict[str, set[str]] = {code: set() for code in self.codes}
        for leaf in self.leaves:
            for code in self.path(leaf):
                found[code].add(leaf)
        return {code: frozenset(leaves) for code, leaves in found.items()}


@dataclass(frozen=True, eq=False)
class System:
    """All cells of one or more tables and all sums between them; `relations @ values == 0` for true tables.

    codes: per dimension all codes of all its trees, the root first. cells: [n, d], index of each cell's code per
    dimension, in key order. relations: int8 [m, n], one sum a row, -1 at the total and +1 at its parts; `along` [m]
    is the dimension that each sums over. leaves: [k, d], the leaf combinations, in the order given. tables: per table
    and dimension the number of levels shown.
    """

    dimensions: tuple[str, ...]
    codes: tuple[tuple[str, ...], ...]
    cells: Codes
    relations: csr_array
    along: Codes
    leaves: Codes
    hierarchies: tuple[tuple[Hierarchy, ...], ...] = field(repr=False)
    tables: tuple[tuple[int, ...], ...] = field(repr=False)

    def __len__(self) -> int:
        return len(self.cells)

    @cached_property
    def keys(self) -> IntArray:
        """One number per cell, rising: its place in the full cross."""
        return _keys(self.cells, self.codes)

    @property
    def steps(self) -> IntArray:
        """How much a key grows when a dimension's code goes one up."""
        return _steps(self.codes)

    def key(self, cell: int) -> tuple[str, ...]:
        """The codes of a cell."""
        return tuple(names[i] for names, i in zip(self.codes, self.cells[cell].tolist(), strict=True))

    def places(self, columns: Mapping[str, Sequence[str]]) -> IntArray:
        """Index of the cell of each row of codes; -1 where there is none. A dimension left out stands at its root."""
        length = len(next(iter(columns.values())))
        wanted = np.zeros((length, len(self.dimensions)), dtype=np.int32)
        for d, name in enumerate(self.dimensions):
            if name in columns:
                wanted[:, d] = _indices(name, self.codes[d], columns[name])
        return found_among(self.keys, _keys(wanted, self.codes))


def crossed(
    dimensions: Mapping[str, Sequence[Hierarchy]],
    *,
    leaves: Mapping[str, Sequence[str]] | None = None,
    tables: Sequence[Table] | None = None,
) -> System:
    """All cells of the given tables over crossed trees, and every sum between them.

    dimensions: per dimension one or more trees over the same leaves. leaves: the leaf combinations that exist, one
    column per dimension (all combinations when not given). tables: each a set of dimensions, or the number of levels
    shown per dimension; one table of everything when not given. Raises PolicyError on trees that don't fit together,
    DataError on codes that are no leaves.
    """
    trees = tuple(_checked(name, tuple(given)) for name, given in dimensions.items())
    codes = tuple(_all_codes(given) for given in trees)
    rows = _every_leaf(trees, codes) if leaves is None else _leaf_rows(dimensions, trees, codes, leaves)
    shown = _levels_shown(tuple(dimensions), trees, tables)
    keys = np.unique(np.concatenate([_keys_of_table(rows, trees, codes, depths) for depths in shown]))
    cells = _cells(keys, codes)
    relations, along = _relations(keys, cells, trees, codes, shown)
    return System(tuple(dimensions), codes, cells, relations, along, rows, trees, shown)


def folded(system: System, inner: IntArray) -> IntArray:
    """Values of every cell from those at the leaf combinations (same order as `system.leaves`). int64 [n]."""
    values = np.zeros(len(system), dtype=np.int64)
    for depths in system.tables:
        keys, sums = _rolled_up(system.leaves, inner, system.hierarchies, system.codes, depths)
        values[np.searchsorted(system.keys, keys)] = sums
    return values


def _checked(name: str, trees: tuple[Hierarchy, ...]) -> tuple[Hierarchy, ...]:
    """The trees of a dimension, if they have one root, the same leaves, and mean the same by the same code."""
    faults = []
    for other in trees[1:]:
        if other.root != trees[0].root:
            faults.append(Fault(f"trees of dimension {name} have different totals", now="call both totals the same"))
        missing = sorted(set(trees[0].leaves) ^ set(other.leaves))
        if missing:
            faults.append(Fault(f"trees of dimension {name} have different leaves: {_some(missing)}"))
        unlike = sorted(c for c in set(trees[0].codes) & set(other.codes) if trees[0].below[c] != other.below[c])
        if unlike and not missing:
            faults.append(Fault(f"trees of dimension {name} mean different things by the codes {_some(unlike)}"))
    if not trees:
        faults.append(Fault(f"dimension {name} has no tree"))
    if faults:
        raise PolicyError(faults)
    return trees


def _all_codes(trees: tuple[Hierarchy, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(code for tree in trees for code in tree.codes))


def _every_leaf(trees: tuple[tuple[Hierarchy, ...], ...], codes: tuple[tuple[str, ...], ...]) -> Codes:
    places = [[names.index(leaf) for leaf in given[0].leaves] for given, names in zip(trees, codes, strict=True)]
    return np.stack([grid.ravel() for grid in np.meshgrid(*places, indexing="ij")], axis=1).astype(np.int32)


def _leaf_rows(
    dimensions: Iterable[str],
    trees: tuple[tuple[Hierarchy, ...], ...],
    codes: tuple[tuple[str, ...], ...],
    leaves: Mapping[str, Sequence[str]],
) -> Codes:
    columns = []
    for name, given, names in zip(dimensions, trees, codes, strict=True):
        if name not in leaves:
            raise DataError(f"the cells lack dimension {name}", now=nearest(name, leaves))
        column = _indices(name, names, leaves[name])
        totals = sorted({names[i] for i in np.unique(column).tolist()} - set(given[0].leaves))
        if totals:
            raise DataError(f"codes of dimension {name} are both leaf and total: {_some(totals)}")
        columns.append(column)
    return np.stack(columns, axis=1).astype(np.int32)


def _indices(name: str, codes: tuple[str, ...], column: Sequence[str]) -> Codes:
    import pandas as pd

    found = pd.Index(codes).get_indexer(pd.Index(np.asarray(column, dtype=object)))
    if (found < 0).any():
        unknown = sorted({str(c) for c, i in zip(column, found.tolist(), strict=True) if i < 0})
        raise DataError(f"codes of dimension {name} are in no tree: {_some(unknown)}", now=nearest(unknown[0], codes))
    return np.asarray(found, dtype=np.int32)


def _levels_shown(
    names: tuple[str, ...], trees: tuple[tuple[Hierarchy, ...], ...], tables: Sequence[Table] | None
) -> tuple[tuple[int, ...], ...]:
    """Per table and dimension how many levels below the root it shows; 0 for a dimension that it lacks."""
    whole = tuple(max(max(tree.depth.values()) for tree in given) for given in trees)
    if tables is None:
        return (whole,)
    if not len(tables):
        raise PolicyError("no table is named", now="name one, or leave tables out for one table of all dimensions")
    most = dict(zip(names, whole, strict=True))
    return tuple(dict.fromkeys(_levels_of(table, most) for table in tables))


def _levels_of(table: Table, most: Mapping[str, int]) -> tuple[int, ...]:
    """Levels below the root that one table shows, all where it asks for more. most: levels of each dimension."""
    if isinstance(table, str):
        raise PolicyError("a table is a list of dimensions, or a mapping from dimensions to levels")
    levels = table if isinstance(table, Mapping) else {name: most.get(name, 0) for name in table}
    for name, level in levels.items():
        if name not in most:
            raise PolicyError(f"a table names dimension {name}", now=nearest(name, most))
        if not isinstance(level, int) or level < 0:
            raise PolicyError(
                f"a table shows {level} levels of dimension {name}", now="write a whole number, at least 0"
            )
    return tuple(min(levels.get(name, 0), there) for name, there in most.items())


def _paths(trees: tuple[Hierarchy, ...], codes: tuple[str, ...], shown: int) -> list[IntArray]:
    """For every code that is a leaf: indices of all codes above it (itself included) that a table shows."""
    place = {code: i for i, code in enumerate(codes)}
    found: list[IntArray] = [np.empty(0, dtype=np.int64)] * len(codes)
    for leaf in trees[0].leaves:
        above = {place[c] for tree in trees for c in tree.path(leaf) if tree.depth[c] <= shown}
        found[place[leaf]] = np.array(sorted(above), dtype=np.int64)
    return found


def _rolled_up(
    rows: Codes,
    inner: IntArray | None,
    trees: tuple[tuple[Hierarchy, ...], ...],
    codes: tuple[tuple[str, ...], ...],
    depths: tuple[int, ...],
) -> tuple[IntArray, IntArray]:
    """Keys of a table's cells, rising, and the sums of `inner` there: one dimension after the other, joined between."""
    steps = _steps(codes)
    keys, at = np.unique(_keys(rows, codes), return_inverse=True)
    values = np.zeros(len(keys), dtype=np.int64)
    if inner is not None:
        np.add.at(values, at, inner)
    for d, (given, names) in enumerate(zip(trees, codes, strict=True)):
        paths = _paths(given, names, depths[d])
        leaf = (keys // steps[d]) % len(names)
        above = [paths[i] for i in leaf.tolist()]
        lengths = np.array([len(p) for p in above])
        spread = np.repeat(keys - leaf * steps[d], lengths) + np.concatenate(above) * steps[d]
        keys, at = np.unique(spread, return_inverse=True)
        parts, values = np.repeat(values, lengths), np.zeros(len(keys), dtype=np.int64)
        np.add.at(values, at, parts)
    return keys, values


def _keys_of_table(
    rows: Codes, trees: tuple[tuple[Hierarchy, ...], ...], codes: tuple[tuple[str, ...], ...], depths: tuple[int, ...]
) -> IntArray:
    return _rolled_up(rows, None, trees, codes, depths)[0]


def _relations(
    keys: IntArray,
    cells: Codes,
    trees: tuple[tuple[Hierarchy, ...], ...],
    codes: tuple[tuple[str, ...], ...],
    shown: tuple[tuple[int, ...], ...],
) -> tuple[Any, Codes]:
    """All sums between cells, each once; and the dimension that each sums over."""
    totals, parts = [], []
    for d, given in enumerate(trees):
        for t, tree in enumerate(given):
            child, total = _steps_up(keys, cells, tree, codes, d)
            there = _shown_together(child, cells, (trees, codes, shown), tree, d)
            totals.append(total[there] * len(trees) * 8 + d * 8 + t)
            parts.append(child[there])
    sums, row = np.unique(np.concatenate(totals), return_inverse=True)
    return _as_matrix(sums, row, np.concatenate(parts), len(trees), len(keys))


def _as_matrix(names: IntArray, row: IntArray, parts: IntArray, dimensions: int, cells: int) -> tuple[Any, Codes]:
    from scipy.sparse import csr_array

    signs = np.concatenate([np.ones(len(parts), np.int8), np.full(len(names), -1, np.int8)])
    at = np.concatenate([row, np.arange(len(names))]), np.concatenate([parts, names // (dimensions * 8)])
    matrix = csr_array((signs, at), shape=(len(names), cells))
    matrix.sort_indices()
    return matrix, ((names // 8) % dimensions).astype(np.int32)


def _steps_up(
    keys: IntArray, cells: Codes, tree: Hierarchy, codes: tuple[tuple[str, ...], ...], d: int
) -> tuple[IntArray, IntArray]:
    """All pairs (cell, cell of the same key but for the parent's code in dimension d) that both exist."""
    place = {code: i for i, code in enumerate(codes[d])}
    parent = np.full(len(codes[d]), -1, dtype=np.int64)
    for part, above in tree.parents.items():
        parent[place[part]] = place[above]
    up = parent[cells[:, d]]
    step = _steps(codes)[d]
    total = np.where(up >= 0, found_among(keys, keys + (up - cells[:, d]) * step), -1)
    child = np.flatnonzero(total >= 0)
    return child, total[child]


def _shown_together(
    child: IntArray, cells: Codes, system: tuple[Any, Any, Any], tree: Hierarchy, d: int
) -> npt.NDArray[np.bool_]:
    """Whether some one table shows the child's level of this tree: then it shows the whole sum."""
    trees, codes, shown = system
    depth = [np.array([_least_depth(c, given) for c in names]) for given, names in zip(trees, codes, strict=True)]
    depth[d] = np.array([tree.depth.get(c, 0) for c in codes[d]])
    deep = np.stack([depth[k][cells[child, k]] for k in range(len(trees))], axis=1)
    found = np.zeros(len(child), dtype=bool)
    for depths in shown:
        found |= (deep <= np.array(depths)).all(axis=1)
    return found


def _least_depth(code: str, trees: tuple[Hierarchy, ...]) -> int:
    return min(tree.depth[code] for tree in trees if code in tree.depth)


def _steps(codes: tuple[tuple[str, ...], ...]) -> IntArray:
    sizes = [len(names) for names in codes]
    return np.array([int(np.prod(sizes[d + 1 :], dtype=object)) for d in range(len(sizes))], dtype=np.int64)


def _keys(cells: Codes, codes: tuple[tuple[str, ...], ...]) -> IntArray:
    return np.asarray(cells.astype(np.int64) @ _steps(codes), dtype=np.int64)


def _cells(keys: IntArray, codes: tuple[tuple[str, ...], ...]) -> Codes:
    columns = [(keys // step) % len(names) for step, names in zip(_steps(codes), codes, strict=True)]
    return np.stack(columns, axis=1).astype(np.int32)


def found_among(keys: IntArray, wanted: IntArray) -> IntArray:
    """Places of the wanted keys among the rising keys, -1 where absent."""
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.asarray(np.where(np.take(keys, at) == wanted, at, -1), dtype=np.int64)


def _repeated(items: Sequence[str]) -> list[str]:
    seen: set[str] = set()
    return sorted({item for item in items if item in seen or seen.add(item)})  # type: ignore[func-returns-value]


def _some(codes: Sequence[str]) -> str:
    return ", ".join(codes[:5]) + (" …" if len(codes) > 5 else "")


def of_cells(
    dimensions: Mapping[str, Sequence[Hierarchy]], *, cells: Codes, tables: Sequence[Table] | None = None
) -> System:
    """The system of cells that are listed, as `crossed` made them: every sum between them, from the trees alone.

    cells: [n, d], in key order, as in `System.cells`; there are no leaf combinations then. DataError on other cells.
    """
    trees = tuple(_checked(name, tuple(given)) for name, given in dimensions.items())
    codes = tuple(_all_codes(given) for given in trees)
    sizes = np.array([len(names) for names in codes])
    if cells.ndim != 2 or cells.shape[1] != len(codes) or (cells < 0).any() or (cells >= sizes).any():
        raise DataError("listed cells have codes that aren't in the trees")
    keys = _keys(cells, codes)
    if (np.diff(keys) <= 0).any():
        raise DataError("listed cells aren't in key order, or are there twice")
    shown = _levels_shown(tuple(dimensions), trees, tables)
    relations, along = _relations(keys, cells, trees, codes, shown)
    return System(tuple(dimensions), codes, cells, relations, along, cells[:0], trees, shown)


def missing_totals(system: System) -> int:
    """How many cells lack a total that their own table shows: 0 in every system that `crossed` made."""
    missing = 0
    for d, given in enumerate(system.hierarchies):
        for tree in given:
            child, _ = _steps_up(system.keys, system.cells, tree, system.codes, d)
            above = np.array([code in tree.parents for code in system.codes[d]])
            missing += int(above[system.cells[:, d]].sum()) - len(child)
    return missing
