"""Claim 3 of `synthetic.py`: what synthetic records of the demo's whole policy cost, each step in a process of its own.

500,000 records: at most 3 CPU minutes and 3 GB from the public folder to refined records. 5 million records from the
same fit, written to a file: at most 2 CPU minutes more.
"""

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

CPU_LIMIT, MEMORY_LIMIT, MORE_LIMIT = 180.0, 3.0, 120.0
MANY = 5_000_000
MAKE = """
import sys, time
from pathlib import Path
from synthetic.make import fit_release, open_release, synthesise
release = open_release(Path(sys.argv[1]))
fit = fit_release(release)
fitted = time.process_time()
print(fitted, len(synthesise(fit, seed=1)), time.process_time() - fitted)
"""
FIT = """
import sys
from pathlib import Path
from synthetic.make import fit_release, open_release
fit_release(open_release(Path(sys.argv[1])))
"""


@dataclass(frozen=True)
class Used:
    """CPU seconds, gigabytes at most, and what was printed."""

    cpu: float
    memory: float
    said: str


def claim_three(public: Path | None, *, quick: bool) -> bool:
    """Print CPU and memory; whether the limits hold."""
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        public = public or demo_release(place, 50_000 if quick else 500_000)
        made = used([sys.executable, "-c", MAKE, str(public)])
        fitted, rows, refined = made.said.split()
        print(f"\n3. The demo's whole policy: start, estimates and fit {float(fitted):.1f} CPU s, ", end="")
        print(f"{int(rows):,} records drawn and refined {float(refined):.1f}")
        more = 200_000 if quick else MANY
        fit = used([sys.executable, "-c", FIT, str(public)])
        command = [Path(sys.executable).with_name("utfall"), "synthesise", public, "--out", place / "many.parquet"]
        many = used([*map(str, command), "--rows", str(more)])
    checks = [
        ("public folder to refined records, CPU s", made.cpu, CPU_LIMIT),
        ("their memory, GB", made.memory, MEMORY_LIMIT),
        (f"{more:,} records in a file, CPU s beyond the fit", many.cpu - fit.cpu, MORE_LIMIT),
        ("their memory, GB", many.memory, MEMORY_LIMIT),
    ]
    for what, value, limit in checks:
        print(f"   {what:<52}{value:>8.2f}  limit {limit:g}{'' if value <= limit else '  EXCEEDED'}")
    return all(value <= limit for _, value, limit in checks)


def demo_release(place: Path, persons: int) -> Path:
    """A demo and its release; the public folder."""
    from whole_run import watched, with_budget

    watched(["demo", str(place / "demo"), "--persons", str(persons)])
    with_budget(place / "ledger.sqlite")
    policy = place / "demo" / "graduates-demo.yaml"
    command = ["run", policy, "--data", place / "demo", "--out", place / "out", "--ledger", place / "ledger.sqlite"]
    watched([str(part) for part in command])
    return next((place / "out").glob("*/public"))


def used(command: list[str]) -> Used:
    """Run a command to its end; stops the benchmark if it fails."""
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, stdout=said)
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            sys.exit("making synthetic records failed")
        said.seek(0)
        return Used(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024**2, said.read())
