"""Which columns and relations were measured, and which mean nothing in synthetic records."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import combinations

from release.policy.policy import Combination, Policy
from release.residuals import downward_closure
from synthetic.columns import measured_levels


@dataclass(frozen=True)
class Measured:
    """Columns that were measured together, each way at the levels named: ("provider:region", "field:narrow")."""

    columns: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Relations:
    """What the measurements say of the columns, one by one, in pairs and in threes.

    columns: each measured column with its finest measured level. no_columns: those of the policy in no table.
    no_pairs: never measured together; in the records they are related only through what both were measured with.
    by_rule: those of no_pairs where one arises only with some codes of the other; that much is right, and no more.
    no_triples: every two of them were measured together, the three never: how the relation of two differs by the
    third means nothing.
    """

    columns: tuple[tuple[str, str], ...]
    no_columns: tuple[str, ...]
    pairs: tuple[Measured, ...]
    no_pairs: tuple[tuple[str, ...], ...]
    by_rule: tuple[tuple[str, ...], ...]
    triples: tuple[Measured, ...]
    no_triples: tuple[tuple[str, ...], ...]

    def unfit(self, columns: Collection[str]) -> tuple[tuple[str, ...], ...]:
        """Which columns, pairs and triples among some columns were not measured: an analysis of them is unfit."""
        lacking = [*((name,) for name in self.no_columns), *self.no_pairs, *self.no_triples]
        return tuple(names for names in lacking if set(names) <= set(columns))


def relations(policy: Policy) -> Relations:
    """What the tables of a policy ask for, and everything coarser: that is what is measured."""
    measured = downward_closure(policy.measured(table) for table in policy.tables.values())
    finest = measured_levels(policy)
    names = [name for name in policy.attributes if name in finest]
    pairs = {two: _levels(measured, two, policy) for two in combinations(names, 2)}
    triples = {three: _levels(measured, three, policy) for three in combinations(names, 3)}
    return Relations(
        columns=tuple((name, policy.attributes[name].levels[finest[name]].name) for name in names),
        no_columns=tuple(name for name in policy.attributes if name not in finest),
        pairs=tuple(Measured(two, levels) for two, levels in pairs.items() if levels),
        no_pairs=tuple(two for two, levels in pairs.items() if not levels),
        by_rule=tuple(two for two, levels in pairs.items() if not levels and _ruled(policy, two)),
        triples=tuple(Measured(three, levels) for three, levels in triples.items() if levels),
        no_triples=tuple(
            three
            for three, levels in triples.items()
            if not levels and all(pairs[two] for two in combinations(three, 2))
        ),
    )


def _levels(closure: Collection[Combination], names: tuple[str, ...], policy: Policy) -> tuple[tuple[str, ...], ...]:
    """The finest levels at which columns were measured together, as references; () if they never were."""
    measured = [c for c in closure if tuple(name for name, _ in c) == names]
    finest = (c for c in measured if not any(_finer(other, c) for other in measured))
    return tuple(tuple(_references(combination, policy)) for combination in finest)


def _finer(one: Combination, other: Combination) -> bool:
    return one != other and all(a[1] >= b[1] for a, b in zip(one, other, strict=True))


def _references(combination: Combination, policy: Policy) -> Iterator[str]:
    for name, number in combination:
        attribute = policy.attributes[name]
        yield name if number == attribute.depth else f"{name}:{attribute.levels[number].name}"


def _ruled(policy: Policy, two: tuple[str, ...]) -> bool:
    """Whether one of two outcomes arises only with codes of the other."""
    first, second = two
    return first in policy.applicable.get(second, {}) or second in policy.applicable.get(first, {})
