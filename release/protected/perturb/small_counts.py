"""Small count rounding: only small inner counts are changed, and all sums are made again from them, so tables add up.

Inner counts below the base go to 0 or to the base; which ones go up is chosen so that all published sums stay near
the truth. No published count lies between 0 and the base. Source: Langsrud and Heldal (2018), R package
SmallCountRounding; the search is ours.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from release.codes import IntArray
from release.errors import DataError
from release.protected.perturb.additive import Folding, folding, refuse_unless_additive, rounded_up
from release.protected.perturb.random_rounding import refuse_base

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Rounded:
    """An additive rounded table. values: int64 [n]. changed: positions of cells that the rounding changed on purpose.

    nearest: whether nothing nearer exists, proved. how: how it was found, in words. gap: at most how much larger the
    sum of changes is than the least possible, as a fraction, where that is known.
    """

    values: IntArray
    changed: IntArray
    nearest: bool
    how: str
    gap: float | None = None


def small_counts_rounded(
    relations: Any, values: IntArray, *, base: int, published: BoolArray | None = None, rounds: int = 100_000
) -> Rounded:
    """Round small inner counts so that no published cell lies in 1 … base - 1; additive in every relation.

    relations: sparse int8 [m, n]; values: int64 [n], 0 or more; published: bool [n], all unless given. Inner counts of
    the base or more don't change, nor do small ones that no small published count needs. Deterministic.
    """
    refuse_base(base)
    refuse_unless_additive(relations, values)
    if (values < 0).any():
        raise DataError("counts below zero can't be rounded") from None
    fold = folding(relations)
    shown = np.ones(len(values), bool) if published is None else published
    inner = values[fold.inner].copy()
    changed = np.zeros(len(inner), bool)
    while (needed := _needed(fold, inner, shown, base)).any():
        changed |= needed
        inner = _round(fold, values[fold.inner], changed, shown=shown, base=base, rounds=rounds)
    return Rounded(fold.sums @ inner, fold.inner[changed], nearest=False, how="a search; nothing proves it nearest")


def _needed(fold: Folding, inner: IntArray, shown: BoolArray, base: int) -> BoolArray:
    """Small inner cells inside published cells that are small."""
    now = fold.sums @ inner
    small = shown & (now > 0) & (now < base)
    inside = np.asarray(fold.sums.T @ small.astype(np.int64)) > 0
    return inside & (inner > 0) & (inner < base)


def _round(fold: Folding, inner: IntArray, changed: BoolArray, *, shown: BoolArray, base: int, rounds: int) -> IntArray:
    """The inner cells with the chosen ones rounded to 0 or base, from the true counts."""
    mine = np.flatnonzero(changed)
    sums = fold.sums[np.flatnonzero(shown)][:, mine]
    weights = np.ones(sums.shape[0])
    up = rounded_up(inner[mine], base=base, sums=sums, weights=weights, rounds=rounds)
    rounded = inner.copy()
    rounded[mine] = np.where(up, base, 0)
    return rounded
