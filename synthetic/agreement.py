"""How closely records reproduce the published tables: figure by figure, in the figure's unit and in standard errors."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from release.codes import NOT_APPLICABLE
from release.policy.policy import Combination, Policy
from release.possible import BoolArray
from release.protected.estimates import Estimates
from release.protected.intervals import Figures, count_figures
from release.protected.reasons import Status
from release.protected.safe import FIGURES, SafeTable
from release.protected.statistics import Column, frame_mask, possible_mask, table_figures
from release.residuals import FloatArray, shape_of
from synthetic.agree import fitted_table
from synthetic.coded import Coded
from synthetic.fit import Fit

CLOSE = 1e-9
"""Persons, or parts of one, that rounding to 9 decimals may move a figure by."""


@dataclass(frozen=True)
class Differences:
    """Absolute differences of the records' figures from others, over so many cells; None where there is nothing to say.

    mean, largest: in the figures' unit. in errors: in standard errors of the others.
    """

    cells: int
    mean: float | None
    largest: float | None
    mean_in_errors: float | None = None
    largest_in_errors: float | None = None


@dataclass(frozen=True)
class StatisticAgreement:
    """A published statistic: how many of its shown figures have the records' figure inside their interval."""

    statistic: str
    shown: int
    inside: int
    differences: Differences

    @property
    def share_inside(self) -> float | None:
        return self.inside / self.shown if self.shown else None


@dataclass(frozen=True)
class TableAgreement:
    """One table of the policy. Counts are those of a record times the persons that it stands for.

    published: the shown figures by statistic. measured: the counts of all its possible cells, shown or withheld,
    against the noisy ones and their intervals. fit: the records' counts against the fit's, in records; None without a
    fit. unchecked: the columns that the records lack; then there is nothing else.
    """

    name: str
    published: tuple[StatisticAgreement, ...] = ()
    measured: StatisticAgreement | None = None
    fit: Differences | None = None
    unchecked: tuple[str, ...] = ()

    @property
    def shown(self) -> int:
        return sum(one.shown for one in self.published)

    @property
    def share_inside(self) -> float | None:
        """Of all shown figures of the table."""
        return sum(one.inside for one in self.published) / self.shown if self.shown else None


def table_agreement(
    records: Coded, table: SafeTable, estimates: Estimates, *, persons: float, fit: Fit | None
) -> TableAgreement:
    """One table compared. persons: the noisy total, which the records stand for."""
    policy = records.policy
    combination = policy.measured(policy.tables[table.name])
    lacking = tuple(name for name, level in combination if records.levels.get(name, 0) < level)
    if lacking:
        return TableAgreement(table.name, unchecked=lacking)
    scale = persons / max(len(records), 1)
    base = policy.combination(policy.tables[table.name].by)
    counted = Counted.of(records, (base, combination), scale=scale)
    cells = _Cells.of(policy, table.name)
    return TableAgreement(
        table.name,
        tuple(_published(table, table_figures(counted, policy, table.name).columns)),
        _measured(counted, estimates, cells),
        None if fit is None else _to_the_fit(counted, fit, cells, scale),
    )


# ---- the records' own figures ---------------------------------------------------------------------------------------


class Counted(Estimates):
    """The records' counts in the place of estimates: without noise, so that published statistics come out of them."""

    @classmethod
    def of(cls, records: Coded, combinations: Iterable[Combination], *, scale: float) -> "Counted":
        """The counts of some combinations, each record standing for `scale` persons."""
        attributes = records.policy.attributes
        counts = {c: (records.count(c) * scale).reshape(shape_of(c, attributes)) for c in combinations}
        return cls(attributes, counts, {})

    @cached_property
    def variances(self) -> Mapping[Combination, FloatArray]:
        return {combination: np.zeros(counts.shape) for combination, counts in self.counts.items()}

    def outcome_noise(self, base: Combination, outcome: str, level: int) -> FloatArray:
        return np.zeros((*shape_of(base, self.attributes), len(self.attributes[outcome].levels[level])))


# ---- against the published figures ----------------------------------------------------------------------------------


def _published(table: SafeTable, own: Mapping[Column, Figures]) -> Iterator[StatisticAgreement]:
    """For each statistic, the records' figures beside the shown ones. Cells of both stand in the same order."""
    width = len(own)
    columns = list(_columns(table, own))
    shown = (table.cells["status"] == Status.SHOWN).to_numpy().reshape(-1, width)
    figures = {name: table.cells[name].to_numpy(np.float64).reshape(-1, width) for name in FIGURES}
    for statistic in table.statistics:
        chosen = [i for i, column in enumerate(columns) if column[1] == statistic]
        value = np.stack([own[columns[i]].value for i in chosen], axis=1)
        where = shown[:, chosen]
        one, low, high, error = (figures[name][:, chosen][where] for name in FIGURES)
        theirs = Figures(one, low, high, error, base=np.zeros(0))
        yield _one_statistic(statistic, value[where], theirs)


def _columns(table: SafeTable, own: Mapping[Column, Figures]) -> Iterator[Column]:
    """(code, statistic) of the rows of the first cell; the code of a table of persons is ""."""
    of_outcome = ("", "count") not in own
    for row in table.cells.head(len(own)).to_dict("records"):
        yield (str(row[table.keys[-1].name]) if of_outcome else "", str(row["statistic"]))


def _one_statistic(statistic: str, value: FloatArray, theirs: Figures) -> StatisticAgreement:
    inside = (value >= theirs.lower - CLOSE) & (value <= theirs.upper + CLOSE)
    differences = differences_of(value, theirs.value, theirs.standard_error)
    return StatisticAgreement(statistic, len(value), int(inside.sum()), differences)


def differences_of(value: FloatArray, other: FloatArray, error: FloatArray | None = None) -> Differences:
    """Absolute differences; figures that can't be computed are left out, and so are errors of zero."""
    apart = np.abs(value - other)
    known = np.isfinite(apart)
    mean, largest = _mean_and_largest(apart[known])
    if error is None:
        return Differences(int(known.sum()), mean, largest)
    sure = known & (error > 0)
    return Differences(int(known.sum()), mean, largest, *_mean_and_largest(apart[sure] / error[sure]))


def _mean_and_largest(apart: FloatArray) -> tuple[float | None, float | None]:
    return (float(apart.mean()), float(apart.max())) if len(apart) else (None, None)


# ---- against all measured counts, and against the fit ----------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Cells:
    """A table's possible cells: of its base (flat), and its codes but "not applicable" (None without an outcome)."""

    combination: Combination
    outcome: str
    base: BoolArray
    codes: BoolArray | None

    @classmethod
    def of(cls, policy: Policy, name: str) -> "_Cells":
        table = policy.tables[name]
        base, combination = policy.combination(table.by), policy.measured(table)
        possible = possible_mask(policy, base) & frame_mask(policy, table, base)
        if not table.of:
            return cls(combination, "", possible, None)
        outcome, level = policy.level_of(table.of)
        codes = policy.attributes[outcome].levels[level].codes
        return cls(combination, outcome, possible, np.array([code != NOT_APPLICABLE for code in codes]))

    def pick(self, counts: FloatArray) -> FloatArray:
        """The possible cells' values of an array of the combination."""
        if self.codes is None:
            return np.asarray(counts.reshape(-1)[self.base])
        axis = [name for name, _ in self.combination].index(self.outcome)
        return np.asarray(
            np.moveaxis(counts, axis, -1).reshape(len(self.base), -1)[self.base][:, self.codes].reshape(-1)
        )

    def pick_flat(self, counts: FloatArray) -> FloatArray:
        """The same of a flat array whose last axis is the outcome's."""
        rows = counts.reshape(len(self.base), -1)[self.base]
        return np.asarray((rows if self.codes is None else rows[:, self.codes]).reshape(-1))


def _measured(counted: Counted, estimates: Estimates, cells: _Cells) -> StatisticAgreement:
    noisy = cells.pick(estimates.counts[cells.combination])
    variance = cells.pick(estimates.variances[cells.combination])
    figures = count_figures(noisy, variance, noisy, chance=False)
    return _one_statistic("count", cells.pick(counted.counts[cells.combination]), figures)


def _to_the_fit(counted: Counted, fit: Fit, cells: _Cells, scale: float) -> Differences:
    """In records: the fit's table is brought to their number."""
    own = counted.counts[cells.combination] / scale
    fitted = fitted_table(fit, cells.combination)
    return differences_of(cells.pick(own), cells.pick_flat(fitted * (own.sum() / fitted.sum())))
