"""Figures with 95 % intervals: what is shown of a count, a share, a mean or a percentile.

Intervals invert a test: all values that the estimates don't contradict at the 5 % level (for ratios: Fieller 1954).
`Figures` says what they cover: the noise alone, or also the chance variation of a finite cohort.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from release.protected.functionals import OutcomeTable
from release.residuals import FloatArray

Z = 1.959963984540054
"""Two-sided 95 % point of the normal distribution."""
_PARTS = 8
"""Points within a bin, its lower edge included; straight lines between them."""
_OPEN = 0.25
"""How far the cubic may be off, as a part of its distance to the straight line (the next terms of the series)."""


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
    """Numbers of persons. With chance: a cohort is one draw of many, its variance the expected number (Poisson).

    All m with (count - m)^2 <= Z^2 (variance + m): the chance variance is that of m, not of the count, which would
    give the intervals of too small counts too small a width.
    """
    middle, square = counts + (Z**2 / 2 if chance else 0.0), variances
    if chance:
        square = np.maximum(variances + counts + Z**2 / 4, 0.0)
    lower, upper = np.maximum(middle - Z * np.sqrt(square), 0.0), np.maximum(middle + Z * np.sqrt(square), 0.0)
    error = np.sqrt(variances + (np.maximum(counts, 0.0) if chance else 0.0))
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
        clear = (base > 0) & (base**2 > Z**2 * v_base)
        if chance and _is_share(numerator, denominator):
            v_base, both = v_base - np.maximum(base, 0.0), both - np.maximum(base, 0.0) / 2
        elif chance:
            v_top = v_top + _spread(table, numerator, denominator, ratio)
        error = np.sqrt(np.maximum(v_top - 2 * ratio * both + ratio**2 * v_base, 0.0)) / base
        lower, upper = _fieller(top, base, v_top, v_base, both)
    lower, upper = np.where(clear, lower, -np.inf), np.where(clear, upper, np.inf)
    return Figures(ratio, np.clip(lower, *limits), np.clip(upper, *limits), error, base)


def _is_share(numerator: FloatArray, denominator: FloatArray) -> bool:
    """Each person counts 0 or 1, and those with 1 are of the base.

    Then the chance variance of top - R base is base R (1 - R) at the R that is tested (Wilson 1927), not at the
    estimate: base R is -2 R times -base / 2, and -base R^2 is R^2 times -base, so it goes into the covariance and the
    variance of the base.
    """
    return bool(np.isin(numerator, (0, 1)).all() and (numerator * denominator == numerator).all())


def _spread(table: OutcomeTable, numerator: FloatArray, denominator: FloatArray, ratio: FloatArray) -> FloatArray:
    """Sum over persons of (score - ratio)^2, never below zero: sum a^2 x - 2 ratio sum a d x + ratio^2 sum d^2 x."""
    squares = table.total(numerator**2)
    crossed = table.total(numerator * denominator)
    plain = table.total(denominator**2)
    return np.nan_to_num(np.maximum(squares - 2 * ratio * crossed + ratio**2 * plain, 0.0))


def _fieller(
    top: FloatArray, base: FloatArray, v_top: FloatArray, v_base: FloatArray, both: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """All R with (top - R base)^2 <= Z^2 (v_top - 2 R both + R^2 v_base), where the base is clearly above zero."""
    a = base**2 - Z**2 * v_base
    b = top * base - Z**2 * both
    c = top**2 - Z**2 * v_top
    root = np.sqrt(np.maximum(b**2 - a * c, 0.0))
    return (b - root) / a, (b + root) / a


def percentile_figures(table: OutcomeTable, percents: Sequence[int], *, chance: bool) -> list[Figures]:
    """Percentiles of a number in bins, for each per cent asked for.

    Leaves are: under, the bins, over, then special codes. With F(x) persons under x and N persons with a number, the
    interval is the hull of all x with |F(x) - q N| <= Z sd + what the bins leave open; nan where it leaves the bins.
    """
    if not percents:
        return []
    curve = _curve(table, _points(table.attribute.edges or ()))
    return [_percentile(curve, percent / 100, chance=chance) for percent in percents]


@dataclass(frozen=True, eq=False)
class _Point:
    """A number x in a bin, and F there as a sum over the edges: `weights` (a cubic), `bend` (cubic less straight)."""

    x: float
    bin: int
    part: float
    weights: FloatArray
    bend: FloatArray


def _points(edges: Sequence[float]) -> list[_Point]:
    """Every edge, and some points within each bin.

    F is known at the edges only. Between them a cubic through the four nearest is far nearer to a smooth distribution
    than a straight line (whose error is up to half a per cent of pay, more than the noise of large groups).
    """
    last = len(edges) - 2
    inner = [(number, part / _PARTS) for number in range(last + 1) for part in range(_PARTS)]
    return [_point(edges, number, part) for number, part in [*inner, (last, 1.0)]]


def _point(edges: Sequence[float], number: int, part: float) -> _Point:
    x = edges[number + 1] if part == 1.0 else edges[number] + part * (edges[number + 1] - edges[number])
    near = range(max(number - 1, 0), min(number + 3, len(edges)))
    weights, straight = np.zeros(len(edges)), np.zeros(len(edges))
    for k in near:
        weights[k] = prod((x - edges[m]) / (edges[k] - edges[m]) for m in near if m != k)
    straight[number], straight[number + 1] = 1 - part, part
    return _Point(x, number, part, weights, weights - straight)


@dataclass(frozen=True, eq=False)
class _Curve:
    """Persons under each point of the bins, in each cell. Arrays of shape (cells, points), or (cells,) for all persons.

    under, monotone: unbiased, and rising from zero. variance: of `under`; shared: its covariance with the total. open:
    how far the cubic may be off. placed: variance of where in its bin each person lies.
    """

    at: FloatArray
    under: FloatArray
    monotone: FloatArray
    variance: FloatArray
    shared: FloatArray
    open: FloatArray
    placed: FloatArray
    total: FloatArray
    monotone_total: FloatArray
    total_variance: FloatArray


def _curve(table: OutcomeTable, points: Sequence[_Point]) -> _Curve:
    edges, leaves = len(points[0].weights), len(table.attribute.levels[table.level])
    numbered = np.where(np.arange(leaves) <= edges, 1.0, 0.0)
    known = np.add.accumulate(table.counts[:, : edges + 1], axis=1)
    rising = np.maximum.accumulate(np.maximum(known, 0.0), axis=1)
    coefficients = [_under(point.weights, leaves) for point in points]
    smooth = [np.clip(_weighted(rising, p.weights), rising[:, p.bin], rising[:, p.bin + 1]) for p in points]
    in_bin = np.maximum(table.counts, 0.0)
    return _Curve(
        at=np.array([point.x for point in points]),
        under=np.stack([_weighted(known, point.weights) for point in points], axis=1),
        monotone=np.maximum.accumulate(np.stack(smooth, axis=1), axis=1),
        variance=np.stack([table.variance(a) for a in coefficients], axis=1),
        shared=np.stack([table.covariance(a, numbered) for a in coefficients], axis=1),
        open=_OPEN * np.abs(np.stack([_weighted(known, point.bend) for point in points], axis=1)),
        placed=np.stack([in_bin[:, p.bin + 1] * p.part * (1 - p.part) for p in points], axis=1),
        total=known[:, -1],
        monotone_total=rising[:, -1],
        total_variance=table.variance(numbered),
    )


def _under(weights: FloatArray, leaves: int) -> FloatArray:
    """Coefficients over the leaves of sum_k weights_k (persons under edge k): leaf i lies under the edges k >= i."""
    out = np.zeros(leaves)
    out[: len(weights)] = np.add.accumulate(weights[::-1])[::-1]
    return out


def _weighted(known: FloatArray, weights: FloatArray) -> FloatArray:
    """Sum of columns with weights, in a fixed order."""
    out = np.zeros(len(known))
    for column in np.flatnonzero(weights):
        out = out + weights[column] * known[:, column]
    return out


def _percentile(curve: _Curve, q: float, *, chance: bool) -> Figures:
    """Without chance: a percentile of the cohort itself, of which the place of each person in its bin is open too.

    With chance: of the population behind it, N q (1 - q) for the cohort's part in F(x) (within bins a little too much).
    """
    total = curve.total[:, None]
    gap = curve.under - q * total
    variance = np.maximum(curve.variance - 2 * q * curve.shared + q**2 * curve.total_variance[:, None], 0.0)
    other = np.maximum(total, 0.0) * q * (1 - q) if chance else curve.placed
    margin = Z * np.sqrt(variance + other) + curve.open
    lower, upper = _crossing(gap + margin, curve.at), _last_crossing(gap - margin, curve.at)
    value = _crossing(curve.monotone - q * curve.monotone_total[:, None], curve.at)
    value = np.where(np.isnan(lower) | np.isnan(upper), np.nan, np.clip(value, lower, upper))
    return Figures(value, lower, upper, (upper - lower) / (2 * Z), curve.total)


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
