"""The mechanism: exact discrete Gaussian noise from OpenDP on vectors of whole numbers. The only file that imports it.

Promise: x -> x + N_Z(0, scale^2) independently on each entry is rho-zCDP with rho = (L2 sensitivity)^2 / (2 scale^2)
(Canonne, Kamath, Steinke 2020, theorem 4); docs/proofs/gaussian.md. There is no seed and no sampler of our own.
"""

from fractions import Fraction
from math import isfinite, nextafter, sqrt
from typing import Any

import numpy as np

from release.codes import IntArray
from release.errors import UtfallError
from release.plan import LARGEST_SCALE, SMALLEST_SCALE

LARGEST_VALUE = 2**61


def gaussian(scale: float) -> Any:
    """OpenDP's measurement: vectors of i64 under the L2 distance, discrete Gaussian noise of one scale on each entry.

    OpenDP itself takes scale 0, 1e-300, infinities and NaN: refused here.
    """
    import opendp.prelude as dp

    if not isfinite(scale) or not SMALLEST_SCALE <= scale <= LARGEST_SCALE:
        raise UtfallError(f"a noise scale of {scale!r} is outside {SMALLEST_SCALE:g} to {LARGEST_SCALE:g}")
    dp.enable_features("contrib")
    space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l2_distance(T="f64")
    return space >> dp.m.then_gaussian(scale)


def cost(measurement: Any, squared_sensitivity: int) -> Fraction:
    """rho by OpenDP's own map, at a sensitivity rounded up. Exact text of the float it gives."""
    sensitivity = sqrt(squared_sensitivity)
    if Fraction(sensitivity) ** 2 < squared_sensitivity:
        sensitivity = nextafter(sensitivity, float("inf"))
    return Fraction(measurement.map(sensitivity))


def with_noise(values: IntArray, scale: float) -> IntArray:
    """A vector of whole numbers with fresh noise on each entry. Shape (n,), int64; the result is int64."""
    if values.ndim != 1 or values.dtype != np.int64 or not _far_from_limits(values):
        raise UtfallError("only vectors of 64-bit whole numbers far from their limits are given to the mechanism")
    return np.array(gaussian(scale)(np.array(values)), np.int64)


def _far_from_limits(values: IntArray) -> bool:
    """Not by `abs`: that of the smallest 64-bit number is itself, and negative."""
    return int(values.min(initial=0)) >= -LARGEST_VALUE and int(values.max(initial=0)) <= LARGEST_VALUE


def serialised(scale: float) -> str:
    """The measurement as OpenDP's JSON, from which an auditor derives rho again."""
    import opendp.prelude as dp

    return str(dp.serialize(gaussian(scale)))
