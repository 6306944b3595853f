"""The plan: how the budget is shared among residuals, decided before any data is opened.

Objective: the sum over tables of importance x mean variance of the table's cells. A table's cell is the sum of the
residuals of its ancestors, each divided by the branching on the way down; residuals are measured independently. With
rho_r spent on residual r, noise of variance prod(1 - 1/c) / (2 rho_r) in families of c siblings costs each person at
most rho_r (families compose in parallel), and adds V_r / (2 rho_r) to the objective. The best shares are
rho_r = rho sqrt(V_r) / sum sqrt(V).  Source: McKenna et al. 2018 (HDMM) and Xiao et al. 2023 (ResidualPlanner) for
flat attributes; our extension to trees with a scale per family size: docs/proofs/residuals.md.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import product
from math import ceil, frexp, ldexp, prod, sqrt

import numpy as np

from release.codes import Attribute, IntArray
from release.errors import PolicyError
from release.policy.policy import Combination, Policy
from release.residuals import Attributes, cells_in, downward_closure, levels_of

_SHARE_UNIT = 2**48
_SCALE_BITS = 24
_SLACK = 1 + 2.0**-30
_LARGEST_CELLS = 60_000_000
SMALLEST_SCALE = 2.0**-4
LARGEST_SCALE = 2.0**40


@dataclass(frozen=True)
class NoiseGroup:
    """The families of one residual whose numbers of siblings are `siblings`, one per axis; measured as one vector.

    scale: of the discrete Gaussian on the integer residuals, a dyadic number that a float holds exactly.
    """

    siblings: tuple[int, ...]
    scale: float
    cells: int

    def squared_sensitivity(self, records: int) -> int:
        """Largest squared L2 change of the vector when a person with so many records comes or goes.

        One record changes one family per axis by c e_j - 1, of squared norm c (c - 1); over axes the norms multiply;
        k records in one cell change it k times as much.
        """
        return records**2 * prod(c * (c - 1) for c in self.siblings)

    def cost(self, records: int) -> Fraction:
        """rho of this group, exact: squared sensitivity / (2 scale^2) (Bun and Steinke 2016, proposition 1.6)."""
        return Fraction(self.squared_sensitivity(records)) / (2 * Fraction(self.scale) ** 2)


@dataclass(frozen=True)
class PlannedResidual:
    """One combination of levels whose residuals are measured, and the exact rho it may cost."""

    combination: Combination
    rho: Fraction
    groups: tuple[NoiseGroup, ...]


@dataclass(frozen=True)
class PlannedTable:
    """What a reader may expect of one table, before any data: mean variances over its cells, in persons squared."""

    name: str
    cells: int
    importance: float
    count_variance: float
    base_variance: float
    outcome_variance: float
    codes: int


@dataclass(frozen=True, eq=False)
class Plan:
    """The residuals to measure with their scales and costs, and each table's expected error."""

    attributes: Mapping[str, Attribute] = field(repr=False)
    records: int
    residuals: tuple[PlannedResidual, ...] = field(repr=False)
    tables: tuple[PlannedTable, ...] = field(repr=False)

    @cached_property
    def rho(self) -> Fraction:
        """What the whole plan costs a person, exact."""
        return sum((residual.rho for residual in self.residuals), Fraction(0))

    @cached_property
    def combinations(self) -> tuple[Combination, ...]:
        return tuple(residual.combination for residual in self.residuals)

    @cached_property
    def draws(self) -> int:
        """Number of noisy values."""
        return sum(group.cells for residual in self.residuals for group in residual.groups)

    def measured(self) -> dict[str, object]:
        """What is measured, without any text: part of the request id."""
        used = {name for combination in self.combinations for name, _ in combination}
        return {
            "records_per_person": self.records,
            "attributes": [a.structure() for name, a in self.attributes.items() if name in used],
            "residuals": [_residual_facts(residual) for residual in self.residuals],
        }

    def digest(self) -> str:
        """SHA-256 of what is measured."""
        return hashlib.sha256(json.dumps(self.measured(), sort_keys=True).encode()).hexdigest()


def _residual_facts(residual: PlannedResidual) -> dict[str, object]:
    groups = [{"siblings": list(g.siblings), "scale": g.scale.hex(), "cells": g.cells} for g in residual.groups]
    return {"combination": [list(pair) for pair in residual.combination], "rho": str(residual.rho), "groups": groups}


def make_plan(policy: Policy) -> Plan:
    """Share the policy's budget among the residuals that its tables need."""
    workload = Workload(policy)
    _refuse_too_large(workload)
    variances = {combination: workload.variance_weight(combination) for combination in workload.needed}
    shares = _best_shares(policy.document.privacy.budget, variances)
    records = policy.document.privacy.records_per_person
    residuals = tuple(
        PlannedResidual(combination, rho, noise_groups(combination, policy.attributes, rho=rho, records=records))
        for combination, rho in shares.items()
    )
    return Plan(policy.attributes, records, residuals, workload.expectations(shares, records))


def _refuse_too_large(workload: "Workload") -> None:
    cells = sum(cells_in(combination, workload.attributes) for combination in workload.needed)
    if cells > _LARGEST_CELLS:
        raise PolicyError(
            f"the tables together need {cells:,} noisy values, more than the {_LARGEST_CELLS:,} that one run can draw",
            where="tables",
            now="use coarser levels, or fewer dimensions in the largest tables",
        )


class Workload:
    """The tables with their weights, and what each residual contributes to their variances."""

    def __init__(self, policy: Policy) -> None:
        self.attributes: Attributes = policy.attributes
        self.policy = policy
        self.combinations = {name: policy.measured(table) for name, table in policy.tables.items()}
        wanted = downward_closure(self.combinations.values()) if self.combinations else ()
        self.needed = tuple(c for c in wanted if self._has_residuals(c))
        self._sums: dict[tuple[str, int, int], float] = {}

    def _has_residuals(self, combination: Combination) -> bool:
        return all(int(level.siblings.max()) > 1 for level in levels_of(combination, self.attributes))

    def variance_weight(self, residual: Combination) -> float:
        """V_r: the objective's variance for 2 rho_r = 1."""
        tables = self.policy.tables
        return sum(
            tables[name].importance / cells_in(c, self.attributes) * self.variance_sum(residual, c)
            for name, c in self.combinations.items()
        )

    def variance_sum(self, residual: Combination, table: Combination) -> float:
        """Sum of the variances that a residual adds to a table's cells when 2 rho_r = 1; 0 if it isn't an ancestor."""
        measured, asked = dict(residual), dict(table)
        if any(level > asked.get(name, 0) for name, level in measured.items()):
            return 0.0
        return prod(self._axis_sum(name, measured.get(name, 0), level) for name, level in asked.items())

    def _axis_sum(self, name: str, upper: int, lower: int) -> float:
        key = (name, upper, lower)
        if key not in self._sums:
            self._sums[key] = _axis_variance_sum(self.attributes[name], upper, lower)
        return self._sums[key]

    def expectations(self, shares: Mapping[Combination, Fraction], records: int) -> tuple[PlannedTable, ...]:
        """Mean variances of every table under the shares."""
        return tuple(self._expectation(name, shares, records) for name in self.policy.tables)

    def _expectation(self, name: str, shares: Mapping[Combination, Fraction], records: int) -> PlannedTable:
        table = self.policy.tables[name]
        whole, base = self.combinations[name], self.policy.combination(table.by)
        cells = cells_in(whole, self.attributes)
        count = self._mean_variance(whole, shares) * records**2
        of_base = self._mean_variance(base, shares) * records**2
        codes = cells // cells_in(base, self.attributes)
        within = (count - of_base / codes**2) / (1 - 1 / codes) if codes > 1 else 0.0
        return PlannedTable(name, cells, table.importance, count, of_base, within, codes)

    def _mean_variance(self, table: Combination, shares: Mapping[Combination, Fraction]) -> float:
        total = sum(self.variance_sum(r, table) / (2 * float(rho)) for r, rho in shares.items())
        return total / cells_in(table, self.attributes)


def _axis_variance_sum(attribute: Attribute, upper: int, lower: int) -> float:
    """Sum over the nodes of level `lower` of (weight)^2 (1 - 1/c)^2, with c and the weight of the ancestor at `upper`.

    One factor (1 - 1/c) is the variance left after centring, the other the group's smaller scale. Level 0 has neither.
    """
    weights = np.ones(len(attribute.levels[lower]))
    nodes = np.arange(len(weights))
    for number in range(lower, upper, -1):
        level = attribute.levels[number]
        weights = weights / level.siblings[nodes]
        nodes = level.parent[nodes]
    left = 1.0 if upper == 0 else 1 - 1 / attribute.levels[upper].siblings[nodes]
    return float((weights**2 * left**2).sum())


def _best_shares(rho: Fraction, variances: Mapping[Combination, float]) -> dict[Combination, Fraction]:
    """rho_r proportional to sqrt(V_r), as exact fractions that add up to rho exactly. Nothing is spent on nothing."""
    if not variances:
        return {}
    roots = {combination: sqrt(variance) for combination, variance in variances.items()}
    total = sum(roots.values())
    units = {combination: max(int(root / total * _SHARE_UNIT), 1) for combination, root in roots.items()}
    largest = max(units, key=lambda combination: units[combination])
    units[largest] += _SHARE_UNIT - sum(units.values())
    return {combination: rho * number / _SHARE_UNIT for combination, number in units.items()}


def noise_groups(
    combination: Combination, attributes: Attributes, *, rho: Fraction, records: int
) -> tuple[NoiseGroup, ...]:
    """The residual's families by their numbers of siblings, each with the smallest scale that costs at most rho.

    Families with a single child hold no residual and aren't measured.
    """
    per_axis = [_sizes(level.siblings) for level in levels_of(combination, attributes)]
    groups = []
    for chosen in product(*per_axis):
        siblings = tuple(c for c, _ in chosen)
        cells = prod(number for _, number in chosen)
        groups.append(NoiseGroup(siblings, _scale_for(siblings, rho, records), cells))
    return tuple(groups)


def _sizes(siblings: IntArray) -> list[tuple[int, int]]:
    values, numbers = np.unique(siblings, return_counts=True)
    return [(int(c), int(n)) for c, n in zip(values, numbers, strict=True) if c > 1]


def _scale_for(siblings: tuple[int, ...], rho: Fraction, records: int) -> float:
    """Smallest scale of 24 bits whose exact cost, and OpenDP's upward-rounded one, is at most rho."""
    squared = records**2 * prod(c * (c - 1) for c in siblings)
    wanted = sqrt(Fraction(squared) / (2 * rho)) * _SLACK
    if not SMALLEST_SCALE <= wanted <= LARGEST_SCALE / 2:
        raise PolicyError(
            f"the budget gives noise of scale {wanted:.3g}, which is below {SMALLEST_SCALE:g} or without bound",
            where="privacy.rho",
            now="lower the budget if the noise is too small; raise it, or ask for fewer tables, if it is too large",
        )
    shift = _SCALE_BITS - frexp(wanted)[1]
    return ldexp(ceil(ldexp(wanted, shift)), -shift)


def group_cells(residual: PlannedResidual, attributes: Attributes) -> Iterator[tuple[NoiseGroup, IntArray]]:
    """Each noise group of a residual with the flat indices of its cells."""
    levels = levels_of(residual.combination, attributes)
    shape = tuple(len(level) for level in levels)
    for group in residual.groups:
        axes = [np.flatnonzero(level.siblings == c) for level, c in zip(levels, group.siblings, strict=True)]
        grid = np.ix_(*axes) if axes else ()
        cells = np.ravel_multi_index(grid, shape).reshape(-1) if axes else np.zeros(1, np.int64)
        yield group, cells.astype(np.int64)
