"""Primary suppression: which cells may not be shown, why, and how uncertain each must stay.

Several rules may stand for one table; a cell that breaks any of them is hidden. The reasons stay in the office: outside
all hidden cells look alike, whether a rule hides them or they protect others.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from release.codes import IntArray
from release.protected.suppression.rules import (
    CellFacts,
    Dominance,
    KDisclosure,
    MinimumFrequency,
    PPercent,
    PriorPosterior,
    Rule,
)
from release.protected.suppression.rules.contradictions import refuse_contradictions
from release.protected.suppression.rules.facts import NOBODY, BoolArray
from release.shown import Closed

RuleArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, repr=False)
class Primary(Closed):
    """The verdict on n cells. Stays in the office: reasons and widths tell of true figures.

    flags: bool [n], hidden by a rule. broken: bool [n, rules], which ones. width: int64 [n], by how much two possible
    tables must differ at the cell (0: no rule asks); the largest of its rules' demands, and for magnitudes the upper
    protection level. stated: int64 [n], the same for the rules whose demand doesn't hang on true figures: what a public
    proof may show. upward: int64 [n], the upper protection level of rules of concentration, else 0. alone: int64 [n],
    the number of the contributor who is alone in the cell, else NOBODY.
    lower: what readers know a hidden cell to be at least: 1 where zeros are printed, else 0.
    """

    rules: tuple[Rule, ...]
    flags: BoolArray
    broken: RuleArray
    width: IntArray
    stated: IntArray
    upward: IntArray
    alone: IntArray
    lower: int

    def reasons(self, cell: int) -> tuple[str, ...]:
        """Why the cell is hidden, in plain words, one per rule it breaks; empty where none hides it."""
        return tuple(rule.reason for rule, broken in zip(self.rules, self.broken[cell], strict=True) if broken)

    def by_rule(self) -> dict[str, int]:
        """How many cells each rule hides; a cell may break several. For the office's report."""
        return {rule.reason: int(count) for rule, count in zip(self.rules, self.broken.sum(axis=0), strict=True)}

    def complements(self) -> IntArray:
        """Positions of cells that need a complement (see `rules.groups`), ascending, each once."""
        return np.flatnonzero(self._group_broken().any(axis=1)).astype(np.int64)

    def complement_width(self) -> IntArray:
        """Width demanded of each complement, in the order of `complements()`."""
        widths = [rule.complement_width for rule in self.rules if isinstance(rule, KDisclosure)]
        broken = self._group_broken()[self.complements()]
        return np.asarray((broken * np.array(widths, np.int64)).max(axis=1, initial=0), np.int64)

    def _group_broken(self) -> RuleArray:
        return self.broken[:, [isinstance(rule, KDisclosure) for rule in self.rules]]


def judge(facts: CellFacts, rules: Sequence[Rule]) -> Primary:
    """Judge every cell by every rule.

    PolicyError: rules contradict each other, or need figures that aren't counted. DataError: figures contradict
    themselves, or hold negative contributions where a rule refuses them.
    """
    refuse_contradictions(rules)
    broken = np.stack([rule.unsafe(facts) for rule in rules], axis=1).astype(bool)
    demands = np.where(broken, np.maximum(np.stack([rule.demand(facts) for rule in rules], axis=1), 1), 0)
    of_truth = _of_concentration(rules)
    return Primary(
        rules=tuple(rules),
        flags=np.asarray(broken.any(axis=1), bool),
        broken=broken,
        width=demands.max(axis=1, initial=0).astype(np.int64),
        stated=np.where(of_truth, np.minimum(demands, 1), demands).max(axis=1, initial=0).astype(np.int64),
        upward=np.where(of_truth, demands, 0).max(axis=1, initial=0).astype(np.int64),
        alone=who_is_alone(facts),
        lower=lowest_hidden(rules),
    )


def not_far_enough(primary: Primary, values: IntArray, highest: IntArray) -> BoolArray:
    """Where a rule of concentration still fails for readers: bool [n]. The office's inner check; it needs the truth.

    values: true sums; highest: the largest that each cell can be for all that readers know, int64 [n]. The rule asks
    that `highest` lies at least its upper protection level above the truth; two tables that differ by so much don't
    promise it, for both may lie below.
    """
    return np.asarray((primary.upward > 0) & (highest - values < primary.upward), bool)


def _of_concentration(rules: Sequence[Rule]) -> BoolArray:
    return np.array([isinstance(rule, Dominance | PPercent | PriorPosterior) for rule in rules], bool)


def who_is_alone(facts: CellFacts) -> IntArray:
    """Number of the only contributor of each cell, NOBODY where there are several or none.

    Without `sole`, each cell of one person is somebody's own: persons can't be told apart across cells then.
    """
    single = (facts.persons if facts.contributors is None else facts.contributors) == 1
    who = np.arange(len(facts), dtype=np.int64) if facts.sole is None else facts.sole
    return np.where(single, who, NOBODY).astype(np.int64)


def lowest_hidden(rules: Sequence[Rule]) -> int:
    """What readers know of any hidden count: at least 1, unless a rule hides zeros too."""
    hides_zeros = any(
        isinstance(rule, KDisclosure) or (isinstance(rule, MinimumFrequency) and rule.zeros) for rule in rules
    )
    return 0 if hides_zeros else 1
