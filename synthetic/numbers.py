"""Plausible numbers inside bins: pay of 2 143.07 for a record of the bin 2088-2298.

Within a bin the density runs in two straight pieces, from the mean height of the two neighbouring bins at either edge
to a height in the middle that leaves the bin its share: so it is continuous from bin to bin. Below the bins it falls in
a straight line to the least possible number; above them it falls exponentially, beginning at the last bin's height.
"""

from dataclasses import dataclass, field

import numpy as np

from release.codes import Attribute, IntArray
from release.policy.meaning import sources_of
from release.policy.policy import Policy
from release.residuals import FloatArray

NUMBER = "number"
"""Status of a record that has one."""


@dataclass(frozen=True, eq=False)
class NumberShape:
    """The density of one outcome's numbers. Edges are in whole steps (`step`: 1, or 0.01).

    edge, middle: heights at the bins' edges and middles, in any unit. lowest: least number below the bins; tail: mean
    length of the part above them; highest: its end, if any.
    """

    edges: IntArray
    step: float
    edge: FloatArray = field(repr=False)
    middle: FloatArray = field(repr=False)
    lowest: float
    tail: float
    highest: float

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
        first = self.edges[0]
        low = np.ceil(self.lowest / self.step)
        return np.asarray(np.minimum(np.floor(low + (first - low) * np.sqrt(chance)), first - 1), np.int64)

    def _above(self, chance: FloatArray) -> IntArray:
        room = -np.expm1(-(self.highest - self.edges[-1] * self.step) / self.tail)
        return np.asarray(self.edges[-1] + np.floor(-self.tail / self.step * np.log1p(-chance * room)), np.int64)


def straight(start: FloatArray, end: FloatArray, chance: FloatArray) -> FloatArray:
    """Inverse of the distribution on [0, 1) whose density runs straight from `start` to `end`; even if both are 0."""
    start, end = np.where(start + end > 0, start, 1.0), np.where(start + end > 0, end, 1.0)
    root = np.sqrt(start**2 + (end**2 - start**2) * chance)
    return np.asarray(chance * (start + end) / np.maximum(start + root, 1e-300))


def number_shape(policy: Policy, name: str, persons: FloatArray) -> NumberShape:
    """The density of an outcome's numbers. persons: how many have each leaf, nation-wide; edges as in the policy."""
    attribute = policy.attributes[name]
    edges, step = _in_steps(attribute, whole=_is_whole(policy, name))
    width = np.diff(edges) * step
    inside = np.maximum(persons[1 : len(edges)], 0)
    height = inside / width
    beside = np.concatenate([height[:1], height, height[-1:]])
    edge = np.minimum((beside[1:] + beside[:-1]) / 2, 2 * np.minimum(beside[1:], beside[:-1]))
    middle = np.maximum(2 * height - (edge[1:] + edge[:-1]) / 2, 0)
    over, last = max(float(persons[len(edges)]), 0), float(width[-1])
    tail = float(np.clip(over / edge[-1], last, 10 * last)) if edge[-1] > 0 else last
    lowest, highest = _limits(policy, name, np.asarray(edges * step, np.float64))
    return NumberShape(edges, step, edge, middle, lowest, tail, highest)


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
