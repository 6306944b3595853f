"""True counts of exact tables, cell by cell: what the confidential side hands over, and what rules look at."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from release.codes import IntArray
from release.errors import UtfallError
from release.protected.exact.sets import TableSet
from release.protected.perturb.keys import KeyArray
from release.protected.suppression.question import BoolArray
from release.protected.suppression.structure import Hierarchy, System, crossed, folded
from release.shown import Closed


@dataclass(frozen=True, repr=False, eq=False)
class TrueSums(Closed):
    """Sums of amounts, cell by cell of a set's system, in units of the figures published. Confidential.

    sums, absolute: int64 [n], of the amounts and of their sizes. largest: int64 [n, t], the largest contributions, of
    one holding added up. contributors: int64 [n], those whose contribution isn't 0. sole: int64 [n], the number of the
    only contributor, -1 elsewhere. contributions: (finest combination, contributor's number, amount), int64 [k] each,
    in rising order; those of one contributor in one combination are added up. Where persons contribute these are their
    amounts one by one, without any identifier: as confidential as the rows.
    """

    sums: IntArray
    absolute: IntArray
    largest: IntArray
    contributors: IntArray
    sole: IntArray
    contributions: tuple[IntArray, IntArray, IntArray]


@dataclass(frozen=True, repr=False, eq=False)
class TrueCounts(Closed):
    """Persons by the finest combinations of one set of tables. Confidential; no row, no identifier.

    nodes: attribute -> index of each combination's code at the set's finest level, int64 [k], in rising order.
    persons: int64 [k]. keys: sums of the upper and lower halves of record keys, int64 [k] each. holders: kind ->
    (combination, holder), both int64: every pair that occurs. amounts: of a set of sums; its persons are those whose
    amount is known.
    """

    nodes: Mapping[str, IntArray]
    persons: IntArray
    keys: tuple[IntArray, IntArray] | None = None
    holders: Mapping[str, tuple[IntArray, IntArray]] = field(default_factory=dict)
    amounts: TrueSums | None = None


@dataclass(frozen=True, repr=False, eq=False)
class TrueCells(Closed):
    """A set's system of cells with their true values. Confidential.

    values: int64 [n], persons or sums of amounts; they add up over every sum of the system. persons: int64 [n].
    """

    tables: TableSet
    system: System
    values: IntArray
    persons: IntArray
    counts: TrueCounts

    def codes_along(self, attribute: str) -> IntArray:
        """Index of each cell's code among all codes of an attribute, the root 0, int64 [n]."""
        return self.system.cells[:, self.system.dimensions.index(attribute)].astype(np.int64)

    def code_texts(self, attribute: str) -> npt.NDArray[np.object_]:
        """Each cell's code of an attribute, [n]."""
        codes = self.system.codes[self.system.dimensions.index(attribute)]
        return np.array(codes, dtype=object)[self.codes_along(attribute)]

    def is_code(self, attribute: str, code: str) -> BoolArray:
        """Cells whose code of an attribute is this one, on whatever level it stands, bool [n]."""
        codes = self.system.codes[self.system.dimensions.index(attribute)]
        named = np.array([one == code or one.endswith(f":{code}") for one in codes])
        return np.asarray(named[self.codes_along(attribute)], bool)

    def depths(self, attribute: str) -> IntArray:
        """Levels below the root of each cell's code of an attribute, int64 [n]."""
        depth = self.tables.hierarchies[attribute][0].depth
        codes = self.system.codes[self.system.dimensions.index(attribute)]
        return np.array([depth[code] for code in codes], np.int64)[self.codes_along(attribute)]

    def moved(self, attribute: str, code: str) -> IntArray:
        """Place of the cell that differs in one attribute's code only; -1 where there is none, int64 [n]."""
        d = self.system.dimensions.index(attribute)
        codes = self.system.codes[d]
        if code not in codes:
            return np.full(len(self.values), -1, np.int64)
        step = int(np.prod([len(names) for names in self.system.codes[d + 1 :]], dtype=object))
        wanted = self.system.keys + (codes.index(code) - self.codes_along(attribute)) * step
        at = np.minimum(np.searchsorted(self.system.keys, wanted), len(self.system.keys) - 1)
        return np.where(self.system.keys[at] == wanted, at, -1).astype(np.int64)

    def values_at(self, places: IntArray) -> IntArray:
        """Values of cells by their places, 0 where there is none."""
        return np.where(places >= 0, self.values[places], 0).astype(np.int64)


def true_cells(tables: TableSet, counts: TrueCounts) -> TrueCells:
    """Every cell of the set's tables and totals that holds somebody."""
    system = crossed(tables.hierarchies, leaves=_leaf_codes(tables, counts.nodes), tables=tables.shown)
    persons = folded(system, counts.persons)
    return TrueCells(tables, system, persons if counts.amounts is None else counts.amounts.sums, persons, counts)


def cells_of_rows(tables: TableSet, nodes: Mapping[str, IntArray]) -> System:
    """The same cells with rows as leaves, one entry each: what rows belong to which cell."""
    return crossed(tables.hierarchies, leaves=_leaf_codes(tables, nodes), tables=tables.shown)


def _leaf_codes(tables: TableSet, nodes: Mapping[str, IntArray]) -> dict[str, list[str]]:
    return {name: np.array(codes[-1], dtype=object)[nodes[name]].tolist() for name, codes in tables.codes.items()}


def keys_of_cells(cells: TrueCells) -> KeyArray:
    """Every cell's key: the sum of its persons' record keys modulo 2^64, uint64 [n]."""
    if cells.counts.keys is None:
        raise UtfallError("record keys weren't counted", now="link again: run the first notebook")
    high, low = (folded(cells.system, half).astype(np.uint64) for half in cells.counts.keys)
    return np.asarray((high << np.uint64(32)) + low, np.uint64)


def sole_persons(cells: TrueCells) -> IntArray:
    """Number of the only person, or contributor to a sum, of each cell that has but one; -1 elsewhere. int64 [n].

    A person has the number of his finest combination.
    """
    if cells.counts.amounts is not None:
        return cells.counts.amounts.sole
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
