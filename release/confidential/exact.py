"""Exact counts of the exact tables: persons, record keys, holders, sums of amounts. Confidential.

What comes out is handed to `release.protected.exact`, which decides what may be shown. Nothing here is charged to the
privacy budget, and nothing that is published with noise hangs on it.
"""

from collections.abc import Sequence

import numpy as np

from release.codes import REPORTED, IntArray
from release.confidential.bland import bland
from release.confidential.counts import check_codes
from release.confidential.link import OUR_FAULT, Amounts, Linked, column
from release.errors import DataError, roughly
from release.policy.policy import Policy
from release.protected.exact.cells import TrueCounts, TrueSums, cells_of_rows
from release.protected.exact.sets import TableSet
from release.protected.pandas_facts import contributions
from release.protected.suppression.structure import folded

LARGEST_SUM = 2.0**52
"""In units of the figures published: up to here sums are exact in every program that reads them."""


@bland("The exact tables can't be counted.", now=OUR_FAULT)
def exact_counts(linked: Linked, sets: Sequence[TableSet], policy: Policy) -> tuple[TrueCounts, ...]:
    """Count every set of exact tables, from one reading of the rows each."""
    for tables in sets:
        check_codes(linked, tuple(tables.finest.items()), policy.attributes)
    return tuple(_counts(linked, tables, policy) for tables in sets)


def _counts(linked: Linked, tables: TableSet, policy: Policy) -> TrueCounts:
    if tables.summed:
        return _sums(linked, tables, policy)
    names = [column(name, level) for name, level in tables.finest.items()]
    found, persons = linked.grouped(names)
    order = _order(found, persons)
    nodes = dict(zip(tables.finest, (values[order] for values in found), strict=True))
    if int(persons.sum()) == 0:
        raise DataError("nobody is left after linking, so there is nothing to count", now="look at the delivery")
    keys = _keys(linked, names) if tables.keyed else None
    holders = {kind: _holders(linked, names, policy.level_of(kind)) for kind in sorted(_holder_kinds(tables))}
    return TrueCounts(nodes, persons[order], keys, holders)


def _sums(linked: Linked, tables: TableSet, policy: Policy) -> TrueCounts:
    """Persons whose amount is known by the finest combinations, and the sums of every cell with who stands behind."""
    names = [column(name, level) for name, level in tables.finest.items()]
    amounts = _amounts(tables.summed, policy)
    found, amount, holdings = linked.contributions(names, amounts)
    if not len(amount):
        raise DataError(
            f'nobody has an amount of "{tables.summed}", so there is nothing to add up', now="look at the delivery"
        )
    _refuse_missing(holdings, tables.summed)
    _refuse_too_large(amount, tables.summed)
    codes, persons = np.unique(np.stack(found, axis=1), axis=0, return_counts=True)
    nodes = {name: codes[:, d].astype(np.int64) for d, name in enumerate(tables.finest)}
    held = {kind: _holders_of_amounts(linked, tables, policy, kind) for kind in sorted(_holder_kinds(tables))}
    rows = dict(zip(tables.finest, found, strict=True))
    keys = _keys(linked, names, amounts) if tables.keyed else None
    added = _added_up(tables, rows, amount, holdings)
    return TrueCounts(nodes, persons.astype(np.int64), keys, held, added)


def _amounts(outcome: str, policy: Policy) -> Amounts:
    leaves = policy.attributes[outcome]
    return Amounts(outcome, column(outcome, leaves.depth), leaves.leaves.index[REPORTED])


def _added_up(tables: TableSet, rows: dict[str, IntArray], amount: IntArray, holdings: IntArray) -> TrueSums:
    """Sums and contributors of every cell. rows: attribute -> each contribution's code."""
    system = cells_of_rows(tables, rows)
    contributors, sole, largest = contributions(system, holdings, amount, top=_how_many(tables))
    parts = _by_combination(list(rows.values()), holdings, amount)
    return TrueSums(folded(system, amount), folded(system, np.abs(amount)), largest, contributors, sole, parts)


def _by_combination(found: list[IntArray], holdings: IntArray, amount: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """What each contributor gave to each of the different combinations, which are numbered rising."""
    pairs = np.stack([_numbered(found, len(amount)), holdings])
    both, place = np.unique(pairs, axis=1, return_inverse=True)
    given = np.zeros(both.shape[1], np.int64)
    np.add.at(given, place.reshape(-1), amount)
    return both[0].astype(np.int64), both[1].astype(np.int64), given


def _how_many(tables: TableSet) -> int:
    """How many of the largest contributions the rules, or the changes by cell keys, look at."""
    rules = [said.suppression.rules for said in tables.protections.values() if said.suppression]
    changes = [said.cell_key.sums for said in tables.protections.values() if said.cell_key]
    ruled = [rule.dominance.n for rule in rules if rule.dominance]
    return max([2, *ruled, *(len(change.shares) for change in changes if change)])


def _refuse_missing(holdings: IntArray, outcome: str) -> None:
    missing = int((holdings < 0).sum())
    if missing:
        raise DataError(
            f'{roughly(missing)} amounts of "{outcome}" have no contributor, so nobody can tell whose they are',
            where=f"outcomes.{outcome}.amount.contributor",
            now="complete the delivery, or leave `contributor` out: then each person is one",
        )


def _refuse_too_large(amount: IntArray, outcome: str) -> None:
    if float(np.abs(amount.astype(np.float64)).sum()) >= LARGEST_SUM:
        raise DataError(
            f'the amounts of "{outcome}" are too large to be added up exactly',
            where=f"outcomes.{outcome}.amount.decimals",
            now="publish fewer decimals, or declare a maximum under the input's rules",
        )


def _order(found: list[IntArray], persons: IntArray) -> IntArray:
    """Groups come in any order from the engine: rising by their codes."""
    return np.lexsort(found[::-1]).astype(np.int64) if found else np.arange(len(persons), dtype=np.int64)


def _keys(linked: Linked, names: list[str], amounts: Amounts | None = None) -> tuple[IntArray, IntArray]:
    """Sums of both halves of the record keys, in the order of the combinations; of those with an amount, if given."""
    found, (high, low) = linked.keys_by_group(names, amounts=amounts)
    order = _order(found, high)
    return high[order], low[order]


def _holder_kinds(tables: TableSet) -> set[str]:
    rules = (said.suppression.rules for said in tables.protections.values() if said.suppression)
    return {rule.holders.by for rule in rules if rule.holders}


def _holders(linked: Linked, names: list[str], holder: tuple[str, int]) -> tuple[IntArray, IntArray]:
    """Every pair of a combination and a holder that has persons in it."""
    own = column(*holder)
    distinct = [*names, own] if own not in names else names
    found, rows = linked.grouped(distinct)
    values = found[distinct.index(own)]
    combination = _numbered(found[: len(names)], len(rows))
    return combination, values


def _holders_of_amounts(linked: Linked, tables: TableSet, policy: Policy, kind: str) -> tuple[IntArray, IntArray]:
    """Every pair of a combination and a holder among the persons whose amount is known."""
    names = [column(name, level) for name, level in tables.finest.items()]
    own = column(*policy.level_of(kind))
    found, _, _ = linked.contributions([*names, own], _amounts(tables.summed, policy))
    both = np.unique(np.stack(found, axis=1), axis=0)
    return _numbered(list(both[:, :-1].T), len(both)), both[:, -1].astype(np.int64)


def _numbered(found: list[IntArray], rows: int) -> IntArray:
    """The position of each row's combination among the different ones, rising."""
    if not found:
        return np.zeros(rows, np.int64)
    stacked = np.stack(found, axis=1)
    return np.unique(stacked, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)
