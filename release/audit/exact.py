"""Exact tables: certificates checked by their separate verifier, promises of changed figures, and the two tracks."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from release.errors import DataError
from release.policy.policy import Policy
from release.protected.exact.earlier import before
from release.protected.exact.protected import Protected, additive_objections, objections, system_of
from release.protected.exact.reading import read_exact


def certificate_objections(public: Path, policy: Policy) -> Iterator[str]:
    """One sentence for each fault of a suppressed set: sums, bounds, widths, missing certificates."""
    for protected in read_exact(public, policy):
        for fault in objections(protected):
            yield f"{protected.tables.name}: {fault}"


def earlier_objections(public: Path, policy: Policy) -> Iterator[str]:
    """One sentence where an earlier release that the policy names shows or hides other cells than this one."""
    for protected in read_exact(public, policy):
        if protected.tables.before:
            try:
                told = before(policy, protected.tables, system_of(protected), protected.values)
            except DataError as problem:
                yield f"{protected.tables.name}: {problem.faults[0].what}"
                continue
            again = int((told.hidden & ~protected.hidden).sum())
            if again:
                yield f"{protected.tables.name}: {again} cells are shown that an earlier release hides"


def figure_objections(public: Path, policy: Policy) -> Iterator[str]:
    """One sentence for each figure that breaks what its method promises."""
    for protected in read_exact(public, policy):
        for fault in (*additive_objections(protected), *_cell_key_faults(protected)):
            yield f"{protected.tables.name}: {fault}"


def _cell_key_faults(protected: Protected) -> Iterator[str]:
    said = protected.tables.protection.cell_key
    if said is None or protected.tables.summed:
        return
    forbidden = int(((protected.values > 0) & (protected.values <= said.forbidden)).sum())
    if forbidden:
        yield f"{forbidden} figures lie between 1 and {said.forbidden}, which none should"


def track_objections(public: Path, policy: Policy, manifest: Mapping[str, Any] | None) -> Iterator[str]:
    """Whether promise and files name the exact tables that the policy has, no other, and their exceptions."""
    named = {tables["name"]: tables for tables in _described(public)}
    told = {name for tables in named.values() for name in tables["tables"]}
    if told != set(policy.exact):
        yield "the folder exact/ holds other tables than the policy's exact ones"
    if manifest is None:
        return
    promised = manifest["promise"]
    if promised["exact_tables"] != list(policy.exact):
        yield "the promise doesn't name the exact tables"
    exceptions = {one["table"]: one["exception"] for one in promised.get("outside_epsilon", [])}
    wanted = {name: said.exception or "" for name, table in policy.exact.items() if (said := table.exact)}
    if exceptions != wanted:
        yield "the promise doesn't name the exceptions that exact tables stand on"


def _described(public: Path) -> Iterator[dict[str, Any]]:
    for path in sorted((public / "exact").glob("*.json")):
        facts = json.loads(path.read_bytes())
        yield {"name": path.stem, "tables": list(facts["tables"])}


def ledger_objections(outside: Mapping[str, Any] | None, expected: Mapping[str, Any] | None) -> Iterator[str]:
    """Whether the ledger notes this very disclosure outside of ε. The delivery's digest can't be checked here."""
    if expected is None and outside is None:
        return
    if expected is None or outside is None:
        yield "the ledger and the release don't agree on whether exact tables were disclosed"
        return
    for name in ("noisy", "sets", "exceptions"):
        if expected.get(name) != outside.get(name):
            yield f"the ledger notes other exact tables: {name}"
