"""The thorough engine against trying everything: all moves of a tiny table, all sets of cells that might be hidden."""

from dataclasses import dataclass
from itertools import product

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from release.protected.suppression.bound import lower_bound, whole_table
from release.protected.suppression.clean import joined
from release.protected.suppression.probe import Work
from release.protected.suppression.protect import protect
from release.protected.suppression.question import Question, Unprotectable

QUICK = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@dataclass(frozen=True)
class Everything:
    """All moves of a table with every inner change from -2 to 2, as bit masks of the cells that change."""

    question: Question
    masks: np.ndarray
    changes: np.ndarray

    def inside(self, hidden: int, still: int = 0) -> int:
        """Cells that some move changes, of those that change hidden cells only and none of `still`."""
        fits = (self.masks & (~hidden | still)) == 0
        return int(np.bitwise_or.reduce(self.masks[fits], initial=0))

    def safe(self, hidden: int, insiders: list[int] = []) -> bool:  # noqa: B006
        outsiders = self.inside(hidden) & hidden == hidden
        primary = bits(self.question.primary)
        return outsiders and all(primary & ~one & ~self.inside(hidden, one) == 0 for one in insiders)

    def cheapest(self, insiders: list[int]) -> float | None:
        primary, cost = bits(self.question.primary), self.question.cost
        free = np.flatnonzero(~self.question.primary)
        least = None
        for choice in product([0, 1], repeat=len(free)):
            cells = free[np.array(choice, bool)]
            if (least is None or cost[cells].sum() < least) and self.safe(primary | bits_of(cells), insiders):
                least = float(cost[cells].sum())
        return least


def bits(flags):
    return bits_of(np.flatnonzero(flags))


def bits_of(cells):
    return sum(1 << int(cell) for cell in cells)


def cross(inner: np.ndarray, *, value: bool = False, alone: bool = False) -> Question:
    """A table of inner counts (no zeros) with all its margins."""
    codes = [range(-1, size) for size in inner.shape]
    keys = list(product(*codes))
    place = {key: at for at, key in enumerate(keys)}
    values = np.array([inner[tuple(slice(None) if c < 0 else c for c in key)].sum() for key in keys])
    rows = []
    for key in keys:
        for axis, code in enumerate(key):
            if code < 0:
                row = np.zeros(len(keys), np.int8)
                row[place[key]] = -1
                row[[place[(*key[:axis], c, *key[axis + 1 :])] for c in range(inner.shape[axis])]] = 1
                rows.append(row)
    n = len(keys)
    return Question(
        relations=csr_array(np.array(rows)),
        values=values.astype(np.int64),
        primary=values <= 2,
        width=np.ones(n, np.int64),
        cost=values.astype(float) if value else np.ones(n),
        publish=np.zeros(n, bool),
        lower=np.ones(n, np.int64),
        alone=np.where(values == 1, np.arange(n), -1) if alone else None,
    )


def everything(inner: np.ndarray, question: Question) -> Everything:
    shape = inner.shape
    keys = list(product(*(range(-1, size) for size in shape)))
    moves = np.array(list(product(range(-2, 3), repeat=inner.size))).reshape(-1, *shape)
    axes = [tuple(axis for axis, code in enumerate(key) if code < 0) for key in keys]
    changes = np.stack(
        [
            moves[(slice(None), *(slice(None) if c < 0 else c for c in key))].reshape(len(moves), -1).sum(axis=1)
            if axis
            else moves[(slice(None), *key)]
            for key, axis in zip(keys, axes, strict=True)
        ],
        axis=1,
    )
    allowed = ((changes == 0) | (question.values + changes >= question.lower)).all(axis=1)
    changes = changes[allowed]
    masks = ((changes != 0) * (1 << np.arange(len(keys), dtype=np.int64))).sum(axis=1)
    return Everything(question, masks, changes)


counts = st.lists(st.integers(1, 9), min_size=6, max_size=6).map(lambda x: np.array(x).reshape(2, 3))
cubes = st.lists(st.integers(1, 9), min_size=8, max_size=8).map(lambda x: np.array(x).reshape(2, 2, 2))


def insiders_of(question):
    return [1 << int(cell) for cell in np.flatnonzero(question.alone >= 0)] if question.alone is not None else []


@QUICK
@given(counts, st.booleans(), st.booleans())
def test_bound_optimum_and_pattern_stand_in_this_order(inner, value, alone):
    question = cross(inner, value=value, alone=alone)
    every = everything(inner, question)
    optimum = every.cheapest(insiders_of(question))
    if optimum is None:
        with pytest.raises(Unprotectable):
            protect(question, effort="thorough")
        return
    pattern = protect(question, effort="thorough")
    cost = question.cost[pattern.hidden & ~question.primary].sum()
    assert every.safe(bits(pattern.hidden), insiders_of(question))
    assert pattern.bound is None or pattern.bound <= optimum + 1e-6
    assert lower_bound(joined(question).question, work=20_000) <= optimum + 1e-6
    assert optimum <= cost <= 1.05 * optimum + 1e-9


@QUICK
@given(cubes)
def test_cubes_are_safe_and_not_under_their_bound(inner):
    question = cross(inner)
    every = everything(inner, question)
    if not every.safe(bits(np.ones(len(question), bool))):
        return
    pattern = protect(question, effort="thorough")
    assert every.safe(bits(pattern.hidden))
    assert pattern.bound is not None
    assert pattern.bound <= pattern.cost


@QUICK
@given(counts, st.integers(0, 2**12 - 1))
def test_every_safe_set_meets_every_cut(inner, chosen):
    """And a set that a cut refuses isn't safe: the twin of the test above, one cut at a time."""
    question = cross(inner)
    hidden = question.primary | np.array([chosen >> cell & 1 for cell in range(len(question))], bool)
    every = everything(inner, question)
    piece = whole_table(question, Work(1e6))
    piece.probe.open(np.where(hidden, 1.0, 0.05))
    safe = bool(every.safe(bits(hidden)))
    for demand in piece.demands:
        weights = piece.probe.cut(demand, question.primary)
        if weights is not None and safe:
            assert weights @ hidden >= 1 - 1e-6
