"""Attacks on synthetic records, larger than the tests have time for; the same attacks as the tests of privacy.

    python benchmarks/synthetic_privacy.py [--persons 50000] [--runs 200]

Copies and near copies, the three risks (ours, and by `anonymeter` if UTFALL_BENCH_ANONYMETER names a Python that has
it), membership of a planted outlier by shadow runs. The demo's whole policy; the noise is numpy's, rounded.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from fractions import Fraction
from math import erf, sqrt
from pathlib import Path

import numpy as np

# The folder of benchmarks comes last: `synthetic` means the package, not the benchmark of that name.
sys.path.append(sys.path.pop(0))
sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

TARGETS = 4000


def main() -> int:
    """Print all figures."""
    parser = argparse.ArgumentParser(description="Attacks on synthetic records.")
    parser.add_argument("--persons", type=int, default=50_000)
    parser.add_argument("--runs", type=int, default=200)
    asked = parser.parse_args()
    for rho in ("1/50", "1/2"):
        print_group(rho, asked.persons)
    for rho in ("1/50", "1/2", "2"):
        print_membership(rho, asked.runs)
    return 0


def print_group(rho: str, persons: int) -> None:
    """Copies and the three risks at one budget."""
    from helpers.synthetic_attacks import SEEN, attacked, copied_shares, excess, inference, linkability, singling_out

    case = attacked(persons, rho=rho, whole=True)
    few = case.targets(TARGETS)
    print(
        f"\nρ = {rho}, {persons:,} persons measured, as many not; {TARGETS:,} of each attacked; the demo's whole policy"
    )
    print(f"  {'':<28}{'measured':>10}{'control':>10}{'  apart, s.e.':>12}")
    for within in (0, 1, 2):
        ours, theirs = copied_shares(few, within=within)
        apart = excess(ours, theirs, TARGETS)
        print(f"  {f'a record {within} columns away':<28}{ours:>10.4f}{theirs:>10.4f}{apart:>12.2f}")
    risks = {"singling out": singling_out(case), "linkability": linkability(few)}
    risks |= {f"inference of {name}": inference(few, name) for name in SEEN[-3:]}
    for name, risk in risks.items():
        print(f"  {name:<28}{risk.measured:>10.4f}{risk.control:>10.4f}{risk.excess:>12.2f}")
    print(f"  (no guess can gain more than {erf(sqrt(float(Fraction(rho))) / 2):.3f} from a person's being measured)")
    print_anonymeter(case)


def print_anonymeter(case: object) -> None:
    """The same groups, given to anonymeter as tables of codes."""
    import pandas as pd
    from helpers.synthetic_attacks import SEEN

    python = os.environ.get("UTFALL_BENCH_ANONYMETER")
    if python is None:
        print("  anonymeter is not installed: UTFALL_BENCH_ANONYMETER names no Python that has it")
        return
    with tempfile.TemporaryDirectory() as scratch:
        places = [Path(scratch) / f"{name}.csv" for name in ("measured", "synthetic", "control")]
        for place, rows in zip(places, (case.measured, case.synthetic, case.control), strict=True):
            named = np.char.add("c", rows.astype(str))
            pd.DataFrame(named, columns=list(SEEN)).to_csv(place, index=False)
        script = Path(__file__).with_name("anonymeter_risks.py")
        done = subprocess.run([python, script, *places], check=False, capture_output=True, text=True)
    if done.returncode:
        print("  anonymeter: that Python doesn't have it" if done.returncode == 3 else "  anonymeter failed")
    for line in done.stdout.splitlines():
        found = json.loads(line)
        if "failed" in found:
            print(f"  anonymeter, {found['attack']}: no result ({found['failed']})")
        else:
            low, high = found["interval"]
            print(f"  anonymeter, {found['attack']:<28}{found['measured']:>8.4f}{found['control']:>10.4f}", end="")
            print(f"   risk {found['risk']:.4f} ({low:.4f} to {high:.4f})")


def print_membership(rho: str, runs: int) -> None:
    """Shadow runs with and without the outlier."""
    from helpers.shadow_runs import best_success, shadow_runs, success_bound

    success = shadow_runs(rho=rho, runs=runs).success()
    spread = 1.96 * sqrt(0.25 / (2 * runs))
    print(f"\nOutlier in or out, ρ = {rho}, {runs} + {runs} runs: told apart {success:.3f} (± {spread:.3f}); ", end="")
    print(f"the best possible attack {best_success(rho):.3f}, (ε, δ = 1e-6) allows {success_bound(rho):.3f}")


if __name__ == "__main__":
    sys.exit(main())
