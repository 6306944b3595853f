"""How useful records are: against the published tables, and against the truth where it is known.

The truth is known of invented registers, and in tests of real ones; scores against it are no release's to publish.

The distance of two tables is the total variation: half the sum of the absolute differences of their cells' shares. The
field's k-marginal score is 1000 (1 - mean distance) over tables of k columns. Sources: Ridgeway, Theofanos, Manley and
Task 2021 (NIST Technical Note 2151), where it is 10^6 times that; NIST's SDNist reports it out of 1000.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from math import comb
from typing import TYPE_CHECKING

import numpy as np

from release.codes import IntArray
from release.policy.policy import Combination, Policy
from release.protected.statistics import table_figures
from release.residuals import FloatArray, cells_in
from release.shown import Shown
from synthetic.agreement import Counted, Differences, differences_of
from synthetic.coded import Coded, coded
from synthetic.columns import measured_levels
from synthetic.make import Release
from synthetic.regression import Regression, compare_regressions, default_questions
from synthetic.relations import relations

if TYPE_CHECKING:
    from synthetic.coded import AnyRecords

WAYS = (1, 2, 3)
SETS = 100
"""Of the sets of so many columns, at most so many are compared (the field's own number)."""
GROUP = 30
"""Persons in a group, at least, whose shares are compared."""
_DENSE = 4_000_000


# ---- against the published tables -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class TableScore:
    """One measured table. distance: total variation from the noisy one, cut at zero.

    noise: the distance that the noise alone makes on average; no records can be expected to be much closer.
    """

    name: str
    distance: float
    noise: float


@dataclass(frozen=True, repr=False)
class Score(Shown):
    """Records against the published tables."""

    release: str
    tables: tuple[TableScore, ...]

    @property
    def k_marginal(self) -> float:
        """1000 (1 - mean distance) over the release's own tables."""
        return 1000 * (1 - float(np.mean([table.distance for table in self.tables]))) if self.tables else 0.0

    def as_json(self) -> str:
        return _json({**asdict(self), "k_marginal": self.k_marginal})

    def _plain(self) -> str:
        return f"<Score of {self.release}: {self.k_marginal:.0f} of 1000>"

    def _repr_html_(self) -> str:
        from synthetic.certificate_page import render

        return render("score.html.j2", score=self)


def score(records: "AnyRecords", release: Release) -> Score:
    """The distance of every table of the policy, as far as the records have its columns."""
    policy, seen = release.policy, coded(records, release.policy)
    wanted = {name: policy.measured(table) for name, table in policy.tables.items()}
    tables = (_table_score(seen, release, name, c) for name, c in wanted.items() if seen.holds(c))
    return Score(policy.document.release, tuple(tables))


def _table_score(records: Coded, release: Release, name: str, combination: Combination) -> TableScore:
    noisy = np.maximum(release.estimates.counts[combination].reshape(-1), 0.0)
    error = np.sqrt(release.estimates.variances[combination].reshape(-1))
    noise = float(error.sum()) * np.sqrt(2 / np.pi) / 2 / max(float(noisy.sum()), 1.0)
    return TableScore(name, total_variation(records.count(combination), noisy), min(float(noise), 1.0))


def total_variation(one: FloatArray, other: FloatArray) -> float:
    """Half the sum of the absolute differences of shares: 0 for the same table, 1 for tables without a common cell."""
    return float(np.abs(one / max(one.sum(), 1e-300) - other / max(other.sum(), 1e-300)).sum() / 2)


# ---- against the truth ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Distances:
    """Mean total-variation distance over sets of so many columns, at their finest measured levels, numbers in bins.

    measured: the mean over those sets that were measured together (None if none was), and their number. chance: the
    mean distance of as many rows drawn from the truth with replacement: what a sample of that size has anyway.
    farthest: the columns of the largest distance.
    """

    ways: int
    sets: int
    mean: float
    measured: float | None
    measured_sets: int
    largest: float
    farthest: tuple[str, ...]
    chance: float

    @property
    def k_marginal(self) -> float:
        return 1000 * (1 - self.mean)


@dataclass(frozen=True)
class ShareDifferences:
    """Shares of one table of the policy in groups of at least 30 true persons, as fractions of one."""

    table: str
    differences: Differences


@dataclass(frozen=True)
class TruthScore:
    """Records against the truth."""

    rows: int
    true_rows: int
    distances: tuple[Distances, ...]
    shares: tuple[ShareDifferences, ...]
    regressions: tuple[Regression, ...]

    def as_json(self) -> str:
        scores = {f"k_marginal_{one.ways}": one.k_marginal for one in self.distances}
        return _json({**asdict(self), **scores})


def score_against_truth(
    records: "AnyRecords", truth: "AnyRecords", policy: Policy, *, sets: int = SETS, seed: int = 0
) -> TruthScore:
    """Distances, shares and regressions of records against true rows with columns named as the policy's attributes.

    sets: at most so many sets of columns are compared for each number of columns, drawn by the seed.
    """
    seen, true = coded(records, policy), coded(truth, policy)
    random = np.random.default_rng(seed)
    return TruthScore(
        len(seen),
        len(true),
        tuple(_distances(seen, true, ways, sets, random) for ways in WAYS),
        tuple(_share_differences(seen, true)),
        tuple(compare_regressions(seen, true, question) for question in default_questions(policy)),
    )


def _distances(records: Coded, truth: Coded, ways: int, sets: int, random: np.random.Generator) -> Distances:
    levels = _shared_levels(records, truth)
    again = random.integers(0, len(truth), len(records))
    chosen = list(_column_sets(list(levels), ways, sets, random))
    found = [_distance(records, truth, tuple((name, levels[name]) for name in names), again) for names in chosen]
    own = [distance for distance, _ in found]
    together = _together(records.policy)
    measured = [distance for names, distance in zip(chosen, own, strict=True) if names in together]
    return Distances(
        ways,
        len(chosen),
        mean=float(np.mean(own)),
        measured=float(np.mean(measured)) if measured else None,
        measured_sets=len(measured),
        largest=max(own),
        farthest=chosen[int(np.argmax(own))],
        chance=float(np.mean([by_chance for _, by_chance in found])),
    )


def _shared_levels(records: Coded, truth: Coded) -> dict[str, int]:
    """The columns of both that were measured, at the finest level that both have and that was measured."""
    finest = measured_levels(records.policy)
    shared = [name for name in records.policy.attributes if name in records.levels and name in truth.levels]
    return {name: min(records.levels[name], truth.levels[name], finest[name]) for name in shared if name in finest}


def _together(policy: Policy) -> set[tuple[str, ...]]:
    """Columns, pairs and triples that were measured together."""
    known = relations(policy)
    return {(name,) for name, _ in known.columns} | {one.columns for one in (*known.pairs, *known.triples)}


def _column_sets(names: Sequence[str], ways: int, sets: int, random: np.random.Generator) -> Iterator[tuple[str, ...]]:
    """All sets of so many columns, or so many of them at random; in the policy's order."""
    number = comb(len(names), ways)
    kept = set(random.choice(number, min(sets, number), replace=False).tolist())
    return (columns for i, columns in enumerate(combinations(names, ways)) if i in kept)


def _distance(records: Coded, truth: Coded, levels: Combination, again: IntArray) -> tuple[float, float]:
    """The distance of the records from the truth, and of rows drawn from the truth again."""
    one, true = records.flat(levels), truth.flat(levels)
    size = cells_in(levels, records.policy.attributes)
    if size > _DENSE:
        cells, place = np.unique(np.concatenate([one, true]), return_inverse=True)
        one, true, size = place[: len(one)], place[len(one) :], len(cells)
    shares = np.bincount(true, minlength=size).astype(np.float64)
    return (
        total_variation(np.bincount(one, minlength=size).astype(np.float64), shares),
        total_variation(np.bincount(true[again], minlength=size).astype(np.float64), shares),
    )


def _share_differences(records: Coded, truth: Coded) -> Iterator[ShareDifferences]:
    policy = records.policy
    for name, table in policy.tables.items():
        base, whole = policy.combination(table.by), policy.measured(table)
        if "share" in table.show and records.holds(whole) and truth.holds(whole):
            own, true = (
                table_figures(Counted.of(rows, (base, whole), scale=1.0), policy, name) for rows in (records, truth)
            )
            kept = [column for column in true.columns if column[1] == "share"]
            large = np.stack([true.columns[column].base >= GROUP for column in kept])
            shares = (np.stack([one.columns[column].value for column in kept])[large] for one in (own, true))
            yield ShareDifferences(name, differences_of(*shares))


def _json(facts: object) -> str:
    return json.dumps(facts, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
