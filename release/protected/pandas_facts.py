"""From a data frame of inner cells, persons or contributions to the figures that rules look at, cell by cell."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from release.codes import IntArray
from release.errors import DataError, PolicyError, nearest
from release.protected.pandas_usage import Columns
from release.protected.suppression.rules import CellFacts, Dominance, KDisclosure, Rule
from release.protected.suppression.rules.facts import NOBODY
from release.protected.suppression.structure import Hierarchy, System, folded

if TYPE_CHECKING:
    import pandas as pd


def cell_facts(frame: "pd.DataFrame", system: System, columns: Columns, rules: Sequence[Rule]) -> CellFacts:
    """Figures of every cell of the system. frame: one row per entry of `system.leaves`, in its order."""
    counts = folded(system, whole_numbers(frame, columns.count) if columns.count else np.ones(len(frame), np.int64))
    respondents, asked = (
        None if name is None else folded(system, whole_numbers(frame, name))
        for name in (columns.respondents, columns.asked)
    )
    facts = CellFacts(counts, respondents, asked, groups=_groups(system, counts, rules))
    if columns.value is not None:
        values = whole_numbers(frame, columns.value, decimals=columns.decimals)
        facts = replace(facts, sums=folded(system, values), absolute=folded(system, np.abs(values)))
    if columns.contributor is not None:
        facts = _with_contributors(facts, frame, system, columns, rules)
    if columns.holders:
        kinds = {kind: _distinct(frame[column], system) for kind, column in columns.holders.items()}
        facts = replace(facts, holders=kinds)
    return facts


def whole_numbers(frame: "pd.DataFrame", name: str, *, decimals: int = 0) -> IntArray:
    """A column in units of 10 ** -decimals, as whole numbers. DataError where it isn't whole."""
    scaled = frame[name].to_numpy(np.float64) * 10**decimals
    whole = np.rint(scaled)
    if (np.abs(whole) >= 2**53).any():
        raise DataError(f'the column "{name}" holds numbers that are too large', now="count in a larger unit")
    if (np.abs(whole - scaled) > 1e-4).any():
        raise DataError(
            f'the column "{name}" holds numbers with more than {decimals} decimals',
            now="round them first, or tell Columns(decimals=…) where they are sums",
        )
    found: IntArray = whole.astype(np.int64)
    return found


def _groups(system: System, counts: IntArray, rules: Sequence[Rule]) -> dict[str, IntArray]:
    """For each group rule the number of persons at the total of the dimension that it names; NOBODY at that total."""
    found = {}
    for rule in (rule for rule in rules if isinstance(rule, KDisclosure)):
        if rule.group not in system.dimensions:
            raise PolicyError(f'the group "{rule.group}" is no dimension', now=nearest(rule.group, system.dimensions))
        d = system.dimensions.index(rule.group)
        totals = group_totals(system, d)
        found[rule.group] = np.where(system.cells[:, d] == 0, NOBODY, counts[totals]).astype(np.int64)
    return found


def group_totals(system: System, d: int) -> IntArray:
    """For each cell the position of the cell with dimension d at its total."""
    codes = [np.asarray(names, dtype=object)[system.cells[:, i]] for i, names in enumerate(system.codes)]
    codes[d] = np.full(len(system), system.codes[d][0], dtype=object)
    return system.places({name: column.tolist() for name, column in zip(system.dimensions, codes, strict=True)})


def _with_contributors(
    facts: CellFacts, frame: "pd.DataFrame", system: System, columns: Columns, rules: Sequence[Rule]
) -> CellFacts:
    """Number of contributors, who is alone, and the largest contributions where a magnitude is given."""
    _, who, amount = contributions_of(frame, columns)
    top = max((rule.n for rule in rules if isinstance(rule, Dominance)), default=2)
    contributors, sole, largest = contributions(system, who, amount, top=max(top, 2))
    return replace(facts, contributors=contributors, sole=sole, largest=largest if columns.value is not None else None)


def contributions_of(frame: "pd.DataFrame", columns: Columns) -> tuple[IntArray, IntArray, IntArray]:
    """(row, contributor's number, amount) of every row; nothing where no column tells whose it is."""
    import pandas as pd

    if columns.contributor is None:
        return (np.zeros(0, np.int64),) * 3
    who = pd.factorize(frame[columns.contributor])[0].astype(np.int64)
    amount = np.ones(len(frame), np.int64)
    if columns.value is not None:
        amount = whole_numbers(frame, columns.value, decimals=columns.decimals)
    elif columns.count is not None:
        amount = whole_numbers(frame, columns.count)
    return np.arange(len(frame)), who, amount


def contributions(system: System, who: IntArray, amount: IntArray, *, top: int) -> tuple[IntArray, IntArray, IntArray]:
    """Who stands behind each cell: how many contributors [n], the only one or NOBODY [n], the largest amounts [n, top].

    who, amount: int64, one entry per row of `system.leaves`; the amounts of one contributor are added up first.
    """
    row, cell = pairs(system)
    cell, name, total = _merged(cell, who[row], amount[row])
    order = np.lexsort((name, -total, cell))
    cell, name, total = cell[order], name[order], total[order]
    contributors = np.bincount(cell, minlength=len(system)).astype(np.int64)
    starts = np.cumsum(contributors) - contributors
    sole = np.full(len(system), NOBODY, np.int64)
    sole[contributors == 1] = name[starts[contributors == 1]]
    rank = np.arange(len(cell)) - starts[cell]
    largest = np.zeros((len(system), top), np.int64)
    largest[cell[rank < top], rank[rank < top]] = total[rank < top]
    return contributors, sole, largest


def _merged(cell: IntArray, who: IntArray, amount: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Size of what each contributor has in each cell, his amounts added up first; those that come to 0 are left out."""
    order = np.lexsort((who, cell))
    cell, who, amount = cell[order], who[order], amount[order]
    new = np.flatnonzero(np.concatenate([[True], (np.diff(cell) != 0) | (np.diff(who) != 0)])[: len(cell)])
    total = np.abs(np.add.reduceat(amount, new)) if len(new) else amount
    some = total > 0
    return cell[new][some], who[new][some], total[some]


def _distinct(column: "pd.Series[str]", system: System) -> IntArray:
    import pandas as pd

    who = pd.factorize(column)[0].astype(np.int64)
    row, cell = pairs(system)
    once = pd.DataFrame({"cell": cell, "who": who[row]}).drop_duplicates()
    return np.bincount(once["cell"], minlength=len(system)).astype(np.int64)


def pairs(system: System) -> tuple[IntArray, IntArray]:
    """(row, cell) of every cell that each leaf row belongs to, each pair once."""
    sizes = [len(names) for names in system.codes]
    steps = np.array([int(np.prod(sizes[d + 1 :], dtype=np.int64)) for d in range(len(sizes))], np.int64)
    found = [_pairs_of_table(system, steps, depths) for depths in system.tables]
    row, key = (np.concatenate(part) for part in zip(*found, strict=True))
    both = np.sort(row * len(system) + np.searchsorted(system.keys, key))
    both = both[np.diff(both, prepend=-1) > 0]
    return (both // len(system)).astype(np.int64), (both % len(system)).astype(np.int64)


def _pairs_of_table(system: System, steps: IntArray, depths: Sequence[int]) -> tuple[IntArray, IntArray]:
    row = np.arange(len(system.leaves), dtype=np.int64)
    key = np.zeros(len(row), np.int64)
    for d, depth in enumerate(depths):
        above = _above(system.hierarchies[d], system.codes[d], depth)
        mine = [above[leaf] for leaf in system.leaves[row, d].tolist()]
        lengths = np.array([len(codes) for codes in mine])
        key = np.repeat(key, lengths) + np.concatenate(mine) * steps[d]
        row = np.repeat(row, lengths)
    return row, key


def _above(trees: Sequence[Hierarchy], codes: Sequence[str], depth: int) -> list[IntArray]:
    """For each code that is a leaf the codes above it, itself included, down to a depth."""
    place = {code: i for i, code in enumerate(codes)}
    above: list[IntArray] = [np.empty(0, np.int64)] * len(codes)
    for leaf in trees[0].leaves:
        reached = {place[c] for tree, c in _steps(trees, leaf) if tree.depth[c] <= depth}
        above[place[leaf]] = np.array(sorted(reached), np.int64)
    return above


def _steps(trees: Sequence[Hierarchy], leaf: str) -> list[tuple[Hierarchy, str]]:
    return [pair for tree in trees for pair in product([tree], tree.path(leaf))]
