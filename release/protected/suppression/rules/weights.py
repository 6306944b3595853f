"""Sampling weights under rules of concentration: a contribution of weight 4 stands for four contributors like it.

Source: tau-ARGUS user's manual, sampling weights in dominance and p % rules: contributions 100 (weight 4) and 10
(weight 7) count as 100, 100, 100, 100, 10, …; so the two largest are 100 and 100. Weights with decimals: the r-th
largest is what lies between r - 1 and r when the weighted contributions are laid end to end, the largest first.
"""

import numpy as np

from release.codes import IntArray
from release.errors import DataError


def largest_with_weights(values: IntArray, weights: IntArray, *, top: int, scale: int = 1) -> IntArray:
    """The `top` largest contributions of each cell, weights considered, [n, top], in 1/scale of the unit of `values`.

    values: [n, t] absolute contributions by holding, the largest first, filled up with 0. weights: [n, t] in 1/scale
    (weight 1.5 at scale 1000: 1500). The cell's sum in the same unit is the sum of values * weights. t must be enough:
    `top` contributions each, or all there are (weights are at least 1 then).
    """
    if values.shape != weights.shape or (np.diff(values, axis=1) > 0).any() or (weights < 0).any():
        raise DataError("weighted contributions: one weight, 0 or more, for each, and the largest first") from None
    ends = np.cumsum(weights, axis=1)
    starts = ends - weights
    ranks = [_overlap(starts, ends, low=rank * scale, high=(rank + 1) * scale) for rank in range(top)]
    return np.stack([(values * overlap).sum(axis=1) for overlap in ranks], axis=1).astype(np.int64)


def _overlap(starts: IntArray, ends: IntArray, *, low: int, high: int) -> IntArray:
    """Length that each contribution has between low and high."""
    return np.asarray(np.maximum(np.minimum(ends, high) - np.maximum(starts, low), 0), np.int64)
