"""Regressions of the logarithm of a number on codes: the same by records and by the truth."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from release.codes import IntArray
from release.policy.policy import Policy
from release.residuals import FloatArray
from synthetic.coded import Coded

MOST_CODES = 30
"""A dimension of more codes isn't put into a regression by default."""


@dataclass(frozen=True)
class Question:
    """Regress the logarithm of an outcome's number on the codes of some dimensions ("sex", "field:broad", "cohort")."""

    outcome: str
    on: tuple[str, ...]


@dataclass(frozen=True)
class Coefficient:
    """One code against the first one of its dimension, as a difference of logarithms; with ordinary standard errors."""

    name: str
    records: float
    truth: float
    records_error: float
    truth_error: float


@dataclass(frozen=True)
class Regression:
    """Coefficients by records and by the truth. binned: both by the middles of public bins, not by numbers."""

    outcome: str
    on: tuple[str, ...]
    binned: bool
    coefficients: tuple[Coefficient, ...]

    @property
    def largest_difference(self) -> float:
        return max((abs(one.records - one.truth) for one in self.coefficients), default=0.0)


def default_questions(policy: Policy) -> tuple[Question, ...]:
    """For each outcome with a number, the largest set of dimensions of few codes that a table asks it by."""
    return tuple(_questions(policy))


def _questions(policy: Policy) -> Iterator[Question]:
    for name, attribute in policy.attributes.items():
        if attribute.edges is None or min(attribute.edges) <= 0:
            continue
        tables = (table for table in policy.tables.values() if table.of and policy.level_of(table.of)[0] == name)
        asked = [tuple(by for by in table.by if _few(policy, by)) for table in tables]
        if any(asked):
            yield Question(name, max(asked, key=len))


def _few(policy: Policy, reference: str) -> bool:
    name, level = policy.level_of(reference)
    return level > 0 and len(policy.attributes[name].levels[level]) <= MOST_CODES


def compare_regressions(records: Coded, truth: Coded, question: Question) -> Regression:
    """Ordinary least squares on dummies, by both; by numbers if both have them, else by the middles of the bins."""
    binned = question.outcome not in records.numbers or question.outcome not in truth.numbers
    own, own_error = _least_squares(records, question, binned)
    true, true_error = _least_squares(truth, question, binned)
    found = zip(_names(records.policy, question), own, true, own_error, true_error, strict=True)
    return Regression(
        question.outcome,
        question.on,
        binned,
        tuple(Coefficient(n, *(float(x) for x in numbers)) for n, *numbers in found),
    )


def _names(policy: Policy, question: Question) -> list[str]:
    """The constant, and each code but the first of each dimension."""
    levels = [(reference, policy.level_of(reference)) for reference in question.on]
    codes = ((reference, policy.attributes[name].levels[number].codes[1:]) for reference, (name, number) in levels)
    return ["constant", *(f"{reference}={code}" for reference, rest in codes for code in rest)]


def _least_squares(rows: Coded, question: Question, binned: bool) -> tuple[FloatArray, FloatArray]:
    """Coefficients and standard errors, by groups of equal codes: sums are all that least squares needs."""
    y = log_numbers(rows, question.outcome, binned=binned)
    known = np.isfinite(y)
    levels = tuple(rows.policy.level_of(reference) for reference in question.on)
    cells, group = np.unique(rows.flat(levels)[known], return_inverse=True)
    sizes, sums = np.bincount(group).astype(np.float64), np.bincount(group, weights=y[known])
    design = _design(rows.policy, question, cells.astype(np.int64))
    information = np.linalg.pinv(design.T @ (design * sizes[:, None]))
    coefficients = information @ design.T @ sums
    left = float((y[known] ** 2).sum() - coefficients @ design.T @ sums)
    spread = max(left, 0.0) / max(int(known.sum()) - design.shape[1], 1)
    return coefficients, np.sqrt(np.maximum(np.diag(information) * spread, 0.0))


def _design(policy: Policy, question: Question, cells: IntArray) -> FloatArray:
    """One row per group: 1, then a dummy for each code but the first of each dimension."""
    shape = [len(policy.attributes[name].levels[number]) for name, number in map(policy.level_of, question.on)]
    nodes = np.unravel_index(cells, shape)
    dummies = [node[:, None] == np.arange(1, size)[None, :] for node, size in zip(nodes, shape, strict=True)]
    return np.hstack([np.ones((len(cells), 1)), *dummies]).astype(np.float64)


def log_numbers(rows: Coded, name: str, *, binned: bool) -> FloatArray:
    """The logarithm of each row's number, nan where there is none; of its bin's geometric middle if `binned`."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if not binned:
            return np.where(rows.numbers[name] > 0, np.log(rows.numbers[name]), np.nan)
        attribute = rows.policy.attributes[name]
        edges = np.log(np.array(attribute.edges))
        middles = np.full(len(attribute.leaves), np.nan)
        middles[: len(edges) + 1] = [edges[0], *((edges[1:] + edges[:-1]) / 2), edges[-1]]
        return middles[rows.nodes[name]]
