"""Perturbation tables for counts: for each small count, and for all larger ones, how likely each change is.

Bias is zero, no count goes below zero, zeros stay zero. Probabilities are whole multiples of 2^-32, so a table is the
same on every machine and looks up exactly. Sources: Giessing (2016); R packages ptable and cellKey, for the words.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from release.codes import IntArray
from release.errors import PolicyError
from release.protected.perturb.entropy import largest_entropy, variances

FloatArray = npt.NDArray[np.float64]
UNITS = 2**32
"""Probabilities are told in 1/UNITS."""


@dataclass(frozen=True, eq=False)
class PerturbationTable:
    """Chances of each change v = -D … D: units[i - 1, v + D] / 2^32 for count i; the last row is for all larger counts.

    largest: D. variance: as asked for; `variances` tells what each row reached. forbidden: counts 1 to this number
    never result. keep_positive: a count above zero stays above zero.
    """

    largest: int
    variance: float
    forbidden: int
    keep_positive: bool
    units: IntArray

    @property
    def rows(self) -> int:
        """Counts with a row of their own; the last one stands for all from there on."""
        return len(self.units)

    @property
    def changes(self) -> IntArray:
        """-D … D."""
        return np.arange(-self.largest, self.largest + 1, dtype=np.int64)

    @property
    def probabilities(self) -> FloatArray:
        """[rows, 2 D + 1]."""
        return self.units / UNITS

    @property
    def means(self) -> FloatArray:
        """Bias of each row: zero, but for 2^-30 where only two changes are possible."""
        return np.asarray((self.units @ self.changes) / UNITS)

    @property
    def variances(self) -> FloatArray:
        """Variance that each row has reached."""
        return np.asarray((self.units @ self.changes**2) / UNITS)

    @property
    def staying(self) -> FloatArray:
        """Chance that a count stays as it is."""
        return np.asarray(self.probabilities[:, self.largest])

    @cached_property
    def ceilings(self) -> IntArray:
        """Cumulative units, for looking up."""
        return np.cumsum(self.units, axis=1, dtype=np.int64)

    def sure_of(self, printed: int) -> float:
        """How sure a reader is that a printed count is true, all counts being equally likely beforehand; 0 if never."""
        counts = np.arange(max(printed - self.largest, 1), printed + self.largest + 1)
        rows = np.minimum(counts, self.rows) - 1
        chances = self.probabilities[rows, printed - counts + self.largest]
        return float(chances[counts == printed].sum() / chances.sum()) if chances.sum() > 0 else 0.0

    def facts(self) -> dict[str, Any]:
        """All of it, for files and digests: count, change, chance in 1/2^32."""
        return {
            "largest_noise": self.largest,
            "variance": repr(self.variance),
            "forbidden": self.forbidden,
            "keep_positive": self.keep_positive,
            "chances_in_2^32": [[i + 1, int(v), int(u)] for i, v, u in self._entries()],
        }

    def _entries(self) -> Iterator[tuple[int, int, int]]:
        for i, row in enumerate(self.units):
            yield from ((i, int(v), int(u)) for v, u in zip(self.changes, row, strict=True) if u)


def perturbation_table(
    *, largest: int, variance: float, forbidden: int = 0, keep_positive: bool = False, staying: float | None = None
) -> PerturbationTable:
    """A table for counts: changes up to `largest`, with this variance where it can be had, else the nearest.

    forbidden: no count from 1 to this number results (0: all may). keep_positive: a positive count doesn't become zero;
    its price: with bias zero a count of 1 can't go down, so it can't go up, and every 1 stays 1. staying: chance that a
    count stays, where 0 may be among its changes; the rest has the largest entropy. PolicyError: it can't be.
    """
    _refuse(largest=largest, variance=variance, forbidden=forbidden, keep_positive=keep_positive, staying=staying)
    lowest = max(forbidden + 1, 1)
    rows = largest + (lowest if forbidden or keep_positive else 0)
    changes = np.arange(-largest, largest + 1)
    units = np.zeros((rows, len(changes)), np.int64)
    for i in range(1, rows + 1):
        results = i + changes
        allowed = (results >= lowest) | ((results == 0) & (not keep_positive))
        support = changes[allowed]
        units[i - 1, allowed] = in_units(support, _row(support, variance, staying))
    return PerturbationTable(largest, float(variance), forbidden, keep_positive, units)


def _row(support: IntArray, variance: float, staying: float | None) -> FloatArray:
    """Probabilities of one count's changes."""
    zero = support == 0
    moves = support[~zero]
    if staying is None or not zero.any() or not (moves < 0).any() or not (moves > 0).any():
        return largest_entropy(support, variance)
    p = np.zeros(len(support))
    p[zero] = staying
    p[~zero] = (1 - staying) * largest_entropy(moves, variance / (1 - staying))
    return p


def in_units(support: IntArray, probabilities: FloatArray) -> IntArray:
    """Probabilities as multiples of 2^-32 that add up to 1 and, where neighbours allow it, have mean zero exactly."""
    units = np.round(probabilities * UNITS).astype(np.int64)
    units[np.argmax(units)] += UNITS - units.sum()
    excess = int(support @ units)
    step = 1 if excess > 0 else -1
    for i in range(1, len(support)):
        takes, gives = (i - 1, i) if excess > 0 else (i, i - 1)
        if support[i] - support[i - 1] == 1 and units[gives] >= abs(excess):
            units[gives] -= step * excess
            units[takes] += step * excess
            break
    return units


def _refuse(*, largest: int, variance: float, forbidden: int, keep_positive: bool, staying: float | None) -> None:
    """PolicyError for tables that can't be."""
    where = "the table's protection in the policy"
    if largest < 1 or forbidden < 0 or not 0 < variance < np.inf:
        raise PolicyError("a perturbation table has a largest noise of 1 or more and a variance above 0", where=where)
    if staying is not None and not 0 <= staying < 1:
        raise PolicyError("the chance of staying is at least 0 and below 1", where=where)
    full = variances(np.arange(-largest, largest + 1))[1]
    if variance > full:
        raise PolicyError(
            f"noise of at most {largest} has a variance of at most {full:g}", where=where, now="raise the largest noise"
        )
    if keep_positive and forbidden:
        raise PolicyError(
            f"counts 1 to {forbidden} can't result, and positive counts may not become 0: then 1 can only grow, and "
            "noise with bias zero is impossible",
            where=where,
            now="leave one of the two out",
        )
    if forbidden >= largest:
        raise PolicyError(
            f"a count of 1 can't get past {forbidden} with noise of at most {largest}",
            where=where,
            now=f"raise the largest noise to {forbidden + 1} or more",
        )
