"""Exact counts of the exact tables: persons, record keys and holders by the finest combinations. Confidential.

What comes out is handed to `release.protected.exact`, which decides what may be shown. Nothing here is charged to the
privacy budget, and nothing that is published with noise hangs on it.
"""

from collections.abc import Sequence

import numpy as np

from release.codes import IntArray
from release.confidential.bland import bland
from release.confidential.counts import check_codes
from release.confidential.link import OUR_FAULT, Linked, column
from release.errors import DataError
from release.policy.policy import Policy
from release.protected.exact.cells import TrueCounts
from release.protected.exact.sets import TableSet


@bland("The exact tables can't be counted.", now=OUR_FAULT)
def exact_counts(linked: Linked, sets: Sequence[TableSet], policy: Policy) -> tuple[TrueCounts, ...]:
    """Count every set of exact tables, from one reading of the rows each."""
    for tables in sets:
        check_codes(linked, tuple(tables.finest.items()), policy.attributes)
    return tuple(_counts(linked, tables, policy) for tables in sets)


def _counts(linked: Linked, tables: TableSet, policy: Policy) -> TrueCounts:
    names = [column(name, level) for name, level in tables.finest.items()]
    found, persons = linked.grouped(names)
    order = _order(found, persons)
    nodes = dict(zip(tables.finest, (values[order] for values in found), strict=True))
    if int(persons.sum()) == 0:
        raise DataError("nobody is left after linking, so there is nothing to count", now="look at the delivery")
    keys = _keys(linked, names) if tables.keyed else None
    holders = {kind: _holders(linked, names, policy.level_of(kind)) for kind in sorted(_holder_kinds(tables))}
    return TrueCounts(nodes, persons[order], keys, holders)


def _order(found: list[IntArray], persons: IntArray) -> IntArray:
    """Groups come in any order from the engine: rising by their codes."""
    return np.lexsort(found[::-1]).astype(np.int64) if found else np.arange(len(persons), dtype=np.int64)


def _keys(linked: Linked, names: list[str]) -> tuple[IntArray, IntArray]:
    """Sums of both halves of the record keys, in the order of the combinations."""
    found, (high, low) = linked.keys_by_group(names)
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


def _numbered(found: list[IntArray], rows: int) -> IntArray:
    """The position of each row's combination among the different ones, rising."""
    if not found:
        return np.zeros(rows, np.int64)
    stacked = np.stack(found, axis=1)
    return np.unique(stacked, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)
