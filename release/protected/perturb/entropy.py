"""Noise of largest entropy with mean zero and a given variance on a set of whole numbers.

The maximum has the form p(v) = exp(a v + b v^2) / Z; (a, b) minimise the convex dual log Z(a, b) - b V. Source: Marley
and Leaver (2011), Giessing (2016); for the form: Jaynes (1957).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from release.codes import IntArray

FloatArray = npt.NDArray[np.float64]
_LAST_STEPS = 20
"""Newton steps without a search at the end: there the dual is too flat for its values to be compared."""


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


@dataclass(frozen=True)
class _Dual:
    """log Z(theta) - theta . aim and its derivatives; features: [2, support], v and v^2 in units of the largest."""

    features: FloatArray
    aim: FloatArray

    def probabilities(self, theta: FloatArray) -> FloatArray:
        weights = np.exp(theta @ self.features - float((theta @ self.features).max()))
        return np.asarray(weights / weights.sum())

    def value(self, theta: FloatArray) -> float:
        exponent = theta @ self.features
        top = float(exponent.max())
        return top + float(np.log(np.exp(exponent - top).sum())) - float(theta @ self.aim)

    def slope(self, theta: FloatArray) -> FloatArray:
        return np.asarray(self.features @ self.probabilities(theta) - self.aim)

    def curvature(self, theta: FloatArray) -> FloatArray:
        p = self.probabilities(theta)
        mean = self.features @ p
        return np.asarray((self.features * p) @ self.features.T - np.outer(mean, mean))


def _inside(support: IntArray, variance: float) -> FloatArray:
    """The exponential form, its parameters by Newton's method on the dual."""
    from scipy.optimize import minimize

    unit = float(np.abs(support).max())
    dual = _Dual(np.stack([support / unit, (support / unit) ** 2]), np.array([0.0, variance / unit**2]))
    start = np.zeros(2)
    found = minimize(dual.value, start, jac=dual.slope, hess=dual.curvature, method="trust-exact")
    return dual.probabilities(_sharpened(dual, found.x))


def _sharpened(dual: _Dual, theta: FloatArray) -> FloatArray:
    """A few Newton steps more, as long as each brings the moments nearer."""
    for _ in range(_LAST_STEPS):
        closer = theta - np.linalg.lstsq(dual.curvature(theta), dual.slope(theta), rcond=None)[0]
        if np.abs(dual.slope(closer)).max() >= np.abs(dual.slope(theta)).max():
            return theta
        theta = closer
    return theta
