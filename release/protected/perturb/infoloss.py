"""What protection takes from a table: distances for perturbed ones, cells and value for suppressed ones.

Computed from true figures, so it stays in the office, but for `SuppressionLoss.public`, which needs none.
Sources: Hundepool et al., Statistical Disclosure Control (2012), sections 4.7 and 5.6; R packages cellKey (d1, d2, d3)
and SmallCountRounding (Hellinger distance).
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from release.codes import IntArray
from release.shown import Closed

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, repr=False)
class PerturbationLoss(Closed):
    """Distances between a true and a perturbed table of counts or sums, over n cells.

    cells: n. largest, mean, root_mean_square: of |published - true|. bias: mean of published - true. relative: mean of
    |published - true| / true over cells above 0. roots: mean of |sqrt(published) - sqrt(true)|, over cells that aren't
    negative. hellinger: distance of the two tables as distributions, 0 (alike) to 1 (nothing in common). unchanged,
    within_1, within_2: share of cells. false_zeros, false_positives: share of positive cells shown as 0, of zeros shown
    as positive. correlation: between the two, nan for constant tables.
    """

    cells: int
    largest: int
    mean: float
    root_mean_square: float
    bias: float
    relative: float
    roots: float
    hellinger: float
    unchanged: float
    within_1: float
    within_2: float
    false_zeros: float
    false_positives: float
    correlation: float

    def numbers(self) -> dict[str, float]:
        """By name, for the office's report."""
        return asdict(self)


def perturbation_loss(true: IntArray, published: IntArray, *, of: BoolArray | None = None) -> PerturbationLoss:
    """How far a perturbed table is from the true one. of: bool [n], which cells (inner, margins); all unless given."""
    if of is not None:
        true, published = true[of], published[of]
    change = (published - true).astype(float)
    size = np.abs(change)
    positive, zero = true > 0, true == 0
    p, q = np.sqrt(np.maximum(true, 0.0)), np.sqrt(np.maximum(published, 0.0))
    return PerturbationLoss(
        cells=len(true),
        largest=int(size.max(initial=0)),
        mean=_mean(size),
        root_mean_square=float(np.sqrt(_mean(size**2))),
        bias=_mean(change),
        relative=_mean(size[positive] / true[positive]),
        roots=_mean(np.abs(p - q)[true >= 0]),
        hellinger=hellinger(true, published),
        unchanged=_mean(size == 0),
        within_1=_mean(size <= 1),
        within_2=_mean(size <= 2),
        false_zeros=_mean(published[positive] == 0),
        false_positives=_mean(published[zero] != 0),
        correlation=_correlation(true, published),
    )


def hellinger(true: IntArray, published: IntArray) -> float:
    """sqrt(1 - sum of sqrt(p q)) for the two tables as shares of their sums; negative counts are taken as 0."""
    p, q = np.maximum(true, 0).astype(float), np.maximum(published, 0).astype(float)
    if p.sum() == 0 or q.sum() == 0:
        return 0.0 if p.sum() == q.sum() else 1.0
    alike = float(np.sqrt(p / p.sum() * (q / q.sum())).sum())
    return float(np.sqrt(max(0.0, 1.0 - alike)))


@dataclass(frozen=True, repr=False)
class SuppressionLoss(Closed):
    """What suppression hides of n cells.

    cells: n. shown, primary, secondary: numbers of cells. value: sum of what is hidden. value_share: of all cells'
    values. margins, margins_hidden: cells that are totals of others, and how many of them are hidden.
    """

    cells: int
    shown: int
    primary: int
    secondary: int
    value: int
    value_share: float
    margins: int
    margins_hidden: int

    def numbers(self) -> dict[str, float]:
        """By name, for the office's report."""
        return asdict(self)

    def public(self) -> dict[str, float]:
        """What every reader can count for himself: nothing of values, nothing of which rule hid a cell."""
        hidden = self.primary + self.secondary
        return {
            "cells": self.cells,
            "hidden": hidden,
            "hidden_share": hidden / max(self.cells, 1),
            "margins_hidden_share": self.margins_hidden / max(self.margins, 1),
        }


def suppression_loss(relations: Any, values: IntArray, *, hidden: BoolArray, primary: BoolArray) -> SuppressionLoss:
    """What is hidden, of which kind, and how much. relations: sparse int8 [m, n]; margins are its totals."""
    margins = np.asarray((relations < 0).sum(axis=0)).ravel() > 0
    size = np.abs(values)
    return SuppressionLoss(
        cells=len(values),
        shown=int((~hidden).sum()),
        primary=int((hidden & primary).sum()),
        secondary=int((hidden & ~primary).sum()),
        value=int(size[hidden].sum()),
        value_share=float(size[hidden].sum() / max(size.sum(), 1)),
        margins=int(margins.sum()),
        margins_hidden=int((margins & hidden).sum()),
    )


def _mean(numbers: Any) -> float:
    """Mean, 0 of nothing."""
    return float(np.mean(numbers)) if len(numbers) else 0.0


def _correlation(true: IntArray, published: IntArray) -> float:
    """Pearson's correlation; nan where one of the two doesn't vary."""
    if len(true) < 2 or true.std() == 0 or published.std() == 0:
        return float("nan")
    return float(np.corrcoef(true, published)[0, 1])
