"""Which small units make up which large ones, from the published figures alone: an integer program."""

from collections.abc import Sequence

import numpy as np

from release.attack.cube import Cube
from release.attack.trees import Sum
from release.codes import IntArray

MOST_LINES = 40
MOST_PAIRS = 20_000
SECONDS = 20


def assigned(cube: Cube, d: int, upper: Sequence[str], lower: Sequence[str]) -> tuple[Sum, ...]:
    """Each lower code in one upper code, so that the figures add up; none where no such assignment is found."""
    if len(upper) * len(lower) > MOST_PAIRS:
        return ()
    large, small = _known_lines(cube, d, upper), _known_lines(cube, d, lower)
    lines = np.intersect1d(large[0], small[0])
    if not len(lines):
        return ()
    whole = large[1][np.searchsorted(large[0], lines)]
    parts = small[1][np.searchsorted(small[0], lines)]
    inside = _solved(whole[:MOST_LINES], parts[:MOST_LINES])
    if inside is None:
        return ()
    members = [tuple(code for code, i in zip(lower, inside, strict=True) if i == k) for k in range(len(upper))]
    return tuple(Sum(code, found) for code, found in zip(upper, members, strict=True) if found)


def _known_lines(cube: Cube, d: int, codes: Sequence[str]) -> tuple[IntArray, IntArray]:
    """Lines across dimension d in which every code's figure is known (absent is zero): (their keys, figures [l, c])."""
    place = {code: i for i, code in enumerate(cube.dimensions[d].codes)}
    digit, step = cube.digit(d), cube.steps[d]
    rest = cube.keys - digit * step
    wanted = np.array([place[code] for code in codes], np.int64)
    mine = np.isin(digit, wanted)
    lines, row = np.unique(rest[mine], return_inverse=True)
    order = np.argsort(wanted)
    column = order[np.searchsorted(wanted[order], digit[mine])]
    figures = np.zeros((len(lines), len(codes)), np.int64)
    figures[row, column] = cube.lower[mine]
    unknown = np.zeros(len(lines), bool)
    np.logical_or.at(unknown, row, ~cube.known[mine])
    return lines[~unknown], figures[~unknown]


def _solved(whole: IntArray, parts: IntArray) -> IntArray | None:
    """For each part the number of the whole that holds it: whole [l, a] == sums of parts [l, b] by assignment."""
    from scipy.optimize import LinearConstraint, milp
    from scipy.sparse import block_diag, csr_array, kron

    large, small = whole.shape[1], parts.shape[1]
    each_once = kron(np.ones((1, large)), csr_array(np.eye(small)))
    adds_up = block_diag([csr_array(parts.astype(float))] * large)
    sums = whole.T.ravel().astype(float)
    result = milp(
        np.zeros(large * small),
        integrality=np.ones(large * small),
        bounds=(0, 1),
        constraints=[LinearConstraint(each_once, 1, 1), LinearConstraint(adds_up, sums, sums)],
        options={"time_limit": SECONDS},
    )
    if result.x is None:
        return None
    return np.asarray(np.rint(result.x).reshape(large, small).argmax(axis=0), np.int64)
