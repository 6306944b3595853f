"""Group disclosure: a group known to share one answer gives each member away, however large it is.

Hiding the count of that answer isn't enough: a reader who sees that nobody gave another answer knows it all the same.
So each unsafe cell brings a *complement*, the number of the group's persons with other answers. It is a hidden cell of
its own in the system (`with_complements`), and readers must not be able to tell that it is k or less.
Source: Hundepool et al. (2012), section 5.2 (group disclosure); k-disclosure: a coalition of k members knows its own
answers, so that what is left of the group is one answer (R package GaussSuppression, `SuppressKDisclosure`).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from release.codes import IntArray
from release.protected.suppression.rules.exact import whole
from release.protected.suppression.rules.facts import NOBODY, BoolArray, CellFacts


@dataclass(frozen=True)
class KDisclosure:
    """All of a group but at most k persons gave one answer. k = 0: all in one cell.

        unsafe:  counts > 0  and  group - counts <= k

    group: name of the group (a column of `CellFacts.groups`). largest: groups of more persons aren't at risk.
    Empty answers must be hideable, so the system must hold the group's empty cells, and zeros may be hidden.
    """

    group: str
    k: int = 0
    largest: int | None = None

    def __post_init__(self) -> None:
        whole("the k of k-disclosure", self.k, at_least=0)
        if self.largest is not None:
            whole("the largest group at risk", self.largest, at_least=1)

    @property
    def name(self) -> str:
        return f"k-disclosure {self.group}"

    @property
    def reason(self) -> str:
        if self.k == 0:
            return f"everyone of a group ({self.group}) shares this answer"
        return f"everyone but {self.k} or fewer of a group ({self.group}) shares this answer"

    def unsafe(self, facts: CellFacts) -> BoolArray:
        size = facts.group(self.group, self.name)
        at_risk: BoolArray = (size != NOBODY) & (facts.counts > 0) & (size - facts.counts <= self.k)
        if self.largest is not None:
            at_risk &= size <= self.largest
        return at_risk

    def demand(self, facts: CellFacts) -> IntArray:
        return np.ones(len(facts), np.int64)

    @property
    def complement_width(self) -> int:
        """Width of the complement: from 0 it may reach k + 1 for all that readers know."""
        return self.k + 1


def with_complements(
    relations: Any, values: IntArray, cells: IntArray, *, totals: IntArray, besides: IntArray | None = None
) -> tuple[Any, IntArray]:
    """The system with one more cell per complement: totals[i] = cells[i] + besides[i] + complement[i].

    relations: sparse int8 [m, n]; values: int64 [n]; cells, totals: positions of unsafe cells, of groups' totals.
    besides: positions of cells of the total that don't belong to the group (to whom the question doesn't apply),
    NOBODY where there are none. Gives relations [m + c, n + c] and values [n + c]; complements come last and are never
    published.
    """
    from scipy.sparse import block_array, csr_array

    count, n = len(cells), len(values)
    if count == 0:
        return relations, values
    row = np.arange(count)
    outside = np.full(count, NOBODY, np.int64) if besides is None else besides
    some = outside != NOBODY
    places = np.concatenate([totals, cells, outside[some]])
    signs = np.concatenate([np.full(count, -1), np.ones(count + int(some.sum()))]).astype(np.int8)
    sums = csr_array((signs, (np.concatenate([row, row, row[some]]), places)), shape=(count, n))
    own = csr_array((np.ones(count, np.int8), (row, row)), shape=(count, count))
    extended = block_array([[relations, None], [sums, own]], format="csr").astype(np.int8)
    return extended, np.concatenate([values, -(sums.astype(np.int64) @ values)])
