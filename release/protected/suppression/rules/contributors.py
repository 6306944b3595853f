"""Rules on who is behind a cell: distinct contributors (holdings), distinct providers or other holders."""

from dataclasses import dataclass

import numpy as np

from release.codes import IntArray
from release.protected.suppression.rules.exact import whole
from release.protected.suppression.rules.facts import BoolArray, CellFacts


@dataclass(frozen=True)
class MinimumContributors:
    """Fewer than `below` distinct contributors; those of one holding are one. Three at least: two know each other.

        unsafe:  0 < contributors < below
    Source: Hundepool et al. (2012), section 4.2; tau-ARGUS "Freq" with holdings.
    """

    below: int = 3
    width: int = 1

    def __post_init__(self) -> None:
        whole("the smallest number of contributors", self.below, at_least=2)
        whole("the width", self.width, at_least=1)

    @property
    def name(self) -> str:
        return "minimum-contributors"

    @property
    def reason(self) -> str:
        return f"fewer than {self.below} contributors"

    def unsafe(self, facts: CellFacts) -> BoolArray:
        contributors = facts.need("contributors", self.name)
        return (contributors > 0) & (contributors < self.below)

    def demand(self, facts: CellFacts) -> IntArray:
        return np.full(len(facts), self.width, np.int64)


@dataclass(frozen=True)
class MinimumHolders:
    """Persons of fewer than `below` distinct holders of a kind (providers, employers, owners).

        unsafe:  0 < holders < below
    Don't ask for it in a table *by* that holder: every cell would be hidden.
    """

    kind: str
    below: int = 2
    width: int = 1

    def __post_init__(self) -> None:
        whole(f"the smallest number of {self.kind}", self.below, at_least=2)
        whole("the width", self.width, at_least=1)

    @property
    def name(self) -> str:
        return f"minimum-holders {self.kind}"

    @property
    def reason(self) -> str:
        return f"fewer than {self.below} different holders ({self.kind})"

    def unsafe(self, facts: CellFacts) -> BoolArray:
        holders = facts.holders_of(self.kind, self.name)
        return (holders > 0) & (holders < self.below)

    def demand(self, facts: CellFacts) -> IntArray:
        return np.full(len(facts), self.width, np.int64)
