"""Cells that exact tables hide besides those they must, beside a proven bound or another tool's figures.

    python benchmarks/suppression.py [--seeds 1 2] [--effort fast] [--large] [--only NAME …]
    python benchmarks/suppression.py --instances FOLDER      tables from files, a README with another tool's figures

Per table: all non-empty cells, primary ones, secondaries (cells and value), bound and gap where there is one, CPU
seconds of engine and of certificate, megabytes, cells that are unsafe or undecided for an outsider, pairs of an insider
and a cell that he learns (sensitive cells, and any hidden cell of tables that hide up to 10,000). The attacker knows
that hidden counts are at least 1; `--least` changes what he knows, to show what protection from it costs.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from cpu import cpu_seconds, peak_gigabytes
from suppression_files import Instance, read_instance
from suppression_instances import instances

from release.errors import UtfallError
from release.protected.suppression.attack import attack
from release.protected.suppression.boxes import branches_of
from release.protected.suppression.certificate import certify
from release.protected.suppression.insiders import insiders
from release.protected.suppression.protect import protect
from release.protected.suppression.verify import verify
from release.protected.suppression.view import outsider

HEAD = (
    "table",
    "cells",
    "primary",
    "hidden",
    "value",
    "peer",
    "p.value",
    "bound",
    "gap",
    "cpu",
    "cert",
    "MB",
    "unsafe",
    "undec",
    "ins.p",
    "ins",
)
MANY = 10_000
"""Hidden cells from which on only sensitive ones are asked of insiders: a search of the others takes very long."""
WIDE = "{:12} {:>6} {:>7} {:>6} {:>11} {:>6} {:>11} {:>7} {:>5} {:>6} {:>6} {:>5} {:>6} {:>5} {:>5} {:>5}"


def main() -> None:
    asked = _asked()
    print(WIDE.format(*HEAD))
    for name, make, peer in _tables(asked):
        if not asked.only or any(word in name for word in asked.only):
            print(WIDE.format(name, *line(make(), peer, asked)), flush=True)


def line(instance: Instance, peer: tuple[str, str], asked: argparse.Namespace) -> list[str]:
    """The figures of one table, or what was refused."""
    if asked.least is not None:
        instance = replace(instance, lower=np.full(len(instance.values), asked.least))
    question, start = replace(instance.question(asked.cost), insiders=asked.insiders), cpu_seconds()
    try:
        pattern = protect(question, effort=asked.effort)
    except UtfallError as error:
        return [str(len(question)), str(instance.primary.sum()), type(error).__name__, *[""] * 12]
    took = cpu_seconds() - start
    extra = pattern.hidden & ~instance.primary
    bound = "" if pattern.bound is None else f"{pattern.bound:.0f}"
    gap = "" if pattern.gap is None else f"{100 * pattern.gap:.0f}%"
    figures = [
        (instance.values > 0).sum(),
        instance.primary.sum(),
        extra.sum(),
        instance.values[extra].sum(),
        *peer,
        bound,
        gap,
    ]
    return [str(f) for f in figures] + [f"{took:.1f}", *judged(instance, pattern, attacked=not asked.quick)]


def judged(instance: Instance, pattern, *, attacked: bool) -> list[str]:
    """CPU of the certificate, memory, and what outsiders and insiders find."""
    width = np.where(pattern.hidden, 1, 0)
    width[instance.primary] = instance.width[instance.primary]
    start, system = cpu_seconds(), instance.system
    view = outsider(
        system.relations, instance.values, pattern.hidden, lower=instance.lower, branches=branches_of(system)
    )
    try:
        faults = verify(view, certify(view, width), width)
        proof = f"{cpu_seconds() - start:.1f}" if not faults else "fault"
    except UtfallError:
        proof = "none"
    memory = f"{1024 * peak_gigabytes():.0f}"
    if not attacked:
        return [proof, memory, "", "", "", ""]
    found = attack(view, width=width)
    narrow = pattern.hidden & found.decided & (found.upper - found.lower < width)
    some = instance.primary if pattern.hidden.sum() > MANY else None
    learnt = insiders(view, instance.values, instance.alone, moves=pattern.moves, asked=some)
    sensitive = instance.primary[learnt.learns[:, 1]].sum()
    undecided = (pattern.hidden & ~found.decided).sum() + len(learnt.undecided)
    counted = "" if some is not None else str(len(learnt.learns))
    return [proof, memory, str(narrow.sum()), str(undecided), str(sensitive), counted]


def _tables(asked: argparse.Namespace) -> Iterator[tuple[str, Callable[[], Instance], tuple[str, str]]]:
    if asked.instances:
        peers = _peers(asked.instances / "README.md")
        for folder in sorted((asked.instances / "instances").iterdir()):
            yield folder.name, lambda folder=folder: read_instance(folder), peers.get(folder.name, ("", ""))
        return
    for seed in asked.seeds:
        for name, make in instances(seed, large=asked.large).items():
            yield f"{name}-{seed}", make, ("", "")


def _peers(readme: Path) -> dict[str, tuple[str, str]]:
    """Another tool's hidden cells and value, from lines "| name | cells | primary | secondary | value |"."""
    found = {}
    for text in readme.read_text(encoding="utf-8").splitlines():
        cells = [c.strip() for c in text.strip("| ").split("|")]
        if len(cells) == 5 and re.fullmatch(r"[A-Z]\d\d_\w+", cells[0]):
            found[cells[0]] = cells[3].replace(",", ""), cells[4].replace(",", "")
    return found


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--instances", type=Path)
    parser.add_argument("--effort", choices=["fast", "thorough"], default="fast")
    parser.add_argument("--cost", choices=["count", "value", "logarithm"], default="value")
    parser.add_argument(
        "--insiders", choices=["nobody", "primary", "hidden"], default="primary", help="what they must not learn"
    )
    parser.add_argument("--least", type=int, help="what attackers know that hidden counts are at least")
    parser.add_argument("--only", nargs="+", default=[])
    parser.add_argument("--large", action="store_true", help="also tables of 30,000 to 260,000 cells (--quick)")
    parser.add_argument("--quick", action="store_true", help="no attacker, the certificate only")
    return parser.parse_args()


if __name__ == "__main__":
    main()
