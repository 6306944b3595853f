"""How often 95 % intervals combined from synthetic replicates hold the truth, over repeated measurements.

    python benchmarks/synthetic_coverage.py [--repetitions 100] [--replicates 5] [--persons 20000] [--seed 1]

`--target cohort` or `--target population` makes one of the two. Demo registers of 20,000 persons, and a policy with
six tables over region, broad field, cohort, sex, activity, pay in 26 bins and one item of the survey, at ρ = 1/2. Each
time the measurements are drawn again; the records that agree and the replicates are fitted, drawn and refined as in a
release, their pay a number inside its bin; every analysis is made on each and combined. The noise is rounded normal
noise from numpy, at the plan's scales: fit for repetitions in a benchmark, never for a release.

"cohort": the truth is the analysis of the 20,000 persons with their exact pay. "population": the persons are drawn
again each time, with replacement, from a demo ten times as large, whose figure is the truth.

`--keep FOLDER` keeps all figures there; with `--again` they are read from there and combined anew.

Columns: coverage; bias and standard deviation of the combined figure; mean stated standard error over true error (root
mean square); what the certificate says of the relation. Analyses are in synthetic_analyses.py.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

# `benchmarks/synthetic.py` is called as the package is: this folder comes last, so that `synthetic` means the package.
sys.path.append(sys.path.pop(0))
sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

import numpy as np
import yaml
from synthetic_analyses import MEASURED, NOT_MEASURED, Analysis, Figure, Persons

from release.codes import IntArray
from release.demo.make import make_demo
from release.plan import Plan, make_plan
from release.policy import Policy, load_policy
from release.protected.estimates import estimate
from release.residuals import FloatArray
from synthetic import Combined, combine
from synthetic.agree import fitted_table
from synthetic.make import Release, fit_release, synthesise
from synthetic.numbers import number_shape
from synthetic.records import Records
from synthetic.relations import relations
from synthetic.replicates import replicate_fits

PAY, ACTIVITY, MATCH = "pay-1", "activity-1", "match"
TABLES = {
    "graduates": {"by": ["provider:region", "field:broad", "cohort"], "show": ["count"], "importance": 2},
    "graduates-by-field": {"by": ["field:broad", "cohort", "sex"], "show": ["count"]},
    "activity-by-field": {"by": ["field:broad", "cohort", "sex"], "of": "activity-1:group", "show": ["count", "share"]},
    "activity-by-region": {
        "by": ["provider:region", "field:broad"], "of": "activity-1:group", "show": ["count", "share"],
    },
    "pay-by-field": {"by": ["field:broad", "cohort", "sex"], "of": PAY, "show": ["p50"], "minimum": 30},
    "match-by-field": {"by": ["field:broad", "sex"], "of": MATCH, "show": ["mean"], "minimum": 30},
}  # fmt: skip

Target = Literal["cohort", "population"]
Nodes = Callable[[str, int], IntArray]


def main() -> int:
    """Print coverage for both targets."""
    asked = _arguments()
    start = time.process_time()
    targets: tuple[Target, ...] = (asked.target,) if asked.target else ("cohort", "population")
    with tempfile.TemporaryDirectory() as folder:
        for target in targets:
            office = open_office(Path(folder) / target, asked.persons * (10 if target == "population" else 1))
            figures = kept(asked.keep, target) if asked.again else repeated(office, target, asked)
            Tally(np.array(analysed(true_view(office))), figures, target).print(office.policy)
    print(f"\n{time.process_time() - start:.0f} CPU seconds")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Coverage of combined intervals over repeated measurements.")
    parser.add_argument("--target", choices=["cohort", "population"], help="by default both")
    parser.add_argument("--repetitions", type=int, default=100)
    parser.add_argument("--replicates", type=int, default=5)
    parser.add_argument("--persons", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder for all figures")
    parser.add_argument("--again", action="store_true", help="combine the figures kept, measure nothing")
    return parser.parse_args()


@dataclass(frozen=True, eq=False)
class Office:
    """A policy with its plan, and true persons: their leaves, and their exact pay."""

    policy: Policy
    plan: Plan
    leaves: Mapping[str, IntArray]
    pay: FloatArray

    def drawn(self, persons: int, random: np.random.Generator) -> "Office":
        """So many of its persons, with replacement."""
        who = random.integers(0, len(self.pay), persons)
        return Office(
            self.policy, self.plan, {name: values[who] for name, values in self.leaves.items()}, self.pay[who]
        )


def open_office(folder: Path, persons: int) -> Office:
    """Demo registers with their known truth, under the smaller policy."""
    make_demo(folder, persons=persons)
    asked = yaml.safe_load((folder / "graduates-demo.yaml").read_text())
    asked["tables"] = TABLES
    asked["privacy"]["delta"] = "1/1000000000"
    asked.pop("synthetic", None)
    (folder / "policy.yaml").write_text(yaml.safe_dump(asked, allow_unicode=True, sort_keys=False))
    policy = load_policy(folder / "policy.yaml")
    return Office(policy, make_plan(policy), *true_persons(folder.with_name(f"{folder.name}.truth"), policy))


def true_persons(folder: Path, policy: Policy) -> tuple[dict[str, IntArray], FloatArray]:
    """Leaves of everybody, and exact pay (nan for none)."""
    import pandas as pd

    truth = pd.read_parquet(folder / "graduates.parquet")
    leaves = {
        name: truth[name].map(policy.attributes[name].leaves.index).to_numpy(np.int64)
        for name in ("provider", "field", "cohort", "sex", ACTIVITY, MATCH)
    }
    pay = truth[PAY].to_numpy(np.float64)
    codes = policy.attributes[PAY].leaves.index
    concerned = np.isin(leaves[ACTIVITY], sorted(policy.applicable[PAY][ACTIVITY]))
    missing = np.where(concerned, codes["not-found"], codes["not-applicable"])
    leaves[PAY] = np.where(np.isnan(pay), missing, np.searchsorted(policy.attributes[PAY].edges, pay, side="right"))
    return leaves, pay


def repeated(office: Office, target: Target, asked: argparse.Namespace) -> FloatArray:
    """Measure, fit, draw and analyse, again and again.

    (repetitions, 1 + replicates, analyses, 2): of the records that agree, then of each replicate; figure and variance.
    """
    from helpers.outcome_policies import measured

    random = np.random.default_rng(asked.seed)
    figures = []
    for number in range(asked.repetitions):
        persons = office.drawn(asked.persons, random) if target == "population" else office
        measurements = measured(office.plan, persons.leaves, random=random)
        release = Release(office.policy, measurements, estimate(measurements))
        figures.append([analysed(view) for view in made(release, asked.replicates, random)])
        if asked.keep:
            np.save(asked.keep / f"{target}.npy", np.array(figures))
        print(f"\r{target}: {number + 1}", end="", file=sys.stderr)
    return np.array(figures)


def kept(folder: Path, target: Target) -> FloatArray:
    """What an earlier call kept."""
    return np.asarray(np.load(folder / f"{target}.npy"))


def made(release: Release, m: int, random: np.random.Generator) -> Iterator[Persons]:
    """The records that agree with the tables, then those of each replicate, as persons."""
    seed = int(random.integers(2**32))
    yield synthetic_view(synthesise(fit_release(release), seed=seed), None, random)
    for number, fit in enumerate(replicate_fits(release, m, seed=seed)):
        yield synthetic_view(synthesise(fit, seed=seed + number), np.random.default_rng([seed, number]), random)


def synthetic_view(records: Records, unsure: np.random.Generator | None, random: np.random.Generator) -> Persons:
    fit = records.fit
    shape = number_shape(fit.policy, PAY, fitted_table(fit, ((PAY, 1),)), unsure=unsure)
    return _view(fit.policy, records.nodes, shape.draw(records.leaves[PAY], random))


def true_view(office: Office) -> Persons:
    def nodes(name: str, level: int) -> IntArray:
        attribute = office.policy.attributes[name]
        return np.asarray(attribute.ancestors(attribute.depth, level)[office.leaves[name]])

    return _view(office.policy, nodes, office.pay)


def _view(policy: Policy, nodes: Nodes, pay: FloatArray) -> Persons:
    scores = np.array(policy.attributes[MATCH].scores)
    first = {name: nodes(name, 1) for name in ("provider", "field", "cohort", "sex", ACTIVITY)}
    return Persons(*first.values(), pay, scores[nodes(MATCH, 1)])


def analysed(persons: Persons) -> list[Figure]:
    return [analysis.figure(persons) for analysis in (*MEASURED, *NOT_MEASURED)]


@dataclass(frozen=True, eq=False)
class Tally:
    """Figures of each analysis, beside the truth. truth: (analyses, 2); figures: see `repeated`."""

    truth: FloatArray
    figures: FloatArray
    target: Target

    def combined(self, number: int) -> list[Combined]:
        """One analysis, combined in each repetition; nothing where it has no variance and needs one."""
        of_one = self.figures[:, :, number]
        if self.target == "cohort":
            return [combine(one[1:, 0], agreeing=one[0, 0]) for one in of_one]
        if np.isnan(of_one).any():
            return []
        return [combine(one[1:, 0], one[1:, 1], agreeing=one[0, 0], target="population") for one in of_one]

    def print(self, policy: Policy) -> None:
        repetitions, files = self.figures.shape[:2]
        print(f"\n{self.target}: {repetitions} measurements, {files - 1} replicates each")
        print(f"{'':48}covers      bias        sd  stated/true  certificate")
        said = relations(policy)
        for number, analysis in enumerate((*MEASURED, *NOT_MEASURED)):
            if found := self.combined(number):
                lacking = said.unfit({reference.partition(":")[0] for reference in analysis.columns})
                verdict = "unfit: " + "; ".join(" x ".join(names) for names in lacking) if lacking else "measured"
                self._print_one(analysis, found, float(self.truth[number, 0]), verdict)

    def _print_one(self, analysis: Analysis, found: list[Combined], truth: float, verdict: str) -> None:
        points = np.array([one.point for one in found])
        covers = np.mean([one.lower <= truth <= one.upper for one in found])
        stated = np.sqrt(np.mean([one.standard_error**2 for one in found]))
        error = np.sqrt(np.mean((points - truth) ** 2))
        figures = f"{covers:6.3f} {points.mean() - truth:9.4f} {points.std():9.4f} {stated / error:12.2f}"
        print(f"{analysis.name:48}{figures}  {verdict}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
