"""The national demo through `utfall run`, seen from outside: CPU seconds and memory, stage by stage.

    python benchmarks/whole_run.py [--persons 500000]

The run is one process, with a kernel for each notebook and workers that draw. Its progress lines say when each cell
begins; at each of them the processor time of all processes is read from /proc, so the breakdown is of the very run
whose total is printed. Memory is sampled ten times a second: the largest process, and all processes together (shared
pages counted for each). OpenDP's own draws are priced by drawing some of them here, in one process.
"""

import argparse
import json
import os
import re
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import sqrt
from pathlib import Path

import numpy as np

from release.confidential.mechanisms import with_noise
from release.plan import make_plan
from release.policy import load_policy
from release.shipped import shipped

CPU_LIMIT, WITHOUT_DRAWS_LIMIT, MEMORY_LIMIT = 180.0, 75.0, 3.0
"""CPU seconds of the whole run, of all but OpenDP's own draws, and gigabytes."""
UTFALL = Path(sys.executable).parent / "utfall"
_CELL = re.compile(r"(\S+): cell (\d+) of (\d+)")
_TICK, _PAGE = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")


def main() -> int:
    """Make a demo, run it, print; 1 if a limit is exceeded."""
    parser = argparse.ArgumentParser(description="CPU and memory of the whole run, stage by stage.")
    parser.add_argument("--persons", type=int, default=500_000)
    persons = parser.parse_args().persons
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        demo = watched(["demo", str(place / "demo"), "--persons", str(persons)])
        with_budget(place / "ledger.sqlite")
        policy = place / "demo" / "graduates-demo.yaml"
        command = ["run", policy, "--data", place / "demo", "--out", place / "out", "--ledger", place / "ledger.sqlite"]
        run = watched([str(part) for part in command])
        (public,) = (place / "out").glob("*/public")
        size = sum(path.stat().st_size for path in public.rglob("*") if path.is_file())
        draws = make_plan(load_policy(policy)).draws
    print(f"{persons:,} graduates; demo registers: {demo.cpu:.1f} CPU s, {demo.largest:.2f} GB\n")
    print_stages(run)
    print(f"\nPublished: {size / 1e6:.0f} MB")
    return print_verdict(run, draws)


def with_budget(ledger: Path) -> None:
    """A ledger with a grant."""
    named = ["--ledger", str(ledger), "--by", "benchmark"]
    _quietly(["ledger", "init", *named, "--population", "fi-graduates"])
    _quietly(["ledger", "grant", *named, "--rho", "2", "--reason", "benchmark"])


def _quietly(arguments: list[str]) -> None:
    subprocess.run([UTFALL, *arguments], check=True, stdout=subprocess.DEVNULL)


# Watching a process and all that it starts


@dataclass
class Stage:
    """What happened from one progress line to the next. cpu: seconds of the main process, and of all others."""

    name: str
    cpu: tuple[float, float] = (0.0, 0.0)
    seconds: float = 0.0
    memory: float = 0.0


@dataclass
class Watched:
    """A finished command. cpu: seconds with all that it started; largest, together: gigabytes at most."""

    cpu: float = 0.0
    seconds: float = 0.0
    largest: float = 0.0
    together: float = 0.0
    stages: list[Stage] = field(default_factory=list)


def watched(arguments: list[str]) -> Watched:
    """Run a command of ours to its end; stops the benchmark if it fails."""
    process = subprocess.Popen([UTFALL, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    found = Watched(stages=[Stage("start: policy, plan, delivery's digest")])
    begun = last_time = time.monotonic()
    last = (0.0, 0.0)
    for line in _lines(process):
        cpu, memory = _now(process.pid)
        found.stages[-1].memory = max(found.stages[-1].memory, memory)
        if line and (cell := _CELL.match(line)):
            _close(found.stages[-1], (cpu[0] - last[0], cpu[1] - last[1]), time.monotonic() - last_time)
            last, last_time = cpu, time.monotonic()
            found.stages.append(Stage(f"{cell[1]} {cell[2]}"))
    _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"utfall {arguments[0]} failed")
    found.cpu, found.seconds = used.ru_utime + used.ru_stime, time.monotonic() - begun
    found.largest = used.ru_maxrss / 1024**2
    found.together = max(stage.memory for stage in found.stages)
    _close(found.stages[-1], (found.cpu - sum(last), 0.0), time.monotonic() - last_time)
    return found


def _close(stage: Stage, cpu: tuple[float, float], seconds: float) -> None:
    stage.cpu, stage.seconds = cpu, seconds


def _lines(process: "subprocess.Popen[bytes]") -> Iterator[str]:
    """Lines of standard error, and an empty one at least ten times a second, until it is closed."""
    stream, rest = process.stderr.fileno(), b""
    while True:
        if not select.select([stream], [], [], 0.1)[0]:
            yield ""
            continue
        if not (read := os.read(stream, 65536)):
            return
        *whole, rest = (rest + read).split(b"\n")
        yield from (line.decode(errors="replace") for line in whole)


def _now(root: int) -> tuple[tuple[float, float], float]:
    """CPU seconds of the process itself and of all that it started, and their memory together in gigabytes."""
    own, others, memory = 0.0, 0.0, 0
    for pid, (user, system, user_waited, system_waited, pages) in _family(root).items():
        memory += pages
        waited = user_waited + system_waited
        own, others = (own + user + system, others) if pid == root else (own, others + user + system)
        others += waited
    return (own / _TICK, others / _TICK), memory * _PAGE / 1024**3


def _family(root: int) -> dict[int, tuple[int, int, int, int, int]]:
    """Times and pages of a process and its living descendants."""
    facts, children = {}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            children.setdefault(int(words[1]), []).append(int(entry.name))
            facts[int(entry.name)] = (*map(int, words[11:15]), int(words[21]))
    members, todo = {}, [root]
    while todo:
        pid = todo.pop()
        if pid in facts:
            members[pid] = facts[pid]
        todo += children.get(pid, [])
    return members


# Printing


def print_stages(run: Watched) -> None:
    """One line for each cell of each notebook."""
    print(f"{'stage':<58}{'CPU s':>8}{'wall s':>8}{'GB at most':>12}")
    subtotals: dict[str, float] = {}
    for stage in run.stages:
        name, _, cell = stage.name.partition(" ")
        text = f"{name}  {_said(name, int(cell))}" if cell.isdigit() else stage.name
        print(f"{text:<58}{sum(stage.cpu):>8.2f}{stage.seconds:>8.2f}{stage.memory:>12.2f}")
        subtotals[name] = subtotals.get(name, 0.0) + sum(stage.cpu)
    print(f"{'all':<58}{run.cpu:>8.2f}{run.seconds:>8.2f}{run.together:>12.2f}\n")
    print("by notebook, CPU s: " + "; ".join(f"{name} {cpu:.1f}" for name, cpu in subtotals.items()))
    print(
        "The first cell of a notebook begins when its kernel is up, so a kernel's start and the end of the one before"
    )
    print("stand in the line above it; the last line holds the manifest and the audit of the finished release, too.")


def _said(name: str, cell: int) -> str:
    """The last line of a notebook's cell."""
    cells = json.loads((shipped("notebooks") / f"{name}.ipynb").read_text())["cells"]
    source = ["".join(c["source"]) for c in cells if c["cell_type"] == "code"][cell - 1]
    return source.strip().splitlines()[-1][:46]


def print_verdict(run: Watched, draws: int) -> int:
    """The limits beside what was found."""
    each = seconds_of_a_draw()
    own = draws * each
    print(f"{draws:,} noisy values; OpenDP draws {1 / each:,.0f} a second and core: {own:.1f} CPU s of its own")
    checks = [
        ("whole run, CPU s", run.cpu, CPU_LIMIT),
        ("all but OpenDP's own draws, CPU s", run.cpu - own, WITHOUT_DRAWS_LIMIT),
        ("largest process, GB", run.largest, MEMORY_LIMIT),
        ("all processes together, GB", run.together, MEMORY_LIMIT),
    ]
    for what, value, limit in checks:
        print(f"  {what:<36}{value:>8.2f}  limit {limit:g}{'' if value <= limit else '  EXCEEDED'}")
    return int(any(value > limit for _, value, limit in checks))


def seconds_of_a_draw(number: int = 40_000) -> float:
    """CPU seconds of one draw, at a scale in the middle of those that plans use."""
    with_noise(np.zeros(100, np.int64), sqrt(1000.0))
    start = time.process_time()
    with_noise(np.zeros(number, np.int64), sqrt(1000.0))
    return (time.process_time() - start) / number


if __name__ == "__main__":
    sys.exit(main())
