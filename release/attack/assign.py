"""Which small units make up which large ones, from the published figures alone: an integer program."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from release.attack.cube import Cube
from release.attack.published import NO_BOUND
from release.attack.trees import Sum
from release.codes import IntArray

MOST_LINES = 400
MOST_PAIRS = 6_000
SECONDS = 15


@dataclass(frozen=True, eq=False)
class _Lines:
    """Bounds of the cells of some codes along lines across their dimension; absent cells are zero. [l, codes]."""

    keys: IntArray
    lower: IntArray
    upper: IntArray


def assigned(cube: Cube, d: int, upper: Sequence[str], lower: Sequence[str]) -> tuple[Sum, ...]:
    """Each lower code in one upper code, where the figures allow only one such assignment; else none."""
    if len(upper) * len(lower) > MOST_PAIRS:
        return ()
    large, small = _lines(cube, d, upper), _lines(cube, d, lower)
    keys, mine, other = np.intersect1d(large.keys, small.keys, return_indices=True)
    telling = np.argsort(-(small.lower == small.upper).sum(axis=1)[other], kind="stable")[:MOST_LINES]
    if not len(keys):
        return ()
    inside = _only_fit(_cut(large, mine[telling]), _cut(small, other[telling]))
    if inside is None:
        return ()
    members = [tuple(code for code, i in zip(lower, inside, strict=True) if i == k) for k in range(len(upper))]
    return tuple(Sum(code, found) for code, found in zip(upper, members, strict=True) if found)


def _lines(cube: Cube, d: int, codes: Sequence[str]) -> _Lines:
    place = {code: i for i, code in enumerate(cube.dimensions[d].codes)}
    digit = cube.digit(d)
    wanted = np.array([place[code] for code in codes], np.int64)
    mine = np.isin(digit, wanted)
    keys, row = np.unique((cube.keys - digit * cube.steps[d])[mine], return_inverse=True)
    order = np.argsort(wanted)
    column = order[np.searchsorted(wanted[order], digit[mine])]
    lower, upper = np.zeros((2, len(keys), len(codes)), np.int64)
    lower[row, column], upper[row, column] = cube.lower[mine], cube.upper[mine]
    return _Lines(keys, np.maximum(lower, 0), upper)


def _cut(lines: _Lines, kept: IntArray) -> _Lines:
    return _Lines(lines.keys[kept], lines.lower[kept], lines.upper[kept])


def _only_fit(large: _Lines, small: _Lines) -> IntArray | None:
    """For each small unit the large one that holds it; None unless exactly one assignment fits all lines."""
    constraints = _constraints(large, small)
    shape = large.lower.shape[1], small.lower.shape[1]
    first = _solved(np.zeros(shape), constraints)
    if first is None:
        return None
    other = _solved(first, constraints)
    if other is None or (other * first).sum() < first.sum() - 0.5:
        return None
    return np.asarray(first.argmax(axis=0), np.int64)


def _solved(cost: npt.NDArray[np.float64], constraints: Sequence[Any]) -> npt.NDArray[np.float64] | None:
    """The cheapest assignment as a matrix of 0 and 1, [large, small]; None unless it is proven to be the cheapest."""
    from scipy.optimize import milp

    result = milp(
        cost.ravel(),
        integrality=np.ones(cost.size),
        bounds=(0, 1),
        constraints=constraints,
        options={"time_limit": SECONDS},
    )
    return np.rint(result.x).reshape(cost.shape) if result.status == 0 else None


def _constraints(large: _Lines, small: _Lines) -> list[Any]:
    """Each small unit in one large one; what is known of the parts of each large one fits what is known of it."""
    from scipy.optimize import LinearConstraint
    from scipy.sparse import block_diag, csr_array, kron

    wholes, parts = large.lower.shape[1], small.lower.shape[1]
    roof = np.minimum(small.upper, _most(large)).astype(float)
    each_once = kron(np.ones((1, wholes)), csr_array(np.eye(parts)))
    at_least = block_diag([csr_array(small.lower.astype(float))] * wholes)
    at_most = block_diag([csr_array(roof)] * wholes)
    return [
        LinearConstraint(each_once, 1, 1),
        LinearConstraint(at_least, -np.inf, np.where(large.upper >= NO_BOUND, np.inf, large.upper).T.ravel()),
        LinearConstraint(at_most, large.lower.T.ravel().astype(float), np.inf),
    ]


def _most(large: _Lines) -> int:
    """The largest figure that is known at all: no part is larger."""
    return int(np.where(large.upper >= NO_BOUND, 0, large.upper).max(initial=0))
