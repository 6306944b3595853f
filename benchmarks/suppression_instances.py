"""Invented tables to protect, from a seed: graduates by provider, field and outcome. Run alone it prints nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from suppression_files import Instance, of_counts, of_magnitudes

from release.protected.suppression.structure import Hierarchy, crossed

OUTCOMES = {"EMP": 0.66, "STU": 0.12, "UNE": 0.14, "OTH": 0.08}
SCORES = {"1": 0.015, "2": 0.025, "3": 0.11, "4": 0.30, "5": 0.55}


@dataclass(frozen=True)
class World:
    """Graduates and the trees of their codes."""

    people: pd.DataFrame
    providers: Hierarchy
    owners: Hierarchy
    fields: Hierarchy


def world(seed: int, *, graduates: int, providers: int, regions: int, broad: int) -> World:
    """Providers with log-normal sizes that teach some fields; outcomes that depend on the field."""
    rng = np.random.default_rng(seed)
    names = np.array([f"P{i + 1:03d}" for i in range(providers)])
    region = rng.integers(0, regions, providers)
    owner = rng.choice(["MUNI", "FEDER", "PRIV", "STATE"], providers, p=[0.3, 0.4, 0.25, 0.05])
    owner[:4] = ["MUNI", "FEDER", "PRIV", "STATE"]
    region[:regions] = np.arange(regions)
    detailed, fields = _fields(rng, broad)
    size = rng.lognormal(0, 1.3, providers)
    at = rng.choice(providers, graduates, p=size / size.sum())
    taste = rng.gamma(0.25, size=(providers, len(detailed))) + 1e-9
    chosen = (taste.cumsum(axis=1) / taste.sum(axis=1, keepdims=True))[at]
    field = (rng.random(graduates)[:, None] > chosen).sum(axis=1).clip(0, len(detailed) - 1)
    women = rng.beta(1.5, 1.2, len(detailed))
    people = pd.DataFrame(
        {
            "provider": names[at],
            "region": [f"R{region[i] + 1:02d}" for i in at],
            "field": detailed[field],
            "sex": np.where(rng.random(graduates) < women[field], "F", "M"),
            "outcome": rng.choice(list(OUTCOMES), graduates, p=list(OUTCOMES.values())),
            "score": rng.choice(list(SCORES), graduates, p=list(SCORES.values())),
            "employer": [f"E{int(e)}" for e in rng.zipf(1.6, graduates).clip(0, 5000)],
            "pay": rng.lognormal(7.8, 0.35, graduates).astype(int),
        }
    )
    pairs = sorted({(f"R{r + 1:02d}", n) for r, n in zip(region, names, strict=True)})
    tree = Hierarchy.from_edges("provider", [("Total", r) for r in sorted({r for r, _ in pairs})] + pairs)
    kept = Hierarchy.from_edges(
        "owner", [("Total", o) for o in sorted(set(owner))] + list(zip(owner, names, strict=True))
    )
    return World(people, tree, kept, fields)


def _fields(rng: np.random.Generator, broad: int) -> tuple[np.ndarray, Hierarchy]:
    edges, leaves = [], []
    for b in range(1, broad + 1):
        edges.append(("Total", f"F{b:02d}"))
        for n in range(1, int(rng.integers(1, 6)) + 1):
            edges.append((f"F{b:02d}", f"F{b:02d}{n}"))
            for d in range(1, int(rng.integers(1, 8)) + 1):
                edges.append((f"F{b:02d}{n}", f"F{b:02d}{n}{d}"))
                leaves.append(f"F{b:02d}{n}{d}")
    return np.array(leaves), Hierarchy.from_edges("field", edges)


def cut(tree: Hierarchy, depth: int) -> tuple[Hierarchy, dict[str, str]]:
    """A tree down to a depth, and where its leaves go."""
    upper = {code: parent for code, parent in tree.parents.items() if tree.depth[code] <= depth}
    to = {leaf: next(c for c in tree.path(leaf) if tree.depth[c] <= depth) for leaf in tree.leaves}
    return Hierarchy(tree.name, upper), to


def frequency(name: str, made: World, dims: dict[str, int], *, overlapping: bool = False, tables=None) -> Instance:
    """Counts of a crossing; dims: depth of each dimension."""
    trees, columns = {}, {}
    for dim, depth in dims.items():
        trees[dim], columns[dim] = _dimension(made, dim, depth)
        if overlapping and dim == "provider":
            trees[dim].append(made.owners)
    rows = pd.DataFrame(columns).groupby(list(dims), sort=True).size().reset_index(name="n")
    system = crossed(trees, leaves={d: rows[d] for d in dims}, tables=tables)
    return of_counts(name, system, rows["n"].to_numpy())


def _dimension(made: World, dim: str, depth: int) -> tuple[list[Hierarchy], pd.Series]:
    column = made.people["provider" if dim == "provider" else dim]
    if dim not in ("provider", "field"):
        return [Hierarchy.flat(dim, sorted(column.unique()))], column
    tree, to = cut(made.providers if dim == "provider" else made.fields, depth)
    return [tree], column.map(to)


def earnings(name: str, made: World, dims: dict[str, int]) -> Instance:
    """Sums of pay with p % = 15 and (2, 85) dominance by employer."""
    trees, columns = {}, {}
    for dim, depth in dims.items():
        trees[dim], columns[dim] = _dimension(made, dim, depth)
    frame = pd.DataFrame(columns).assign(contributor=made.people["employer"], value=made.people["pay"])
    contrib = frame.groupby([*dims, "contributor"], sort=True)["value"].sum().reset_index()
    inner = contrib.groupby(list(dims), sort=True)["value"].sum().reset_index()
    system = crossed(trees, leaves={d: inner[d] for d in dims})
    return of_magnitudes(name, system, inner, contrib, p=15, few=2, share=85)


def _nation(seed: int) -> World:
    return world(seed, graduates=200_000, providers=300, regions=19, broad=10)


def _on_offer(seed: int, *, pairs: int = 2_777) -> World:
    """150 providers that teach few fields each, five cohorts and six activities: a million cells, a quarter filled."""
    made, rng = world(seed, graduates=330_000, providers=150, regions=19, broad=10), np.random.default_rng(seed + 99)
    sizes = made.people.groupby(["provider", "field"]).size().sort_values(ascending=False, kind="stable")
    kept = sizes.groupby(level=0).head(pairs // 150 + 1).index[:pairs]
    people = made.people[pd.MultiIndex.from_frame(made.people[["provider", "field"]]).isin(kept)]
    cohort = rng.choice(list("ABCDE"), len(people))
    activity = rng.choice(list("abcdef"), len(people), p=[0.55, 0.15, 0.10, 0.08, 0.07, 0.05])
    return replace(made, people=people.assign(cohort=cohort, activity=activity))


def instances(seed: int, *, large: bool = False) -> dict[str, Callable[[], Instance]]:
    """Tables of one seed by name, made when asked for."""
    small = world(seed, graduates=1_500, providers=14, regions=4, broad=6)
    big = world(seed + 1, graduates=60_000, providers=150, regions=19, broad=10)
    answers = World(big.people.sample(frac=0.12, random_state=seed), big.providers, big.owners, big.fields)
    sex, out = {"sex": 9}, {"outcome": 9}
    linked = [
        {"provider": 1, "field": 3, "outcome": 1},
        {"provider": 2, "field": 2, "sex": 1},
        ["provider", "outcome", "sex"],
    ]
    found = {
        "tiny": lambda: frequency("tiny", small, {"provider": 2, "field": 1} | out),
        "small": lambda: frequency("small", small, {"provider": 2, "field": 2} | sex),
        "survey": lambda: frequency("survey", answers, {"field": 3} | sex | {"score": 9}),
        "region": lambda: frequency("region", big, {"provider": 1, "field": 3} | out),
        "provider2d": lambda: frequency("provider2d", big, {"provider": 2, "field": 3}),
        "provsex": lambda: frequency("provsex", big, {"provider": 2, "field": 2} | sex),
        "twotrees": lambda: frequency("twotrees", big, {"provider": 2, "field": 2} | sex, overlapping=True),
        "earnings": lambda: earnings("earnings", big, {"provider": 1, "field": 2} | sex),
        "linked": lambda: frequency("linked", big, {"provider": 2, "field": 3} | sex | out, tables=linked),
    }
    if large:
        found["provout"] = lambda: frequency("provout", big, {"provider": 2, "field": 2} | sex | out)
        found["full"] = lambda: frequency("full", big, {"provider": 2, "field": 3} | sex | out)
        finest = {"provider": 2, "field": 3, "cohort": 9, "activity": 9}
        found["million"] = lambda: frequency("million", _on_offer(seed + 1), finest)
        found["vast"] = lambda: frequency("vast", _nation(seed + 1), {"provider": 2, "field": 3} | sex | out)
    return found
