"""Rules on magnitudes: dominance (n,k), p %, prior-posterior (p,q).

X is the cell's sum, x1 >= x2 >= … the contributions, those of one holding added up first. All rules are decided in
whole numbers. Each tells how far up the sum must be uncertain (the upper protection level) so that the rule would hold.

Negative contributions: absolute values take the place of the contributions and of the sum. What is left after the two
largest is then the most by which the others can shift an estimate; it can be less where they cancel. So it is a
choice of the policy (`negatives="absolute"`), and refused otherwise.
Sources: Hundepool et al., Statistical Disclosure Control (2012), section 4.2, tables of sensitivity measures and of
upper protection levels; tau-ARGUS user's manual, "Theory", sensitive cells in magnitude tables.
The page is docs/primary-rules.md.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from release.codes import IntArray
from release.errors import DataError, PolicyError, roughly
from release.protected.suppression.rules.exact import WholeArray, ceiling, parameter, roomy, text, whole
from release.protected.suppression.rules.facts import BoolArray, CellFacts

Negatives = Literal["refuse", "absolute"]


@dataclass(frozen=True)
class Dominance:
    """The n largest contributors hold more than k % of the sum.

        unsafe:  x1 + … + xn > k/100 X            upper protection:  100/k (x1 + … + xn) - X
    tau-ARGUS "NK".
    """

    n: int
    k: Fraction | int | str
    negatives: Negatives = "refuse"

    def __post_init__(self) -> None:
        whole("the n of dominance (n, k)", self.n, at_least=1)
        object.__setattr__(self, "k", parameter("the k of dominance (n, k), per cent", self.k, low=0, high=100))

    @property
    def name(self) -> str:
        return "dominance"

    @property
    def reason(self) -> str:
        who = "the largest contributor holds" if self.n == 1 else f"the largest {self.n} contributors hold"
        return f"{who} more than {text(Fraction(self.k))} % of the sum"

    def unsafe(self, facts: CellFacts) -> BoolArray:
        return self._margin(facts) > 0

    def demand(self, facts: CellFacts) -> IntArray:
        return ceiling(self._margin(facts), Fraction(self.k).numerator * facts.scale)

    def _margin(self, facts: CellFacts) -> WholeArray:
        """100 d (x1 + … + xn) - c X for k = c/d: above zero where unsafe."""
        k = Fraction(self.k)
        total, largest = _figures(facts, self.n, self, factor=100 * k.denominator * self.n)
        margin: WholeArray = largest.sum(axis=1) * (100 * k.denominator) - total * k.numerator
        return margin


@dataclass(frozen=True)
class PPercent:
    """The second largest contributor, who knows his own, can work out the largest to within p %.

        unsafe:  X - x1 - x2 < p/100 x1           upper protection:  p/100 x1 - (X - x1 - x2)
    coalition: so many contributors, the largest after the first, put their figures together (x2 + x3 for two).
    tau-ARGUS "P".
    """

    p: Fraction | int | str
    negatives: Negatives = "refuse"
    coalition: int = 1

    def __post_init__(self) -> None:
        whole("the size of the coalition", self.coalition, at_least=1)
        object.__setattr__(self, "p", parameter("the p of the p % rule", self.p, low=0, high=1000))

    @property
    def name(self) -> str:
        return "p-percent"

    @property
    def reason(self) -> str:
        return f"{_who(self.coalition)} could work out the largest to within {text(Fraction(self.p))} %"

    def unsafe(self, facts: CellFacts) -> BoolArray:
        return _margin(facts, Fraction(self.p) / 100, self) > 0

    def demand(self, facts: CellFacts) -> IntArray:
        ratio = Fraction(self.p) / 100
        return ceiling(_margin(facts, ratio, self), ratio.denominator * facts.scale)


@dataclass(frozen=True)
class PriorPosterior:
    """Contributors who know each other to within q % before could know the largest to within p % afterwards.

        unsafe:  q/100 (X - x1 - x2) < p/100 x1   upper protection:  p/q x1 - (X - x1 - x2)
    With q = 100 it is the p % rule; coalition: as there. tau-ARGUS "PQ".
    """

    p: Fraction | int | str
    q: Fraction | int | str
    negatives: Negatives = "refuse"
    coalition: int = 1

    def __post_init__(self) -> None:
        whole("the size of the coalition", self.coalition, at_least=1)
        object.__setattr__(self, "p", parameter("the p of prior-posterior (p, q)", self.p, low=0))
        object.__setattr__(self, "q", parameter("the q of prior-posterior (p, q)", self.q, low=0))
        if Fraction(self.p) >= Fraction(self.q):
            raise PolicyError("prior-posterior (p, q) has p below q: knowledge grows by publication", now="swap them")

    @property
    def name(self) -> str:
        return "prior-posterior"

    @property
    def reason(self) -> str:
        p, q = text(Fraction(self.p)), text(Fraction(self.q))
        knowing = f"knowing the others to within {q} %"
        return f"{_who(self.coalition)}, {knowing}, could work out the largest to within {p} %"

    def unsafe(self, facts: CellFacts) -> BoolArray:
        return _margin(facts, self._ratio, self) > 0

    def demand(self, facts: CellFacts) -> IntArray:
        return ceiling(_margin(facts, self._ratio, self), self._ratio.denominator * facts.scale)

    @property
    def _ratio(self) -> Fraction:
        return Fraction(self.p) / Fraction(self.q)


Concentration = Dominance | PPercent | PriorPosterior


def _who(coalition: int) -> str:
    return "a contributor" if coalition == 1 else f"{coalition} contributors together"


def _margin(facts: CellFacts, ratio: Fraction, rule: PPercent | PriorPosterior) -> WholeArray:
    """a x1 - b (X - x1 - x2) for ratio = a/b: above zero where unsafe. A coalition's x3 … are taken off too."""
    n = 1 + rule.coalition
    total, largest = _figures(facts, n, rule, factor=ratio.numerator + (1 + n) * ratio.denominator)
    rest = total - largest.sum(axis=1)
    margin: WholeArray = largest[:, 0] * ratio.numerator - rest * ratio.denominator
    return margin


def _figures(facts: CellFacts, n: int, rule: Concentration, *, factor: int) -> tuple[WholeArray, WholeArray]:
    """The sums [cells] and the n largest contributions [cells, n], in a type with room for `factor` times as much."""
    largest = facts.need("largest", rule.name)
    if largest.shape[1] < n:
        raise PolicyError(f'the rule "{rule.name}" needs the {n} largest contributions of each cell')
    total = _total(facts, rule)
    _refuse_too_little(total, largest[:, :n])
    return roomy(total, factor), roomy(largest[:, :n], factor)


def _total(facts: CellFacts, rule: Concentration) -> IntArray:
    """The sum of the contributions, or of their absolute values where the rule says so."""
    if rule.negatives == "absolute":
        return facts.need("absolute", f"{rule.name} with absolute values")
    total = facts.need("sums", rule.name)
    below = int((total < 0).sum() if facts.absolute is None else (total != facts.absolute).sum())
    if below:
        raise DataError(
            f'{roughly(below)} cells hold negative contributions, which the rule "{rule.name}" has no meaning for',
            where="the table's protection in the policy",
            now="judge absolute values (`negatives: absolute`), or protect the table by a minimum of contributors",
        ) from None
    return total


def _refuse_too_little(total: IntArray, largest: IntArray) -> None:
    """Contributions that exceed their sum: contributors are missing, or some are negative."""
    short = int((roomy(largest, largest.shape[1]).sum(axis=1) > total).sum())
    if short:
        raise DataError(
            f"the largest contributions exceed the sum in {roughly(short)} cells",
            where="the table's sums and largest contributions",
            now="sums and contributions come from the same rows; negative contributions need `negatives: absolute`",
        ) from None
