"""Bayesian raking: a table of weights is pulled, level by level, towards noisy tables with known errors.

For a table cell with model value x, noisy value y of standard error s and accumulated log-interaction z, the step is
the Gauss-Newton one for (x - y)^2 / (2 s^2) + z^2 / (2 tau^2) in z: large cells are matched, cells that are noise keep
the coarser tables' shape. One-step gradient methods fail here, because the errors span five powers of ten.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
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
CYCLES = 20
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


Move = Callable[["RakedTable", FloatArray], FloatArray]
"""Factors for a table's cells, given the table as the model has it."""


@dataclass(eq=False)
class RakedTable:
    """One noisy table over the rows and columns of a block.

    rows[i]: the table's row that block row i falls in; columns[k]: the table's column of block column k. cells:
    (rows, columns) of the table. runs: sums over neighbouring columns that are fitted before the cells.
    """

    rows: IntArray
    columns: IntArray
    cells: NoisyCells
    runs: Sequence[Runs] = ()

    def __post_init__(self) -> None:
        self.shape = self.cells.value.shape
        self._gather_rows = _summing(self.rows, self.shape[0])
        self._same_columns = np.array_equal(self.columns, np.arange(self.shape[1]))

    def of(self, weights: FloatArray) -> FloatArray:
        """The table that the weights make."""
        by_row = np.asarray(self._gather_rows @ weights)
        if self._same_columns:
            return by_row
        table = np.zeros(self.shape)
        for column, into in enumerate(self.columns):
            table[:, into] += by_row[:, column]
        return table

    def spread(self, factors: FloatArray) -> FloatArray:
        """What every block cell gets of the table's cells."""
        wide = factors if self._same_columns else factors[:, self.columns]
        return np.asarray(wide.take(self.rows, axis=0))

    def step(self, x: FloatArray) -> FloatArray:
        """Factors after one damped step on the table's runs and cells; x: the table as the model has it now."""
        factors = np.ones_like(x)
        for run in self.runs:
            factors *= run.factors(x * factors)
        return np.asarray(factors * self.cells.factors(x * factors))

    def correction(self, x: FloatArray) -> FloatArray:
        """Factors that bring the cells outside their intervals to the nearest bound, and leave the others."""
        low, high = (np.maximum(self.cells.value + side * INSIDE * self.cells.error, 0.0) for side in (-1, 1))
        return _ratio(np.clip(x, low, np.maximum(high, LEAST)), x, least=LEAST)

    def seen_from(self, finer: "RakedTable") -> "RakedTable | None":
        """The same table over the cells of a finer one, as its block; None if that one isn't finer."""
        row, column = _first(finer.rows, finer.shape[0]), _first(finer.columns, finer.shape[1])
        rows, columns = self.rows[row], self.columns[column]
        if np.array_equal(rows[finer.rows], self.rows) and np.array_equal(columns[finer.columns], self.columns):
            return replace(self, rows=rows, columns=columns)
        return None

    def itself(self) -> "RakedTable":
        """The table over its own cells."""
        return replace(self, rows=np.arange(self.shape[0]), columns=np.arange(self.shape[1]))


def _summing(where: IntArray, size: int) -> "csr_array":
    from scipy.sparse import csr_array

    ones = np.ones(len(where))
    return csr_array((ones, (where, np.arange(len(where)))), shape=(size, len(where)))


def _first(where: IntArray, size: int) -> IntArray:
    """Where each of the values stands; anywhere for values that don't."""
    first = np.zeros(size, np.int64)
    first[where] = np.arange(len(where))
    return first


def _ratio(wanted: FloatArray, x: FloatArray, *, least: float = 0.0) -> FloatArray:
    return np.divide(wanted, x, out=np.ones_like(x), where=x > least)


@dataclass(frozen=True, eq=False)
class Family:
    """A table and all that are coarser: these see its cells, so that the block is summed up and changed once for all.

    members: over the cells of the finest, from coarse to fine; the finest itself comes last.
    """

    finest: RakedTable
    members: Sequence[RakedTable]

    def moved(self, weights: FloatArray, move: Move, *, rows: FloatArray | None, backwards: bool) -> FloatArray:
        """The weights after a move on every member, one after another."""
        before = self.finest.of(weights)
        total, sums = float(before.sum()), None if rows is None else _row_sums(before)
        cells = before
        for table in reversed(self.members) if backwards else self.members:
            cells = _kept(cells * table.spread(move(table, table.of(cells))), sums, total)
        return _kept(weights * self.finest.spread(_ratio(cells, before)), rows, total)


def families(tables: Sequence[RakedTable]) -> list[Family]:
    """The finest tables, from coarse to fine, each with all that are coarser than it."""
    left = sorted(tables, key=lambda table: table.cells.value.size)
    order, found = list(left), []
    while left:
        finest = left.pop()
        seen = {id(table): table.seen_from(finest) for table in order if table is not finest}
        found.append(Family(finest, [*(view for view in seen.values() if view), finest.itself()]))
        left = [table for table in left if seen[id(table)] is None]
    return found[::-1]


def rake(
    weights: FloatArray, tables: Sequence[RakedTable], *, rows: FloatArray | None = None, cycles: int = CYCLES
) -> FloatArray:
    """Weights pulled towards all tables: coarse to fine and back, `cycles` times.

    weights: (rows, columns), not negative; zeros stay. rows: what each row must add up to; None: only the total.
    """
    groups = families(tables)
    for cycle in range(cycles):
        back = bool(cycle % 2)
        for family in reversed(groups) if back else groups:
            weights = family.moved(weights, RakedTable.step, rows=rows, backwards=back)
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
    shown, coarse = families(published), families([table for table in fitted if table.cells.value.size <= COARSE])
    for _ in range(LAST_CYCLES if published else 0):
        for family in reversed(shown):
            weights = family.moved(weights, RakedTable.correction, rows=rows, backwards=True)
        for family in coarse[::-1] * MENDING:
            weights = family.moved(weights, RakedTable.step, rows=rows, backwards=True)
    return weights


def _kept(weights: FloatArray, rows: FloatArray | None, total: float) -> FloatArray:
    if rows is None:
        return np.asarray(weights * (total / weights.sum()))
    sums = _row_sums(weights)
    return np.asarray(weights * np.divide(rows, sums, out=np.zeros_like(sums), where=sums > 0)[:, None])


def _row_sums(weights: FloatArray) -> FloatArray:
    """Faster than `sum` for few columns."""
    return np.asarray(np.einsum("ij->i", weights))
