"""Claim 2 of `synthetic.py`: our records against MST, AIM and PrivBayes, at the same (ε, δ).

Two tables: the demo's graduates cut to seven columns that graphical models can handle (1,053,360 cells), and 29,501
real persons (state, schooling, experience, pay: 69,360 cells). Here every column is a dimension, what goes with what is
a public list, and we measure all pairs and the triples that the demo's policy asks for, each cell alike. The choice is
public and the same for all data; the others choose by looking, as they are made to, and pay for it.

Distance: half the sum of absolute differences of the shares of a table's cells, averaged over all 2- or 3-way tables.
Others run in Pythons of their own: see README. CPU counts reading, fitting and making records, not the start.
"""

import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from math import prod
from pathlib import Path

import numpy as np
from cpu import cpu_seconds
from simulated_graduates import DELTA, rho_for_epsilon

from release.codes import flat
from release.demo.lists import read_lists
from release.demo.truth import true_table
from release.demo.world import draw_world
from release.plan import make_plan
from release.policy.policy import Policy
from release.protected.estimates import estimate
from release.shipped import shipped
from synthetic.agree import agreeing
from synthetic.fit import fit
from synthetic.records import draw_records

EPSILON = 1.0
TWO_WAY, THREE_WAY, CPU = 0.8, 0.9, 0.5
REAL = Path(__file__).resolve().parents[2] / "shared" / "real"
PAY_EDGES = (1200, 1600, 1900, 2100, 2250, 2400, 2550, 2750, 3050)
"""About tenths of the pay of new graduates, in round euros."""
INCOME_EDGES = np.geomspace(100, 3000, 16)
PYTHONS = {"mst": "UTFALL_BENCH_MBI", "aim": "UTFALL_BENCH_MBI", "privbayes": "UTFALL_BENCH_DPMM"}
Columns = Mapping[str, np.ndarray]
Rule = tuple[tuple[str, str], np.ndarray]


@dataclass(frozen=True)
class Table:
    """Persons as codes, the number of codes of each column, what goes with what, and the triples that we measure."""

    name: str
    columns: Columns
    sizes: Mapping[str, int]
    rules: tuple[Rule, ...]
    triples: tuple[tuple[str, ...], ...]

    @property
    def persons(self) -> int:
        return len(next(iter(self.columns.values())))


@dataclass(frozen=True)
class Scored:
    """One synthesiser's result: mean distances by number of columns, impossible records, CPU seconds."""

    distances: tuple[float, float, float]
    impossible: float
    cpu: float


def claim_two(*, quick: bool) -> bool:
    """Print the comparison on both tables; whether the claims hold, as far as others are installed."""
    tables = [demo_cut(50_000 if quick else 500_000), *([real_persons()] if REAL.is_dir() else [])]
    held = [_compared(table, quick=quick) for table in tables]
    return all(held)


def _compared(table: Table, *, quick: bool) -> bool:
    print(
        f"\n2. {table.name}: {table.persons:,} persons, {prod(table.sizes.values()):,} cells; ε = {EPSILON:g}, ", end=""
    )
    print(f"δ = {float(DELTA):g}\n   {'':<12}{'1-way':>9}{'2-way':>9}{'3-way':>9}{'impossible':>12}{'CPU s':>9}")
    ours = scored(table, *our_records(table))
    _line("ours", ours)
    others = {}
    for name in PYTHONS:
        if quick and name == "aim":
            print(f"   {name:<12}left out of the quick run")
        elif (made := other_records(name, table)) is not None:
            others[name] = scored(table, *made)
            _line(name, others[name])
    return _verdict(ours, others)


def _line(name: str, one: Scored) -> None:
    distances = "".join(f"{distance:>9.4f}" for distance in one.distances)
    print(f"   {name:<12}{distances}{one.impossible:>12.4%}{one.cpu:>9.1f}", flush=True)


def _verdict(ours: Scored, others: Mapping[str, Scored]) -> bool:
    if not others:
        print("   nobody to compare with")
        return ours.impossible == 0
    two, three = (ours.distances[i] / min(one.distances[i] for one in others.values()) for i in (1, 2))
    best = min(others, key=lambda name: others[name].distances[1] + others[name].distances[2])
    cpu, least = ours.cpu / others[best].cpu, ours.cpu / min(one.cpu for one in others.values())
    print(
        f"   ours / best of the others: 2-way {two:.2f} (claim {TWO_WAY}), 3-way {three:.2f} (claim {THREE_WAY}); ",
        end="",
    )
    print(f"CPU {cpu:.2f} of the closest, {best}, {least:.2f} of the quickest (claim {CPU})")
    return two <= TWO_WAY and three <= THREE_WAY and cpu <= CPU and ours.impossible == 0


def scored(table: Table, records: Columns, cpu: float) -> Scored:
    """Distances to the persons, and the share of records that break a public rule."""
    distances = tuple(_mean_distance(table, records, number) for number in (1, 2, 3))
    wrong = np.zeros(len(next(iter(records.values()))), np.bool_)
    for (one, other), allowed in table.rules:
        wrong |= ~allowed[records[one], records[other]]
    return Scored(distances, float(wrong.mean()), cpu)


def _mean_distance(table: Table, records: Columns, number: int) -> float:
    def shares(columns: Columns, chosen: tuple[str, ...]) -> np.ndarray:
        sizes = [table.sizes[name] for name in chosen]
        flat_cells = np.ravel_multi_index([columns[name] for name in chosen], sizes)
        return np.bincount(flat_cells, minlength=prod(sizes)) / len(flat_cells)

    chosen = combinations(table.sizes, number)
    return float(np.mean([np.abs(shares(table.columns, c) - shares(records, c)).sum() / 2 for c in chosen]))


# Ours -----------------------------------------------------------------------------------------------------------------


def our_records(table: Table) -> tuple[Columns, float]:
    """Measured, fitted, drawn, refined. The noise is rounded normal noise of the planned scales."""
    from synthetic_noise import noisy_measurements

    policy = our_policy(table)
    start = cpu_seconds()
    found = fit(estimate(noisy_measurements(make_plan(policy), table.columns, seed=1)), policy)
    random = np.random.default_rng(1)
    records = agreeing(draw_records(found, found.persons, random), random)
    return {name: records.nodes(name, 1) for name in table.sizes}, cpu_seconds() - start


def our_policy(table: Table) -> Policy:
    """Every column alone, all pairs, the named triples: each cell alike, those of triples by a third."""
    from helpers.outcome_policies import outcome_policy

    asked = [(c, 1.0) for number in (1, 2) for c in combinations(table.sizes, number)] + [
        (c, 0.3) for c in table.triples
    ]
    tables = {
        "-".join(c): {"by": list(c), "importance": weight * prod(table.sizes[name] for name in c)}
        for c, weight in asked
    }
    columns = [flat(name, [str(code) for code in range(size)]) for name, size in table.sizes.items()]
    possible = [(((one, 1), (other, 1)), allowed) for (one, other), allowed in table.rules]
    return outcome_policy(columns, [], tables, rho=str(rho_for_epsilon(EPSILON, DELTA)), possible=possible)


# The others -----------------------------------------------------------------------------------------------------------


def other_records(name: str, table: Table) -> tuple[Columns, float] | None:
    """Started in its own Python; None, with a plain message, if that isn't there."""
    python = os.environ.get(PYTHONS[name])
    if python is None:
        print(f"   {name:<12}not installed: {PYTHONS[name]} names no Python that has it (benchmarks/README.md)")
        return None
    with tempfile.TemporaryDirectory() as scratch:
        given, made = Path(scratch) / "given.npz", Path(scratch) / "made.npz"
        np.savez(given, sizes=np.array(list(table.sizes.values())), **table.columns)
        script = Path(__file__).with_name("competitors.py")
        command = [python, script, name, given, made, str(EPSILON), str(float(DELTA))]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            why = "that Python doesn't have it" if done.returncode == 3 else done.stderr.strip().splitlines()[-1:]
            print(f"   {name:<12}gave no records: {why}")
            return None
        with np.load(made) as found:
            return {column: found[column].astype(np.int64) for column in table.sizes}, float(found["cpu"])


# The tables -----------------------------------------------------------------------------------------------------------


def demo_cut(persons: int) -> Table:
    """Region, broad field, cohort, sex, activity after one year, pay, work matches the field."""
    lists = shipped("policies") / "codes"
    truth = true_table(draw_world(persons, 2026, read_lists(lists))).to_pandas()
    groups = _read(lists / "activity.csv").drop_duplicates("status").set_index("status").group.to_dict()
    columns = {
        "region": _codes(truth.region, _read(lists / "provider.csv").region),
        "field": _codes(truth.broad, _read(lists / "field.csv").broad),
        "cohort": _codes(truth.cohort, range(2019, 2024)),
        "sex": _codes(truth.sex, (1, 2)),
        "activity": _codes(truth["activity-1"].astype(str).map(groups | {"not-found": "none"}), ACTIVITIES),
        "match": _codes(truth.match, ("1", "2", "3", "4", "5", "no-answer", "not-applicable")),
    }
    pay = truth["pay-1"].to_numpy()
    known = np.where(np.isnan(pay), 10, np.searchsorted(PAY_EDGES, pay, side="right"))
    columns["pay"] = np.where(columns["activity"] == 0, known, 11).astype(np.int64)
    rules = (
        _offered(lists),
        (("activity", "pay"), _allowed((6, 12), [(0, slice(0, 11)), (slice(1, 6), 11)])),
        CALENDAR,
    )
    sizes = {"region": 19, "field": 11, "cohort": 5, "sex": 2, "activity": 6, "match": 7, "pay": 12}
    outcomes = ("activity", "pay", "match")
    bases = combinations(("field", "cohort", "sex"), 2)
    triples = [("field", "cohort", "sex"), ("region", "field", "activity")]
    triples += [(*base, outcome) for base in bases for outcome in outcomes]
    return Table("Demo cut to seven columns", columns, sizes, rules, tuple(triples))


ACTIVITIES = ("employed", "unemployed", "student", "other", "abroad", "none")


def _read(path: Path) -> "object":
    import pandas as pd

    return pd.read_csv(path, dtype=str)


def _codes(values: "object", codes: "object") -> np.ndarray:
    """Position of each value among the distinct codes."""
    place = {str(code): i for i, code in enumerate(dict.fromkeys(codes))}
    return np.array([place[str(value)] for value in values], np.int64)


def _allowed(shape: tuple[int, int], where: list[tuple[object, object]]) -> np.ndarray:
    allowed = np.zeros(shape, np.bool_)
    for place in where:
        allowed[place] = True
    return allowed


CALENDAR: Rule = (("cohort", "match"), _allowed((5, 7), [(slice(0, 3), slice(0, 6)), (slice(3, 5), 6)]))
"""The survey comes three years after, so it asks the first three cohorts."""


def _offered(lists: Path) -> Rule:
    pairs = _read(lists / "offered.csv").merge(_read(lists / "provider.csv")[["provider", "region"]])
    rows = _codes(pairs.region, _read(lists / "provider.csv").region)
    return ("region", "field"), _allowed((19, 11), [(rows, _codes(pairs.broad, _read(lists / "field.csv").broad))])


def real_persons() -> Table:
    """State, years of schooling, years of experience by five, weekly income in 17 bins."""
    import pandas as pd

    persons = pd.read_parquet(REAL / "people.parquet").merge(pd.read_parquet(REAL / "income.parquet"))
    columns = {
        "state": _codes(persons.state, sorted(pd.read_csv(REAL / "areas.csv").state.unique())),
        "schooling": persons.years_of_schooling.to_numpy().astype(np.int64) - 9,
        "experience": np.clip(persons.years_of_experience.to_numpy() // 5, 0, 9).astype(np.int64),
        "pay": np.searchsorted(INCOME_EDGES, persons.weekly_income, side="right").astype(np.int64),
    }
    sizes = {"state": 51, "schooling": 8, "experience": 10, "pay": 17}
    return Table("Real persons", columns, sizes, (), ())
