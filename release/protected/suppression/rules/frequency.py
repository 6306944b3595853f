"""Rules on numbers of persons: minimum frequency, minimum respondents, response rate."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from release.codes import IntArray
from release.protected.suppression.rules.exact import parameter, text, whole
from release.protected.suppression.rules.facts import BoolArray, CellFacts


@dataclass(frozen=True)
class MinimumFrequency:
    """Fewer than `below` persons: not shown. Weighted tables are judged by persons, not by weights.

        unsafe:  0 < persons < below      (with `zeros`: 0 <= persons < below)

    zeros: empty cells are hidden too, so a hidden cell may be 0. Without, zeros are printed and every reader knows
        that a hidden count is at least 1.
    width: by how much two possible tables must differ at the cell. `up_to_threshold` asks for below - 1 (with zeros:
        below): then a hidden count may be `below` or more for all that outsiders know. It is the same for all cells: a
        width of below - persons would tell the count.
    Source: Hundepool et al., Statistical Disclosure Control (2012), section 4.2 (threshold rule); tau-ARGUS "Freq".
    """

    below: int
    zeros: bool = False
    width: int = 1
    up_to_threshold: bool = False

    def __post_init__(self) -> None:
        whole("the smallest frequency", self.below, at_least=1 if self.zeros else 2)
        whole("the width", self.width, at_least=1)

    @property
    def name(self) -> str:
        return "minimum-frequency"

    @property
    def reason(self) -> str:
        return f"fewer than {self.below} persons" + (", or none" if self.zeros else "")

    def unsafe(self, facts: CellFacts) -> BoolArray:
        few = facts.persons < self.below
        return few if self.zeros else few & (facts.persons > 0)

    def demand(self, facts: CellFacts) -> IntArray:
        reaching = self.below - (0 if self.zeros else 1)
        width = max(self.width, reaching) if self.up_to_threshold else self.width
        return np.full(len(facts), width, np.int64)


@dataclass(frozen=True)
class MinimumRespondents:
    """Fewer than `below` persons answered: not shown, however large the weighted count is.

    unsafe:  0 < respondents < below
    """

    below: int
    width: int = 1

    def __post_init__(self) -> None:
        whole("the smallest number of respondents", self.below, at_least=2)
        whole("the width", self.width, at_least=1)

    @property
    def name(self) -> str:
        return "minimum-respondents"

    @property
    def reason(self) -> str:
        return f"fewer than {self.below} persons answered"

    def unsafe(self, facts: CellFacts) -> BoolArray:
        answered = facts.need("respondents", self.name)
        return (answered > 0) & (answered < self.below)

    def demand(self, facts: CellFacts) -> IntArray:
        return np.full(len(facts), self.width, np.int64)


@dataclass(frozen=True)
class ResponseRate:
    """Fewer than `percent` of those asked answered: not shown. A rule of quality; it protects the reader.

    unsafe:  0 < respondents  and  100 respondents < percent * asked
    """

    percent: Fraction | int | str

    def __post_init__(self) -> None:
        object.__setattr__(self, "percent", parameter("the smallest response rate", self.percent, low=0, high=100))

    @property
    def name(self) -> str:
        return "response-rate"

    @property
    def reason(self) -> str:
        return f"response rate below {text(Fraction(self.percent))} %"

    def unsafe(self, facts: CellFacts) -> BoolArray:
        rate = Fraction(self.percent) / 100
        answered, asked = facts.need("respondents", self.name), facts.need("asked", self.name)
        unsafe: BoolArray = (answered > 0) & (answered * rate.denominator < asked * rate.numerator)
        return unsafe

    def demand(self, facts: CellFacts) -> IntArray:
        return np.ones(len(facts), np.int64)
