"""Controlled rounding: every count becomes a multiple of the base, and all sums still add up.

First the table is asked for in which every count goes to one of its two nearest multiples and the sum of all changes is
least: a whole-number program, solved by HiGHS. Where there is none (three and more dimensions can be so), cells may go
further, as rarely as possible. Where that isn't solved within the effort, inner cells are rounded by a search and added
up; the answer says which of the three it is. Sources: Cox (1987); Salazar-Gonzalez (2006); Hundepool et al. (2012),
section 5.4.
"""

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from release.codes import IntArray
from release.protected.perturb.additive import folding, refuse_unless_additive, rounded_up
from release.protected.perturb.random_rounding import refuse_base
from release.protected.perturb.small_counts import Rounded
from release.protected.suppression.integers import Enough, cheapest

FloatArray = npt.NDArray[np.float64]
NEAREST = "each count is one of its two nearest multiples, and the sum of changes is proved least"
NEARLY = "each count is one of its two nearest multiples; that the sum of changes is least isn't proved"
FURTHER = "no additive table keeps every count at its nearest multiples; some go one or more multiples further"
SEARCHED = "inner counts are rounded by a search and added up; sums may be several multiples away"
SOLVED_UP_TO = 4_000
"""Cells of a table that the solver is asked about, unless told so."""
THOROUGH_UP_TO = 1_500
"""Cells of a table that the solver may branch for; above, it stops at the first node."""
_FURTHER_COST = 10
"""Going a multiple further costs this many bases, so that it is rare."""


def controlled_rounding(
    relations: Any, values: IntArray, *, base: int, effort: Literal["nearest", "search"] | None = None
) -> Rounded:
    """Multiples of the base, additive in every relation, as near as can be.

    relations: sparse int8 [m, n]; values: int64 [n], 0 or more where counts. effort: "nearest" asks the solver,
    "search" doesn't; unless given, the solver is asked up to SOLVED_UP_TO cells. The solver's limit is in branches,
    not in seconds, so that the answer is the same on every machine.
    """
    refuse_base(base)
    refuse_unless_additive(relations, values)
    if (effort or _fitting(values)) == "nearest":
        for further in (False, True):
            found = _solved(relations, values, base=base, further=further)
            if found is not None:
                return found
    return _searched(relations, values, base=base)


def _fitting(values: IntArray) -> Literal["nearest", "search"]:
    """What the table's size allows within about ten seconds."""
    return "nearest" if len(values) <= SOLVED_UP_TO else "search"


def _solved(relations: Any, values: IntArray, *, base: int, further: bool) -> Rounded | None:
    """The whole-number program; None where it has no solution, or none was found in time."""
    n, floor, remainder = len(values), values // base, values % base
    cost, upper = _costs_and_limits(floor, remainder, base=base, further=further)
    enough = Enough(100 if n <= THOROUGH_UP_TO else 1, gap=0.0)
    answer = cheapest(cost, *_sums(relations, floor, further=further), np.zeros(len(cost)), upper, enough=enough)
    if answer.point is None:
        return None
    parts = np.round(answer.point).astype(np.int64).reshape(-1, n)
    multiples = floor + parts[0] + (parts[1] - parts[2] if further else 0)
    proven = 0.0 if answer.bound is None else answer.bound + float(remainder.sum())
    least = None if further else proven
    return _checked(relations, values, base * multiples, least=least)


def _costs_and_limits(
    floor: IntArray, remainder: IntArray, *, base: int, further: bool
) -> tuple[FloatArray, FloatArray]:
    """Of three blocks of variables: to the upper multiple (0 or 1); multiples more; multiples less (where allowed)."""
    cost: FloatArray = (base - 2 * remainder).astype(np.float64)
    limit: FloatArray = (remainder > 0).astype(np.float64)
    if not further:
        return cost, limit
    dear = np.full(len(floor), float(_FURTHER_COST * base))
    endless = np.full(len(floor), np.inf)
    return np.concatenate([cost, dear, dear]), np.concatenate([limit, endless, floor.clip(min=0).astype(float)])


def _sums(relations: Any, floor: IntArray, *, further: bool) -> tuple[Any, FloatArray]:
    """relations @ (up + more - less) == -relations @ floor."""
    from scipy.sparse import hstack

    blocks = [relations, relations, -relations] if further else [relations]
    return hstack(blocks, format="csr").astype(float), -(relations.astype(np.int64) @ floor).astype(float)


def _checked(relations: Any, values: IntArray, rounded: IntArray, *, least: float | None) -> Rounded | None:
    """The solver's answer, unless it doesn't add up in whole numbers. least: proved least sum of changes."""
    if (relations.astype(np.int64) @ rounded).any():
        return None
    changed = np.flatnonzero(rounded != values)
    if least is None:
        return Rounded(rounded, changed, nearest=False, how=FURTHER)
    changes = int(np.abs(rounded - values).sum())
    nearest = changes < least + 1 - 1e-6
    gap = 0.0 if nearest else changes / max(least, 1.0) - 1
    return Rounded(rounded, changed, nearest=nearest, how=NEAREST if nearest else NEARLY, gap=gap)


def _searched(relations: Any, values: IntArray, *, base: int) -> Rounded:
    """Inner cells to one of their two nearest multiples by a search that keeps sums near; sums are added up."""
    fold = folding(relations)
    inner = values[fold.inner]
    mine = np.flatnonzero(inner % base)
    sums = fold.sums[:, mine].tocsr()
    rounded = inner - inner % base
    up = rounded_up(inner[mine] % base, base=base, sums=sums, weights=np.ones(sums.shape[0]), rounds=100_000)
    rounded[mine] += base * up
    result = fold.sums @ rounded
    return Rounded(result, np.flatnonzero(result != values), nearest=False, how=SEARCHED)
