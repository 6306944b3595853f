"""The publicly possible combinations of dimensions: the cells that synthetic graduates may live in.

Nothing here looks at a figure: codes, trees and the policy's lists of possible combinations are public.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from release.codes import Attribute, IntArray
from release.errors import PolicyError
from release.policy.policy import Combination, Policy, PossibleCombinations
from release.possible import BoolArray, any_child

LARGEST_SUPPORT = 20_000_000


class TooManyCellsError(PolicyError):
    """The dimensions have more possible combinations than can be handled."""


@dataclass(frozen=True, eq=False)
class Support:
    """Possible cells: nodes[name][i] is cell i's node at level levels[name] of the attribute.

    Cells are ordered as their codes are, the first dimension slowest, so that neighbours are alike.
    """

    attributes: Mapping[str, Attribute]
    levels: Mapping[str, int]
    nodes: Mapping[str, IntArray] = field(repr=False)
    size: int

    def at(self, name: str, level: int) -> IntArray:
        """Each cell's node at a level at or above the measured one."""
        ancestors = self.attributes[name].ancestors(self.levels[name], level)
        return np.asarray(ancestors[self.nodes[name]])

    def index(self, combination: Combination) -> IntArray:
        """Each cell's flat position in the array of a combination of the support's dimensions."""
        flat = np.zeros(self.size, np.int64)
        for name, level in combination:
            flat = flat * len(self.attributes[name].levels[level]) + self.at(name, level)
        return flat


def possible_cells(policy: Policy, levels: Mapping[str, int]) -> Support:
    """All combinations of the dimensions' nodes at `levels` that no public list excludes.

    Grows dimension by dimension and drops what is excluded as soon as a list's dimensions are all there, so that the
    full product is never made. TooManyCellsError if more than 20 million combinations remain, PolicyError if none.
    """
    nodes: dict[str, IntArray] = {}
    size = 1
    for name in sorted(levels, key=list(policy.attributes).index):
        nodes, size = _crossed(nodes, size, name, len(policy.attributes[name].levels[levels[name]]))
        for rule in policy.possible:
            if name in dict(rule.combination):
                keep = _allowed(rule, nodes, levels, policy.attributes)
                nodes = {other: values[keep] for other, values in nodes.items()}
                size = int(keep.sum())
    if not size:
        raise PolicyError(
            "the lists leave no possible combination of the dimensions",
            where="possible",
            now="look for lists that contradict each other",
        )
    return Support(policy.attributes, dict(levels), nodes, size)


def _crossed(nodes: Mapping[str, IntArray], size: int, name: str, codes: int) -> tuple[dict[str, IntArray], int]:
    if size * codes > LARGEST_SUPPORT:
        raise TooManyCellsError(
            f"the dimensions have more than {LARGEST_SUPPORT:,} possible combinations",
            where="dimensions, possible",
            now="list the possible combinations under `possible`, or leave dimensions out of `synthetic.columns`",
        )
    crossed = {other: np.repeat(values, codes) for other, values in nodes.items()}
    return crossed | {name: np.tile(np.arange(codes, dtype=np.int64), size)}, size * codes


def _allowed(
    rule: PossibleCombinations,
    nodes: Mapping[str, IntArray],
    levels: Mapping[str, int],
    attributes: Mapping[str, Attribute],
) -> BoolArray:
    """Which cells a list allows, as far as its dimensions are there; a coarser cell is possible if any child is."""
    allowed = rule.allowed
    where: list[IntArray] = []
    for axis, (name, number) in reversed(list(enumerate(rule.combination))):
        if name not in nodes:
            allowed = np.asarray(allowed.any(axis=axis))
            continue
        seen = min(number, levels[name])
        allowed = any_child(allowed, attributes[name].ancestors(number, seen), axis)
        where.insert(0, attributes[name].ancestors(levels[name], seen)[nodes[name]])
    return np.asarray(allowed[tuple(where)])
