"""Small tools of chance, all on arrays: logits that meet stated means, tilted distributions, drawing from rows."""

import numpy as np
import numpy.typing as npt

from release.demo.facts import SAME_AGAIN
from release.demo.lists import FloatArray, IntArray

Margin = tuple[IntArray, FloatArray]
"""Group of each person, and the mean each group shall have (nan: as it comes)."""
_STEPS = 12


def chance(logits: FloatArray) -> FloatArray:
    """Probability of a logit."""
    return np.asarray(1 / (1 + np.exp(-logits)), float)


def logit(probability: npt.ArrayLike) -> FloatArray:
    """Logit of a probability."""
    p = np.asarray(probability, float)
    return np.asarray(np.log(p / (1 - p)), float)


def meeting(logits: FloatArray, *margins: Margin) -> FloatArray:
    """The logits, shifted by group until the mean chance of each group is the stated one.

    One margin is met to rounding error (Newton's method, concave likelihood); of several that disagree, the last.
    """
    shifted = logits.copy()
    for _ in range(_STEPS):
        for groups, means in margins:
            shifted += _step(shifted, groups, means)[groups]
    return shifted


def _step(logits: FloatArray, groups: IntArray, means: FloatArray) -> FloatArray:
    p = chance(logits)
    size = np.bincount(groups, minlength=len(means))
    total = np.bincount(groups, p, len(means))
    slope = np.bincount(groups, p * (1 - p), len(means))
    with np.errstate(divide="ignore", invalid="ignore"):
        steps = (means * size - total) / slope
    return np.clip(np.nan_to_num(steps, nan=0.0, posinf=0.0, neginf=0.0), -2, 2)


def tilted(base: FloatArray, scores: FloatArray, mean: float) -> FloatArray:
    """The distribution closest to `base` that has the given mean: p proportional to base * exp(t score)."""
    low, high = -3.0, 3.0
    for _ in range(60):
        t = (low + high) / 2
        p = base * np.exp(t * scores)
        p /= p.sum()
        low, high = (t, high) if p @ scores < mean else (low, t)
    return p


def pick(chances: FloatArray, uniform: FloatArray) -> IntArray:
    """For each row of `chances` (n, k; rows sum to one) the column that its uniform number (n,) falls in."""
    reached = uniform[:, None] > np.cumsum(chances, axis=1)[:, :-1]
    return np.asarray(reached.sum(axis=1), np.int64)


def carried(uniform: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Uniform numbers, each the same as before with a given chance: luck that lasts."""
    return np.where(rng.random(len(uniform)) < SAME_AGAIN, uniform, rng.random(len(uniform)))


def centred(values: FloatArray, groups: IntArray) -> FloatArray:
    """Each person's value less the mean of the person's group, so that groups keep their stated level."""
    size, total = np.bincount(groups), np.bincount(groups, values)
    return np.asarray(values - (total / np.maximum(size, 1))[groups])
