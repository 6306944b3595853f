"""Hidden cells that can only move together are joined, so that a search for possible tables has far fewer unknowns.

A sum with two hidden cells ties their changes: equal, or equal and opposite. Cells tied this way form one class; one
alone in a sum, or tied to its own opposite, doesn't move at all. Repeated until nothing is tied anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from release.codes import IntArray

FloatArray = npt.NDArray[np.float64]
Numbers = TypeVar("Numbers", IntArray, FloatArray)


@dataclass(frozen=True, eq=False)
class Joined:
    """Changes of hidden cells as `steps @ z`, z whole numbers with `sums @ z == 0`.

    steps: sparse int64 [h, k], one entry of +1 or -1 in the row of each cell that can move, none where it can't.
    sums: sparse int64 [r, k], what is left of the sums between hidden cells.
    """

    steps: Any
    sums: Any

    def __len__(self) -> int:
        return int(self.steps.shape[1])

    @cached_property
    def first(self) -> tuple[IntArray, IntArray]:
        """The first cell of each class and its step, [k] and [k]."""
        columns = self.steps.tocsc()
        columns.sort_indices()
        return columns.indices[columns.indptr[:-1]].astype(np.int64), columns.data[columns.indptr[:-1]]

    def branches(self, branches: Sequence[IntArray]) -> list[IntArray]:
        """Branches of the classes from those of cells: 0, the coarsest, where one of its cells has it."""
        entries = self.steps.tocoo()
        return [_least(entries.col, branch[entries.row], len(self)) for branch in branches]

    def most(self, numbers: IntArray) -> IntArray:
        """The largest number (>= 0) among the cells of each class, [k]; numbers: int64 [h]."""
        entries = self.steps.tocoo()
        found = np.zeros(len(self), np.int64)
        np.maximum.at(found, entries.col, numbers[entries.row])
        return found

    def room(self, below: Numbers, above: Numbers) -> tuple[Numbers, Numbers]:
        """How far each class may go down and up (both [k]) when its cells may by `below` and `above`, [h]."""
        entries = self.steps.tocoo()
        same = entries.data > 0
        cells, classes, many = entries.row, entries.col, self.steps.shape[1]
        down = _least(classes, np.where(same, below[cells], above[cells]), many)
        up = _least(classes, np.where(same, above[cells], below[cells]), many)
        return down, up


def joined(equations: Any) -> Joined:
    """Joins the columns of `equations` (sparse int64 [k, h], the sums that hold hidden cells)."""
    from scipy import sparse

    steps = sparse.csr_array(sparse.eye_array(equations.shape[1], dtype=np.int64, format="csr"))
    sums = _distinct(equations)
    while True:
        classes = _tied(sums)
        if classes.shape[1] == sums.shape[1]:
            return Joined(steps, sums)
        steps = (steps @ classes).tocsr()
        sums = _distinct((sums @ classes).tocsr())


def _tied(sums: Any) -> Any:
    """Signed membership of each column in a class, sparse int64 [k, classes]; columns that can't move have none."""
    from scipy import sparse

    many = sums.shape[1]
    first, second, same = _pairs(sums)
    labels = _signed_labels(many, first, second, same)
    positive, negative = labels[:many], labels[many:]
    name = np.minimum(positive, negative)
    rigid = positive == negative
    rigid[_alone(sums)] = True
    stuck = np.zeros(2 * many, bool)
    stuck[name[rigid]] = True
    moving = np.flatnonzero(~stuck[name])
    found, classes = np.unique(name[moving], return_inverse=True)
    sign = np.where(positive[moving] <= negative[moving], 1, -1).astype(np.int64)
    return sparse.csr_array((sign, (moving, classes)), shape=(many, len(found)))


def _pairs(sums: Any) -> tuple[IntArray, IntArray, npt.NDArray[np.bool_]]:
    """Columns alone together in a sum, with equal weight: (first, second, whether they move the same way)."""
    two = np.flatnonzero(np.diff(sums.indptr) == 2)
    at = sums.indptr[two]
    weight, other = sums.data[at], sums.data[at + 1]
    equal = np.abs(weight) == np.abs(other)
    at, same = at[equal], (weight * other < 0)[equal]
    return sums.indices[at].astype(np.int64), sums.indices[at + 1].astype(np.int64), same


def _alone(sums: Any) -> IntArray:
    """Columns that are the only one in some sum."""
    one = np.flatnonzero(np.diff(sums.indptr) == 1)
    return np.unique(sums.indices[sums.indptr[one]]).astype(np.int64)


def _signed_labels(many: int, first: IntArray, second: IntArray, same: npt.NDArray[np.bool_]) -> IntArray:
    """Component of each column (first half) and of its opposite (second half) in the graph of ties."""
    from scipy import sparse
    from scipy.sparse.csgraph import connected_components

    here = np.concatenate([first, first + many])
    there = np.concatenate([np.where(same, second, second + many), np.where(same, second + many, second)])
    graph = sparse.coo_array((np.ones(len(here), np.int8), (here, there)), shape=(2 * many, 2 * many))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def _distinct(sums: Any) -> Any:
    """The same sums without zeros, empty rows and rows that say the same."""
    sums.eliminate_zeros()
    sums.sort_indices()
    filled = np.flatnonzero(np.diff(sums.indptr))
    with np.errstate(over="ignore"):
        marks = sums[filled] @ mixed(np.arange(1, sums.shape[1] + 1), 1).astype(np.int64)
    marks = np.where(marks < 0, -marks, marks)
    first = np.unique(marks, return_index=True)[1]
    return sums[filled[np.sort(first)]]


def mixed(numbers: IntArray, salt: int) -> npt.NDArray[np.uint64]:
    """A well mixed number for each number: the same on every machine and with every version (splitmix64)."""
    with np.errstate(over="ignore"):
        x = (numbers.astype(np.uint64) + np.uint64(salt) * np.uint64(0x632BE59BD9B4E019)) * np.uint64(
            0x9E3779B97F4A7C15
        )
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))


def fractions(many: int, salt: int) -> FloatArray:
    """Numbers from 0 to 1 that look random and are the same everywhere, [many]."""
    return (mixed(np.arange(many), salt) >> np.uint64(11)).astype(np.float64) / 2.0**53


def drawn_signs(many: int, turn: int) -> IntArray:
    """+1 or -1, as if by lot, [many]: drawn anew every other turn and turned round in between."""
    sign = np.where(fractions(many, 2 * (turn // 2) + 1) < 0.5, 1, -1)
    return sign.astype(np.int64) * (1 if turn % 2 == 0 else -1)


def _least(groups: IntArray, numbers: Numbers, many: int) -> Numbers:
    most = np.inf if numbers.dtype.kind == "f" else np.iinfo(np.int64).max
    least = np.full(many, most, numbers.dtype)
    np.minimum.at(least, groups, numbers)
    return least
