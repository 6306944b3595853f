"""Attacks on synthetic records, larger than the tests have time for; the same attacks as the tests of privacy.

    python benchmarks/synthetic_privacy.py [--persons 50000] [--runs 200] [--only group|membership]

Copies and near copies, the three risks (ours, and by `anonymeter` if UTFALL_BENCH_ANONYMETER names a Python that has
it), membership of a planted outlier by shadow runs. The demo's whole policy; the noise is numpy's, rounded.

Each attack is made on persons who were measured, and on as many of the same world who were not (control): what it
gains is their difference. Then the groups change places, so that neither is easier to guess. `leaky` is the gain of
the same attack on records of which one in five is a measured person's: an attack that gains nothing there would prove
nothing.
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
from typing import TYPE_CHECKING

import numpy as np

# The folder of benchmarks comes last: `synthetic` means the package, not the benchmark of that name.
sys.path.append(sys.path.pop(0))
sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

if TYPE_CHECKING:
    from helpers.synthetic_attacks import Attacked, Risk

TARGETS = 4000
LINKS = 1500
LEAK = 0.2


def main() -> int:
    """Print all figures."""
    parser = argparse.ArgumentParser(description="Attacks on synthetic records.")
    parser.add_argument("--persons", type=int, default=50_000)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--only", choices=["group", "membership"])
    asked = parser.parse_args()
    for rho in ("1/50", "1/2") if asked.only != "membership" else ():
        print_group(rho, asked.persons)
    for rho in ("1/50", "1/2", "2") if asked.only != "group" else ():
        print_membership(rho, asked.runs)
    return 0


def print_group(rho: str, persons: int) -> None:
    """Copies and the three risks at one budget, and on leaky records."""
    from helpers.synthetic_attacks import attacked

    case, swapped = (attacked(persons, rho=rho, whole=True, swapped=half) for half in (False, True))
    leaky = case.copied(LEAK)
    both = {
        name: risk.with_swapped(other)
        for (name, risk), other in zip(risks(case).items(), risks(swapped).values(), strict=True)
    }
    print(f"\nρ = {rho}, {persons:,} persons measured, as many not; {2 * TARGETS:,} of each attacked; whole policy")
    print(f"  {'':<28}{'measured':>10}{'control':>10}{'gain':>10}{'s.e.':>8}{'leaky':>10}")
    for (name, risk), other in zip(both.items(), risks(leaky).values(), strict=True):
        gain = risk.measured - risk.control
        error = gain / risk.excess if risk.excess else 0.0
        print(f"  {name:<28}{risk.measured:>10.4f}{risk.control:>10.4f}{gain:>10.4f}{error:>8.4f}", end="")
        print(f"{other.measured - other.control:>10.4f}", flush=True)
    print(f"  (no guess can gain more than {erf(sqrt(float(Fraction(rho))) / 2):.3f} from a person's being measured)")
    for title, one in (("anonymeter", case), ("anonymeter, leaky", leaky)):
        print_anonymeter(title, one)


def risks(case: "Attacked") -> "dict[str, Risk]":
    """Every attack of ours."""
    from helpers.synthetic_attacks import SEEN, Risk, distances, inference, linkability, singling_out

    few = case.targets(TARGETS)
    apart = distances(few)
    found = {}
    for within in (0, 1):
        shares = (float((group <= within).mean()) for group in apart)
        found[f"a record {within} columns away"] = Risk(*shares, len(few.control))
    found |= {"singling out": singling_out(case), "linkability": linkability(few, guesses=LINKS)}
    return found | {f"inference of {name}": inference(few, name, guesses=TARGETS) for name in SEEN[-3:]}


def print_anonymeter(title: str, case: "Attacked") -> None:
    """The same groups, given to anonymeter as tables of codes."""
    import pandas as pd
    from helpers.synthetic_attacks import SEEN

    python = os.environ.get("UTFALL_BENCH_ANONYMETER")
    if python is None:
        print(f"  {title}: not installed, UTFALL_BENCH_ANONYMETER names no Python that has it")
        return
    with tempfile.TemporaryDirectory() as scratch:
        places = [Path(scratch) / f"{name}.csv" for name in ("measured", "synthetic", "control")]
        for place, rows in zip(places, (case.measured, case.synthetic, case.control), strict=True):
            named = np.char.add("c", rows.astype(str))
            pd.DataFrame(named, columns=list(SEEN)).to_csv(place, index=False)
        script = Path(__file__).with_name("anonymeter_risks.py")
        done = subprocess.run([python, script, *places], check=False, capture_output=True, text=True)
    if done.returncode:
        print(f"  {title}: that Python doesn't have it" if done.returncode == 3 else f"  {title}: failed")
    for line in done.stdout.splitlines():
        found = json.loads(line)
        if "failed" in found:
            print(f"  {title}, {found['attack']}: no result ({found['failed']})")
        else:
            low, high = found["interval"]
            print(f"  {f'{title}, ' + found['attack']:<48}{found['measured']:>8.4f}{found['control']:>10.4f}", end="")
            print(f"   risk {found['risk']:.4f} ({low:.4f} to {high:.4f})", flush=True)


def print_membership(rho: str, runs: int) -> None:
    """Shadow runs with and without the outlier."""
    from helpers.shadow_runs import best_success, shadow_runs, success_bound

    success = shadow_runs(rho=rho, runs=runs).success()
    unprotected = shadow_runs(rho=rho, runs=6, noisy=False).success()
    spread = 1.96 * sqrt(0.25 / (2 * runs))
    print(f"\nOutlier in or out, ρ = {rho}, {runs} + {runs} runs: told apart {success:.3f} (± {spread:.3f}); ", end="")
    print(f"the best possible attack {best_success(rho):.3f}, (ε, δ = 1e-6) allows {success_bound(rho):.3f}; ", end="")
    print(f"without noise {unprotected:.3f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
