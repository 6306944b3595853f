"""Residuals over trees: what each level of an attribute adds to its parent, in whole numbers.

Node i of a family of c siblings with counts x has the residual r_i = x_i - (sum of the family) / c. Its integer form
c x_i - (sum of the family) = c r_i is what is measured. Over several attributes the operations apply axis by axis
(Kronecker product). Arrays have one axis per entry of a combination; the empty combination is a 0-d array.
Proof of sensitivity and of invertibility: docs/proofs/residuals.md.
"""

from collections.abc import Collection, Iterable, Mapping
from itertools import product
from math import prod
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from release.codes import Attribute, IntArray, Level
from release.policy.policy import Combination

FloatArray = npt.NDArray[np.float64]
Attributes = Mapping[str, Attribute]
Scalar = TypeVar("Scalar", bound=np.generic)

_LARGEST_EXACT = 2**62


def downward_closure(combinations: Iterable[Combination]) -> tuple[Combination, ...]:
    """All combinations at or above the given ones, coarsest first; the empty one (everybody) is always among them."""
    closed: set[Combination] = {()}
    for combination in combinations:
        for levels in product(*(range(level + 1) for _, level in combination)):
            names = (name for name, _ in combination)
            closed.add(tuple((name, level) for name, level in zip(names, levels, strict=True) if level))
    return tuple(sorted(closed, key=lambda c: (len(c), c)))


def levels_of(combination: Combination, attributes: Attributes) -> tuple[Level, ...]:
    """The levels, one per axis."""
    return tuple(attributes[name].levels[number] for name, number in combination)


def shape_of(combination: Combination, attributes: Attributes) -> tuple[int, ...]:
    """Number of nodes on each axis."""
    return tuple(len(level) for level in levels_of(combination, attributes))


def cells_in(combination: Combination, attributes: Attributes) -> int:
    """Number of cells of the combination's array."""
    return prod(shape_of(combination, attributes))


def integer_residuals(counts: IntArray, combination: Combination, attributes: Attributes) -> IntArray:
    """The integer residuals of exact counts: along each axis, c x_i minus the sum of the family."""
    return _centred(counts, levels_of(combination, attributes))


def recentred(noisy: IntArray, combination: Combination, attributes: Attributes) -> FloatArray:
    """Noisy integer residuals, projected back on the space of residuals, in persons.

    The noise in the constant direction of each family holds no signal; taking it away leaves r plus noise of covariance
    s^2 / prod(c)^2 times the Kronecker product of (I - 11'/c). Exact in integers until the one division at the end, so
    that the bytes are the same on every machine.
    """
    levels = levels_of(combination, attributes)
    growth = prod(2 * int(level.siblings.max()) for level in levels)
    largest = int(np.abs(noisy).max(initial=0))
    exact = noisy if largest * growth < _LARGEST_EXACT else noisy.astype(object)
    return _centred(exact, levels).astype(np.float64) / sibling_product(levels) ** 2


def _centred(values: IntArray, levels: Collection[Level]) -> IntArray:
    for axis, level in enumerate(levels):
        siblings = along(level.siblings, axis, values.ndim)
        values = values * siblings - family_sums(values, level, axis).take(level.parent, axis=axis)
    return values


def family_sums(values: IntArray, level: Level, axis: int) -> IntArray:
    """Sums over the children of each parent along one axis. Exact for integers."""
    order = np.argsort(level.parent, kind="stable")
    starts = np.flatnonzero(np.diff(level.parent[order], prepend=-1))
    sums: IntArray = np.add.reduceat(values.take(order, axis=axis), starts, axis=axis)
    return sums


def sibling_product(levels: Collection[Level]) -> FloatArray:
    """Product over the axes of each cell's numbers of siblings (broadcast to the cells' shape)."""
    factors = (along(level.siblings.astype(np.float64), axis, len(levels)) for axis, level in enumerate(levels))
    out = np.ones((1,) * len(levels))
    for factor in factors:
        out = out * factor
    return out


def along(values: npt.NDArray[Scalar], axis: int, dimensions: int) -> npt.NDArray[Scalar]:
    """A vector laid along one axis of an array of so many dimensions."""
    return values.reshape([-1 if a == axis else 1 for a in range(dimensions)])


def accumulate(
    residuals: Mapping[Combination, FloatArray],
    attributes: Attributes,
    *,
    power: int = 1,
    along_only: Collection[str] | None = None,
) -> dict[Combination, FloatArray]:
    """From residuals to counts (power 1), or from variances of residuals to variances of counts (power 2).

    A count is its residual plus its parent's count divided by the number of siblings; axis after axis, each level takes
    over the level above it, so that every table of a downward-closed set comes out of one pass. `along_only` restricts
    the pass to some attributes. Independent noise in each residual makes variances add up with squared weights.
    """
    arrays = {combination: array.copy() for combination, array in residuals.items()}
    for name in attributes:
        if along_only is None or name in along_only:
            for combination in sorted(arrays, key=lambda c: dict(c).get(name, 0)):
                if name in dict(combination):
                    _take_over_parent(arrays, combination, attributes[name], power)
    return arrays


def _take_over_parent(
    arrays: dict[Combination, FloatArray], combination: Combination, attribute: Attribute, power: int
) -> None:
    axis = [name for name, _ in combination].index(attribute.name)
    number = combination[axis][1]
    level = attribute.levels[number]
    above = tuple((n, v - 1 if n == attribute.name else v) for n, v in combination if n != attribute.name or v > 1)
    over = arrays[above]
    parent = np.expand_dims(over, axis) if number == 1 else over.take(level.parent, axis=axis)
    own = arrays[combination]
    own += parent / along(level.siblings.astype(np.float64) ** power, axis, own.ndim)
