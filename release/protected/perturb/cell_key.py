"""The cell-key method: each cell gets noise that its key decides, so the same persons get the same noise everywhere.

Counts change by what a perturbation table says. A sum changes by a share of its largest contributions; it can't become
negative, since no contribution is changed by more than itself.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from release.codes import IntArray
from release.errors import DataError, PolicyError
from release.protected.perturb.keys import KeyArray, draws
from release.protected.perturb.table import PerturbationTable, perturbation_table
from release.protected.suppression.rules.exact import parameter, roomy


def perturbed_counts(counts: IntArray, keys: KeyArray, *, table: PerturbationTable, key: bytes) -> IntArray:
    """Counts with noise, [n]. keys: the cells' keys; key: the office's. Zeros stay zero. Not additive."""
    if (counts < 0).any():
        raise DataError("counts below zero can't be perturbed") from None
    positive = counts > 0
    noisy = counts.copy()
    uniform = draws(keys[positive], key=key, purpose="count")
    noisy[positive] += looked_up(np.minimum(counts[positive], table.rows) - 1, uniform, table=table)
    return noisy


def looked_up(rows: IntArray, uniform: KeyArray, *, table: PerturbationTable) -> IntArray:
    """Change that a uniform draw picks from a row of the table, [n]."""
    level = (uniform >> np.uint64(32)).astype(np.int64)
    place = np.zeros(len(rows), np.int64)
    for ceiling in table.ceilings.T[:-1]:
        place += level >= ceiling[rows]
    return place - table.largest


@dataclass(frozen=True)
class SumNoise:
    """Noise of sums: the r-th largest contribution changes by up to shares[r] of itself, either way, in `steps` steps.

    spread: standard deviation of each change, as a fraction of the largest one (below 1).
    """

    shares: tuple[Fraction, ...]
    steps: int = 10
    spread: float = 0.6

    def __post_init__(self) -> None:
        shares = tuple(parameter("a contribution's largest change", share, low=0) for share in self.shares)
        if not shares or max(shares) > 1:
            raise PolicyError(
                "sums change by shares of their largest contributions, each at most 1", now='write ["1/10"]'
            )
        object.__setattr__(self, "shares", shares)

    @cached_property
    def table(self) -> PerturbationTable:
        """Chances of -steps … steps."""
        return perturbation_table(largest=self.steps, variance=(self.spread * self.steps) ** 2)


def perturbed_sums(sums: IntArray, largest: IntArray, keys: KeyArray, *, noise: SumNoise, key: bytes) -> IntArray:
    """Sums with noise, [n], in the same unit. largest: [n, t] largest contributions, absolute values, largest first.

    Unbiased; a sum of contributions that aren't negative stays so. Not additive, and not tied to perturbed counts.
    """
    if largest.shape[1] < len(noise.shares):
        raise PolicyError(f"noise of sums needs the {len(noise.shares)} largest contributions of each cell") from None
    changes = [_change(largest[:, r], keys, noise, rank=r, key=key) for r in range(len(noise.shares))]
    return np.asarray(sums + np.sum(changes, axis=0), np.int64)


def _change(contribution: IntArray, keys: KeyArray, noise: SumNoise, *, rank: int, key: bytes) -> IntArray:
    """share * contribution * v / steps, rounded to whole units, halves away from zero so that it stays symmetric."""
    table = noise.table
    rows = np.full(len(keys), table.rows - 1, np.int64)
    v = looked_up(rows, draws(keys, key=key, purpose=f"sum {rank + 1}"), table=table)
    share = noise.shares[rank]
    over = share.denominator * noise.steps
    exact = roomy(contribution, 2 * share.numerator * noise.steps + over) * share.numerator * np.abs(v)
    size = np.asarray((2 * exact + over) // (2 * over), np.int64)
    return np.asarray(np.sign(v) * size, np.int64)
