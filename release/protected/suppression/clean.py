"""A question made smaller without changing its answer: known zeros go, cells that must be equal become one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from release.codes import IntArray
from release.errors import roughly
from release.protected.suppression.question import BoolArray, Pattern, Question, Unprotectable

if TYPE_CHECKING:
    from scipy.sparse import csr_array


_ROOM = 2**40
"""Further than this nothing falls."""


@dataclass(frozen=True, eq=False)
class Joined:
    """The smaller question, and where each cell of the whole one went: its group, or -1 for a known zero."""

    question: Question
    group: IntArray

    def spread(self, pattern: Pattern) -> Pattern:
        """A pattern of the smaller question as one of the whole."""
        from scipy.sparse import csr_array

        there = self.group >= 0
        at = np.flatnonzero(there)
        picks = csr_array((np.ones(len(at), np.int64), (self.group[at], at)), (len(self.question), len(self.group)))
        wide = csr_array(pattern.moves @ picks)
        wide.sort_indices()
        return replace(
            pattern,
            hidden=there & pattern.hidden[self.group],
            moves=wide,
            high=np.where(there, pattern.high[self.group], -1).astype(np.int32),
            low=np.where(there, pattern.low[self.group], -1).astype(np.int32),
        )


def joined(question: Question) -> Joined:
    """Drop zeros that are printed, join cells that a sum of one part makes equal, drop sums said twice.

    Raises Unprotectable when a cell that must be hidden equals one that must be shown.
    """
    kept = (question.values != 0) | (question.lower <= 0) | question.primary
    group = np.where(kept, np.cumsum(kept) - 1, -1)
    relations = _grouped(question.relations, group)
    while (pairs := _equal_pairs(relations)) is not None:
        step = _components(pairs, relations.shape[1])
        group = np.where(group >= 0, step[group], -1)
        relations = _grouped(question.relations, group)
    smaller = _folded_question(question, group, relations)
    return Joined(smaller, group)


def _grouped(relations: csr_array, group: IntArray) -> csr_array:
    """The sums between groups, each once; sums that say nothing are left out."""
    from scipy.sparse import csr_array

    at = np.flatnonzero(group >= 0)
    places = csr_array((np.ones(len(at), np.int64), (at, group[at])), (len(group), int(group.max(initial=-1)) + 1))
    sums = csr_array(relations.astype(np.int64) @ places)
    sums.eliminate_zeros()
    sums.sort_indices()
    return _without_repeats(sums)


def _without_repeats(sums: csr_array) -> csr_array:
    rng = np.random.default_rng(0)
    weights = rng.integers(1, 2**40, size=(sums.shape[1], 2))
    prints = np.abs(sums @ weights)
    filled = np.flatnonzero(np.diff(sums.indptr) > 0)
    _, first = np.unique(prints[filled], axis=0, return_index=True)
    return sums[filled[np.sort(first)]]


def _equal_pairs(sums: csr_array) -> Any:
    """Pairs of groups that a sum of two entries makes equal; None when there are none."""
    two = sums[np.flatnonzero(np.diff(sums.indptr) == 2)]
    if not two.shape[0]:
        return None
    cells, signs = two.indices.reshape(-1, 2), two.data.reshape(-1, 2)
    opposite = signs.sum(axis=1) == 0
    return cells[opposite] if opposite.any() else None


def _components(pairs: Any, number: int) -> IntArray:
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    links = csr_array((np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), (number, number))
    label = connected_components(links, directed=False)[1]
    first = np.full(label.max() + 1, number)
    np.minimum.at(first, label, np.arange(number))
    return np.asarray(np.argsort(np.argsort(first))[label], dtype=np.int64)


def _folded_question(question: Question, group: IntArray, relations: csr_array) -> Question:
    number = relations.shape[1]
    at = np.flatnonzero(group >= 0)
    to = group[at]

    def most(column: Any, start: Any) -> Any:
        found = np.full(number, start, dtype=np.asarray(column).dtype)
        np.maximum.at(found, to, np.asarray(column)[at])
        return found

    smaller = Question(
        relations=relations,
        values=most(question.values, np.iinfo(np.int64).min),
        primary=most(question.primary, False),
        width=most(np.where(question.primary, question.width, 1), 1),
        cost=np.bincount(to, question.cost[at], minlength=number).astype(np.float64),
        publish=most(question.publish, False),
        lower=most(question.lower, np.iinfo(np.int64).min),
        alone=None if question.alone is None else _people(question.alone, group, most(question.alone, -1)),
        insiders=question.insiders,
    )
    _refuse_contradictions(smaller.primary & smaller.publish)
    return replace(smaller, lower=_floors(smaller))


def _floors(question: Question) -> IntArray:
    """What each group is at least: as its own bound says, or as its parts together say; values where it is shown."""
    sums = question.relations.astype(np.int64)
    total, row = (sums < 0).tocoo().col, (sums < 0).tocoo().row
    room = np.where(question.publish, 0, np.minimum(question.values - question.lower, _ROOM))
    before = np.full_like(room, -1)
    while (room != before).any():
        before = room.copy()
        np.minimum.at(room, total, (sums.maximum(0) @ room)[row])
    return np.asarray(question.values - room)


def _people(alone: IntArray, group: IntArray, of_group: IntArray) -> IntArray:
    """Who is alone in each group; numbers that meet in a group are one person."""
    there = np.flatnonzero((group >= 0) & (alone >= 0))
    names, both = np.unique(np.append(alone[there], of_group[group[there]]), return_inverse=True)
    if not len(names):
        return of_group
    person = _components(both.reshape(2, -1).T, len(names))
    return np.where(of_group >= 0, person[np.minimum(np.searchsorted(names, of_group), len(names) - 1)], -1)


def _refuse_contradictions(both: BoolArray) -> None:
    if both.any():
        raise Unprotectable(
            f"cells that must be hidden equal cells that must be shown ({roughly(int(both.sum()))})",
            where="primary rules and the cells that the policy, or an earlier release, shows",
            now="hide the shown cells too, or show them in a coarser table",
        )
