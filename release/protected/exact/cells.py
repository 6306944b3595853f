"""True counts of exact tables, cell by cell: what the confidential side hands over, and what rules look at."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from release.codes import IntArray
from release.protected.exact.sets import TableSet
from release.protected.suppression.structure import Hierarchy, System, crossed, folded
from release.shown import Closed


@dataclass(frozen=True, repr=False, eq=False)
class TrueCounts(Closed):
    """Persons by the finest combinations of one set of tables. Confidential; no row, no identifier.

    nodes: attribute -> index of each combination's code at the set's finest level, int64 [k], in rising order. persons:
    int64 [k]. keys: sums of record keys, int64 [k], for cell keys. holders: kind -> (combination, holder), both int64:
    every pair that occurs.
    """

    nodes: Mapping[str, IntArray]
    persons: IntArray
    keys: IntArray | None = None
    holders: Mapping[str, tuple[IntArray, IntArray]] = field(default_factory=dict)


@dataclass(frozen=True, repr=False, eq=False)
class TrueCells(Closed):
    """A set's system of cells with their true values. Confidential.

    values: int64 [n], persons; they add up over every sum of the system.
    """

    tables: TableSet
    system: System
    values: IntArray
    counts: TrueCounts


def true_cells(tables: TableSet, counts: TrueCounts) -> TrueCells:
    """Every cell of the set's tables and totals that holds somebody."""
    system = crossed(tables.hierarchies, leaves=_leaf_codes(tables, counts.nodes), tables=tables.shown)
    return TrueCells(tables, system, folded(system, counts.persons), counts)


def _leaf_codes(tables: TableSet, nodes: Mapping[str, IntArray]) -> dict[str, list[str]]:
    return {name: np.array(codes[-1], dtype=object)[nodes[name]].tolist() for name, codes in tables.codes.items()}


def sole_persons(cells: TrueCells) -> IntArray:
    """Number of the only person of each cell of one person: that of his finest combination; -1 elsewhere. int64 [n]."""
    numbers = np.where(cells.counts.persons > 0, np.arange(len(cells.counts.persons)), 0)
    summed = folded(cells.system, numbers.astype(np.int64))
    return np.where(cells.values == 1, summed, -1).astype(np.int64)


_HOLDER = "holder of the data"


def holders_in_cells(cells: TrueCells, kind: str) -> IntArray:
    """Number of different holders of a kind among each cell's persons, int64 [n]."""
    combination, holder = cells.counts.holders[kind]
    nodes = {name: values[combination] for name, values in cells.counts.nodes.items()}
    owners = [f"holder {number}" for number in np.unique(holder).tolist()]
    trees = {**cells.tables.hierarchies, _HOLDER: (Hierarchy.flat(_HOLDER, owners, root="all holders"),)}
    leaves = _leaf_codes(cells.tables, nodes) | {_HOLDER: [f"holder {number}" for number in holder.tolist()]}
    shown = [{**levels, _HOLDER: 1} for levels in cells.tables.shown]
    pairs = crossed(trees, leaves=leaves, tables=shown)
    of_one = pairs.cells[:, -1] > 0
    places = np.searchsorted(cells.system.keys, _keys_without_holder(pairs, of_one))
    return np.bincount(places, minlength=len(cells.system)).astype(np.int64)


def _keys_without_holder(pairs: System, of_one: np.ndarray) -> IntArray:
    """Keys in the system without holders: the last dimension is divided out."""
    return np.asarray(pairs.keys[of_one] // len(pairs.codes[-1]), np.int64)
