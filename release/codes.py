"""Attributes as trees of public codes: provider in region in country; a flat list is a tree of two levels.

An attribute has levels 0 (the root, "all") to L (the leaves). Every key set in the project comes from here,
never from data.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
Labels = Mapping[str, tuple[str, ...]]
"""Texts of a level's nodes by language ("en", "fi", "sv"), in the order of its codes."""

NOT_FOUND = "not-found"
NO_ANSWER = "no-answer"
NOT_APPLICABLE = "not-applicable"
REPORTED = "reported"
"""The one code of an amount: it is known of the person, whatever it is."""
SPECIAL_CODES = (NOT_FOUND, NO_ANSWER, NOT_APPLICABLE)
"""Codes we add to outcomes: not in the register; did not answer; the question doesn't arise."""


@dataclass(frozen=True, eq=False)
class Level:
    """One level of a tree. `parent[i]` is the index of node i's parent in the level above."""

    name: str
    codes: tuple[str, ...]
    parent: IntArray
    labels: Labels = field(default_factory=dict)

    @cached_property
    def index(self) -> dict[str, int]:
        """Index of each code."""
        return {code: i for i, code in enumerate(self.codes)}

    @cached_property
    def siblings(self) -> IntArray:
        """Number of siblings of each node, itself included: the c of the residual plan."""
        return np.bincount(self.parent)[self.parent].astype(np.int64)

    def label(self, code: str, language: str) -> str:
        """The code's text in a language, else in English, else the code itself."""
        for texts in (self.labels.get(language), self.labels.get("en")):
            if texts and texts[self.index[code]]:
                return texts[self.index[code]]
        return code

    def __len__(self) -> int:
        return len(self.codes)


@dataclass(frozen=True, eq=False)
class Attribute:
    """A dimension or an outcome: a tree of codes, and what its leaves mean as numbers where they do.

    edges: bin edges, length number + 1, for pay and the like (leaves: under, bins, over, special codes).
    scores: the number of each leaf of a scale (nan for special codes), for means.
    """

    name: str
    levels: tuple[Level, ...]
    edges: tuple[float, ...] | None = None
    scores: tuple[float, ...] | None = None

    @property
    def depth(self) -> int:
        """The leaves' level, L."""
        return len(self.levels) - 1

    @property
    def leaves(self) -> Level:
        return self.levels[-1]

    def level_number(self, name: str) -> int:
        """Position of the level called `name`; KeyError if there is none."""
        return {level.name: i for i, level in enumerate(self.levels)}[name]

    def ancestors(self, lower: int, upper: int) -> IntArray:
        """Index at level `upper` of the ancestor of each node at level `lower` (upper <= lower)."""
        nodes = np.arange(len(self.levels[lower]), dtype=np.int64)
        for level in range(lower, upper, -1):
            nodes = self.levels[level].parent[nodes]
        return nodes

    def structure(self) -> dict[str, object]:
        """What is measured: codes, tree and bins, without any text. Part of the request id."""
        return {
            "name": self.name,
            "levels": [{"name": v.name, "codes": list(v.codes), "parent": v.parent.tolist()} for v in self.levels],
            "edges": None if self.edges is None else [repr(edge) for edge in self.edges],
            "scores": None if self.scores is None else [repr(score) for score in self.scores],
        }


def flat(name: str, codes: Sequence[str], labels: Labels | None = None) -> Attribute:
    """An attribute of two levels: all, and the codes."""
    return Attribute(name, (root(), Level(name, tuple(codes), np.zeros(len(codes), np.int64), labels or {})))


def root(name: str = "all") -> Level:
    """Level 0: the single node that holds everybody. Its code is always "all"."""
    return Level(name, ("all",), np.zeros(1, np.int64), {"en": ("All",), "fi": ("Kaikki",), "sv": ("Alla",)})


def tree(
    name: str, level_names: Sequence[str], paths: Sequence[Sequence[str]], labels: Mapping[str, Labels]
) -> Attribute:
    """An attribute from rows of codes, one row per leaf, from the level below the root down to the leaf.

    paths: for each leaf its codes at levels 1..L; a code must always stand under the same parent (ValueError).
    labels: level name -> language -> texts in order of first appearance of the level's codes.
    """
    levels = [root(level_names[0])]
    above = ["all"] * len(paths)
    for depth, level_name in enumerate(level_names[1:]):
        codes: dict[str, int] = {}
        parents: list[int] = []
        for path, parent in zip(paths, above, strict=True):
            parent_index = levels[-1].index[parent]
            if path[depth] not in codes:
                codes[path[depth]] = len(codes)
                parents.append(parent_index)
            elif parents[codes[path[depth]]] != parent_index:
                raise ValueError(f'code "{path[depth]}" of level "{level_name}" stands under two parents')
        levels.append(Level(level_name, tuple(codes), np.array(parents, np.int64), labels.get(level_name, {})))
        above = [path[depth] for path in paths]
    return Attribute(name, tuple(levels))
