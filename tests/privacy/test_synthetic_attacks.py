"""Synthetic records tell of a measured person hardly more than of one who wasn't: copies, the three risks, membership.

The control group is drawn from the same invented world and was not measured. Each attack is tried on a broken
synthesiser as well (copies, no noise), where it must succeed. The figures of longer runs: docs/privacy-evidence.md.
"""

import json
import os
import subprocess
from math import sqrt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from helpers.shadow_runs import best_success, shadow_runs, success_bound
from helpers.synthetic_attacks import SEEN, attacked, copied_shares, excess, inference, linkability, singling_out

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "anonymeter_risks.py"
PERSONS, DRAWS = 3000, 3
STRICT, USUAL = "1/50", "1/2"
CHANCE = 4.0
"""Standard errors: what chance alone exceeds once in 30,000 times."""


@pytest.fixture(scope="module")
def cases():
    """Three worlds, measured with a strict budget."""
    return [attacked(PERSONS, rho=STRICT, seed=seed, noise=seed) for seed in range(DRAWS)]


def together(values) -> float:
    """The excess of independent draws together, in standard errors."""
    values = list(values)
    return sum(values) / sqrt(len(values))


def copies(cases, within):
    return together(excess(*copied_shares(case, within=within), PERSONS) for case in cases)


RISKS = {
    "singling out": singling_out,
    "linkability": linkability,
    "inference of pay": lambda case: inference(case, "pay-1"),
    "inference of activity": lambda case: inference(case, "activity-1"),
    "inference of an answer": lambda case: inference(case, "match"),
}


@pytest.mark.parametrize("within", [0, 1, 2], ids=["copies", "one column apart", "two columns apart"])
def test_no_more_copies_of_measured_persons_than_of_others(cases, within):
    assert copies(cases, within) < CHANCE


def test_one_record_in_twenty_copied_would_be_seen(cases):
    assert copies([case.copied(0.05) for case in cases], 0) > 2 * CHANCE


@pytest.mark.parametrize("attack", RISKS.values(), ids=RISKS)
def test_guesses_about_measured_persons_are_no_better_than_about_others(cases, attack):
    risks = [attack(case) for case in cases]
    assert together(risk.excess for risk in risks) < CHANCE
    assert sum(risk.above_chance for risk in risks) / DRAWS < 0.1


@pytest.mark.parametrize("attack", RISKS.values(), ids=RISKS)
def test_the_guesses_succeed_where_persons_are_copied(cases, attack):
    risk = attack(cases[0].copied(1.0))
    assert risk.excess > 3 * CHANCE
    assert risk.above_chance > 0.5


def test_whether_an_outlier_is_in_the_data_cannot_be_told():
    """40 runs with and 40 without; beyond the bound only by what 80 guesses vary by chance."""
    runs = 40
    success = shadow_runs(rho=STRICT, runs=runs).success()
    assert success <= best_success(STRICT) + 3 * sqrt(0.25 / (2 * runs))
    assert best_success(STRICT) < success_bound(STRICT) < 0.75


def test_without_noise_the_same_attack_succeeds_always():
    assert shadow_runs(rho=STRICT, runs=6, noisy=False).success() == 1.0


def by_anonymeter(case, folder):
    """The risks as that package sees them, by attack; in a Python of its own."""
    python = os.environ.get("UTFALL_BENCH_ANONYMETER")
    if python is None:
        pytest.skip("UTFALL_BENCH_ANONYMETER names no Python that has anonymeter")
    groups = {"measured": case.measured, "synthetic": case.synthetic, "control": case.control}
    places = [written(group, folder / f"{name}.csv") for name, group in groups.items()]
    done = subprocess.run([python, SCRIPT, *places], capture_output=True, text=True, check=True)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return {one["attack"]: one for one in found if "failed" not in one}


def written(group, place):
    pd.DataFrame(np.char.add("c", group.astype(str)), columns=list(SEEN)).to_csv(place, index=False)
    return place


@pytest.mark.slow
def test_anonymeter_finds_no_risk_beyond_its_interval(cases, tmp_path):
    found = by_anonymeter(cases[0], tmp_path)
    assert {"linkability", "inference of pay-1", "singling out, four columns"} <= found.keys()
    assert [name for name, one in found.items() if one["interval"][0] > 0.05] == []


@pytest.mark.slow
def test_anonymeter_finds_the_risk_where_persons_are_copied(cases, tmp_path):
    found = by_anonymeter(cases[0].copied(1.0), tmp_path)
    assert min(found[name]["interval"][0] for name in ("linkability", "inference of pay-1")) > 0.2


@pytest.mark.slow
@pytest.mark.parametrize("rho", [STRICT, USUAL, "2"])
def test_membership_in_many_runs(rho):
    runs = 150
    success = shadow_runs(rho=rho, runs=runs).success()
    assert success <= best_success(rho) + 3 * sqrt(0.25 / (2 * runs))
    assert success > 0.45


@pytest.mark.slow
def test_a_large_budget_leaves_a_trace_and_a_small_one_does_not():
    """The attacks see what a budget does: near copies grow with it, and stay under what the promise allows."""
    found = {}
    for rho in (STRICT, "20"):
        shares = [copied_shares(attacked(PERSONS, rho=rho, seed=seed, noise=seed), within=1) for seed in range(10, 16)]
        found[rho] = together(excess(*share, PERSONS) for share in shares)
        assert sum(ours - theirs for ours, theirs in shares) / len(shares) <= 2 * best_success(rho) - 1
    assert found["20"] > 2 * CHANCE > 2 * found[STRICT]
