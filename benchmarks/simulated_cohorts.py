"""An infinite population of simulated graduates whose true figures are known, and cohorts drawn from it.

The population is a list of kinds of persons. A kind has its provider, field, cohort and sex, chances of each activity
and answer, and log-normal pay if employed. A cohort holds a Poisson(1) number of each kind, each with a fresh outcome.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from release.codes import Attribute, IntArray, flat, tree
from release.residuals import FloatArray

PROVIDERS, REGIONS, NARROW, BROAD = 60, 8, 12, 4
STATUSES = [
    ("employed", "10"), ("employed", "13"), ("unemployed", "12"), ("student", "22"), ("other", "25"), ("other", "99"),
    ("not-found", "not-found"),
]  # fmt: skip
EMPLOYED = 2
"""The first so many statuses."""
EDGES = tuple(float(round(edge)) for edge in np.geomspace(800, 8000, 25))
SPREAD = 0.25
"""Standard deviation of the logarithm of pay within a kind."""


@dataclass(frozen=True)
class Kinds:
    """leaves: leaf of each kind by dimension; activity, match: (kinds, leaves) chances; log_pay: mean log of pay."""

    leaves: Mapping[str, IntArray]
    activity: FloatArray
    match: FloatArray
    log_pay: FloatArray


@dataclass(frozen=True)
class Cohort:
    """leaves: each graduate's leaf by attribute; pay: euro a month, nan if not employed."""

    leaves: Mapping[str, IntArray]
    pay: FloatArray


def attributes() -> tuple[Attribute, ...]:
    """Trees like those that a policy's code lists make, special codes last."""
    provider = tree(
        "provider", ["country", "region", "provider"], [(f"r{i % REGIONS}", f"p{i}") for i in range(PROVIDERS)], {}
    )
    field = tree("field", ["all", "broad", "narrow"], [(f"b{i % BROAD}", f"n{i}") for i in range(NARROW)], {})
    activity = tree("activity", ["all", "group", "status"], STATUSES, {})
    bins = ["under", *(f"from-{edge:.0f}" for edge in EDGES), "not-found", "not-applicable"]
    pay = Attribute("pay", flat("pay", bins).levels, edges=EDGES)
    scores = ["1", "2", "3", "4", "5", "no-answer"]
    match = Attribute("match", flat("match", scores).levels, scores=(1.0, 2.0, 3.0, 4.0, 5.0, math.nan))
    return provider, field, flat("cohort", ["a", "b", "c"]), flat("sex", ["1", "2"]), activity, pay, match


def kinds_of_persons(number: int, random: np.random.Generator) -> Kinds:
    """Providers of log-normal size, chances that differ by field and provider, a third in part time."""
    size = random.lognormal(0, 1.3, PROVIDERS)
    leaves = {
        "provider": random.choice(PROVIDERS, number, p=size / size.sum()),
        "field": random.choice(NARROW, number, p=random.dirichlet(np.full(NARROW, 3.0))),
        "cohort": random.integers(0, 3, number),
        "sex": random.integers(0, 2, number),
    }
    provider, field = leaves["provider"], leaves["field"]
    liking = np.log([0.55, 0.1, 0.12, 0.1, 0.07, 0.05, 0.01])
    liking = liking + random.normal(0, 0.3, (NARROW, 7))[field] + random.normal(0, 0.2, (PROVIDERS, 7))[provider]
    upwards = np.log([0.015, 0.025, 0.11, 0.3, 0.55]) + random.normal(0, 0.2, (NARROW, 5))[field]
    answers = (0.25 + 0.2 * random.random(PROVIDERS))[provider][:, None]
    log_pay = math.log(2500) + random.normal(0, 0.1, NARROW)[field] + random.normal(0, 0.04, PROVIDERS)[provider]
    part_time = random.choice([1.0, 1.0, 1.0, 1.0, 0.45, 0.7], number)
    log_pay = log_pay - 0.05 * leaves["sex"] + np.log(part_time)
    match = np.hstack([_chances(upwards) * answers, 1 - answers])
    return Kinds({n: leaf.astype(np.int64) for n, leaf in leaves.items()}, _chances(liking), match, log_pay)


def _chances(log_weights: FloatArray) -> FloatArray:
    weights = np.exp(log_weights)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def draw_cohort(kinds: Kinds, random: np.random.Generator) -> Cohort:
    """A Poisson(1) number of each kind, each with an outcome of its own."""
    who = np.repeat(np.arange(len(kinds.log_pay)), random.poisson(1, len(kinds.log_pay)))
    leaves = {name: leaf[who] for name, leaf in kinds.leaves.items()}
    leaves["activity"] = _drawn(kinds.activity[who], random)
    leaves["match"] = _drawn(kinds.match[who], random)
    pay = np.exp(random.normal(kinds.log_pay[who], SPREAD))
    employed = leaves["activity"] < EMPLOYED
    bins = np.searchsorted(EDGES, pay, side="right")
    leaves["pay"] = np.where(employed, bins, len(EDGES) + 2).astype(np.int64)
    return Cohort(leaves, np.where(employed, pay, np.nan))


def _drawn(chances: FloatArray, random: np.random.Generator) -> IntArray:
    passed = random.random((len(chances), 1)) > np.cumsum(chances, axis=1)[:, :-1]
    return np.asarray(passed.sum(axis=1), np.int64)


def pay_below(kinds: Kinds, at: FloatArray) -> tuple[FloatArray, IntArray]:
    """Distribution of pay at some points, one row per distinct mean, and each kind's row."""
    from scipy.special import ndtr

    means, row = np.unique(kinds.log_pay, return_inverse=True)
    return np.asarray(ndtr((np.log(at)[None, :] - means[:, None]) / SPREAD)), row


def pay_chances(kinds: Kinds) -> FloatArray:
    """Chances of each leaf of pay: (kinds, leaves)."""
    below, row = pay_below(kinds, np.array(EDGES))
    within = np.diff(below, axis=1, prepend=0.0, append=1.0)[row]
    employed = kinds.activity[:, :EMPLOYED].sum(axis=1, keepdims=True)
    return np.hstack([within * employed, np.zeros_like(employed), 1 - employed])
