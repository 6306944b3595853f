"""Sums of hidden sums that anybody can work out, a total minus its shown parts: judged like cells of the table.

Such a union may be dominated by one contributor although a rule that looks cell by cell is content. Then it becomes a
cell of its own in the engine's question, that no table shows: more is hidden until it can't be worked out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from release.codes import IntArray
from release.protected.suppression.primary import judge
from release.protected.suppression.question import Pattern, Question, Unprotectable
from release.protected.suppression.rules import CellFacts, KDisclosure, MinimumHolders, Rule
from release.protected.suppression.unions import Union, unions
from release.protected.suppression.view import View
from release.shown import Closed

_MOST = 20_000
"""Unions looked at, at most."""
_ROUNDS = 25
"""Calls of the engine, at most, until no union of hidden sums is unsafe."""
_TOP = 10


class Behind(Closed):
    """Who stands behind the cells of a system, in the office only.

    pairs: (row, cell) of every cell that each row of its leaves belongs to. contributions: (row, holder, amount), by
    rising row, int64 each; amounts of one holder in a row may stand apart.
    """

    def __init__(self, pairs: tuple[IntArray, IntArray], contributions: tuple[IntArray, IntArray, IntArray]) -> None:
        row, cell = pairs
        order = np.argsort(cell, kind="stable")
        self._rows, self._ends = row[order], np.cumsum(np.bincount(cell, minlength=int(cell.max(initial=-1)) + 1))
        by_row, self._holder, self._amount = contributions
        self._starts = np.searchsorted(by_row, np.arange(int(row.max(initial=-1)) + 2))

    def amounts(self, cells: Sequence[int]) -> IntArray:
        """What each contributor gave to some cells together, int64 [c]."""
        rows = np.concatenate([self._rows[self._ends[cell - 1] if cell else 0 : self._ends[cell]] for cell in cells])
        mine = np.concatenate([np.arange(self._starts[row], self._starts[row + 1]) for row in rows])
        _, who = np.unique(self._holder[mine], return_inverse=True)
        amounts = np.zeros(int(who.max(initial=-1)) + 1, np.int64)
        np.add.at(amounts, who, self._amount[mine])
        return amounts


@dataclass(frozen=True, repr=False, eq=False)
class UnsafeUnions(Closed):
    """Unions that rules object to, by their cells; width and upward: int64 [k], as of cells. Stays in the office."""

    cells: tuple[tuple[int, ...], ...]
    width: IntArray
    upward: IntArray


def no_unions() -> UnsafeUnions:
    """Nothing that a rule objects to."""
    return UnsafeUnions((), np.zeros(0, np.int64), np.zeros(0, np.int64))


def unsafe_unions(facts: CellFacts, behind: Behind, rules: Sequence[Sequence[Rule]], view: View) -> UnsafeUnions:
    """Every union of two or more hidden sums that the rules of some table would hide.

    facts: of the cells of the view, with sums. rules: of each table; those by holders and groups judge cells only.
    """
    each = [[rule for rule in of if not isinstance(rule, MinimumHolders | KDisclosure)] for of in rules]
    found = [union for union in unions(view, most=_MOST).found if len(union.cells) > 1] if any(each) else []
    if not found:
        return no_unions()
    together = _facts(facts, behind, found)
    verdicts = [judge(together, of) for of in each if of]
    broken = np.flatnonzero(np.any([verdict.flags for verdict in verdicts], axis=0))
    width, upward = (
        np.max([getattr(verdict, key) for verdict in verdicts], axis=0)[broken] for key in ("width", "upward")
    )
    return UnsafeUnions(tuple(found[i].cells for i in broken), width, upward)


def _facts(facts: CellFacts, behind: Behind, found: Sequence[Union]) -> CellFacts:
    """What rules look at, of each union: who stands behind its cells together."""
    parts = [behind.amounts(union.cells) for union in found]
    largest = np.zeros((len(found), _TOP), np.int64)
    for number, amounts in enumerate(parts):
        largest[number, : len(amounts)] = np.sort(np.abs(amounts))[::-1][:_TOP]
    respondents, asked, sums, absolute = (
        None if column is None else _added(column, found)
        for column in (facts.respondents, facts.asked, facts.sums, facts.absolute)
    )
    return CellFacts(
        _added(facts.counts, found),
        respondents,
        asked,
        sums=sums,
        absolute=absolute,
        largest=largest,
        contributors=np.array([np.count_nonzero(amounts) for amounts in parts], np.int64),
    )


def _added(column: IntArray, found: Sequence[Union]) -> IntArray:
    return np.array([column[list(union.cells)].sum() for union in found], np.int64)


# Until none is unsafe ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False, repr=False)
class Task(Closed):
    """What is asked of the engine, and how far above the truth readers must think cells possible, int64 [<= n]."""

    question: Question
    asked_upward: IntArray

    @property
    def upward(self) -> IntArray:
        """The same for cells that no table shows too; 0 where nothing is asked."""
        more = len(self.question) - len(self.asked_upward)
        return np.concatenate([self.asked_upward, np.zeros(more, np.int64)])

    def with_unions(self, unsafe: UnsafeUnions) -> "Task":
        """The task with a cell more for each union, which is hidden and as open as the rules ask."""
        return Task(_with_unions(self.question, unsafe), np.concatenate([self.upward, unsafe.upward]))


def until_no_union_is_unsafe(
    task: Task, engine: Callable[[Task], Pattern], judged: Callable[[Pattern], UnsafeUnions]
) -> tuple[Task, Pattern]:
    """A pattern in which no union breaks a rule, and the task that it answers. Unprotectable where none is found."""
    for _ in range(_ROUNDS):
        pattern = engine(task)
        unsafe = judged(pattern)
        if not unsafe.cells:
            return task, pattern
        task = task.with_unions(unsafe)
    raise Unprotectable(
        "sums of hidden sums, which anybody can work out, break the rules whatever else is hidden",
        now="use coarser codes, or looser rules",
    )


def _with_unions(question: Question, unsafe: UnsafeUnions) -> Question:
    from scipy.sparse import block_array, csr_array

    more, n = len(unsafe.cells), len(question)
    row = np.repeat(np.arange(more), [len(cells) for cells in unsafe.cells])
    place = np.concatenate([np.array(cells, np.int64) for cells in unsafe.cells])
    sums = csr_array((np.ones(len(row), np.int8), (row, place)), shape=(more, n))
    own = csr_array((-np.ones(more, np.int8), (np.arange(more), np.arange(more))), shape=(more, more))
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
        alone=None if question.alone is None else np.concatenate([question.alone, np.full(more, -1)]).astype(np.int64),
        system=None,
    )
