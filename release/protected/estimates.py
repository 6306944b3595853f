"""Unbiased estimates of every measured combination, with the exact variance of each cell.

Post-processing of the measurements only. The estimates are the unique consistent ones, and the best linear ones for
what was measured (docs/proofs/residuals.md): any two tables agree on the margins they share, to rounding error.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from release.codes import Attribute
from release.measurements import Measurements
from release.plan import PlannedResidual
from release.policy.policy import Combination
from release.residuals import (
    Attributes,
    FloatArray,
    accumulate,
    along,
    downward_closure,
    levels_of,
    recentred,
    shape_of,
)


@dataclass(frozen=True, eq=False)
class Estimates:
    """counts[combination]: estimated persons, one axis per attribute; variances: of the same shape, persons squared.

    noise[combination]: variance of the noise on each cell's own residual, before centring, in persons squared.
    """

    attributes: Mapping[str, Attribute]
    counts: Mapping[Combination, FloatArray] = field(repr=False)
    noise: Mapping[Combination, FloatArray] = field(repr=False)

    @cached_property
    def variances(self) -> Mapping[Combination, FloatArray]:
        """Exact variance of each count's noise."""
        own = {c: noise * _centring(c, self.attributes) for c, noise in self.noise.items()}
        return accumulate(own, self.attributes, power=2)

    def outcome_noise(self, base: Combination, outcome: str, level: int) -> FloatArray:
        """Noise variance on the residuals of an outcome's level within each cell of `base`, before centring there.

        Shape: cells of base, then the nodes of the level (equal within a family); axes in the order of base, then
        the outcome. The noise of siblings i, j within one cell has covariance tau^2 (delta_ij - 1/c).
        """
        names = [name for name, _ in base]
        under = {
            c: v for c, v in self.noise.items() if dict(c).get(outcome) == level and _at_or_above(c, base, outcome)
        }
        own = {c: v * _centring(c, self.attributes, leave_out=outcome) for c, v in under.items()}
        target = _with(base, outcome, level, self.attributes)
        found = accumulate(own, self.attributes, power=2, along_only=names)[target]
        return np.moveaxis(found, [name for name, _ in target].index(outcome), -1)


def _at_or_above(combination: Combination, base: Combination, outcome: str) -> bool:
    limits = dict(base)
    return all(level <= limits.get(name, 0) for name, level in combination if name != outcome)


def _with(base: Combination, outcome: str, level: int, attributes: Attributes) -> Combination:
    order = list(attributes)
    return tuple(sorted((*base, (outcome, level)), key=lambda pair: order.index(pair[0])))


def _centring(combination: Combination, attributes: Attributes, leave_out: str = "") -> FloatArray:
    """Product of (1 - 1/c) over the axes: what is left of isotropic noise after re-centring."""
    out = np.ones((1,) * len(combination))
    for axis, ((name, _), level) in enumerate(zip(combination, levels_of(combination, attributes), strict=True)):
        if name != leave_out:
            out = out * along(1 - 1 / level.siblings, axis, len(combination))
    return out


def estimate(measurements: Measurements) -> Estimates:
    """Counts of all measured combinations and those above them, from noisy residuals."""
    attributes = measurements.attributes
    residuals = {c: recentred(values, c, attributes) for c, values in measurements.values.items()}
    noise = {residual.combination: _noise_variance(residual, attributes) for residual in measurements.residuals}
    # A level whose every family has one child adds nothing to its parent: it was not measured.
    for combination in downward_closure(residuals):
        if combination not in residuals:
            residuals[combination] = np.zeros(shape_of(combination, attributes))
            noise[combination] = np.zeros(shape_of(combination, attributes))
    return Estimates(attributes, accumulate(residuals, attributes), noise)


def _noise_variance(residual: PlannedResidual, attributes: Attributes) -> FloatArray:
    """(scale / prod c)^2 on each cell; 0 where a family has one child."""
    levels = levels_of(residual.combination, attributes)
    sizes = [np.unique(level.siblings) for level in levels]
    by_size = np.zeros([len(size) for size in sizes])
    for group in residual.groups:
        where = tuple(int(np.searchsorted(size, c)) for size, c in zip(sizes, group.siblings, strict=True))
        by_size[where] = (group.scale / float(np.prod(group.siblings, dtype=np.float64))) ** 2
    classes = [np.searchsorted(size, level.siblings) for size, level in zip(sizes, levels, strict=True)]
    return np.asarray(by_size[np.ix_(*classes)]) if classes else by_size
