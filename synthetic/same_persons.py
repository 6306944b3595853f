"""Estimates that know that two outcomes count the same persons: with an answer to one, with certain codes of the other.

Pay is asked of the employed, so the employed of a group are counted twice, with noise of their own. The difference is
noise alone. Its residuals in the groups that both were measured with are independent of each other, so each is shared
out by itself, in proportion to the variances that made it: the best linear unbiased estimates (Gauss-Markov with exact
restrictions), in closed form. Where an outcome decides several others, one is brought in after the other.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from release.codes import NOT_APPLICABLE, Attribute
from release.policy.policy import Combination, Policy
from release.possible import BoolArray
from release.protected.estimates import Estimates
from release.residuals import FloatArray, along, shape_of
from synthetic.zeros import Tables, centred, covariances, family_sums


def with_same_persons(estimates: Estimates, policy: Policy) -> Estimates:
    """The estimates, brought to agree on how many persons an outcome is asked of; variances as they were."""
    for other, parents in policy.applicable.items():
        for name in parents if len(parents) == 1 and _followed_alike(policy, other, *parents) else ():
            if {name, other} <= set(estimates.attributes):
                estimates = _agreed(estimates, _told_twice(estimates, policy, name, other))
    return estimates


def _followed_alike(policy: Policy, one: str, other: str) -> bool:
    return np.array_equal(np.asarray(policy.followed(one)), np.asarray(policy.followed(other)))


@dataclass(frozen=True, eq=False)
class Some:
    """Persons with some codes of an outcome, by the groups of a combination's other attributes.

    axis: the outcome's place in the combination. codes: bool, one for each code of the outcome's level.
    """

    combination: Combination
    axis: int
    codes: BoolArray = field(repr=False)

    @property
    def base(self) -> Combination:
        return self.combination[: self.axis] + self.combination[self.axis + 1 :]

    def persons(self, counts: Mapping[Combination, FloatArray]) -> FloatArray:
        """How many have one of the codes, in each group."""
        return np.asarray(np.compress(self.codes, counts[self.combination], axis=self.axis).sum(axis=self.axis))

    def give(self, weights: FloatArray, into: Tables) -> None:
        """The transpose: each group's weight, added to the weights of its counts with one of the codes."""
        codes = along(self.codes.astype(np.float64), self.axis, weights.ndim + 1)
        into[self.combination] += np.expand_dims(weights, self.axis) * codes

    def variance(self, estimates: Estimates) -> tuple[FloatArray | float, float]:
        """Of the groups' residuals: variance by the outcome's own residuals, and the weight of the groups' own."""
        name, number = self.combination[self.axis]
        attribute, weights = estimates.attributes[name], self.codes.astype(np.float64)
        own: FloatArray | float = 0.0
        for level in range(number, 0, -1):
            noise = estimates.noise[_at_level(self.combination, self.axis, level)]
            own = own + (noise * along(_from_siblings(weights, attribute, level), self.axis, noise.ndim)).sum(self.axis)
            weights = _of_parents(weights, attribute, level)
        return own, float(weights[0])


def _at_level(combination: Combination, axis: int, level: int) -> Combination:
    return (*combination[:axis], (combination[axis][0], level), *combination[axis + 1 :])


def _from_siblings(weights: FloatArray, attribute: Attribute, level: int) -> FloatArray:
    """Squares of what is left of weights after re-centring in each family."""
    siblings, parent = attribute.levels[level].siblings, attribute.levels[level].parent
    return np.asarray((weights - family_sums(weights, attribute.levels[level], 0)[parent] / siblings) ** 2)


def _of_parents(weights: FloatArray, attribute: Attribute, level: int) -> FloatArray:
    return family_sums(weights / attribute.levels[level].siblings, attribute.levels[level], 0)


def _told_twice(estimates: Estimates, policy: Policy, name: str, other: str) -> list[tuple[Some, Some]]:
    """The persons that `name` says `other` is asked of, and those with an answer to it, by all that both tell of."""
    deciding = {side.base: side for side in _deciding(estimates, policy, name, other)}
    return [(deciding[side.base], side) for side in _asked(estimates, other) if side.base in deciding]


def _asked(estimates: Estimates, name: str) -> Iterator[Some]:
    """All codes but "not applicable"."""
    concerned = np.array([code != NOT_APPLICABLE for code in estimates.attributes[name].levels[1].codes])
    for combination, axis in _measured(estimates, name):
        if combination[axis][1] == 1 and not concerned.all():
            yield Some(combination, axis, concerned)


def _deciding(estimates: Estimates, policy: Policy, name: str, other: str) -> Iterator[Some]:
    """The codes that another outcome is asked for, on the levels that tell them."""
    attribute = estimates.attributes[name]
    inside = np.isin(np.arange(len(attribute.leaves)), sorted(policy.applicable[other][name]))
    for combination, axis in _measured(estimates, name):
        codes = codes_telling(attribute, combination[axis][1], inside)
        if codes is not None:
            yield Some(combination, axis, codes)


def codes_telling(attribute: Attribute, level: int, leaves: BoolArray) -> BoolArray | None:
    """The codes of a level that hold exactly these leaves; None where some code holds others too."""
    nodes = attribute.ancestors(attribute.depth, level)
    codes = np.isin(np.arange(len(attribute.levels[level])), nodes[leaves])
    return codes if np.array_equal(codes[nodes], leaves) else None


def _measured(estimates: Estimates, name: str) -> Iterator[tuple[Combination, int]]:
    for combination in estimates.counts:
        names = [other for other, _ in combination]
        if name in names:
            yield combination, names.index(name)


def _agreed(estimates: Estimates, sides: list[tuple[Some, Some]]) -> Estimates:
    weights = {c: np.zeros(shape_of(c, estimates.attributes)) for c in estimates.counts}
    for one, other in sides:
        apart = centred(one.persons(estimates.counts) - other.persons(estimates.counts), one.base, estimates.attributes)
        shares = np.divide(
            apart, variance := _variance(estimates, one, other), out=np.zeros_like(apart), where=variance > 0
        )
        one.give(shares, weights)
        other.give(-shares, weights)
    found = covariances(estimates, weights)
    counts = {c: np.asarray(values - found[c]) for c, values in estimates.counts.items()}
    return Estimates(estimates.attributes, counts, estimates.noise)


def _variance(estimates: Estimates, one: Some, other: Some) -> FloatArray:
    """Of the difference's residuals, in each group."""
    (own, weight), (its, its_weight) = one.variance(estimates), other.variance(estimates)
    return np.asarray(own + its + (weight - its_weight) ** 2 * estimates.noise[one.base])
