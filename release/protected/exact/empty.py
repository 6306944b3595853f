"""Combinations of nobody: which of them can occur at all, and so must be hidden where rules hide zeros."""

from dataclasses import replace

import numpy as np

from release.codes import NOT_APPLICABLE, IntArray
from release.policy.document import Table
from release.policy.exact_checks import WITH_EMPTY
from release.policy.policy import Policy
from release.possible import BoolArray
from release.protected.exact.cells import TrueCounts
from release.protected.exact.sets import TableSet
from release.protected.statistics import frame_mask, possible_mask
from release.residuals import shape_of


def possible_cells(policy: Policy, table: Table) -> BoolArray:
    """Finest cells of a table that can occur: one axis per attribute in the policy's order, the outcome's included.

    By the public lists of combinations, and by the calendar: before its time has come an outcome doesn't apply.
    """
    base = policy.combination(table.by)
    possible = possible_mask(policy, base).reshape(shape_of(base, policy.attributes))
    if table.of is None:
        return possible
    name, level = policy.level_of(table.of)
    codes = policy.attributes[name].levels[level].codes
    in_frame = frame_mask(policy, table, base).reshape(possible.shape)
    silent = np.array([code == NOT_APPLICABLE for code in codes])
    whole = possible[..., None] & np.where(in_frame[..., None], True, silent)
    axis = [other for other, _ in policy.measured(table)].index(name)
    return np.asarray(np.moveaxis(whole, -1, axis), bool)


def empty_that_count(policy: Policy, tables: TableSet) -> IntArray | None:
    """Flat indices of a set's finest combinations that can occur, where its rules hide zeros; else None."""
    name = tables.name
    if tables.summed:
        return None
    said = policy.exact[name].exact
    rules = said.suppression.rules if said and said.suppression else None
    if rules is None or not any(getattr(rules, key) not in (None, False) for key in WITH_EMPTY):
        return None
    return np.flatnonzero(possible_cells(policy, policy.exact[name])).astype(np.int64)


def with_empty(counts: TrueCounts, tables: TableSet, possible: IntArray) -> TrueCounts:
    """The counts with a 0 for every combination that can occur and holds nobody; rising, as before."""
    shape = tuple(len(codes[-1]) for codes in tables.codes.values())
    here = np.ravel_multi_index(tuple(counts.nodes.values()), shape)
    missing = np.setdiff1d(possible, here)
    nodes = [
        np.concatenate([own, more])
        for own, more in zip(counts.nodes.values(), np.unravel_index(missing, shape), strict=True)
    ]
    order = np.argsort(np.concatenate([here, missing]), kind="stable")
    moved = np.argsort(order)
    return replace(
        counts,
        nodes={name: values[order].astype(np.int64) for name, values in zip(counts.nodes, nodes, strict=True)},
        persons=np.concatenate([counts.persons, np.zeros(len(missing), np.int64)])[order],
        holders={kind: (moved[rows], holder) for kind, (rows, holder) in counts.holders.items()},
    )
