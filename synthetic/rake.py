"""Bayesian raking: a table of weights is pulled, level by level, towards noisy tables with known errors.

For a table cell with model value x, noisy value y of standard error s and accumulated log-interaction z, the step is
the Gauss-Newton one for (x - y)^2 / (2 s^2) + z^2 / (2 tau^2) in z: large cells are matched, cells that are noise keep
the coarser tables' shape. One-step gradient methods fail here, because the errors span five powers of ten.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from release.codes import IntArray
from release.residuals import FloatArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

TAU = 0.7
"""Standard deviation of the prior on log-interactions."""
CLEAR = 5.0
"""A cell of so many standard errors needs no prior."""
DAMPING = 0.8
LONGEST_STEP = 1.0
CYCLES = 16
LAST_CYCLES = 6
INSIDE = 1.8
"""Standard errors within which the published tables' cells are brought at last: a little less than their intervals."""
LEAST = 1e-6
COARSE = 2_000
"""Cells of a table that is coarse enough to be raked again after a correction."""
MENDING = 2


@dataclass(eq=False)
class NoisyCells:
    """Noisy values with their standard errors, persons, and the log-interaction that each cell was given so far.

    shrunk: whether the log-interactions have a prior.
    """

    value: FloatArray
    error: FloatArray
    shrunk: bool
    interaction: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        self.interaction = np.zeros_like(self.value)

    def factors(self, x: FloatArray) -> FloatArray:
        """Factors for the cells after one damped step; x: the cells as the model has them now."""
        prior = np.where(x > CLEAR * self.error, 0.0, 1 / TAU**2) if self.shrunk else 0.0
        precision = 1 / self.error**2
        slope = x * (x - self.value) * precision + prior * self.interaction
        move = np.clip(-DAMPING * slope / (x * x * precision + prior + 1e-9), -LONGEST_STEP, LONGEST_STEP)
        self.interaction += move
        return np.asarray(np.exp(move))


@dataclass(eq=False)
class Runs:
    """A table's columns added up by runs: columns[k] is the run of the table's column k."""

    columns: IntArray
    cells: NoisyCells

    def factors(self, x: FloatArray) -> FloatArray:
        """Factors for the table's cells after one damped step on its runs."""
        starts = np.flatnonzero(np.diff(self.columns, prepend=-1))
        return np.asarray(self.cells.factors(np.add.reduceat(x, starts, axis=1))[:, self.columns])


@dataclass(eq=False)
class RakedTable:
    """One noisy table over the rows and columns of a block.

    rows[i]: the table's row that block row i falls in; columns[k]: the table's column of block column k. value, error:
    (rows, columns) of the table, persons. shrunk: whether its log-interactions have a prior. runs: sums over
    neighbouring columns that are fitted before the cells.
    """

    rows: IntArray
    columns: IntArray
    value: FloatArray
    error: FloatArray
    shrunk: bool
    runs: Sequence[Runs] = ()

    def __post_init__(self) -> None:
        self.cells = NoisyCells(self.value, self.error, self.shrunk)
        self._gather_rows = _summing(self.rows, len(self.value))
        self._gather_columns = _summing(self.columns, self.value.shape[1]).toarray().T

    def of(self, weights: FloatArray) -> FloatArray:
        """The table that the weights make."""
        return np.asarray(self._gather_rows @ (weights @ self._gather_columns))

    def step(self, weights: FloatArray) -> FloatArray:
        """Factors for every weight after one damped step on this table's runs and cells."""
        x = self.of(weights)
        factors = np.ones_like(x)
        for run in self.runs:
            factors *= run.factors(x * factors)
        factors *= self.cells.factors(x * factors)
        return np.asarray(factors[self.rows][:, self.columns])

    def correction(self, weights: FloatArray) -> FloatArray:
        """Factors that bring the cells outside their intervals to the nearest bound, and leave the others."""
        x = self.of(weights)
        low, high = (np.maximum(self.value + side * INSIDE * self.error, 0.0) for side in (-1, 1))
        wanted = np.clip(x, low, np.maximum(high, LEAST))
        factors = np.divide(wanted, x, out=np.ones_like(x), where=x > LEAST)
        return np.asarray(factors[self.rows][:, self.columns])


def _summing(where: IntArray, size: int) -> "csr_array":
    from scipy.sparse import csr_array

    ones = np.ones(len(where))
    return csr_array((ones, (where, np.arange(len(where)))), shape=(size, len(where)))


def rake(
    weights: FloatArray, tables: Sequence[RakedTable], *, rows: FloatArray | None = None, cycles: int = CYCLES
) -> FloatArray:
    """Weights pulled towards all tables: coarse to fine and back, `cycles` times.

    weights: (rows, columns), not negative; zeros stay. rows: what each row must add up to; None: only the total.
    """
    order = sorted(tables, key=lambda table: table.value.size)
    total = float(weights.sum())
    for cycle in range(cycles):
        for table in order if cycle % 2 == 0 else reversed(order):
            weights = _kept(weights * table.step(weights), rows, total)
    return weights


def inside_intervals(
    weights: FloatArray,
    published: Sequence[RakedTable],
    fitted: Sequence[RakedTable],
    *,
    rows: FloatArray | None = None,
) -> FloatArray:
    """The weights, moved as little as it takes to bring the published tables' cells inside their 95 % intervals.

    Even the truth has one cell in twenty outside; a reader who compares records with published tables has none. What
    that does to coarse tables, whose errors are far smaller than their cells, is mended by raking to them again.
    """
    total = float(weights.sum())
    coarse = sorted((t for t in fitted if t.value.size <= COARSE), key=lambda table: -table.value.size)
    for _ in range(LAST_CYCLES if published else 0):
        for table in sorted(published, key=lambda table: -table.value.size):
            weights = _kept(weights * table.correction(weights), rows, total)
        for table in coarse * MENDING:
            weights = _kept(weights * table.step(weights), rows, total)
    return weights


def _kept(weights: FloatArray, rows: FloatArray | None, total: float) -> FloatArray:
    if rows is None:
        return np.asarray(weights * (total / weights.sum()))
    sums = weights.sum(axis=1)
    return np.asarray(weights * np.divide(rows, sums, out=np.zeros_like(sums), where=sums > 0)[:, None])
