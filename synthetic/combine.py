"""One interval from the figures of several replicates: how unsure a figure of synthetic records is.

A replicate's figure moves as the measurements' noise moves; the replicates' noise adds up to zero over all of them. So
their spread is the figure's standard error. Noise also moves figures to one side, since nothing is fitted below zero:
how far is seen from the records that agree with the tables, which have about half of the replicates' noise. Derived,
and shown by simulation, in docs/methods-synthetic.md; a worked example is docs/synthetic-inference.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite, sqrt
from typing import Literal, get_args

from release.errors import UsageError

Target = Literal["cohort", "population"]
FEWEST = 2
SAME = 1e-12


@dataclass(frozen=True)
class Combined:
    """A figure with its interval, in the figure's own unit.

    between: variance of the replicates' figures. within: mean of their own variances, 0 if none were given. shift:
    what noise itself seems to do to the figure, 0 if the records that agree weren't asked.
    degrees_of_freedom: of the t distribution that the interval is from.
    """

    point: float
    lower: float
    upper: float
    standard_error: float
    degrees_of_freedom: float
    between: float
    within: float
    shift: float = 0.0


def combine(
    points: Sequence[float],
    variances: Sequence[float] | None = None,
    *,
    agreeing: float | None = None,
    target: Target = "cohort",
    level: float = 0.95,
) -> Combined:
    """A figure's interval from its values in all replicates of a release (2 at least; all, since they are balanced).

    points: the figure in each replicate. agreeing: the figure in the records that agree with the tables; it becomes the
    interval's middle, and what noise does to one side (S) is allowed for. target: "cohort", the true figure of the
    persons in the registers: variance B + S^2; or "population", that of a population these persons are a random part
    of: variance B + S^2 + U. variances: the figure's usual squared standard error in each replicate; U is their mean.
    They are needed for "population" only.
    UsageError for fewer than 2 replicates, lengths that differ, figures that aren't numbers, or all of them the same.
    """
    figures = _checked(points, "points")
    own = [0.0] * len(figures) if variances is None else _checked(variances, "variances")
    _check_request(figures, own, target, level)
    if target == "population" and variances is None:
        raise UsageError('the target "population" needs variances', now="give each replicate's own variance")
    mean, within = sum(figures) / len(figures), sum(own) / len(own)
    between = sum((figure - mean) ** 2 for figure in figures) / (len(figures) - 1)
    point, shift = _moved(mean, agreeing, len(figures))
    noise = between + shift**2
    total = noise + (within if target == "population" else 0.0)
    freedom = (len(figures) - 1) * (total / noise) ** 2
    half = _quantile(freedom, level) * sqrt(total)
    return Combined(point, point - half, point + half, sqrt(total), freedom, between, within, shift)


def _moved(mean: float, agreeing: float | None, count: int) -> tuple[float, float]:
    """The interval's middle, and what once the measurements' noise moves the figure by, to one side.

    The replicates have (2 - 1/m) times the measurements' noise in variance, the records that agree have it once.
    """
    if agreeing is None:
        return mean, 0.0
    figure = _checked([agreeing], "agreeing")[0]
    return figure, (mean - figure) * count / (count - 1)


def _checked(values: Sequence[float], name: str) -> list[float]:
    numbers = [float(value) for value in values]
    if not all(isfinite(number) for number in numbers):
        raise UsageError(
            f"{name} hold a value that isn't a finite number",
            where="combine",
            now="leave missing values out before the figure is computed in each replicate",
        )
    return numbers


def _check_request(figures: list[float], own: list[float], target: str, level: float) -> None:
    count = len(figures)
    if count < FEWEST:
        raise UsageError(f"{count} replicates can't tell how unsure a figure is", now="give the figures of 2 at least")
    if len(own) != count:
        raise UsageError(f"{count} points but {len(own)} variances", now="give one variance for each replicate")
    if min(own) < 0:
        raise UsageError("a variance is below zero", now="give squared standard errors")
    if target not in get_args(Target):
        raise UsageError(f'the target "{target}" isn\'t known', now='choose "cohort" or "population"')
    if not 0 < level < 1:
        raise UsageError(f"an interval can't have the level {level:g}", now="choose one between 0 and 1, such as 0.95")
    if max(figures) - min(figures) <= SAME * max(abs(figure) for figure in figures):
        raise UsageError(
            "all replicates give the same figure, so they don't tell how unsure it is",
            now="check that each figure is from another replicate; a figure that is fixed by the rules has no interval",
        )


def _quantile(freedom: float, level: float) -> float:
    from scipy.special import ndtri, stdtrit

    at = (1 + level) / 2
    return float(ndtri(at) if freedom == inf else stdtrit(freedom, at))
