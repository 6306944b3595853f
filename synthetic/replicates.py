"""Replicates: fits of measurements that might as well have been drawn, so that records tell how unsure they are.

The noise added here is numpy's, with a seed. It is post-processing, protects nobody, and costs no budget: whoever is
protected, is protected by the noise of the measurements. Which noise, and why: docs/methods-synthetic.md.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from release.errors import UsageError
from release.policy.policy import Combination
from release.protected.estimates import Estimates
from release.residuals import FloatArray, accumulate, levels_of, recentred, sibling_product
from synthetic.fit import Fit, fit
from synthetic.make import Release

FEWEST = 2


def replicate_fits(release: Release, m: int, *, seed: int) -> Iterator[Fit]:
    """m fits, each of the unbiased estimates with the noise of one more measurement; their noise adds up to zero.

    So their mean tells what the measurements tell, and their spread how unsure that is: see `synthetic.combine`.
    The same measurements, m and seed give the same fits. UsageError if m is less than 2.
    """
    for estimates in replicate_estimates(release.estimates, check_number(m), seed=seed):
        yield fit(estimates, release.policy, inside=False)


def check_number(m: int) -> int:
    """m, if so many replicates can be combined."""
    if m < FEWEST:
        raise UsageError(
            f"{m} replicates can't tell how unsure a figure is",
            where="--replicates",
            now="ask for 2 at least; 5 are usual, 20 give intervals that are a fifth narrower",
        )
    return m


def replicate_estimates(estimates: Estimates, m: int, *, seed: int) -> Iterator[Estimates]:
    """The estimates with each of m balanced noises added. Noise is drawn twice, so that one is held at a time."""
    mean = _mean(_residual_noise(estimates, seed, number) for number in range(m))
    for number in range(m):
        noise = _residual_noise(estimates, seed, number)
        balanced = accumulate({c: noise[c] - mean[c] for c in noise}, estimates.attributes)
        yield replace(estimates, counts={c: count + balanced[c] for c, count in estimates.counts.items()})


def _residual_noise(estimates: Estimates, seed: int, number: int) -> dict[Combination, FloatArray]:
    """Rounded normal noise on every measured integer residual, of exactly the planned scales, in persons."""
    random = np.random.default_rng([seed, number])
    return {c: _drawn(estimates, c, random) for c in sorted(estimates.noise)}


def _drawn(estimates: Estimates, combination: Combination, random: np.random.Generator) -> FloatArray:
    variance = estimates.noise[combination]
    scale = np.sqrt(variance) * sibling_product(levels_of(combination, estimates.attributes))
    steps = np.asarray(np.rint(random.standard_normal(variance.shape) * scale), np.int64)
    return recentred(steps, combination, estimates.attributes)


def _mean(noises: Iterator[Mapping[Combination, FloatArray]]) -> dict[Combination, FloatArray]:
    total: dict[Combination, FloatArray] = {}
    for number, noise in enumerate(noises, start=1):
        for combination, values in noise.items():
            so_far = total.get(combination, np.zeros(()))
            total[combination] = np.asarray(so_far + (values - so_far) / number)
    return total
