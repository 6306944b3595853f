"""Linear functions of an outcome's distribution within each cell of a base, with exact variances and covariances.

A share, a mean or a point of a distribution is a ratio of two linear functions sum_i a_i x_i over the outcome's codes.
With x_i = x_parent / c + r_i level by level, such a function is A_0 x_base + sum over levels of sum_i A_i r_i, where
A_i = sum of the leaves' coefficients below i, each divided by the branching on the way down. The residuals of one level
are independent of all else, and have covariance tau^2 (delta_ij - 1/c) within a family, so that
Cov(a, b) = A_0 B_0 Var(x_base) + sum over families of tau^2 (sum A_i B_i - (sum A_i)(sum B_i) / c).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from release.codes import Attribute
from release.policy.policy import Combination
from release.protected.estimates import Estimates
from release.residuals import FloatArray


@dataclass(frozen=True, eq=False)
class OutcomeTable:
    """An outcome within the cells of a base: counts (cells, codes), and what their covariances are made of.

    base_variance: (cells,); noise[l - 1]: (cells, families of level l), in persons squared.
    """

    attribute: Attribute
    level: int
    counts: FloatArray
    base_counts: FloatArray
    base_variance: FloatArray
    noise: tuple[FloatArray, ...]

    @cached_property
    def families(self) -> tuple[tuple[np.ndarray, ...], ...]:
        """For each level 1..level: the child nodes of each parent."""
        levels = self.attribute.levels
        return tuple(
            tuple(np.flatnonzero(levels[number].parent == p) for p in range(len(levels[number - 1])))
            for number in range(1, self.level + 1)
        )

    def total(self, coefficients: FloatArray) -> FloatArray:
        """sum_i a_i x_i in each cell, added in a fixed order so that the bytes are the same on every machine."""
        out = np.zeros(len(self.counts))
        for node in np.flatnonzero(coefficients):
            out = out + coefficients[node] * self.counts[:, node]
        return out

    def covariance(self, a: FloatArray, b: FloatArray) -> FloatArray:
        """Covariance of the noise of two linear functions, in each cell."""
        out = np.zeros(len(self.counts))
        for number in range(self.level, 0, -1):
            c = self.attribute.levels[number].siblings
            for parent, children in enumerate(self.families[number - 1]):
                within = _fixed_sum(a[children] * b[children]) - _fixed_sum(a[children]) * _fixed_sum(
                    b[children]
                ) / len(children)
                if within:
                    out = out + within * self.noise[number - 1][:, parent]
            a, b = self._lifted(a / c, number), self._lifted(b / c, number)
        return out + float(a[0] * b[0]) * self.base_variance

    def variance(self, a: FloatArray) -> FloatArray:
        """Variance of the noise of one linear function, in each cell; never below zero."""
        return np.maximum(self.covariance(a, a), 0.0)

    def _lifted(self, a: FloatArray, number: int) -> FloatArray:
        return np.array([_fixed_sum(a[children]) for children in self.families[number - 1]])


def _fixed_sum(values: FloatArray) -> float:
    return float(sum(values.tolist()))


def outcome_table(estimates: Estimates, base: Combination, *, outcome: str, level: int) -> OutcomeTable:
    """The outcome at a level within the cells of `base` (cells in row-major order of the base's axes)."""
    attribute = estimates.attributes[outcome]
    order = list(estimates.attributes)
    whole = tuple(sorted((*base, (outcome, level)), key=lambda pair: order.index(pair[0])))
    axis = [name for name, _ in whole].index(outcome)
    counts = np.moveaxis(estimates.counts[whole], axis, -1).reshape(-1, len(attribute.levels[level]))
    return OutcomeTable(
        attribute,
        level,
        counts,
        estimates.counts[base].reshape(-1),
        estimates.variances[base].reshape(-1),
        tuple(_per_family(estimates, base, outcome, number) for number in range(1, level + 1)),
    )


def _per_family(estimates: Estimates, base: Combination, outcome: str, number: int) -> FloatArray:
    level = estimates.attributes[outcome].levels[number]
    noise = estimates.outcome_noise(base, outcome, number).reshape(-1, len(level))
    first_child = np.unique(level.parent, return_index=True)[1]
    return np.asarray(noise[:, first_child])
