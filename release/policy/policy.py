"""A policy that has been read, checked and completed with its code lists."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import floor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from release.codes import SPECIAL_CODES, Attribute
from release.policy.document import Amount, HouseDocument, PolicyDocument, Rule, Table
from release.policy.meaning import leaves_of, periods_followed, sources_of, time_dimension

_HALF = Fraction(1, 2)
Combination = tuple[tuple[str, int], ...]
"""Levels of some attributes, e.g. (("provider", 2), ("field", 1)), in the policy's order, levels >= 1 only."""


@dataclass(frozen=True, eq=False)
class PossibleCombinations:
    """Public structural zeros: `allowed` is a boolean array over the nodes of `combination`."""

    combination: Combination
    allowed: npt.NDArray[np.bool_]
    source: str


@dataclass(frozen=True, eq=False)
class EarlierRelease:
    """The public folder of an earlier release with exact tables. place: as the policy names it."""

    place: str
    policy: "Policy"
    folder: Path = field(repr=False)

    @property
    def name(self) -> str:
        return self.policy.document.release


@dataclass(frozen=True, eq=False)
class Policy:
    """A checked policy. Dimensions and outcomes are `attributes`, in the order of the file, dimensions first.

    `replace` maps, per attribute, codes that have left the classification to their successors.
    `files` are the code-list files it was completed with, by base name: they are published beside it, and so is
    `house_text` (as house.yaml), for those who read the policy again.
    """

    document: PolicyDocument
    house: HouseDocument
    attributes: Mapping[str, Attribute]
    replace: Mapping[str, Mapping[str, str]]
    possible: tuple[PossibleCombinations, ...]
    text: bytes = field(repr=False)
    files: Mapping[str, bytes] = field(repr=False)
    path: Path = field(repr=False)
    house_text: bytes = field(default=b"", repr=False)
    earlier: tuple[EarlierRelease, ...] = ()

    @cached_property
    def tables(self) -> Mapping[str, Table]:
        """The noisy tables: those protected by differential privacy."""
        return self.document.noisy_tables

    @cached_property
    def exact(self) -> Mapping[str, Table]:
        """The exact tables: those protected by suppression, cell keys or rounding."""
        return self.document.exact_tables

    @cached_property
    def dimensions(self) -> tuple[str, ...]:
        return tuple(self.document.dimensions)

    @cached_property
    def time_dimension(self) -> str | None:
        """The dimension whose role is the base input's `time`, if there is one."""
        return time_dimension(self.document)

    def role(self, dimension: str) -> str:
        """The role in the base input that a dimension is read from."""
        return self.document.dimensions[dimension].from_ or dimension

    def source(self, outcome: str) -> tuple[str, str]:
        """(input, role) that an outcome is read from."""
        return sources_of(self.document, outcome)[0]

    def special(self, attribute: str) -> frozenset[str]:
        """Special codes among an attribute's leaves (none for dimensions)."""
        return frozenset(SPECIAL_CODES) & frozenset(self.attributes[attribute].leaves.codes)

    @cached_property
    def applicable(self) -> Mapping[str, Mapping[str, frozenset[int]]]:
        """Outcome -> parent outcome -> leaf indices of the parent with which the outcome arises; {} if always."""
        return {
            name: {parent: leaves_of(self.attributes[parent], codes) for parent, codes in outcome.only_if.items()}
            for name, outcome in self.document.outcomes.items()
        }

    def followed(self, outcome: str) -> npt.NDArray[np.bool_] | None:
        """Over the time dimension's leaves: whether the outcome's period lies in the calendar of its input.

        None if the outcome has no `after`, its input no `periods`, or the policy no time dimension.
        """
        return (
            None
            if self.time_dimension is None
            else periods_followed(self.document, outcome, self.attributes[self.time_dimension].leaves.codes)
        )

    def level_of(self, reference: str) -> tuple[str, int]:
        """("provider", 1) for "provider:region"; the finest level for "provider"."""
        name, _, level = reference.partition(":")
        attribute = self.attributes[name]
        return name, attribute.level_number(level) if level else attribute.depth

    def combination(self, references: list[str]) -> Combination:
        """The references as levels, in the policy's order; level 0 is left out."""
        order = list(self.attributes)
        levels = sorted((self.level_of(r) for r in references), key=lambda pair: order.index(pair[0]))
        return tuple((name, level) for name, level in levels if level > 0)

    @cached_property
    def levels_linked(self) -> frozenset[tuple[str, int]]:
        """The levels that some table needs of the linked rows: those shown, and those of holders."""
        tables = self.document.tables.values()
        shown = {pair for table in tables for pair in self.measured(table)}
        rules = (said.suppression.rules for table in tables if (said := table.exact) and said.suppression)
        holders = {self.level_of(rule.holders.by) for rule in rules if rule.holders}
        before = {pair for _, table, policy in self.exact_before for pair in policy.measured(table)}
        return frozenset(shown | holders | before)

    @cached_property
    def exact_before(self) -> "tuple[tuple[str, Table, Policy], ...]":
        """Exact tables of earlier releases, and of those that they name: (place/table, its words, its policy)."""
        own = tuple(
            (f"{one.place}/{name}", table, one.policy)
            for one in self.earlier
            for name, table in one.policy.exact.items()
        )
        above = tuple(
            (f"{one.place}/{name}", table, policy)
            for one in self.earlier
            for name, table, policy in one.policy.exact_before
        )
        return own + above

    @cached_property
    def needs_record_keys(self) -> bool:
        """Whether some table's figures are changed by who is in a cell: cell keys, and random rounding."""
        protections = [said for table in self.exact.values() if (said := table.exact)]
        return any(said.cell_key or (said.rounding and said.rounding.keyed) for said in protections)

    @cached_property
    def summed(self) -> tuple[str, ...]:
        """Outcomes whose sums some exact table shows, in the policy's order."""
        shown = {self.level_of(str(table.of))[0] for table in self.exact.values() if "sum" in table.show}
        return tuple(name for name in self.document.outcomes if name in shown)

    def amount(self, outcome: str) -> Amount:
        """How an outcome's amounts are added up; those of one without are whole and each person's own."""
        return self.document.outcomes[outcome].amount or Amount.model_validate({})

    def amount_range(self, outcome: str) -> tuple[int | None, int | None]:
        """Least and largest amount that anyone can have, as everybody knows, in units of the figures published."""
        source, role = self.source(outcome)
        rule = self.document.inputs[source].rules.get(role, Rule.model_validate({}))
        unit = 10 ** self.amount(outcome).decimals
        least = None if rule.minimum is None else floor(Fraction(repr(rule.minimum)) * unit + _HALF)
        return least, None if rule.maximum is None else floor(Fraction(repr(rule.maximum)) * unit + _HALF)

    def measured(self, table: Table) -> Combination:
        """The levels of a table's dimensions and of its outcome together."""
        return self.combination([*table.by, *([table.of] if table.of else [])])
