"""Synthetic records: the claims, each beside its baseline, in one run.

    python benchmarks/synthetic.py [--quick] [--only noise|others|demo] [--release PUBLIC_FOLDER]

1. Squared error of the records' tables against independent noise with zeros known (`synthetic_noise.py`).
2. Distances, impossible records and CPU against MST, AIM and PrivBayes (`synthetic_others.py`); who isn't installed is
   left out with a message.
3. CPU and memory of the demo's whole policy: fit, draw, refine (`synthetic_demo.py`); --release uses a release that is
   there, else a demo is made and run first.
--quick: ε = 1 only, with numpy's rounded noise; 50,000 graduates and no AIM; 50,000 persons in the demo.
"""

import argparse
import sys
from pathlib import Path

# This file is called as the package is: the folder of benchmarks comes last, so that `synthetic` means the package.
sys.path.append(sys.path.pop(0))

from synthetic_demo import claim_three
from synthetic_noise import claim_one
from synthetic_others import claim_two


def main() -> int:
    """Print the comparisons; 1 if a claim doesn't hold."""
    parser = argparse.ArgumentParser(description="The claims about synthetic records, beside their baselines.")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", choices=["noise", "others", "demo"])
    parser.add_argument("--release", type=Path, help="public folder of a release of the demo")
    asked = parser.parse_args()
    parts = {
        "noise": lambda: claim_one(quick=asked.quick),
        "others": lambda: claim_two(quick=asked.quick),
        "demo": lambda: claim_three(asked.release, quick=asked.quick),
    }
    holds = {name: part() for name, part in parts.items() if asked.only in (None, name)}
    for name, held in holds.items():
        print(f"{name:<8}{'all claims hold' if held else 'NOT all claims hold'}")
    return 0 if all(holds.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
