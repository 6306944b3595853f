"""One pull at many classes of cells at once: a linear program over all of them, rounded, and mended piece by piece."""

from __future__ import annotations

import numpy as np

from release.codes import IntArray
from release.protected.suppression.corners import Room
from release.protected.suppression.integers import program, ready
from release.protected.suppression.joined import fractions
from release.protected.suppression.mend import mended
from release.protected.suppression.question import FloatArray

FAR = 16
"""Further than this no class is pulled in one go."""
_BEGUN = 1e-3
_LITTLE = 0.001
"""Cost of moving a class that nobody pulls at, as part of the reward for one that is pulled."""


def pulled_whole(room: Room, box: Room, reward: FloatArray, number: IntArray, *, held: bool) -> IntArray | None:
    """A whole-number change that keeps the sums and gets far where it earns, int64 [k]; None where none was found.

    room: how far classes may change; few may end up outside of it. box: how far they are pulled. reward: of a rise by
    one, 0 where nobody pulls. number: the piece of each class. held: mending leaves classes where they were pulled to.
    """
    point = _corner(box, reward)
    if point is None:
        return None
    near = _rounded(point, reward)
    still = (reward != 0) & (near != 0) & held
    left = Room(room.sums, np.where(still, 0, room.down + near), np.where(still, 0, room.up - near))
    change = mended(left, np.rint(room.sums @ (point - near)).astype(np.int64), number)
    return None if change is None else near + change


def _rounded(point: FloatArray, reward: FloatArray) -> IntArray:
    """The nearest whole numbers; a class that is pulled moves by one at least, where it moves at all."""
    near, begun = np.rint(point), (reward != 0) & (np.abs(point) > _BEGUN)
    return np.where(begun & (near == 0), np.sign(point), near).astype(np.int64)


def _corner(box: Room, reward: FloatArray) -> FloatArray | None:
    """The change in fractions that earns most, where moving other classes costs a little."""
    from highspy import HighsModelStatus
    from scipy.sparse import hstack

    many = len(reward)
    cost = np.where(reward == 0, _LITTLE * (1 + fractions(many, 0)), 0.0)
    asked = program(
        np.concatenate([cost - reward, cost + reward]),
        hstack([box.sums, -box.sums]),
        np.zeros(box.sums.shape[0]),
        np.zeros(2 * many),
        np.concatenate([box.up, box.down]).astype(float),
    )
    model = ready(asked, {"solver": "ipm"})
    model.run()
    if model.getModelStatus() != HighsModelStatus.kOptimal:
        return None
    return np.array([1.0, -1.0]) @ np.reshape(model.getSolution().col_value, (2, many))
