"""Figures with 95 % intervals: what is shown of a count, a share, a mean or a percentile.

Intervals invert a test: all values that the estimates don't contradict at the 5 % level (for ratios: Fieller 1954).
`Figures` says what they cover: the noise alone, or also the chance variation of a finite cohort.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from release.protected.functionals import OutcomeTable
from release.residuals import FloatArray

Z = 1.959963984540054
"""Two-sided 95 % point of the normal distribution."""


@dataclass(frozen=True, eq=False)
class Figures:
    """One statistic in each cell of a base. All arrays of shape (cells,) or (cells, codes).

    value: nan where it can't be computed. base: the noisy number of persons that the figure is about.
    """

    value: FloatArray
    lower: FloatArray
    upper: FloatArray
    standard_error: FloatArray
    base: FloatArray


def count_figures(counts: FloatArray, variances: FloatArray, base: FloatArray, *, chance: bool) -> Figures:
    """Numbers of persons. With chance: a cohort is one draw of many (Poisson, variance = count)."""
    total = variances + (np.maximum(counts, 0.0) if chance else 0.0)
    error = np.sqrt(total)
    lower, upper = np.maximum(counts - Z * error, 0.0), np.maximum(counts + Z * error, 0.0)
    return Figures(counts, lower, upper, error, base)


def ratio_figures(
    table: OutcomeTable, numerator: FloatArray, denominator: FloatArray, *, limits: tuple[float, float], chance: bool
) -> Figures:
    """A ratio of two linear functions of the outcome's counts, between `limits`; a share, or a mean of scores.

    With chance: plus the variance of the persons' own scores around the ratio, as if they were drawn at random.
    """
    top, base = table.total(numerator), table.total(denominator)
    v_top, v_base = table.variance(numerator), table.variance(denominator)
    both = table.covariance(numerator, denominator)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.clip(np.where(base > 0, top / base, np.nan), *limits)
        if chance:
            v_top = v_top + _spread(table, numerator, denominator, ratio)
        error = np.sqrt(np.maximum(v_top - 2 * ratio * both + ratio**2 * v_base, 0.0)) / base
        lower, upper = _fieller(top, base, v_top, v_base, both)
    return Figures(ratio, np.clip(lower, *limits), np.clip(upper, *limits), error, base)


def _spread(table: OutcomeTable, numerator: FloatArray, denominator: FloatArray, ratio: FloatArray) -> FloatArray:
    """Sum over persons of (score - ratio)^2, never below zero: sum a^2 x - 2 ratio sum a d x + ratio^2 sum d^2 x."""
    squares = table.total(numerator**2)
    crossed = table.total(numerator * denominator)
    plain = table.total(denominator**2)
    return np.nan_to_num(np.maximum(squares - 2 * ratio * crossed + ratio**2 * plain, 0.0))


def _fieller(
    top: FloatArray, base: FloatArray, v_top: FloatArray, v_base: FloatArray, both: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """All R with (top - R base)^2 <= Z^2 Var(top - R base); everything where the base isn't clearly above zero."""
    a = base**2 - Z**2 * v_base
    b = top * base - Z**2 * both
    c = top**2 - Z**2 * v_top
    root = np.sqrt(np.maximum(b**2 - a * c, 0.0))
    bounded = (a > 0) & (base > 0)
    return np.where(bounded, (b - root) / a, -np.inf), np.where(bounded, (b + root) / a, np.inf)


def percentile_figures(table: OutcomeTable, percents: Sequence[int], *, chance: bool) -> list[Figures]:
    """Percentiles of a number in bins, for each per cent asked for.

    Leaves are: under, the bins, over, then special codes. With F(x) persons under x and N persons with a number, the
    interval is the hull of all x with |F(x) - q N| <= Z sd, linear between bin edges. nan where it leaves the bins.
    """
    if not percents:
        return []
    edges = np.array(table.attribute.edges)
    cumulative = _cumulative(table, len(edges))
    return [_percentile(table, cumulative, edges, percent / 100, chance) for percent in percents]


def _cumulative(table: OutcomeTable, edges: int) -> FloatArray:
    """Persons under each edge, then all with a number: shape (cells, edges + 1), made monotone and not negative."""
    raw = np.add.accumulate(table.counts[:, : edges + 1], axis=1)
    return np.maximum.accumulate(np.maximum(raw, 0.0), axis=1)


def _percentile(table: OutcomeTable, cumulative: FloatArray, edges: FloatArray, q: float, chance: bool) -> Figures:
    leaves = len(table.attribute.levels[table.level])
    numbered = np.where(np.arange(leaves) <= len(edges), 1.0, 0.0)
    total = table.total(numbered)
    value = _crossing(cumulative[:, :-1] - q * cumulative[:, -1:], edges)
    low, high = [], []
    for edge in range(len(edges)):
        a = np.where(np.arange(leaves) <= edge, 1.0, 0.0) - q * numbered
        spread = table.variance(a) + (np.maximum(total, 0.0) * q * (1 - q) if chance else 0.0)
        gap = table.total(a)
        low.append(gap + Z * np.sqrt(spread))
        high.append(gap - Z * np.sqrt(spread))
    lower = _crossing(np.stack(low, axis=1), edges)
    upper = _last_crossing(np.stack(high, axis=1), edges)
    value = np.where(np.isnan(lower) | np.isnan(upper), np.nan, np.clip(value, lower, upper))
    return Figures(value, lower, upper, (upper - lower) / (2 * Z), total)


def _crossing(gap: FloatArray, edges: FloatArray) -> FloatArray:
    """First x where the gap, linear between edges, reaches zero from below; nan if it does so outside the edges."""
    reached = gap >= 0
    first = reached.argmax(axis=1)
    inside = reached.any(axis=1) & (first > 0)
    right = np.maximum(first, 1)
    rows = np.arange(len(gap))
    before, after = gap[rows, right - 1], gap[rows, right]
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(after > before, -before / (after - before), 0.0)
    found = edges[right - 1] + np.clip(part, 0.0, 1.0) * (edges[right] - edges[right - 1])
    return np.where(inside, found, np.nan)


def _last_crossing(gap: FloatArray, edges: FloatArray) -> FloatArray:
    """Last x where the gap is still at or below zero: the first crossing seen from the other end."""
    return -_crossing(-gap[:, ::-1], -edges[::-1])
