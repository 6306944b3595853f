"""Noise of largest entropy with mean zero and a given variance on a set of whole numbers.

The maximum has the form p(v) = exp(a v + b v^2) / Z; (a, b) minimise the convex dual log Z(a, b) - b V. Source: Marley
and Leaver (2011), Giessing (2016); for the form: Jaynes (1957).
"""

import numpy as np
import numpy.typing as npt

from release.codes import IntArray

_LAST_STEPS = 10
"""Newton steps without a search at the end: there the dual is too flat for its values to be compared."""

FloatArray = npt.NDArray[np.float64]


def largest_entropy(support: IntArray, variance: float) -> FloatArray:
    """Probabilities on `support` (ascending, holding 0 or numbers on both sides of it), mean zero, nearest variance.

    Where no noise with mean zero on the support has that variance, the nearest that there is, and of that the one with
    the largest entropy: it sits on two numbers, or on 0 alone.
    """
    lowest, highest = variances(support)
    if variance <= lowest:
        return _two_points(support, *_around_zero(support))
    if variance >= highest:
        return _two_points(support, int(support[0]), int(support[-1]))
    return _inside(support, variance)


def variances(support: IntArray) -> tuple[float, float]:
    """Smallest and largest variance of any noise with mean zero on the support."""
    below, above = _around_zero(support)
    return float(-below * above), float(-support[0] * support[-1])


def entropy(probabilities: FloatArray) -> float:
    """Shannon's entropy in bits."""
    p = probabilities[probabilities > 0]
    return float(-(p * np.log2(p)).sum())


def _around_zero(support: IntArray) -> tuple[int, int]:
    """The support's last number up to zero and its first from zero on; both 0 where 0 belongs to it."""
    return int(support[support <= 0][-1]), int(support[support >= 0][0])


def _two_points(support: IntArray, below: int, above: int) -> FloatArray:
    """Mean zero on two numbers; on 0 alone where they are equal, or one of them is 0."""
    p = np.zeros(len(support))
    if below * above == 0:
        p[support == 0] = 1.0
        return p
    p[support == below] = above / (above - below)
    p[support == above] = -below / (above - below)
    return p


def _inside(support: IntArray, variance: float) -> FloatArray:
    """The exponential form, its parameters by Newton's method on the dual in the unit of the largest noise."""
    from scipy.optimize import minimize

    unit = float(np.abs(support).max())
    features = np.stack([support / unit, (support / unit) ** 2])
    aim = np.array([0.0, variance / unit**2])

    def probabilities(theta: FloatArray) -> FloatArray:
        exponent = theta @ features
        weights = np.exp(exponent - exponent.max())
        return np.asarray(weights / weights.sum())

    def dual(theta: FloatArray) -> float:
        exponent = theta @ features
        top = float(exponent.max())
        return top + float(np.log(np.exp(exponent - top).sum())) - float(theta @ aim)

    def slope(theta: FloatArray) -> FloatArray:
        return np.asarray(features @ probabilities(theta) - aim)

    def curvature(theta: FloatArray) -> FloatArray:
        p = probabilities(theta)
        mean = features @ p
        return np.asarray((features * p) @ features.T - np.outer(mean, mean))

    theta = minimize(dual, np.zeros(2), jac=slope, hess=curvature, method="trust-exact", options={"gtol": 1e-9}).x
    for _ in range(_LAST_STEPS):
        closer = theta - np.linalg.lstsq(curvature(theta), slope(theta), rcond=None)[0]
        if np.abs(slope(closer)).max() >= np.abs(slope(theta)).max():
            break
        theta = closer
    return probabilities(theta)
