"""Tables to protect from files: `inner.csv.gz`, `hier_DIM.csv`, `contrib.csv.gz`, `meta.json`.

Run alone it prints nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from release.protected.suppression.question import Question, cost_of
from release.protected.suppression.structure import Hierarchy, System, crossed, folded


@dataclass(frozen=True)
class Instance:
    """A system of tables, its true values, what is primary and by how much, and who is alone where."""

    name: str
    system: System
    values: np.ndarray
    primary: np.ndarray
    width: np.ndarray
    lower: np.ndarray
    alone: np.ndarray

    def question(self, cost: str = "value") -> Question:
        return Question(
            relations=self.system.relations, values=self.values, primary=self.primary, width=self.width,
            cost=cost_of(cost, self.values), publish=np.zeros(len(self.values), bool), lower=self.lower,
            alone=self.alone, system=self.system,
        )  # fmt: skip


def read_instance(folder: Path) -> Instance:
    """One instance from its folder."""
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    inner = pd.read_csv(folder / "inner.csv.gz", dtype=dict.fromkeys(meta["dims"], str))
    trees = {name: _trees(folder, name) for name in meta["dims"]}
    tables = [{d: LEVELS.get(level, 9) for d, level in table.items()} for table in meta.get("tables", [])] or None
    zeros = meta["rule"].get("min") == 0
    leaves = None if zeros else {d: inner[d] for d in meta["dims"]}
    system = crossed(trees, leaves=leaves, tables=tables)
    counts = _at_leaves(system, inner, "n") if zeros else inner["n"].to_numpy()
    if "value" in inner:
        contrib = pd.read_csv(folder / "contrib.csv.gz", dtype=dict.fromkeys(meta["dims"], str))
        return of_magnitudes(meta["name"], system, inner, contrib, p=meta["rule"]["p"])  # and_nk: implied by p = 15
    return of_counts(meta["name"], system, counts, most=meta["rule"]["max"], zeros=zeros)


LEVELS = {"region": 1, "narrow": 2, "detailed": 3, "provider": 2, "leaf": 9}


def of_counts(name: str, system: System, counts: np.ndarray, *, most: int = 4, zeros: bool = False) -> Instance:
    """Counts up to `most` are primary; zeros only where they are not printed."""
    values = folded(system, counts)
    least = 0 if zeros else 1
    ones = np.full(len(values), least, dtype=np.int64)
    return Instance(
        name,
        system,
        values,
        (values >= least) & (values <= most),
        np.ones(len(values), np.int64),
        ones,
        alone_in(system, values, counts),
    )


def alone_in(system: System, values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """A number for the one person in each cell of 1: the place of his leaf combination."""
    who = folded(system, np.where(counts == 1, np.arange(len(counts)), 0))
    return np.where(values == 1, who, -1)


def _trees(folder: Path, name: str) -> list[Hierarchy]:
    files = sorted(folder.glob(f"hier_{name}.csv")) + sorted(folder.glob(f"hier_{name}_[0-9].csv"))
    return [Hierarchy.from_edges(f.stem, pd.read_csv(f, dtype=str).itertuples(index=False, name=None)) for f in files]


def _at_leaves(system: System, inner: pd.DataFrame, column: str) -> np.ndarray:
    counts = np.zeros(len(system.leaves), dtype=np.int64)
    size = [len(c) for c in system.codes]
    keys = np.ravel_multi_index(system.leaves.T, size)
    rows = [[codes.index(c) for c in inner[d]] for d, codes in zip(system.dimensions, system.codes, strict=True)]
    order = np.argsort(keys)
    counts[order[np.searchsorted(keys[order], np.ravel_multi_index(np.array(rows), size))]] = inner[column]
    return counts


def of_magnitudes(  # noqa: PLR0913
    name: str, system: System, inner: pd.DataFrame, contrib: pd.DataFrame, *, p: float, few: int = 0, share: float = 100
) -> Instance:
    """p % or, with few > 0, dominance (few, share) by contributor; the width is what the p % rule asks for."""
    values = folded(system, inner["value"].to_numpy())
    trees = {d: list(t) for d, t in zip(system.dimensions, system.hierarchies, strict=True)}
    rows = crossed(trees, leaves={d: contrib[d] for d in system.dimensions})
    largest, second, number, who = _largest(system, rows, contrib, few)
    rest = values - largest[:, 0] - second
    short = np.ceil(p / 100 * largest[:, 0]).astype(np.int64) - rest
    dominant = 100 * largest.sum(axis=1) > share * values if few else np.zeros(len(values), bool)
    primary = (short > 0) | dominant
    width = np.where(primary, np.maximum(short, 1), 1)
    alone = np.where(number == 1, who, -1)
    return Instance(name, system, values, primary, width, np.zeros(len(values), np.int64), alone)


def _largest(
    system: System, rows: System, contrib: pd.DataFrame, few: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The `few` largest contributions to each cell, the second, the number of contributors and who the largest is."""
    people, _ = pd.factorize(contrib["contributor"])
    ancestors = [_above(rows, d) for d in range(len(rows.dimensions))]
    frame = pd.DataFrame(rows.leaves, columns=list(rows.dimensions)).assign(
        who=people, value=contrib["value"].to_numpy()
    )
    for d, name in enumerate(rows.dimensions):
        frame = (
            frame.merge(ancestors[d], left_on=name, right_on="leaf")
            .drop(columns=["leaf", name])
            .rename(columns={"code": name})
        )
    sums = frame.groupby([*rows.dimensions, "who"], sort=True)["value"].sum().reset_index()
    sums["cell"] = system.places({n: [system.codes[d][i] for i in sums[n]] for d, n in enumerate(rows.dimensions)})
    sums = sums.sort_values(["cell", "value", "who"], ascending=[True, False, True])
    rank = sums.groupby("cell").cumcount()
    top = np.zeros((len(system), max(few, 2)), dtype=np.int64)
    near = sums[rank < max(few, 2)]
    top[near["cell"], rank[rank < max(few, 2)]] = near["value"]
    number = np.bincount(sums["cell"], minlength=len(system))
    who = np.full(len(system), -1)
    who[sums[rank == 0]["cell"]] = sums[rank == 0]["who"]
    return top[:, : max(few, 1)], top[:, 1], number, who


def _above(system: System, d: int) -> pd.DataFrame:
    place = {code: i for i, code in enumerate(system.codes[d])}
    pairs = {(place[leaf], place[c]) for tree in system.hierarchies[d] for leaf in tree.leaves for c in tree.path(leaf)}
    return pd.DataFrame(sorted(pairs), columns=["leaf", "code"])
