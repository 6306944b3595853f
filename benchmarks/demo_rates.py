"""Compares the demo's rates with the published figures and estimates that it is to follow; prints CPU and memory.

    python benchmarks/demo_rates.py [PERSONS]

The wanted figures are typed here from the description of the domain, not taken from the program, so that a
slip in either shows. A tolerance is four standard errors of sampling plus an allowance for what isn't sampling:
rounding of the published figure, and effects of large providers that don't average out.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

import numpy as np
import pandas as pd

from release.demo import DemoReport, make_demo

EMPLOYED, STUDENT, UNEMPLOYED, OTHER = ("10", "13"), ("22",), ("12",), ("25", "26", "99")
COHORTS = ("2019", "2020", "2021", "2022", "2023")


@dataclass(frozen=True)
class Comparison:
    """One figure of the demo beside the wanted one."""

    what: str
    wanted: float
    found: float
    tolerance: float

    @property
    def fits(self) -> bool:
        return abs(self.found - self.wanted) <= self.tolerance

    def __str__(self) -> str:
        mark = " " if self.fits else "!"
        return f"{mark} {self.what:<68} {self.wanted:>10.4g} {self.found:>10.4g}  ± {self.tolerance:.3g}"


def comparisons(report: DemoReport) -> list[Comparison]:
    """All comparisons, on the known truth where it serves and on the delivered files where they are the matter."""
    truth = pd.read_parquet(report.truth / "graduates.parquet")
    base = pd.read_parquet(report.folder / "tutkinnot.parquet")
    parts = (
        sizes(truth),
        providers(truth),
        persons(truth, base),
        activity(truth),
        fields(truth),
        pay(truth),
        survey(truth),
    )
    return [comparison for part in parts for comparison in part]


def share(what: str, wanted: float, hits: "pd.Series[bool]", slack: float = 0.0) -> Comparison:
    """A share, with four binomial standard errors."""
    error = sqrt(wanted * (1 - wanted) / max(len(hits), 1))
    return Comparison(what, wanted, float(hits.mean()), 4 * error + slack)


def sizes(truth: pd.DataFrame) -> Iterator[Comparison]:
    """Types of education a year: 28,000, 45,000, 16,300 and 7,200; broad fields of initial vocational."""
    for education, yearly in {"yo": 28_000, "pt": 45_000, "at": 16_300, "eat": 7_200}.items():
        yield share(f"share of type {education}", yearly / 96_500, truth.education == education)
    weights = {"02": 0.06, "04": 0.14, "05": 0.01, "06": 0.05, "07": 0.30, "08": 0.04, "09": 0.22, "10": 0.18}
    initial = truth[truth.education == "pt"]
    for broad, weight in weights.items():
        yield share(f"field {broad} among initial vocational", weight, initial.broad == broad)
    for cohort in COHORTS:
        yield share(f"cohort {cohort}", 0.2, truth.cohort == cohort)


def providers(truth: pd.DataFrame) -> Iterator[Comparison]:
    """Sizes scaled to the real yearly numbers. Allowances: 140 providers can't hit a quantile exactly."""
    scale = 96_500 * 5 / len(truth)
    initial = truth[truth.education == "pt"].provider.value_counts() * scale / 5
    initial = initial.reindex(truth.provider[truth.provider.str.startswith("V")].unique(), fill_value=0)
    general = truth[truth.education == "yo"].provider.value_counts() * scale / 5
    yield Comparison("vocational providers", 140, len(initial), 3)
    yield Comparison("general providers", 240, len(general), 3)
    yield Comparison("mean initial graduates of a vocational provider", 320, initial.mean(), 12)
    yield Comparison("ten largest vocational providers hold", 0.5, initial.nlargest(10).sum() / initial.sum(), 0.06)
    yield Comparison("vocational providers under 50 initial graduates", 1 / 3, (initial < 50).mean(), 0.07)
    yield Comparison("mean of general providers", 117, general.mean(), 5)
    yield Comparison("largest general provider", 2_500, general.max(), 250)
    yield Comparison("general providers under 30", 1 / 3, (general < 30).mean(), 0.06)
    cells = truth[truth.education == "pt"].groupby(["provider", "broad", "cohort"], observed=True).size()
    yield Comparison("non-empty initial vocational provider x broad field cells a year", 625, len(cells) / 5, 80)
    yield Comparison("their median size", 20, cells.median() * scale, 8)


def persons(truth: pd.DataFrame, base: pd.DataFrame) -> Iterator[Comparison]:
    """Women by field, mother tongues, several qualifications."""
    vocational = truth[truth.education != "yo"]
    yield share("women among vocational graduates", 0.55, vocational.sex == "2", 0.015)
    wanted = {"07": 0.22, "06": 0.17, "04": 0.60, "09": 0.84, "10": 0.55, "02": 0.65, "08": 0.55}
    for broad, women in wanted.items():
        yield share(f"women in field {broad}", women, vocational.sex[vocational.broad == broad] == "2")
    for tongue, weight in {("fi", "se"): 0.86, ("sv",): 0.05, ("xx",): 0.09}.items():
        yield share(f"mother tongue {'/'.join(tongue)}", weight, truth.tongue.isin(tongue), 0.002)
    yield share("several qualifications", 0.06, base.henkilo.value_counts() > 1)


def activity(truth: pd.DataFrame) -> Iterator[Comparison]:
    """Main activity one year after, residents in the register. Allowance: published to a tenth of a point."""
    published = {
        ("yo", "2019"): (47.9, 35.5, 5.1, 11.5),
        ("yo", "2020"): (40.0, 40.5, 8.3, 11.2),
        ("pt", "2019"): (69.8, 7.0, 14.3, 8.9),
        ("pt", "2020"): (62.1, 8.7, 19.8, 9.4),
        ("at", "2019"): (85.1, 3.5, 8.5, 2.9),
        ("eat", "2019"): (94.4, 1.0, 3.0, 1.5),
    }
    for (education, cohort), shares in published.items():
        those = residents(truth[(truth.education == education) & (truth.cohort == cohort)], 1)
        for name, codes, wanted in zip(("employed", "student", "unemployed", "other"), _GROUPS, shares, strict=True):
            yield share(f"{education} {cohort}: {name}", wanted / 100, those.isin(codes), 0.002)
    found = truth["activity-1"] != "not-found"
    yield Comparison("emigrated one year after", 0.0075, (truth["activity-1"][found] == "8").mean(), 0.0025)


_GROUPS = (EMPLOYED, STUDENT, UNEMPLOYED, OTHER)


def residents(truth: pd.DataFrame, after: int) -> "pd.Series[str]":
    """Status of those who are in the register and in the country."""
    status = truth[f"activity-{after}"]
    return status[~status.isin(["8", "not-found", "not-applicable"])]


def fields(truth: pd.DataFrame) -> Iterator[Comparison]:
    """Employed by broad field. Allowance of a point after one year: cohorts and fields are two margins of one table."""
    wanted = {
        "02": (0.55, 0.62, 0.67), "04": (0.66, 0.72, 0.77), "05": (0.58, 0.66, 0.70), "06": (0.50, 0.62, 0.70),
        "07": (0.67, 0.75, 0.79), "08": (0.68, 0.73, 0.77), "09": (0.83, 0.84, 0.84), "10": (0.66, 0.71, 0.74),
    }  # fmt: skip
    initial = truth[truth.education == "pt"]
    for broad, shares in wanted.items():
        those = initial[initial.broad == broad]
        for after, wanted_share in zip((1, 3, 5), shares, strict=True):
            slack = 0.01 if after == 1 else 0.002
            yield share(f"field {broad} employed after {after}", wanted_share, _employed(those, after), slack)
        falls = [_employed(those[those.cohort == cohort], 1) for cohort in ("2019", "2020")]
        error = sqrt(sum(0.25 / max(len(fall), 1) for fall in falls))
        yield Comparison(
            f"field {broad} fall from 2019 to 2020", 0.077, falls[0].mean() - falls[1].mean(), 0.035 + 4 * error
        )


def _employed(those: pd.DataFrame, after: int) -> "pd.Series[bool]":
    return residents(those, after).isin(EMPLOYED)


def pay(truth: pd.DataFrame) -> Iterator[Comparison]:
    """Full-time medians one year after (ratio to the wanted one). A median's standard error is 1.25 sd / sqrt(n).

    Allowance of 1 %: effects of providers (log sd .04) and of detailed fields (.03) widen the spread a little.
    """
    wanted = {
        "07": (2_750, 2_550), "06": (2_700, 2_550), "04": (2_500, 2_400), "09": (2_650, 2_600), "10": (2_350, 2_250),
        "08": (2_450, 2_300), "02": (2_250, 2_150),
    }  # fmt: skip
    full = truth[truth["full-time-1"] & truth["pay-1"].notna()]
    for broad, medians in wanted.items():
        for sex, name, median in zip("12", ("men", "women"), medians, strict=True):
            those = full["pay-1"][(full.broad == broad) & (full.sex == sex)]
            tolerance = 4 * 1.25 * 0.26 / sqrt(len(those)) + 0.01
            yield Comparison(
                f"full-time median pay, field {broad}, {name} (ratio)", 1, those.median() / median, tolerance
            )
    spread = np.log(full["pay-1"]).groupby([full.broad, full.sex]).std().mean()
    yield Comparison("log sd of full-time pay in a field", 0.25, spread, 0.02)
    paid = truth[truth["pay-1"].notna()]
    yield share("part time", 1 / 3, ~paid["full-time-1"], 0.01)
    for after, growth in ((3, 1.08), (5, 1.15)):
        yield Comparison(f"pay after {after} years (ratio)", growth, _growth(truth, after), 0.02)


def _growth(truth: pd.DataFrame, after: int) -> float:
    """Median pay against that one year after, of those who work full time both times."""
    both = truth["full-time-1"] & truth[f"full-time-{after}"] & truth["pay-1"].notna() & truth[f"pay-{after}"].notna()
    return float(truth[f"pay-{after}"][both].median() / truth["pay-1"][both].median())


def survey(truth: pd.DataFrame) -> Iterator[Comparison]:
    """Response rates of the three collections, means of the items, what being employed adds."""
    asked = truth[~truth["activity-3"].isin(["not-found", "not-applicable"])]
    for cohort, rate in {"2019": 0.27, "2020": 0.31, "2021": 0.37}.items():
        yield share(f"response rate of cohort {cohort}", rate, asked.answered[asked.cohort == cohort], 0.001)
    answers = {item: pd.to_numeric(asked[item], errors="coerce") for item in ("match", "skills")}
    for item in ("match", "skills"):
        yield Comparison(f"mean of {item}", 4.2, answers[item].mean(), 0.1)
    employed = asked["activity-3"].isin(EMPLOYED)
    gain = answers["match"][employed].mean() - answers["match"][~employed].mean()
    yield Comparison("employed answer higher on match, points", 0.4, gain, 0.08)
    women = asked.answered[asked.sex == "2"].mean() - asked.answered[asked.sex == "1"].mean()
    yield Comparison("women answer more often, points", 0.08, women, 0.04)


def main() -> int:
    """Make a demo, print all comparisons, return the number that don't fit."""
    persons = int(sys.argv[1]) if len(sys.argv) > 1 else 500_000
    with tempfile.TemporaryDirectory() as place:
        start = time.process_time()
        report = make_demo(Path(place) / "demo", persons=persons)
        seconds = time.process_time() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
        found = comparisons(report)
    print(f"  {'':<68} {'wanted':>10} {'found':>10}")
    print(*found, sep="\n")
    misses = sum(not comparison.fits for comparison in found)
    print(f"\n{len(found)} comparisons, {misses} outside their tolerance")
    print(f"{persons:,} graduates: {seconds:.1f} CPU seconds, {peak:.2f} GB at most")
    return misses


if __name__ == "__main__":
    sys.exit(min(main(), 1))
