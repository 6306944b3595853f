"""The cost of a release, derived again: from OpenDP's serialised mechanisms, in exact fractions, without OpenDP.

Works on `measurement.json` alone: no pandas, no opendp, nothing of the code that made the plan.
"""

import json
from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import product
from math import prod
from typing import Any

from release.measurements import FORMAT

Facts = Mapping[str, Any]


def cost_objections(facts: Facts, promised: Fraction) -> list[str]:
    """What is wrong with the cost that a measurement claims; empty when rho is at most what was promised."""
    if facts.get("format") != FORMAT:
        return ["the measurement is of another version"]
    objections = [o for residual in facts["residuals"] for o in _residual_objections(residual, facts)]
    total = sum((Fraction(residual["rho"]) for residual in facts["residuals"]), Fraction(0))
    if len({json.dumps(r["combination"]) for r in facts["residuals"]}) != len(facts["residuals"]):
        objections.append("a combination was measured twice")
    if total != Fraction(facts["rho"]):
        objections.append("the residuals' costs don't add up to the measurement's")
    if total > promised:
        objections.append(f"the measurement costs {float(total):.9g}, more than the promised {float(promised):.9g}")
    return objections


def _residual_objections(residual: Facts, facts: Facts) -> Iterator[str]:
    families = _family_sizes(residual["combination"], facts["attributes"])
    expected = {sizes: cells for sizes, cells in families.items() if all(c > 1 for c in sizes)}
    found = {tuple(group["siblings"]): group for group in residual["groups"]}
    if expected != {sizes: group["cells"] for sizes, group in found.items()} or len(found) != len(residual["groups"]):
        yield f"{_name(residual)}: the noise groups aren't the tree's families"
    for sizes, group in found.items():
        scale = _scale_by_opendp(facts["mechanisms"].get(group["scale"]))
        if scale is None or scale != float.fromhex(group["scale"]):
            yield f"{_name(residual)}: OpenDP's mechanism isn't a discrete Gaussian on i64 of the stated scale"
        elif _rho(sizes, facts["records_per_person"], scale) > Fraction(residual["rho"]):
            yield f"{_name(residual)}: a noise scale costs more than is stated"


def _rho(siblings: tuple[int, ...], records: int, scale: float) -> Fraction:
    """rho = squared sensitivity / (2 scale^2), with prod c (c - 1) per record squared; docs/proofs/residuals.md."""
    return Fraction(records**2 * prod(c * (c - 1) for c in siblings)) / (2 * Fraction(scale) ** 2)


def _family_sizes(combination: list[list[Any]], attributes: list[Facts]) -> dict[tuple[int, ...], int]:
    """Numbers of cells by the numbers of siblings on each axis, straight from the code lists."""
    by_name = {attribute["name"]: attribute for attribute in attributes}
    axes = [_sibling_counts(by_name[name]["levels"][level]["parent"]) for name, level in combination]
    return {
        tuple(c for c, _ in chosen): prod(n for _, n in chosen) for chosen in product(*(axis.items() for axis in axes))
    }


def _sibling_counts(parents: list[int]) -> dict[int, int]:
    children: dict[int, int] = {}
    for parent in parents:
        children[parent] = children.get(parent, 0) + 1
    sizes: dict[int, int] = {}
    for number in children.values():
        sizes[number] = sizes.get(number, 0) + number
    return sizes


def _scale_by_opendp(serialised: str | None) -> float | None:
    """The scale in OpenDP's own JSON, if it is the discrete Gaussian on vectors of i64 under L2 and zCDP."""
    try:
        mechanism = json.loads(serialised or "")
        arguments = mechanism["__kwargs__"]
        domain, metric = arguments["input_domain"], arguments["input_metric"]
        fits = (
            mechanism["__function__"] == "make_gaussian"
            and domain["__function__"] == "vector_domain"
            and domain["__kwargs__"]["atom_domain"]["__kwargs__"]["T"] == "i64"
            and metric["__function__"] == "l2_distance"
            and arguments["MO"] == "ZeroConcentratedDivergence"
        )
        return float(arguments["scale"]) if fits else None
    except (ValueError, KeyError, TypeError):
        return None


def _name(residual: Facts) -> str:
    return " x ".join(f"{name}:{level}" for name, level in residual["combination"]) or "everybody"
