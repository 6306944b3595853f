"""Runs of neighbouring codes: halves, quarters and eighths of the bins of pay, or of the marks of a scale.

A noisy cell can't be fitted below zero, so small cells come out too large on average, and the rare high pays with them
lift every mean. The sum over a run is known from the same measurements, with its own variance, and is far from zero
where its cells are not: fitted before the cells, it keeps the lift inside the run.
"""

from collections.abc import Iterator

import numpy as np

from release.codes import SPECIAL_CODES, Attribute, IntArray
from release.policy.policy import Combination
from release.protected.estimates import Estimates
from release.residuals import FloatArray
from synthetic.rake import NoisyCells, Runs

PARTS = (2, 4, 8)
_UNKNOWN = 1e12


def measured_runs(estimates: Estimates, combination: Combination, name: str) -> Iterator[Runs]:
    """A measured table of an ordered outcome, its columns added up by runs, once for each number of parts.

    Rows: the cells of the table's other attributes. Nothing for outcomes without bins or scale.
    """
    attribute = estimates.attributes[name]
    if (attribute.edges is None and attribute.scores is None) or dict(combination)[name] != attribute.depth:
        return
    axis = [other for other, _ in combination].index(name)
    value = np.moveaxis(estimates.counts[combination], axis, -1).reshape(-1, len(attribute.leaves))
    for parts in PARTS:
        if parts < ordered_codes(attribute):
            run = runs_of_codes(attribute, parts)
            sums = np.add.reduceat(value, np.flatnonzero(np.diff(run, prepend=-1)), axis=1)
            error = np.sqrt(run_variance(estimates, combination, name, run)).reshape(sums.shape)
            error[:, run[ordered_codes(attribute) :]] = _UNKNOWN
            yield Runs(run, NoisyCells(sums, error, shrunk=len(combination) > 1))


def ordered_codes(attribute: Attribute) -> int:
    """How many of an outcome's codes are bins or marks; they come first."""
    return sum(code not in SPECIAL_CODES for code in attribute.leaves.codes)


def runs_of_codes(attribute: Attribute, parts: int) -> IntArray:
    """The run of each code: so many runs of nearly equal length; each special code is one of its own."""
    ordered, codes = ordered_codes(attribute), len(attribute.leaves)
    within = np.arange(ordered, dtype=np.int64) * parts // ordered
    return np.concatenate([within, parts + np.arange(codes - ordered, dtype=np.int64)])


def run_variance(estimates: Estimates, combination: Combination, name: str, run: IntArray) -> FloatArray:
    """Variance of the sum over each run, persons squared; shape: cells of the other attributes, then runs.

    Of a run of g among c codes: g tau^2 (1 - g/c) from the codes' own residuals, (g/c)^2 of the cell's base.
    """
    base = tuple(pair for pair in combination if pair[0] != name)
    own = estimates.outcome_noise(base, name, dict(combination)[name])[..., :1]
    length, codes = np.bincount(run), len(run)
    beside = estimates.variances[base][..., None] * (length / codes) ** 2
    return np.asarray(own * length * (1 - length / codes) + beside)
