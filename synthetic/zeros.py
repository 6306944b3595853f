"""Estimates that know which cells are empty: what is seen there is noise alone, and tells of the noise elsewhere.

A cell that can't hold anybody (not on offer, not followed yet) has a noisy value all the same. The estimates of other
cells share the noise of their residuals, above all a provider's total, of which most fields may be impossible. Given
the zeros, all estimates stay unbiased, linear and consistent, and none gets worse (Gauss-Markov with exact
restrictions). With counts y = A (r + e), noise e of variance D and zeros Z, the expected noise is
D A' (A D A')^-1 y, taken on Z and solved by conjugate gradients; A and A' are passes over the trees.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from release.codes import NOT_APPLICABLE, Level
from release.policy.policy import Combination, Policy
from release.possible import BoolArray
from release.protected.estimates import Estimates
from release.protected.statistics import possible_mask
from release.residuals import Attributes, FloatArray, accumulate, along, levels_of, shape_of

CLOSE = 1e-6
"""Of the zeros' noise, in root mean square: what may be left of it."""
MOST_STEPS = 500

Tables = dict[Combination, FloatArray]


def with_known_zeros(estimates: Estimates, policy: Policy) -> Estimates:
    """The best linear unbiased estimates, given the policy's public zeros.

    The variances remain those without this knowledge, so they are on the safe side.
    """
    noise = _Noise.of(estimates, policy)
    if not noise.zeros:
        return estimates
    found = noise.given({c: np.where(zero, estimates.counts[c], 0.0) for c, zero in noise.zeros.items()})
    counts = {c: np.asarray(values - found[c]) for c, values in estimates.counts.items()}
    return Estimates(estimates.attributes, counts, estimates.noise)


# ---- which cells are empty ------------------------------------------------------------------------------------------


def known_zeros(policy: Policy, combination: Combination) -> BoolArray:
    """The cells of a combination that can't hold anybody, by the public lists and by the calendar."""
    shape = shape_of(combination, policy.attributes)
    dimensions = tuple(pair for pair in combination if pair[0] in policy.document.dimensions)
    some = [size if name in dict(dimensions) else 1 for (name, _), size in zip(combination, shape, strict=True)]
    zero = np.broadcast_to(~possible_mask(policy, dimensions).reshape(some), shape).copy()
    for axis, (name, level) in enumerate(combination):
        followed = policy.followed(name) if name in policy.document.outcomes else None
        if followed is not None:
            codes = policy.attributes[name].levels[level].codes
            none = along(np.array([code == NOT_APPLICABLE for code in codes]), axis, len(shape))
            zero |= _by_calendar(policy, combination, followed, none, always=not policy.applicable[name])
    return zero


def _by_calendar(
    policy: Policy, combination: Combination, followed: BoolArray, none: BoolArray, *, always: bool
) -> BoolArray:
    """Codes of years that aren't followed; and "not applicable" of those that are, if nothing else decides."""
    time = [axis for axis, (name, level) in enumerate(combination) if name == policy.time_dimension and level == 1]
    if time and len(followed) == len(policy.attributes[str(policy.time_dimension)].levels[1]):
        known = along(followed, time[0], len(combination))
        return np.asarray(np.where(known, none & always, ~none))
    return np.asarray(none & (always and bool(followed.all())))


# ---- what the zeros tell --------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Noise:
    """The noise of all estimates, and the finest tables' zeros: zeros[combination] is true where nobody can be."""

    estimates: Estimates
    zeros: Mapping[Combination, BoolArray] = field(repr=False)

    @classmethod
    def of(cls, estimates: Estimates, policy: Policy) -> "_Noise":
        finest = [c for c in estimates.counts if not any(_finer(other, c) for other in estimates.counts)]
        zeros = {c: known_zeros(policy, c) for c in finest}
        return cls(estimates, {c: zero for c, zero in zeros.items() if zero.any()})

    def given(self, seen: Tables) -> Tables:
        """The noise to be expected in every count, given the noise seen in the zeros: conjugate gradients."""
        solution = {c: np.zeros_like(values) for c, values in seen.items()}
        left, step = seen, self._scaled(seen)
        size = first = _dot(left, step)
        for _ in range(MOST_STEPS):
            if size <= CLOSE**2 * first:
                break
            forth = self._on_zeros(self._counts(step))
            length = size / _dot(step, forth)
            solution = _sum(solution, length, step)
            left = _sum(left, -length, forth)
            towards = self._scaled(left)
            size, before = _dot(left, towards), size
            step = _sum(towards, size / before, step)
        return self._counts(solution)

    def _counts(self, weights: Tables) -> Tables:
        """Covariance of every count with a weighted sum of the zeros: A D A' of the weights."""
        shapes = {c: shape_of(c, self.estimates.attributes) for c in self.estimates.counts}
        return covariances(self.estimates, {c: weights.get(c, np.zeros(shape)) for c, shape in shapes.items()})

    def _on_zeros(self, counts: Tables) -> Tables:
        return {c: np.where(zero, counts[c], 0.0) for c, zero in self.zeros.items()}

    def _scaled(self, tables: Tables) -> Tables:
        """Divided by each cell's own variance."""
        variances = self.estimates.variances
        return {c: np.divide(v, variances[c], out=np.zeros_like(v), where=variances[c] > 0) for c, v in tables.items()}


def _finer(one: Combination, other: Combination) -> bool:
    return one != other and all(dict(one).get(name, 0) >= level for name, level in other)


def _dot(one: Tables, other: Tables) -> float:
    return sum(float((values * other[c]).sum()) for c, values in one.items())


def _sum(one: Tables, length: float, other: Tables) -> Tables:
    return {c: values + length * other[c] for c, values in one.items()}


def covariances(estimates: Estimates, weights: Tables) -> Tables:
    """Covariance of every count with a weighted sum of counts; weights for every measured combination."""
    attributes, noise = estimates.attributes, estimates.noise
    back = sums_of_children(weights, attributes)
    return accumulate({c: noise[c] * centred(values, c, attributes) for c, values in back.items()}, attributes)


def sums_of_children(tables: Mapping[Combination, FloatArray], attributes: Attributes) -> Tables:
    """The transpose of `accumulate`: how much each residual weighs in a weighted sum of counts."""
    arrays = {combination: array.copy() for combination, array in tables.items()}
    for name in reversed(list(attributes)):
        for combination in sorted(arrays, key=lambda c: -dict(c).get(name, 0)):
            if name in dict(combination):
                _give_to_parent(arrays, combination, name, attributes)
    return arrays


def _give_to_parent(arrays: Tables, combination: Combination, name: str, attributes: Attributes) -> None:
    axis = [other for other, _ in combination].index(name)
    number = combination[axis][1]
    level = attributes[name].levels[number]
    above = tuple((n, v - 1 if n == name else v) for n, v in combination if n != name or v > 1)
    own = arrays[combination]
    sums = family_sums(own / along(level.siblings.astype(np.float64), axis, own.ndim), level, axis)
    arrays[above] = arrays[above] + (sums.squeeze(axis) if number == 1 else sums)


def centred(values: FloatArray, combination: Combination, attributes: Attributes) -> FloatArray:
    """Along each axis, less the mean of the family: what is left of noise after re-centring."""
    for axis, level in enumerate(levels_of(combination, attributes)):
        siblings = along(level.siblings.astype(np.float64), axis, values.ndim)
        values = values - family_sums(values, level, axis).take(level.parent, axis=axis) / siblings
    return values


def family_sums(values: FloatArray, level: Level, axis: int) -> FloatArray:
    """Sums over the children of each parent along one axis."""
    order = np.argsort(level.parent, kind="stable")
    starts = np.flatnonzero(np.diff(level.parent[order], prepend=-1))
    return np.asarray(np.add.reduceat(values.take(order, axis=axis), starts, axis=axis), np.float64)
