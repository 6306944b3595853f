"""Policies with outcomes made by hand, and measurements of them with a test's noise: for tests and benchmarks only."""

from dataclasses import replace

import numpy as np
from helpers.workloads import policy_of

from release.codes import NOT_APPLICABLE, Attribute, flat
from release.measurements import Measurements
from release.plan import Plan, group_cells
from release.policy.document import PolicyDocument
from release.policy.policy import Policy, PossibleCombinations
from release.residuals import integer_residuals, shape_of

NONE = NOT_APPLICABLE


def outcome_policy(dimensions, outcomes, tables, *, rho="1/2", only_if=None, possible=()) -> Policy:
    """dimensions, outcomes: attributes; only_if: outcome -> {parent: codes}; possible: (combination, allowed)."""
    plain = policy_of((*dimensions, *outcomes), {"all": {"by": []}}, rho=rho)
    said = plain.document.model_dump(by_alias=True, exclude_unset=True)
    words = {a.name: {"codes": ["x"], "only_if": (only_if or {}).get(a.name, {})} for a in outcomes}
    said |= {"dimensions": {a.name: {"codes": ["x"]} for a in dimensions}, "outcomes": words, "tables": tables}
    said["inputs"]["base"]["columns"] = {a.name: a.name for a in (*dimensions, *outcomes)}
    rules = tuple(PossibleCombinations(combination, allowed, "invented") for combination, allowed in possible)
    return replace(plain, document=PolicyDocument.model_validate(said), possible=rules)


def outcome(name: str, codes, *, beside: str | None = None) -> Attribute:
    """A flat outcome; beside: a special code at its end, such as "not-applicable"."""
    return flat(name, [*codes, *([beside] if beside else [])])


def counted(leaves, combination, attributes) -> np.ndarray:
    """Persons in each cell of one combination; leaves: leaf index of each person by attribute."""
    shape = shape_of(combination, attributes)
    if not combination:
        return np.array(len(next(iter(leaves.values()))), np.int64)
    nodes = [attributes[name].ancestors(attributes[name].depth, level)[leaves[name]] for name, level in combination]
    flat_cells = np.ravel_multi_index(tuple(nodes), shape)
    return np.bincount(flat_cells, minlength=int(np.prod(shape))).reshape(shape).astype(np.int64)


def measured(plan: Plan, leaves, *, random: np.random.Generator | None) -> Measurements:
    """Measurements of the persons with rounded normal noise of the planned scales (None: none). Never for a release."""
    values = {}
    for residual in plan.residuals:
        c = residual.combination
        noisy = integer_residuals(counted(leaves, c, plan.attributes), c, plan.attributes)
        if random is not None:
            for group, cells in group_cells(residual, plan.attributes):
                noisy.reshape(-1)[cells] += np.rint(random.normal(0, group.scale, len(cells))).astype(np.int64)
        values[c] = noisy
    return Measurements("0" * 64, plan.attributes, plan.records, plan.residuals, values, {})
