"""How often 95 % intervals hold the truth, by statistic and size of base, over repeated runs.

    python benchmarks/coverage.py [--repetitions 200] [--seed 1]

A demo-like policy, smaller: 60 providers in 8 regions, 12 narrow fields in 4 broad ones, 3 cohorts, sex; activity, pay
in 24 bins, one survey item; about 50,000 graduates, ρ = 1/2. The noise is rounded normal noise from numpy, at the
plan's scales: fit for repetitions in a benchmark only, never for a release.

Targets. "noise": a cohort stays for ten runs, noise is drawn again; the truth is the cohort's own figure.
"noise-and-chance": the cohort is drawn again in each run, from the infinite population of `simulated_cohorts.py`,
whose figure is the truth.
Percentiles are compared with those of the pay itself ("pay"), and with those that exact counts in bins would give
("binned"), to see what the bins add.

Columns: cells a run with such a base; how many have no bounds; coverage of all that have; misses to either side (the
truth under the interval, over it); the same coverage among the figures that the withholding rules would show.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from simulated_cohorts import (
    EMPLOYED,
    Cohort,
    Kinds,
    attributes,
    draw_cohort,
    kinds_of_persons,
    pay_below,
    pay_chances,
)
from simulated_graduates import counted

from release.codes import Attribute, IntArray
from release.measurements import Measurements
from release.plan import Plan, group_cells, make_plan
from release.policy.policy import Combination, Policy
from release.protected.estimates import Estimates, estimate
from release.protected.intervals import Figures
from release.protected.statistics import TableFigures, is_percentile, table_figures
from release.protected.withhold import judge
from release.residuals import FloatArray, downward_closure, integer_residuals, shape_of

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

KINDS = 50_000
SAME_COHORT = 10
"""Runs of "noise" with one cohort."""
BANDS = (0, 10, 30, 100, 1000, 5000, 10**9)
"""Sizes of the base, persons."""
GRID = np.geomspace(200, 30_000, 1000)
BASES = {
    "activity-by-provider": ("provider", "field:broad"), "activity-by-field": ("field:broad", "cohort", "sex"),
    "pay-by-provider": ("provider", "field:broad"), "pay-by-region": ("provider:region", "field"),
    "pay-by-sex": ("field:broad", "sex"), "pay-of-all": (),
    "match-by-provider": ("provider",), "match-by-field": ("field", "sex"),
}  # fmt: skip
SHOWN = {
    "activity": ("count", "share"),
    "pay": ("p10", "p25", "p50", "p75", "p90"),
    "match": ("mean", "share", "response-rate"),
}

Key = tuple[str, str, str]
"""(table, code, statistic)"""


def main() -> int:
    """Print both comparisons."""
    asked = _arguments()
    start = time.process_time()
    random = np.random.default_rng(asked.seed)
    kinds = kinds_of_persons(KINDS, random)
    for covers in ("noise", "noise-and-chance"):
        policy = policy_that_covers(covers)
        plan = make_plan(policy)
        tally = Tally()
        for measurements, truth in runs(kinds, plan, policy, repetitions=asked.repetitions, random=random):
            estimates = estimate(measurements)
            for name in policy.tables:
                tally.add(table_figures(estimates, policy, name), truth, policy)
        print(f"\n{covers}: {asked.repetitions} runs of {plan.draws:,} noisy values")
        tally.print()
    print(f"\n{time.process_time() - start:.0f} CPU seconds")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Coverage of 95 % intervals over repeated runs.")
    parser.add_argument("--repetitions", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def policy_that_covers(covers: str) -> Policy:
    """The demo-like policy, all of its tables with one kind of interval."""
    from helpers.workloads import policy_of

    tables: dict[str, dict[str, object]] = {"graduates": {"by": ["provider", "field:broad", "cohort"], "importance": 2}}
    for name, by in BASES.items():
        outcome = name.split("-")[0]
        tables[name] = {
            "by": list(by),
            "of": "activity:group" if outcome == "activity" else outcome,
            "show": list(SHOWN[outcome]),
            "importance": 3 if "provider" in by else 1,
            "minimum": None if outcome == "activity" else 30,
        }
    return policy_of(attributes(), {name: {**table, "covers": covers} for name, table in tables.items()})


def runs(
    kinds: Kinds, plan: Plan, policy: Policy, *, repetitions: int, random: np.random.Generator
) -> Iterator[tuple[Measurements, "Truth"]]:
    """Noisy measurements and the truth that their intervals are to hold, again and again."""
    again = next(iter(policy.tables.values())).covers == "noise-and-chance"
    truth = truth_of_population(kinds, plan, policy)
    for number in range(repetitions):
        if again or number % SAME_COHORT == 0:
            cohort = draw_cohort(kinds, random)
            truth = truth if again else truth_of_cohort(cohort, plan, policy)
            exact = exact_residuals(cohort, plan)
        yield noisy(exact, plan, random), truth


def exact_residuals(cohort: Cohort, plan: Plan) -> dict[Combination, IntArray]:
    """Integer residuals of a cohort."""
    return {
        c: integer_residuals(counted(cohort.leaves, c, plan.attributes), c, plan.attributes) for c in plan.combinations
    }


def noisy(exact: Mapping[Combination, IntArray], plan: Plan, random: np.random.Generator) -> Measurements:
    """The residuals with rounded normal noise of the planned scales."""
    values = {}
    for residual in plan.residuals:
        values[residual.combination] = exact[residual.combination].copy()
        flat = values[residual.combination].reshape(-1)
        for group, cells in group_cells(residual, plan.attributes):
            flat[cells] += np.rint(random.normal(0, group.scale, len(cells))).astype(np.int64)
    return Measurements("0" * 64, plan.attributes, plan.records, plan.residuals, values, {})


# The truth


@dataclass(frozen=True)
class Truth:
    """True figures without noise by table, and percentiles of the pay itself by (table, code, statistic)."""

    figures: Mapping[str, TableFigures]
    pay: Mapping[Key, FloatArray]


def truth_of_cohort(cohort: Cohort, plan: Plan, policy: Policy) -> Truth:
    """What exact counts and the cohort's own pay give."""
    needed = downward_closure(plan.combinations)
    counts = {c: counted(cohort.leaves, c, plan.attributes).astype(np.float64) for c in needed}
    return Truth(_figures(counts, policy), dict(_cohort_percentiles(cohort, policy)))


def _figures(counts: Mapping[Combination, FloatArray], policy: Policy) -> dict[str, TableFigures]:
    none = {c: np.zeros_like(v) for c, v in counts.items()}
    estimates = Estimates(policy.attributes, counts, none)
    certain = {name: table.model_copy(update={"covers": "noise"}) for name, table in policy.tables.items()}
    document = policy.document.model_copy(update={"tables": certain})
    plain = replace(policy, document=document)
    return {name: table_figures(estimates, plain, name) for name in policy.tables}


def _cohort_percentiles(cohort: Cohort, policy: Policy) -> Iterator[tuple[Key, FloatArray]]:
    for name, table in policy.tables.items():
        if table.of == "pay":
            cell, number = _cells(cohort.leaves, policy.combination(table.by), policy.attributes)
            order = np.lexsort((cohort.pay, cell))
            paid = order[~np.isnan(cohort.pay[order])]
            groups = np.split(cohort.pay[paid], np.searchsorted(cell[paid], np.arange(1, number)))
            for statistic in table.show:
                q = int(statistic[1:]) / 100
                yield (
                    (name, "all", statistic),
                    np.array([np.quantile(g, q) if len(g) else np.nan for g in groups]),
                )


def _cells(
    leaves: Mapping[str, IntArray], combination: Combination, trees: Mapping[str, Attribute]
) -> tuple[IntArray, int]:
    """Flat index of each person's cell, and the number of cells."""
    shape = shape_of(combination, trees)
    nodes = tuple(trees[name].ancestors(trees[name].depth, level)[leaves[name]] for name, level in combination)
    if not combination:
        return np.zeros(len(next(iter(leaves.values()))), np.int64), 1
    return np.ravel_multi_index(nodes, shape).astype(np.int64), int(np.prod(shape))


def truth_of_population(kinds: Kinds, plan: Plan, policy: Policy) -> Truth:
    """What the infinite population gives: expected counts, and percentiles of the mixture of all kinds' pay."""
    chances = {"activity": kinds.activity, "match": kinds.match, "pay": pay_chances(kinds)}
    needed = downward_closure(plan.combinations)
    counts = {c: _expected(kinds, c, chances, policy.attributes) for c in needed}
    return Truth(_figures(counts, policy), dict(_population_percentiles(kinds, policy)))


def _expected(
    kinds: Kinds, combination: Combination, chances: Mapping[str, FloatArray], trees: Mapping[str, Attribute]
) -> FloatArray:
    """Expected number of persons in each cell; a combination holds one outcome at most."""
    outcome = next(((name, level) for name, level in combination if name in chances), None)
    base = tuple((name, level) for name, level in combination if name not in chances)
    cell, number = _cells(kinds.leaves, base, trees)
    if outcome is None:
        return np.bincount(cell, minlength=number).reshape(shape_of(base, trees)).astype(np.float64)
    weights = chances[outcome[0]]
    by_leaf = np.stack([np.bincount(cell, weights[:, j], number) for j in range(weights.shape[1])], axis=1)
    up = trees[outcome[0]].ancestors(trees[outcome[0]].depth, outcome[1])
    out = np.zeros((number, len(trees[outcome[0]].levels[outcome[1]])))
    np.add.at(out.T, up, by_leaf.T)
    return out.reshape(shape_of(combination, trees))


def _population_percentiles(kinds: Kinds, policy: Policy) -> Iterator[tuple[Key, FloatArray]]:
    below, row = pay_below(kinds, GRID)
    employed = kinds.activity[:, :EMPLOYED].sum(axis=1)
    for name, table in policy.tables.items():
        if table.of == "pay":
            cell, number = _cells(kinds.leaves, policy.combination(table.by), policy.attributes)
            weights = np.zeros((number, len(below)))
            np.add.at(weights, (cell, row), employed)
            distribution = weights @ below / np.maximum(weights.sum(axis=1, keepdims=True), 1e-300)
            for statistic in table.show:
                q = int(statistic[1:]) / 100
                yield (name, "all", statistic), np.array([np.interp(q, line, GRID) for line in distribution])


# The tally


@dataclass
class Tally:
    """Sums by (statistic, band): cells, without bounds, covered, truth under, truth over, shown, shown and covered."""

    sums: dict[tuple[str, int], np.ndarray] = field(default_factory=dict)

    def add(self, found: TableFigures, truth: Truth, policy: Policy) -> None:
        """Count one table of one run."""
        statuses = judge(found, policy).statuses
        for (code, statistic), figures in found.columns.items():
            true = truth.figures[found.name].columns[code, statistic]
            shown = statuses[code, statistic] == 0
            if is_percentile(statistic):
                self._one(f"{statistic}, pay", figures, truth.pay[found.name, code, statistic], true.base, shown)
                self._one(f"{statistic}, binned", figures, true.value, true.base, shown)
            else:
                self._one(statistic, figures, true.value, true.base, shown)

    def _one(self, name: str, figures: Figures, true: FloatArray, base: FloatArray, shown: np.ndarray) -> None:
        bounded = np.isfinite(figures.value) & np.isfinite(figures.lower) & np.isfinite(figures.upper)
        under, over = true < figures.lower - 1e-9, true > figures.upper + 1e-9
        held = ~under & ~over
        bands = np.digitize(base, BANDS[1:-1])
        marks = np.stack(
            [np.ones_like(held), ~bounded, bounded & held, bounded & under, bounded & over, shown, shown & held]
        )
        known = np.isfinite(true)
        for band in np.unique(bands[known]):
            of = known & (bands == band)
            self.sums.setdefault((name, int(band)), np.zeros(7))
            self.sums[name, int(band)] += marks[:, of].sum(axis=1)

    def print(self) -> None:
        """One line per statistic and band."""
        print(
            f"  {'statistic':<14}{'base':>14}{'cells':>10}{'unbounded':>11}{'coverage':>10}{'under':>8}{'over':>8}",
            end="",
        )
        print(f"{'shown':>9}{'coverage of shown':>19}")
        for (name, band), (cells, open_, held, under, over, shown, both) in sorted(self.sums.items()):
            size = f"{BANDS[band]}-{BANDS[band + 1]}" if BANDS[band + 1] < 10**9 else f"{BANDS[band]}-"
            known = max(cells - open_, 1)
            print(f"  {name:<14}{size:>14}{cells:>10,.0f}{open_ / cells:>11.1%}", end="")
            print(f"{held / known:>10.1%}{under / known:>8.1%}{over / known:>8.1%}", end="")
            print(f"{shown / cells:>9.1%}{both / max(shown, 1):>19.1%}")


if __name__ == "__main__":
    sys.exit(main())
