"""Records that can't be: looked for by the public rules alone, apart from the code that makes records."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from release.codes import NOT_APPLICABLE
from release.policy.policy import PossibleCombinations
from release.possible import BoolArray
from release.protected.statistics import possible_mask
from synthetic.coded import Coded, arises


@dataclass(frozen=True)
class Impossible:
    """How many records break each rule. unchecked: rules about columns that the records lack.

    records: those that break any. A rule is a list of possible combinations ("provider × field:broad") or an outcome
    that is there though it can't be, by the calendar or by another outcome, or is lacking though it must be there.
    """

    records: int
    by_rule: tuple[tuple[str, int], ...]
    unchecked: tuple[str, ...] = ()


def impossible_records(records: Coded) -> Impossible:
    """Check each record against every public rule of the policy."""
    found = dict(_by_rule(records))
    any_rule = np.zeros(len(records), np.bool_)
    for broken in found.values():
        if broken is not None:
            any_rule |= broken
    return Impossible(
        int(any_rule.sum()),
        tuple((rule, int(broken.sum())) for rule, broken in found.items() if broken is not None),
        tuple(rule for rule, broken in found.items() if broken is None),
    )


def _by_rule(records: Coded) -> Iterator[tuple[str, BoolArray | None]]:
    policy = records.policy
    for rule in policy.possible:
        names = (policy.attributes[name].levels[level].name for name, level in rule.combination)
        yield " × ".join(names), _not_listed(records, rule)
    for name in policy.document.outcomes:
        if name in records.nodes:
            yield name, _wrongly_there(records, name)


def _not_listed(records: Coded, rule: PossibleCombinations) -> BoolArray | None:
    """Records whose combination no list holds; coarser records are looked up at their own level."""
    levels = {name: min(level, records.levels.get(name, 0)) for name, level in rule.combination}
    seen = tuple((name, level) for name, level in levels.items() if level)
    if len(seen) < len(levels):
        return None
    return np.asarray(~possible_mask(records.policy, _in_order(records, seen))[records.flat(_in_order(records, seen))])


def _in_order(records: Coded, combination: tuple[tuple[str, int], ...]) -> tuple[tuple[str, int], ...]:
    order = list(records.policy.attributes)
    return tuple(sorted(combination, key=lambda pair: order.index(pair[0])))


def _wrongly_there(records: Coded, name: str) -> BoolArray | None:
    """Records that have a code though the outcome doesn't arise, or "not applicable" though it does."""
    level = records.policy.attributes[name].levels[records.levels[name]]
    if NOT_APPLICABLE not in level.index:
        return np.zeros(len(records), np.bool_)
    applies = arises(records, name)
    none = records.nodes[name] == level.index[NOT_APPLICABLE]
    return None if applies is None else np.asarray(applies == none)
