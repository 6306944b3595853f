"""Rules of one table that can't stand side by side are refused, all of them at once, before any figure is looked at."""

from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise

from release.errors import Fault, PolicyError
from release.protected.suppression.rules import Rule
from release.protected.suppression.rules.concentration import Dominance, PPercent, PriorPosterior
from release.protected.suppression.rules.exact import text

_WHERE = "the table's protection in the policy"
_SEVERAL = "dominance"
"""The one rule that may stand twice: (1, k) and (2, k') together are common practice."""


def refuse_contradictions(rules: Sequence[Rule]) -> None:
    """PolicyError with every contradiction."""
    faults = [Fault(what, _WHERE, now) for what, now in _contradictions(rules)]
    if faults:
        raise PolicyError(faults)


def _contradictions(rules: Sequence[Rule]) -> Iterator[tuple[str, str]]:
    if not rules:
        yield "no rule is given, so nothing would be hidden", "name at least one rule, or don't call it suppression"
    yield from _twice(rules)
    yield from _dominance(rules)
    yield from _negatives(rules)


def _twice(rules: Sequence[Rule]) -> Iterator[tuple[str, str]]:
    for name, times in Counter(rule.name for rule in rules).items():
        if times > 1 and name != _SEVERAL:
            yield f'the rule "{name}" is given {times} times', "keep the strictest"
    if any(isinstance(rule, PPercent) for rule in rules) and any(isinstance(rule, PriorPosterior) for rule in rules):
        yield "p % and prior-posterior are one rule in two spellings", "keep one of them"


def _dominance(rules: Sequence[Rule]) -> Iterator[tuple[str, str]]:
    """(1, 80) beside (2, 75): the second hides all that the first does, so one of the two isn't meant."""
    pairs = sorted((rule.n, Fraction(rule.k)) for rule in rules if isinstance(rule, Dominance))
    for (n, k), (more, share) in pairwise(pairs):
        if more == n or share <= k:
            yield (
                f"dominance ({n}, {text(k)}) and ({more}, {text(share)}) don't go together",
                "more contributors need a larger share",
            )


def _negatives(rules: Sequence[Rule]) -> Iterator[tuple[str, str]]:
    ways = {rule.negatives for rule in rules if isinstance(rule, Dominance | PPercent | PriorPosterior)}
    if len(ways) > 1:
        yield "negative contributions are refused by one rule and judged by another", "choose one for all rules"
