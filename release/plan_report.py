"""What a plan costs and how exact each table will be, before any data is opened: for people and for programs."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from html import escape
from math import sqrt

from release.budget import epsilon_at
from release.codes import SPECIAL_CODES, Attribute
from release.plan import Plan, PlannedTable
from release.policy.policy import Policy
from release.shown import Shown

SIZES = (10, 30, 100, 300, 1_000, 10_000)
"""Persons in a cell's base, for which errors are told."""


@dataclass(frozen=True)
class TableExpectation:
    """One table: standard error of a count (persons), and standard errors of its figures by persons in the base.

    errors: statistic -> error for each of SIZES. Counts: relative. Shares: of one half, as a fraction of one.
    Means: in points of the scale, at its middle. Percentiles: of the rank of the median, as a fraction of one.
    """

    name: str
    cells: int
    importance: float
    count_error: float
    base_error: float
    errors: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True, repr=False)
class PlanReport(Shown):
    """Cost and expected errors of a release. rho is exact; epsilon is rounded up. exact: (table, protection)."""

    release: str
    population: str
    rho: Fraction
    delta: Fraction
    epsilon: float
    noisy_values: int
    records_per_person: int
    digest: str
    tables: tuple[TableExpectation, ...]
    exact: tuple[tuple[str, str], ...] = ()

    def as_json(self) -> str:
        """The report for programs; budgets as exact text."""
        facts = {
            "release": self.release,
            "population": self.population,
            "rho": str(self.rho),
            "delta": str(self.delta),
            "epsilon": self.epsilon,
            "noisy_values": self.noisy_values,
            "records_per_person": self.records_per_person,
            "digest": self.digest,
            "sizes": list(SIZES),
            "tables": [_table_facts(table) for table in self.tables],
            **({"exact_tables": dict(self.exact)} if self.exact else {}),
        }
        return json.dumps(facts, indent=2)

    def as_text(self) -> str:
        """The report for a terminal."""
        rows = [self.header, *self.lines()]
        widths = [max(len(row[i]) for row in rows) for i in range(len(self.header))]
        told = [
            "  ".join(
                cell.ljust(w) if i in (0, 3) else cell.rjust(w)
                for i, (cell, w) in enumerate(zip(row, widths, strict=True))
            )
            for row in rows
        ]
        parts = [f"{self.release}: {self.promise}", ""]
        if self.tables:
            parts += [*told, "", EXPLANATION]
        return "\n".join([*parts, *([self.outside] if self.exact else [])])

    @property
    def outside(self) -> str:
        """The exact tables, which cost nothing and promise no differential privacy."""
        named = ", ".join(f"{name} ({kind})" for name, kind in self.exact)
        return f"Exact tables, outside of ε, at no charge: {named}."

    def _plain(self) -> str:
        return f"<Plan of {self.release}: ρ = {self.rho_text}, {self.noisy_values:,} noisy values>"

    @property
    def rho_text(self) -> str:
        """rho as a reader wants it; the exact fraction is in the JSON."""
        return f"{float(self.rho):.6g}"

    @property
    def promise(self) -> str:
        """The cost in one line."""
        if not self.tables:
            return "no table is noisy; nothing is charged to the privacy budget"
        return (
            f"ρ = {self.rho_text} (zCDP), which is ε = {self.epsilon:.3f} at δ = {float(self.delta):g}, "
            f"for one person's {self.records_per_person} record(s); {self.noisy_values:,} noisy values"
        )

    def lines(self) -> Iterator[tuple[str, ...]]:
        """Rows of the table, as text: one per table and statistics of equal errors."""
        for table in self.tables:
            told: dict[tuple[str, ...], list[str]] = {}
            for statistic, errors in table.errors.items():
                told.setdefault(tuple(_error_text(statistic, error) for error in errors), []).append(statistic)
            for shown, statistics in told.items():
                yield (table.name, f"{table.cells:,}", f"{table.count_error:.1f}", " ".join(statistics), *shown)

    @property
    def header(self) -> tuple[str, ...]:
        """Titles of the columns of `lines`."""
        return ("table", "cells", "s.e. of a count", "figure", *(f"n = {size:,}" for size in SIZES))

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(title)}</th>" for title in self.header)
        rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>" for line in self.lines())
        outside = f"<p>{escape(self.outside)}</p>" if self.exact else ""
        if not self.tables:
            return f"<p>{escape(self.promise)}</p>{outside}"
        return f"<p>{escape(self.promise)}</p><table><tr>{head}</tr>{rows}</table><p>{escape(EXPLANATION)}</p>{outside}"


EXPLANATION = (
    "Standard errors from noise, averaged over the table's cells, by persons in the base n. Counts: relative. "
    "Shares and response rates: percentage points at one half. Means: points of the scale. "
    "Percentiles: percentage points of the rank of the median."
)


def plan_report(plan: Plan, policy: Policy) -> PlanReport:
    """Tell what a plan costs and what errors to expect."""
    privacy = policy.document.privacy
    return PlanReport(
        release=policy.document.release,
        population=privacy.population,
        rho=plan.rho,
        delta=privacy.small_chance,
        epsilon=epsilon_at(plan.rho, privacy.small_chance) if plan.rho else 0.0,
        noisy_values=plan.draws,
        records_per_person=plan.records,
        digest=plan.digest(),
        tables=tuple(_expectation(table, policy) for table in plan.tables),
        exact=tuple((name, said.kinds[0]) for name, table in policy.exact.items() if (said := table.exact)),
    )


def _expectation(planned: PlannedTable, policy: Policy) -> TableExpectation:
    table = policy.tables[planned.name]
    attribute = policy.attributes[policy.level_of(table.of)[0]] if table.of else None
    deviations = {statistic: _deviation(statistic, planned, attribute) for statistic in table.show}
    errors = {statistic: tuple(deviation / size for size in SIZES) for statistic, deviation in deviations.items()}
    return TableExpectation(
        planned.name,
        planned.cells,
        planned.importance,
        sqrt(planned.count_variance),
        sqrt(planned.base_variance),
        errors,
    )


def _deviation(statistic: str, planned: PlannedTable, attribute: Attribute | None) -> float:
    """Standard deviation of the numerator of a figure, in persons (times scores for means); see `functionals`."""
    within, c = planned.outcome_variance, planned.codes
    if statistic == "count" or attribute is None:
        return sqrt(planned.count_variance)
    if statistic == "mean":
        return sqrt(within * _spread_of_scores(attribute))
    if statistic in ("share", "response-rate"):
        return sqrt((1 / c - 1 / 2) ** 2 * planned.base_variance + within * (1 - 1 / c))
    return sqrt(within * c / 4)


def _spread_of_scores(attribute: Attribute) -> float:
    codes, scores = attribute.leaves.codes, attribute.scores or ()
    known = [score for code, score in zip(codes, scores, strict=True) if code not in SPECIAL_CODES]
    middle = (min(known) + max(known)) / 2
    return sum((score - middle) ** 2 for score in known)


def _error_text(statistic: str, error: float) -> str:
    if statistic == "mean":
        return f"{error:.2f}"
    percent = 100 * error
    sign = " %" if statistic == "count" else " pp"
    return f"{percent:.1f}{sign}" if percent < 100 else f"> 100{sign}"


def _table_facts(table: TableExpectation) -> dict[str, object]:
    return {
        "name": table.name,
        "cells": table.cells,
        "importance": table.importance,
        "count_standard_error": table.count_error,
        "base_standard_error": table.base_error,
        "errors": {statistic: list(errors) for statistic, errors in table.errors.items()},
    }
