"""Simulated graduates and 48 overlapping tables of them, for the benchmarks; nothing here is a person.

300,000 persons; 150 providers in 19 regions; 100 detailed fields in an unbalanced tree of 10 broad and 30 narrow ones;
5 cohorts, sex, 6 activities, pay in deciles and none, one survey item with no answer. Providers and fields are of very
uneven size, and a provider offers some fields only. Tables: every level of provider (all, region, provider) with every
level of field (all, broad, narrow, detailed), by activity and cohort, activity and sex, pay, and survey item.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from release.budget import epsilon_at
from release.codes import Attribute, IntArray, flat, tree
from release.plan import Plan
from release.policy.policy import Combination, Policy
from release.residuals import downward_closure, shape_of

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

PERSONS, SEED = 300_000, 20
DELTA = Fraction(1, 10**6)
PLACES = ((), ("provider:region",), ("provider",))
FIELDS = ((), ("field:broad",), ("field:narrow",), ("field",))
TOPICS = (("cohort", "activity"), ("sex", "activity"), ("pay",), ("survey",))


@dataclass(frozen=True)
class Graduates:
    """attributes: the trees; leaves: each person's leaf index by attribute."""

    attributes: tuple[Attribute, ...]
    leaves: Mapping[str, IntArray]


def simulated_graduates(persons: int = PERSONS, seed: int = SEED) -> Graduates:
    """Draw the persons: first what they study and where, then what became of them."""
    random = np.random.default_rng(seed)
    provider, field = _provider_tree(random), _field_tree(random)
    studies = random.choice(150 * 100, persons, p=_sizes(random).ravel())
    leaves = {"provider": studies // 100, "field": studies % 100, "cohort": random.integers(0, 5, persons)}
    leaves |= _outcomes(random, leaves["provider"], leaves["field"])
    others = {"cohort": 5, "sex": 2, "activity": 6, "pay": 11, "survey": 6}
    flats = [flat(name, [f"{name}-{i}" for i in range(number)]) for name, number in others.items()]
    return Graduates((provider, field, *flats), {name: leaf.astype(np.int64) for name, leaf in leaves.items()})


def _provider_tree(random: np.random.Generator) -> Attribute:
    regions = np.sort(np.concatenate([np.arange(19), random.choice(19, 131, p=random.dirichlet(np.full(19, 1.5)))]))
    return tree("provider", ["country", "region", "provider"], [(f"r{r}", f"p{i}") for i, r in enumerate(regions)], {})


def _field_tree(random: np.random.Generator) -> Attribute:
    broad = np.sort(np.concatenate([np.arange(10), random.integers(0, 10, 20)]))
    narrow = np.sort(np.concatenate([np.arange(30), random.integers(0, 30, 70)]))
    paths = [(f"b{broad[n]}", f"n{n}", f"d{i}") for i, n in enumerate(narrow)]
    return tree("field", ["all", "broad", "narrow", "detailed"], paths, {})


def _sizes(random: np.random.Generator) -> np.ndarray:
    """Share of the graduates in each provider and field: (150, 100), zero for about four pairs in five."""
    provider, field = random.lognormal(0, 1.3, 150), random.lognormal(0, 1.0, 100)
    offered = random.random((150, 100)) < np.clip(0.16 * provider**0.5, 0.05, 0.7)[:, None]
    offered[np.arange(150), random.integers(0, 100, 150)] = True
    sizes = offered * provider[:, None] * field * random.gamma(1.2, size=(150, 100))
    return np.asarray(sizes / sizes.sum())


def _outcomes(random: np.random.Generator, provider: IntArray, field: IntArray) -> dict[str, IntArray]:
    persons = len(provider)
    sex = (random.random(persons) < random.beta(1.2, 1.2, 100)[field]).astype(int)
    liking = np.array([1.2, 0.2, -0.2, -0.5, -1.0, -3.0])
    liking = liking + random.normal(0, 0.5, (100, 6))[field] + random.normal(0, 0.25, (150, 6))[provider]
    activity = (liking + random.gumbel(size=(persons, 6))).argmax(axis=1)
    log_pay = random.normal(0, 0.2, 100)[field] + random.normal(0, 0.05, 150)[provider] - 0.1 * sex
    log_pay = log_pay + random.normal(0, 0.3, persons)
    employed = activity < 2
    deciles = np.quantile(log_pay[employed], np.arange(0.1, 1, 0.1))
    survey = np.where(random.random(persons) < 0.33, random.choice(5, persons, p=[0.015, 0.025, 0.11, 0.3, 0.55]), 5)
    pay = np.where(employed, np.searchsorted(deciles, log_pay), 10)
    return {"sex": sex, "activity": activity, "pay": pay, "survey": survey}


def workload(graduates: Graduates, *, rho: Fraction, each: str) -> Policy:
    """The 48 tables as a policy; each: "table" or "cell", what counts the same in the objective."""
    from helpers.workloads import policy_of

    by = [[*place, *field, *topic] for place, field, topic in product(PLACES, FIELDS, TOPICS)]
    shapes = [_cells(graduates, references) for references in by]
    tables = {
        "-".join(references).replace(":", "-"): {"by": references, "importance": cells if each == "cell" else 1}
        for references, cells in zip(by, shapes, strict=True)
    }
    return policy_of(graduates.attributes, tables, rho=str(rho))


def _cells(graduates: Graduates, references: list[str]) -> int:
    attributes = {a.name: a for a in graduates.attributes}
    number = 1
    for reference in references:
        name, _, level = reference.partition(":")
        attribute = attributes[name]
        number *= len(attribute.levels[attribute.level_number(level) if level else attribute.depth])
    return number


def exact_counts(leaves: Mapping[str, IntArray], plan: Plan) -> SimpleNamespace:
    """Counts of every combination, as `release.confidential.counts.Counts` holds them."""
    tables = {c: counted(leaves, c, plan.attributes) for c in downward_closure(plan.combinations)}
    return SimpleNamespace(tables=tables, records_per_person=1)


def counted(leaves: Mapping[str, IntArray], combination: Combination, attributes: Mapping[str, Attribute]) -> IntArray:
    """Persons in each cell of one combination."""
    shape = shape_of(combination, attributes)
    nodes = [attributes[name].ancestors(attributes[name].depth, level)[leaves[name]] for name, level in combination]
    if not combination:
        return np.array(len(next(iter(leaves.values()))), np.int64)
    flat_cells = np.ravel_multi_index(tuple(nodes), shape)
    return np.bincount(flat_cells, minlength=int(np.prod(shape))).reshape(shape).astype(np.int64)


def rho_for_epsilon(epsilon: float, delta: Fraction) -> Fraction:
    """The largest ρ in whole millionths that gives (ε, δ), by the exact conversion."""
    low, high = 1, 10**6
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if epsilon_at(Fraction(middle, 10**6), delta) <= epsilon else (low, middle)
    return Fraction(low, 10**6)
