"""Counts linked graduates over public codes: exact, confidential, and the only thing that measuring looks at.

Rows are read once per family (a largest set of attributes that are counted together), grouped by the engine; all other
combinations are sums of finer ones. Keys come from the code lists only, so no key appears or goes with a person.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from release.codes import Attribute, IntArray
from release.confidential.bland import bland
from release.confidential.link import OUR_FAULT, Linked, column, structure_digest
from release.errors import DataError, UtfallError
from release.policy.policy import Combination
from release.residuals import family_sums, shape_of
from release.shown import Closed


@dataclass(frozen=True, repr=False, eq=False)
class Counts(Closed):
    """Exact counts of linked rows. tables[c] has one axis per attribute of c, as long as its level has codes.

    Read-only int64 arrays; the empty combination is the total, without axes. `records_per_person` bounds what one
    person can change: that many cells of each table by one, or one cell by that many.
    """

    tables: Mapping[Combination, IntArray]
    records_per_person: int


@bland("The linked rows can't be counted.", now=OUR_FAULT)
def count(linked: Linked, combinations: Collection[Combination], attributes: Mapping[str, Attribute]) -> Counts:
    """Count every combination of a downward-closed set; UtfallError if it isn't closed, DataError on other codes."""
    finer = finer_neighbours(set(combinations))
    tables: dict[Combination, IntArray] = {}
    for family in families([c for c in finer if not finer[c]]):
        check_codes(linked, family[0], attributes)
        tables |= _count_family(linked, family, attributes)
    for combination in sorted(finer, key=_fineness, reverse=True):
        if finer[combination]:
            source = min(finer[combination], key=lambda c: tables[c].size)
            tables[combination] = roll_up(tables[source], source, combination, attributes)
    return Counts(MappingProxyType({c: _locked(tables[c]) for c in combinations}), linked.records_per_person)


def _fineness(combination: Combination) -> int:
    return sum(level for _, level in combination)


def coarser_neighbours(combination: Combination) -> Iterator[Combination]:
    """The combinations with one attribute one level up (or left out, from level 1)."""
    for i, (name, level) in enumerate(combination):
        up = ((name, level - 1),) if level > 1 else ()
        yield (*combination[:i], *up, *combination[i + 1 :])


def finer_neighbours(combinations: Collection[Combination]) -> dict[Combination, list[Combination]]:
    """For each combination those of the set that are one step finer; UtfallError if a coarser one isn't in the set."""
    finer: dict[Combination, list[Combination]] = {combination: [] for combination in combinations}
    for combination in combinations:
        for coarser in coarser_neighbours(combination):
            if coarser not in finer:
                raise UtfallError("The combinations to be counted aren't closed downwards.", now=OUR_FAULT)
            finer[coarser].append(combination)
    return finer


def families(finest: Collection[Combination]) -> list[list[Combination]]:
    """The finest combinations, together where one set of attributes holds them all; the largest set stands first."""
    gathered: dict[frozenset[str], list[Combination]] = {}
    for combination in sorted(finest, key=len, reverse=True):
        names = frozenset(name for name, _ in combination)
        home = next((larger for larger in gathered if names <= larger), names)
        gathered.setdefault(home, []).append(combination)
    return list(gathered.values())


def _count_family(
    linked: Linked, family: list[Combination], attributes: Mapping[str, Attribute]
) -> dict[Combination, IntArray]:
    """Each combination of a family, from one reading of the rows at the finest level that the family needs."""
    finest = {name: max(level for c in family for other, level in c if other == name) for name, _ in family[0]}
    nodes, rows = linked.grouped([column(name, level) for name, level in finest.items()])
    index = dict(zip(finest, nodes, strict=True))
    return {
        combination: _dense(
            [attributes[name].ancestors(finest[name], level)[index[name]] for name, level in combination],
            rows,
            shape_of(combination, attributes),
        )
        for combination in family
    }


def _dense(nodes: list[IntArray], rows: IntArray, sizes: tuple[int, ...]) -> IntArray:
    """Rows summed into an array with a cell for every combination of codes. Exact: sums stay far below 2^53."""
    if not sizes:
        return np.array(rows.sum(), np.int64)
    cells = np.ravel_multi_index(tuple(nodes), sizes)
    return np.bincount(cells, weights=rows, minlength=int(np.prod(sizes))).astype(np.int64).reshape(sizes)


def roll_up(
    counts: IntArray, finer: Combination, coarser: Combination, attributes: Mapping[str, Attribute]
) -> IntArray:
    """Counts of `coarser` from those of a combination one step finer: along one axis, sums over siblings."""
    kept = dict(coarser)
    axis, (name, number) = next((i, pair) for i, pair in enumerate(finer) if kept.get(pair[0]) != pair[1])
    sums = family_sums(counts, attributes[name].levels[number], axis)
    return sums if name in kept else np.asarray(sums.squeeze(axis))


def check_codes(linked: Linked, combination: Combination, attributes: Mapping[str, Attribute]) -> None:
    """DataError if the rows were linked under other codes than these."""
    changed = [n for n, _ in combination if linked.structures.get(n) != structure_digest(attributes[n])]
    if changed:
        raise DataError(
            f'The rows were linked under other codes of "{changed[0]}".',
            now="Link again with this policy: run the first notebook. Nothing has been charged to the privacy budget.",
        )


def _locked(counts: IntArray) -> IntArray:
    counts.setflags(write=False)
    return counts
