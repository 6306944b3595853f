"""Public lists of possible combinations, seen from other levels of their trees."""

import numpy as np
import numpy.typing as npt

from release.codes import IntArray

BoolArray = npt.NDArray[np.bool_]


def any_child(allowed: BoolArray, parent: IntArray, axis: int) -> BoolArray:
    """A list along one axis, one or more levels up: a node is possible if any node below it is."""
    moved = np.moveaxis(allowed, axis, 0)
    out = np.zeros((int(parent.max()) + 1, *moved.shape[1:]), np.bool_)
    np.logical_or.at(out, parent, moved)
    return np.moveaxis(out, 0, axis)
