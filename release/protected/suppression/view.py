"""What an outsider has of an exact table: published cells, sums between cells, what is known of hidden ones.

A view has no place for a hidden truth. So whatever is computed from a view alone, the public certificate above all,
is a function of published information, whatever the hidden values are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from release.codes import IntArray

BoolArray = npt.NDArray[np.bool_]

NO_BOUND = 2**62
"""Nothing is known above; its negative stands for nothing known below (magnitudes that may be negative)."""


@dataclass(frozen=True, eq=False)
class View:
    """All that is known outside the office, in whole numbers of the smallest unit published.

    relations: sparse int8 [m, n]; each row is one sum, -1 at the parent, +1 at its children; `relations @ true == 0`.
    published: bool [n]. values: int64 [n], 0 where hidden. lower, upper: int64 [n], what is known of hidden cells
    beforehand (1 where zeros are printed); a published cell's bounds are its value. branches: per tree and level int64
    [n], where each cell stands in the trees (`Boxes.branches`): tells nothing new, and lets a search go part by part.
    """

    relations: Any
    published: BoolArray
    values: IntArray
    lower: IntArray
    upper: IntArray
    branches: Sequence[IntArray] = ()

    @cached_property
    def hidden(self) -> IntArray:
        """Positions of the hidden cells, ascending, [h]."""
        return np.flatnonzero(~self.published).astype(np.int64)

    @cached_property
    def equations(self) -> tuple[Any, IntArray]:
        """The sums that hold hidden cells: (A int64 [k, h], b int64 [k]); every possible table has `A @ x == b`."""
        relations = self.relations.astype(np.int64).tocsr()
        known = -(relations @ self.values)
        mine = relations[:, self.hidden].tocsr()
        mine.eliminate_zeros()
        kept = np.flatnonzero(np.diff(mine.indptr))
        return mine[kept], known[kept]

    @cached_property
    def broken(self) -> IntArray:
        """Rows of `relations` with published cells only that don't add up, [k]; empty in a sound table."""
        relations = self.relations.astype(np.int64)
        holds_hidden = (abs(relations) @ (~self.published).astype(np.int64)) > 0
        return np.flatnonzero(~holds_hidden & (relations @ self.values != 0)).astype(np.int64)

    @property
    def branches_of_hidden(self) -> list[IntArray]:
        """Where the hidden cells stand in the trees, each [h]."""
        return [branch[self.hidden] for branch in self.branches]

    @cached_property
    def free(self) -> tuple[IntArray, IntArray]:
        """Bounds known beforehand of the hidden cells: (lower, upper), each int64 [h]."""
        return self.lower[self.hidden], self.upper[self.hidden]


def outsider(
    relations: Any,
    values: IntArray,
    hidden: BoolArray,
    *,
    lower: IntArray | int,
    upper: IntArray | None = None,
    branches: Sequence[IntArray] = (),
) -> View:
    """The view of a table whose `hidden` cells are taken out; their values are forgotten here.

    relations: sparse [m, n]; values: whole numbers [n]; hidden: bool [n]; lower, upper: what is known of hidden cells
    without the table (upper: nothing unless given); branches: as of a `View`. ValueError where the lengths differ.
    """
    count = len(hidden)
    if relations.shape[1] != count or len(values) != count:
        raise ValueError("relations, values and hidden cells must tell of the same number of cells")
    shown = np.where(hidden, 0, values).astype(np.int64)
    known_below = np.broadcast_to(np.asarray(lower, np.int64), (count,))
    known_above = np.full(count, NO_BOUND, np.int64) if upper is None else np.asarray(upper, np.int64)
    return View(
        relations=relations.tocsr(),
        published=~np.asarray(hidden, bool),
        values=shown,
        lower=np.where(hidden, known_below, shown).astype(np.int64),
        upper=np.where(hidden, known_above, shown).astype(np.int64),
        branches=branches,
    )
