"""Which exact tables are protected together, and the structure of their cells: from the policy alone, no data."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from math import prod

from release.codes import Attribute
from release.errors import PolicyError
from release.policy.document import Protection, Table
from release.policy.exact_checks import levels_shown, shared
from release.policy.policy import Policy
from release.protected.suppression.structure import Hierarchy

ROOT = "all"
_MOST_KEYS = 2**62


@dataclass(frozen=True, eq=False)
class TableSet:
    """Exact tables that share cells: one system, protected in one way. Every table shows its totals on every level.

    name: that of its first table. tables: name -> attribute -> finest level shown. before: the same of tables of
    earlier releases that share cells with them. summed: the outcome whose sums these are, "" where persons are counted.
    Codes of a tree are told apart over its levels (`node_codes`), the root is "all".
    """

    name: str
    kind: str
    tables: Mapping[str, Mapping[str, int]]
    attributes: Mapping[str, Attribute]
    protections: Mapping[str, Protection]
    before: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    summed: str = ""

    @cached_property
    def finest(self) -> dict[str, int]:
        """The finest level of each attribute over all tables, in the policy's order."""
        found: dict[str, int] = {}
        for name in self.attributes:
            levels = [levels[name] for levels in self.shown if name in levels]
            if levels:
                found[name] = max(levels)
        return found

    @cached_property
    def codes(self) -> dict[str, tuple[tuple[str, ...], ...]]:
        """Attribute -> level -> the codes of its nodes, unlike over all levels down to the finest."""
        return {name: node_codes(self.attributes[name], level) for name, level in self.finest.items()}

    @cached_property
    def hierarchies(self) -> dict[str, tuple[Hierarchy, ...]]:
        """The trees, as the suppression engine wants them."""
        return {name: (_tree(self.attributes[name], codes),) for name, codes in self.codes.items()}

    @property
    def shown(self) -> list[Mapping[str, int]]:
        """Levels shown, table by table."""
        return [*self.tables.values(), *self.before.values()]

    @property
    def keyed(self) -> bool:
        """Whether the persons in a cell decide how its figure is changed."""
        rounding = self.protection.rounding
        return self.kind == "cell-key" or (rounding is not None and rounding.keyed)

    @property
    def protection(self) -> Protection:
        """What all tables of the set have in common is read from the first."""
        return next(iter(self.protections.values()))


def node_codes(attribute: Attribute, depth: int) -> tuple[tuple[str, ...], ...]:
    """The codes of each level down to `depth`; "level:code" where a level above has the same code already."""
    seen: set[str] = set()
    found = []
    for level in attribute.levels[: depth + 1]:
        codes = tuple(code if code not in seen else f"{level.name}:{code}" for code in level.codes)
        seen.update(codes)
        found.append(codes)
    return tuple(found)


def _tree(attribute: Attribute, codes: Sequence[Sequence[str]]) -> Hierarchy:
    levels = attribute.levels[1 : len(codes)]
    edges = [
        (above[parent], code)
        for above, below, level in zip(codes[:-1], codes[1:], levels, strict=True)
        for code, parent in zip(below, level.parent.tolist(), strict=True)
    ]
    return Hierarchy.from_edges(attribute.name, edges)


def table_sets(policy: Policy) -> tuple[TableSet, ...]:
    """The policy's exact tables, grouped where they share cells besides the number of all persons; then their sums.

    Counts and sums of the same cells are different figures, so different sets. All sums of one outcome are one set.
    """
    levels = {name: levels_shown(table, policy.attributes) for name, table in policy.exact.items()}
    levels |= {name: levels_shown(table, policy.attributes) for name, table, _ in policy.exact_before}
    counts = tuple(
        _table_set(group, levels, policy) for group in _groups(levels) if any(name in policy.exact for name in group)
    )
    sets = (*counts, *(_sum_set(outcome, levels, policy) for outcome in policy.summed))
    for found in sets:
        _refuse_too_large(found)
    return sets


def _groups(levels: Mapping[str, Mapping[str, int]]) -> Iterator[list[str]]:
    """Connected tables, in the order given."""
    near: dict[str, set[str]] = {name: set() for name in levels}
    for one, other in combinations(levels, 2):
        if shared(levels[one], levels[other]):
            near[one].add(other)
            near[other].add(one)
    left = list(levels)
    while left:
        group, edge = set(), {left[0]}
        while edge:
            group |= edge
            edge = {other for name in edge for other in near[name]} - group
        yield [name for name in left if name in group]
        left = [name for name in left if name not in group]


def _table_set(group: Sequence[str], levels: Mapping[str, Mapping[str, int]], policy: Policy) -> TableSet:
    own = [name for name in group if name in policy.exact]
    protections = {name: said for name in own if (said := policy.exact[name].exact)}
    kind = protections[own[0]].kinds[0]
    earlier = {name: table for name, table, _ in policy.exact_before if name in group}
    _refuse_other_ways(own[0], protections[own[0]], earlier)
    before = {name: levels[name] for name in earlier if kind == "suppression"}
    return TableSet(own[0], kind, {name: levels[name] for name in own}, policy.attributes, protections, before)


def _sum_set(outcome: str, levels: Mapping[str, Mapping[str, int]], policy: Policy) -> TableSet:
    """All sums of one outcome: the tables without the outcome itself as an axis."""
    own = [name for name, table in policy.exact.items() if _sums_of(table) == outcome]
    earlier = [name for name, table, _ in policy.exact_before if _sums_of(table) == outcome]
    axes = {name: {d: level for d, level in levels[name].items() if d != outcome} for name in (*own, *earlier)}
    protections = {name: said for name in own if (said := policy.exact[name].exact)}
    kind = protections[own[0]].kinds[0]
    return TableSet(
        f"{own[0]}.sums",
        kind,
        {name: axes[name] for name in own},
        policy.attributes,
        protections,
        {name: axes[name] for name in earlier if kind == "suppression"},
        outcome,
    )


def _sums_of(table: Table) -> str:
    """The outcome whose sums a table shows, "" where it shows none."""
    return str(table.of).partition(":")[0] if "sum" in table.show else ""


def _refuse_other_ways(name: str, own: Protection, earlier: Mapping[str, Table]) -> None:
    """What an earlier release protected in another way, or changed by other settings, tells more together with this."""
    for place, table in earlier.items():
        said = table.exact
        same = said is not None and said.kinds == own.kinds
        if not same or (own.suppression is None and said is not None and _settings(said) != _settings(own)):
            raise PolicyError(
                f'the table "{name}" shares cells with {place}, which was protected in another way',
                where=f"tables.{name}.protection",
                now="protect it as it was then, or let it share no dimension",
            )


def _settings(said: Protection) -> object:
    return said.cell_key.of_counts if said.cell_key else said.rounding


def _refuse_too_large(found: TableSet) -> None:
    """Cells are numbered by their place in the full cross: the numbers must fit."""
    if prod(sum(len(level) for level in codes) for codes in found.codes.values()) > _MOST_KEYS:
        raise PolicyError(
            f"the exact tables {', '.join(found.tables)} together span more combinations than can be numbered",
            where="tables",
            now="use coarser levels, or fewer linked tables",
        )
