"""Additive tables: every cell as a sum of inner cells, and inner cells rounded so that all sums stay near the truth."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from release.codes import IntArray
from release.errors import DataError, roughly

FloatArray = npt.NDArray[np.float64]
_CHAIN = 150
"""Longest chain of changes tried before the best part of it is kept."""


@dataclass(frozen=True, eq=False)
class Folding:
    """inner: positions of the cells that are no sum, [k]. sums: sparse int64 [n, k], every cell as a sum of those."""

    inner: IntArray
    sums: Any


def folding(relations: Any) -> Folding:
    """Every cell as a sum of inner cells, from the system's relations (sparse int8 [m, n], -1 total, +1 parts).

    Of several relations of one total the first one counts. DataError: they disagree (linked tables without common inner
    cells), or sums run in a circle.
    """
    from scipy.sparse import coo_array, csr_array

    m, n = relations.shape
    entries = coo_array(relations)
    total_of = np.full(m, -1, np.int64)
    total_of[entries.row[entries.data < 0]] = entries.col[entries.data < 0]
    first = np.full(n, -1, np.int64)
    first[total_of[::-1]] = np.arange(m)[::-1]
    inner = np.flatnonzero(first < 0)
    used = (entries.data > 0) & (first[total_of[entries.row]] == entries.row)
    parts = csr_array(
        (np.ones(int(used.sum()), np.int64), (total_of[entries.row[used]], entries.col[used])), shape=(n, n)
    )
    own = csr_array((np.ones(len(inner), np.int64), (inner, np.arange(len(inner)))), shape=(n, len(inner)))
    sums = _unfolded(parts, own)
    if abs(relations.astype(np.int64) @ sums).sum():
        raise DataError(
            "the tables aren't sums of common inner cells, so inner cells can't be rounded for all of them at once",
            now="add the table that crosses all their dimensions (it needn't be published), or round each by itself",
        ) from None
    return Folding(inner.astype(np.int64), sums)


def _unfolded(parts: Any, own: Any) -> Any:
    """own + parts own + parts^2 own + …: level by level upwards, as many times as the deepest tree has levels."""
    sums, level = own, own
    for _ in range(64):
        level = (parts @ level).tocsr()
        level.eliminate_zeros()
        if level.nnz == 0:
            return sums.tocsr()
        sums = sums + level
    raise DataError("the table's sums run in a circle", now="correct the trees") from None


def refuse_unless_additive(relations: Any, values: IntArray) -> None:
    """DataError where totals aren't the sums of their parts."""
    broken = int(np.count_nonzero(relations.astype(np.int64) @ values))
    if broken:
        raise DataError(
            f"{roughly(broken)} totals aren't the sums of their parts", now="count them from the same rows"
        ) from None


@dataclass(eq=False)
class Search:
    """Which of k inner cells go up: least weighted sum of squared errors over all sums, by chains of changes.

    sums: sparse [p, k]; weights: [p]; steps: [k], what a cell's going up adds; error: [p], sums of what has been
    changed so far. Deterministic: of equal changes the first one counts.
    """

    sums: Any
    weights: FloatArray
    steps: IntArray
    up: npt.NDArray[np.bool_]
    error: FloatArray

    def __post_init__(self) -> None:
        self._by_cell = self.sums.T.tocsr()
        self._by_sum = self.sums.tocsr()
        self._own = np.asarray(self._by_cell @ self.weights, float) * self.steps.astype(float) ** 2
        self._slope = np.asarray(self._by_cell @ (self.weights * self.error), float)

    def improve(self, *, rounds: int) -> None:
        """Change cells as long as it helps, at most so many chains."""
        for _ in range(rounds):
            if not self._chain():
                return

    def _chain(self) -> bool:
        """Up to _CHAIN best changes, each cell once; the best part of the chain is kept. Whether it helped."""
        gain, best, done = 0.0, 0.0, list[int]()
        kept = 0
        barred = np.zeros(len(self.up), bool)
        while len(done) < _CHAIN:
            change = np.where(barred, np.inf, self._own + 2 * self._direction() * self._slope)
            cell = int(np.argmin(change))
            if not np.isfinite(change[cell]):
                break
            gain += float(change[cell])
            self._flip(cell)
            barred[cell] = True
            done.append(cell)
            if gain < best - 1e-9:
                best, kept = gain, len(done)
                if len(done) == 1:
                    break
        for cell in done[kept:]:
            self._flip(cell)
        return kept > 0

    def _direction(self) -> FloatArray:
        return np.where(self.up, -self.steps, self.steps).astype(float)

    def _flip(self, cell: int) -> None:
        """Change one cell and keep errors and slopes up to date."""
        step = float(-self.steps[cell] if self.up[cell] else self.steps[cell])
        self.up[cell] = not self.up[cell]
        rows = self._by_cell.indices[self._by_cell.indptr[cell] : self._by_cell.indptr[cell + 1]]
        self.error[rows] += step
        for row in rows:
            touched = self._by_sum.indices[self._by_sum.indptr[row] : self._by_sum.indptr[row + 1]]
            self._slope[touched] += step * self.weights[row]


def rounded_up(
    remainders: IntArray, *, base: int, sums: Any, weights: FloatArray, rounds: int
) -> npt.NDArray[np.bool_]:
    """Which cells go up to the next multiple, so that sums move little; remainders in 1 … base - 1, [k].

    Starts by carrying the error along the cells' order, so that neighbours balance each other; then searches.
    """
    carried = np.cumsum(remainders) + base // 2
    up = np.diff(carried // base, prepend=(base // 2) // base) > 0
    error = np.asarray(sums @ np.where(up, base - remainders, -remainders), float)
    search = Search(sums, weights, np.full(len(remainders), base, np.int64), up, error)
    search.improve(rounds=rounds)
    return search.up
