"""Small policies made of attributes and tables alone, for tests of the plan, the measurements and the estimates."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np

from release.codes import Attribute, flat, tree
from release.policy.document import HouseDocument, PolicyDocument
from release.policy.policy import Policy


def small_tree(name="place", families=(3, 1, 2, 4)) -> Attribute:
    """Country, regions, providers: families of so many providers, in mixed order."""
    rows = [(f"r{i}", f"r{i}p{j}") for i, c in enumerate(families) for j in range(c)]
    rows = rows[::2] + rows[1::2]
    return tree(name, ["country", "region", "provider"], rows, {})


def balanced_tree(name="field", broad=3, narrow=4) -> Attribute:
    return tree(
        name, ["all", "broad", "narrow"], [(f"b{i}", f"b{i}n{j}") for i in range(broad) for j in range(narrow)], {}
    )


def flat_of(name: str, size: int) -> Attribute:
    return flat(name, [f"{name}-{i}" for i in range(size)])


def policy_of(attributes, tables, *, rho="1/2", records=1) -> Policy:
    """tables: name -> dict as in a policy file (by, of, show, importance …)."""
    document = PolicyDocument.model_validate(
        {
            "release": "test",
            "privacy": {"population": "nobody", "rho": rho, "delta": "1e-9", "records_per_person": records},
            "inputs": {"base": {"file": "base.parquet", "person": "person", "columns": {}}},
            "link": {"base": "base", "keep": "single"},
            "dimensions": {a.name: {"codes": ["x"]} for a in attributes},
            "tables": tables,
        }
    )
    house = HouseDocument.model_construct()
    return Policy(
        document=document,
        house=house,
        attributes={a.name: a for a in attributes},
        replace={},
        possible=(),
        text=b"",
        files={},
        path=Path("test.yaml"),
        **_later_fields(),
    )


def _later_fields():
    """Fields of Policy that these tests don't need."""
    from dataclasses import MISSING, fields

    known = {"document", "house", "attributes", "replace", "possible", "text", "files", "path"}
    return {
        f.name: {}
        for f in fields(Policy)
        if f.name not in known and f.default is MISSING and f.default_factory is MISSING
    }


def random_leaves(attributes, persons: int, seed: int = 1) -> dict[str, np.ndarray]:
    """Leaf index of each attribute for so many persons, unevenly spread."""
    random = np.random.default_rng(seed)
    out = {}
    for attribute in attributes:
        weights = random.dirichlet(np.full(len(attribute.leaves), 0.7))
        out[attribute.name] = random.choice(len(attribute.leaves), persons, p=weights)
    return out


def exact_counts(leaves, combination, attributes) -> np.ndarray:
    """The slow, obvious count: one person after the other."""
    shape = tuple(len(attributes[name].levels[level]) for name, level in combination)
    out = np.zeros(shape, np.int64)
    nodes = [attributes[name].ancestors(attributes[name].depth, level)[leaves[name]] for name, level in combination]
    persons = len(next(iter(leaves.values()))) if leaves else 0
    for i in range(persons):
        out[tuple(axis[i] for axis in nodes)] += 1
    return out


def counts_of(leaves, plan) -> SimpleNamespace:
    """Counts for every combination of a plan (the slow twin)."""
    tables = {c: exact_counts(leaves, c, plan.attributes) for c in plan.combinations}
    return SimpleNamespace(tables=tables, records_per_person=plan.records)
