"""The noise of all estimates as one dense matrix: a slow twin for tests on small policies."""

import numpy as np

from release.residuals import accumulate


def dense_noise(estimates, order) -> np.ndarray:
    """One column for each residual's own noise: what a unit of it makes of every estimate."""
    columns = []
    for c in order:
        for place in np.flatnonzero(estimates.noise[c].reshape(-1) > 0):
            unit = {other: np.zeros(estimates.counts[other].shape) for other in order}
            unit[c].reshape(-1)[place] = np.sqrt(estimates.noise[c].reshape(-1)[place])
            unit[c] = projected(unit[c], c, estimates.attributes)
            made = accumulate(unit, estimates.attributes)
            columns.append(np.concatenate([made[other].reshape(-1) for other in order]))
    return np.array(columns).T


def projected(values, combination, attributes) -> np.ndarray:
    for axis, (name, level) in enumerate(combination):
        parent = attributes[name].levels[level].parent
        matrix = np.array(
            [[(i == j) - (p == q) / (parent == p).sum() for j, q in enumerate(parent)] for i, p in enumerate(parent)]
        )
        values = np.moveaxis(np.tensordot(matrix, values, (1, axis)), 0, axis)
    return values
