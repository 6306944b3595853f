"""Sums of hidden sums that anybody can work out, a total minus its shown parts: judged like cells of the table.

Such a union may be dominated by one contributor although a rule that looks cell by cell is content. Then it becomes a
cell of its own in the engine's question, that no table shows: more is hidden until it can't be worked out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from release.codes import IntArray
from release.policy.document import Table
from release.protected.exact.cells import TrueCells
from release.protected.exact.judged import sum_rules
from release.protected.pandas_facts import pairs
from release.protected.suppression.primary import Primary, judge
from release.protected.suppression.question import Question
from release.protected.suppression.rules import CellFacts, MinimumHolders
from release.protected.suppression.unions import Union, unions
from release.protected.suppression.view import View
from release.shown import Closed

MOST = 20_000
"""Unions looked at, at most."""
_TOP = 10


@dataclass(frozen=True, repr=False, eq=False)
class UnsafeUnions(Closed):
    """Unions that rules object to, by their cells; width and upward: int64 [k], as of cells. Stays in the office."""

    cells: tuple[tuple[int, ...], ...]
    width: IntArray
    upward: IntArray


def unsafe_unions(cells: TrueCells, tables: Mapping[str, Table], view: View) -> UnsafeUnions:
    """Every union of two or more hidden sums that a rule of some table of the set would hide."""
    found = [union for union in unions(view, most=MOST).found if len(union.cells) > 1]
    if not found:
        return UnsafeUnions((), np.zeros(0, np.int64), np.zeros(0, np.int64))
    facts = _facts(cells, found)
    verdicts = list(_verdicts(facts, [tables[name] for name in cells.tables.tables]))
    broken = np.flatnonzero(np.any([np.zeros(len(found), bool), *(verdict.flags for verdict in verdicts)], axis=0))
    width, upward = (
        np.max([np.zeros(len(found), np.int64), *(getattr(verdict, key) for verdict in verdicts)], axis=0)[broken]
        for key in ("width", "upward")
    )
    return UnsafeUnions(tuple(found[i].cells for i in broken), width, upward)


def _verdicts(facts: CellFacts, tables: Sequence[Table]) -> Iterator[Primary]:
    for table in tables:
        said = table.exact.suppression if table.exact else None
        rules = [] if said is None else [rule for rule in sum_rules(said) if not isinstance(rule, MinimumHolders)]
        if rules:
            yield judge(facts, rules)


def _facts(cells: TrueCells, found: Sequence[Union]) -> CellFacts:
    """What rules look at, of each union: who stands behind its cells together."""
    given = _Given(cells)
    parts = [given.of(union.cells) for union in found]
    largest = np.zeros((len(found), _TOP), np.int64)
    for number, amounts in enumerate(parts):
        largest[number, : len(amounts)] = np.sort(np.abs(amounts))[::-1][:_TOP]
    return CellFacts(
        counts=np.array([int(cells.persons[list(union.cells)].sum()) for union in found], np.int64),
        sums=np.array([int(cells.values[list(union.cells)].sum()) for union in found], np.int64),
        absolute=np.array([given.absolute(union.cells) for union in found], np.int64),
        largest=largest,
        contributors=np.array([int(np.count_nonzero(amounts)) for amounts in parts], np.int64),
    )


class _Given:
    """What each contributor gave to some cells together."""

    def __init__(self, cells: TrueCells) -> None:
        amounts = cells.counts.amounts
        row, cell = pairs(cells.system)
        order = np.argsort(cell, kind="stable")
        self._rows, self._ends = row[order], np.cumsum(np.bincount(cell, minlength=len(cells.system)))
        self._absolute = None if amounts is None else amounts.absolute
        combination, self._holder, self._amount = (
            (np.zeros(0, np.int64),) * 3 if amounts is None else amounts.contributions
        )
        self._starts = np.searchsorted(combination, np.arange(len(cells.counts.persons) + 1))

    def of(self, cells: Sequence[int]) -> IntArray:
        """Amounts by contributor, int64 [c]."""
        rows = np.concatenate([self._rows[self._ends[cell - 1] if cell else 0 : self._ends[cell]] for cell in cells])
        mine = np.concatenate([np.arange(self._starts[row], self._starts[row + 1]) for row in rows])
        _, who = np.unique(self._holder[mine], return_inverse=True)
        amounts = np.zeros(int(who.max(initial=-1)) + 1, np.int64)
        np.add.at(amounts, who, self._amount[mine])
        return amounts

    def absolute(self, cells: Sequence[int]) -> int:
        """Sum of the amounts' sizes."""
        return 0 if self._absolute is None else int(self._absolute[list(cells)].sum())


def with_unions(question: Question, unsafe: UnsafeUnions) -> Question:
    """The question with a cell more for each union, which is hidden and as open as the rules ask."""
    from scipy.sparse import block_array, csr_array

    more, n = len(unsafe.cells), len(question)
    row = np.repeat(np.arange(more), [len(cells) for cells in unsafe.cells])
    place = np.concatenate([np.array(cells, np.int64) for cells in unsafe.cells])
    sums = csr_array((np.ones(len(row), np.int8), (row, place)), shape=(more, n))
    own = csr_array((-np.ones(more, np.int8), (np.arange(more), np.arange(more))), shape=(more, more))
    alone = None if question.alone is None else np.concatenate([question.alone, np.full(more, -1)]).astype(np.int64)
    added = sums.astype(np.int64)
    return replace(
        question,
        relations=block_array([[question.relations, None], [sums, own]], format="csr").astype(np.int8),
        values=np.concatenate([question.values, added @ question.values]),
        primary=np.concatenate([question.primary, np.ones(more, bool)]),
        width=np.concatenate([question.width, np.maximum(unsafe.width, 1)]),
        cost=np.concatenate([question.cost, np.zeros(more)]),
        publish=np.concatenate([question.publish, np.zeros(more, bool)]),
        lower=np.concatenate([question.lower, added @ question.lower]),
        alone=alone,
        system=None,
    )
