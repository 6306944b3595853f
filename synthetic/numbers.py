"""Plausible numbers inside bins: pay of 2 143.07 for a record of the bin 2088-2298.

Within a bin the density runs in two straight pieces, from the mean height of the two neighbouring bins at either edge
to a height in the middle that leaves the bin its share: so it is continuous from bin to bin. Below and above the bins
it falls exponentially, beginning at the height of the nearest bin.

Where inside its bin a number lies wasn't measured. Replicates therefore draw the shape as well: their spread shows it.
"""

from dataclasses import dataclass, field

import numpy as np

from release.codes import Attribute, IntArray
from release.policy.meaning import sources_of
from release.policy.policy import Policy
from release.residuals import FloatArray

NUMBER = "number"
"""Status of a record that has one."""
UNSURE = 0.2
"""Standard deviation of the logarithm of a height between two bins, and of a tail's length, in replicates. It moves a
percentile by about a thirtieth of its bin. In the demo the shapes of groups are off by half of that."""


@dataclass(frozen=True, eq=False)
class NumberShape:
    """The density of one outcome's numbers. Edges are in whole steps (`step`: 1, or 0.01).

    edge, middle: heights at the bins' edges and middles, in any unit. lowest, highest: limits of the numbers outside
    the bins; tails: mean lengths of the parts below and above them, if these had no limit.
    """

    edges: IntArray
    step: float
    edge: FloatArray = field(repr=False)
    middle: FloatArray = field(repr=False)
    lowest: float
    highest: float
    tails: tuple[float, float]

    @property
    def bins(self) -> int:
        return len(self.edges) - 1

    def draw(self, leaf: IntArray, random: np.random.Generator) -> FloatArray:
        """A number for each leaf (0: below the bins; 1 to bins: inside; bins + 1: above; nan for special codes)."""
        chance = random.random(len(leaf))
        inside = np.clip(leaf - 1, 0, self.bins - 1)
        width = np.diff(self.edges)[inside]
        steps = self.edges[inside] + np.minimum((self._place(inside, chance) * width).astype(np.int64), width - 1)
        steps = np.where(leaf == 0, self._below(chance), steps)
        steps = np.where(leaf == self.bins + 1, self._above(chance), steps)
        return np.where(leaf <= self.bins + 1, steps / round(1 / self.step), np.nan)

    def _place(self, inside: IntArray, chance: FloatArray) -> FloatArray:
        """Where in its bin, as a fraction: the inverse of the distribution of two straight pieces."""
        left, middle, right = self.edge[inside], self.middle[inside], self.edge[inside + 1]
        total = left + 2 * middle + right
        first = np.where(total > 0, (left + middle) / np.where(total > 0, total, 1), 0.5)
        early = chance < first
        inner = np.where(early, chance / np.maximum(first, 1e-12), (chance - first) / np.maximum(1 - first, 1e-12))
        ramp = straight(np.where(early, left, middle), np.where(early, middle, right), np.clip(inner, 0, 1))
        return np.where(early, ramp, ramp + 1) / 2

    def _below(self, chance: FloatArray) -> IntArray:
        low = np.ceil(self.lowest / self.step)
        away = np.floor(self._falling(1 - chance, self.edges[0] * self.step - self.lowest, self.tails[0]) / self.step)
        return np.asarray(np.maximum(self.edges[0] - 1 - away, low), np.int64)

    def _above(self, chance: FloatArray) -> IntArray:
        away = self._falling(chance, self.highest - self.edges[-1] * self.step, self.tails[1])
        return np.asarray(self.edges[-1] + np.floor(away / self.step), np.int64)

    @staticmethod
    def _falling(chance: FloatArray, room: float, tail: float) -> FloatArray:
        """How far from the bins: the inverse of an exponential distribution that ends where there is no more room."""
        return np.asarray(-tail * np.log1p(chance * np.expm1(-room / tail)))


def straight(start: FloatArray, end: FloatArray, chance: FloatArray) -> FloatArray:
    """Inverse of the distribution on [0, 1) whose density runs straight from `start` to `end`; even if both are 0."""
    start, end = np.where(start + end > 0, start, 1.0), np.where(start + end > 0, end, 1.0)
    root = np.sqrt(start**2 + (end**2 - start**2) * chance)
    return np.asarray(chance * (start + end) / np.maximum(start + root, 1e-300))


def number_shape(
    policy: Policy, name: str, persons: FloatArray, *, unsure: np.random.Generator | None = None
) -> NumberShape:
    """The density of an outcome's numbers. persons: how many have each leaf, nation-wide; edges as in the policy.

    unsure: draws what isn't known of the shape, for replicates; without it the likeliest shape is taken.
    """
    attribute = policy.attributes[name]
    edges, step = _in_steps(attribute, whole=_is_whole(policy, name))
    factors = np.ones(len(edges) + 2) if unsure is None else np.exp(UNSURE * unsure.standard_normal(len(edges) + 2))
    width = np.diff(edges) * step
    height = np.maximum(persons[1 : len(edges)], 0) / width
    beside = np.concatenate([height[:1], height, height[-1:]])
    likely = (beside[1:] + beside[:-1]) / 2
    edge = np.minimum(likely * factors[:-2], 2 * np.minimum(beside[1:], beside[:-1]))
    middle = np.maximum(2 * height - (edge[1:] + edge[:-1]) / 2, 0)
    under = _tail(persons[0], likely[0], width[0]) * factors[-2]
    over = _tail(persons[len(edges)], likely[-1], width[-1]) * factors[-1]
    lowest, highest = _limits(policy, name, np.asarray(edges * step, np.float64))
    return NumberShape(edges, step, edge, middle, lowest, highest, (float(under), float(over)))


def _tail(persons: float, height: float, width: float) -> float:
    """Mean length of the part outside the bins that begins at the nearest bin's height: one to ten of its widths."""
    return float(np.clip(max(persons, 0) / height, width, 10 * width)) if height > 0 else width


def _in_steps(attribute: Attribute, *, whole: bool) -> tuple[IntArray, float]:
    """The edges in whole units if the numbers are whole and every edge is, else in hundredths."""
    cents = np.rint(np.array(attribute.edges) * 100).astype(np.int64)
    return (cents // 100, 1.0) if whole and not (cents % 100).any() else (cents, 0.01)


def _is_whole(policy: Policy, name: str) -> bool:
    return any(policy.document.inputs[source].column(role).type == "integer" for source, role in _sources(policy, name))


def _sources(policy: Policy, name: str) -> list[tuple[str, str]]:
    return sources_of(policy.document, name) if name in policy.document.outcomes else []


def _limits(policy: Policy, name: str, edges: FloatArray) -> tuple[float, float]:
    """The least and largest possible number: the policy's rule for the column, else 0 (or a bin's width below)."""
    rules = [policy.document.inputs[source].rules.get(role) for source, role in _sources(policy, name)]
    lows = [rule.minimum for rule in rules if rule and rule.minimum is not None and rule.minimum < edges[0]]
    highs = [rule.maximum for rule in rules if rule and rule.maximum is not None and rule.maximum > edges[-1]]
    least = 0.0 if edges[0] > 0 else float(2 * edges[0] - edges[1])
    return (lows or [least])[0], (highs or [float("inf")])[0]
