"""Figures that are published rounded: what each tells is an interval. The rule is told, or seen from the figures."""

from dataclasses import dataclass, replace
from math import gcd
from typing import Literal

import numpy as np

from release.attack.published import NO_BOUND, Published
from release.errors import UsageError

ENOUGH = 12
"""So many different figures, all multiples of one number, are no chance."""


@dataclass(frozen=True)
class Rounding:
    """nearest: the true figure is at most base / 2 away. random: to a multiple beside it, less than base away.

    base: in the unit of the figures. kind "none": figures are exact.
    """

    kind: Literal["none", "nearest", "random"]
    base: int = 1

    @property
    def reach(self) -> int:
        return {"none": 0, "nearest": self.base // 2, "random": self.base - 1}[self.kind]


EXACT = Rounding("none")


def told_rounding(text: str) -> Rounding:
    """`--rounding none`, `nearest:3` or `random:5`. UsageError for anything else."""
    kind, _, base = text.partition(":")
    if text == "none":
        return EXACT
    if kind not in ("nearest", "random") or not base.isdigit() or int(base) < 2:
        raise UsageError(
            "the rule of rounding isn't clear",
            where=f"--rounding {text}",
            now="known are: none, nearest:BASE, random:BASE",
        )
    return Rounding("nearest" if kind == "nearest" else "random", int(base))


def seen_rounding(table: Published) -> Rounding:
    """To the nearest multiple of the number that divides all shown figures, where there are many; else exact."""
    shown = np.unique(table.lower[~table.hidden])
    divisor = gcd(*(int(value) for value in shown)) if len(shown) else 1
    return Rounding("nearest", divisor) if divisor > 1 and len(shown) >= ENOUGH and not table.decimals else EXACT


def as_bounds(table: Published, rounding: Rounding) -> Published:
    """The table with what its rounded figures tell: bounds. Counts stay counts: none below zero."""
    if not rounding.reach:
        return table
    scale = 10**table.decimals
    reach = rounding.reach * scale
    shown = ~table.hidden & (table.upper < NO_BOUND)
    floor = 0 if (table.lower[shown] >= 0).all() else -NO_BOUND
    lower = np.where(shown, np.maximum(table.lower - reach, floor), table.lower)
    upper = np.where(shown, table.upper + reach, table.upper)
    return replace(table, lower=lower.astype(np.int64), upper=upper.astype(np.int64))
