"""Every sum between the cells of a cube, and whether the published figures bear it out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from release.attack.cube import Cube
from release.attack.published import NO_BOUND, BoolArray
from release.attack.trees import Sum
from release.codes import IntArray

FloatArray = npt.NDArray[np.float64]
AT_A_TIME = 4_000_000
LARGE = 50
_NONE = -1


@dataclass(frozen=True, eq=False)
class Rows:
    """The sums of one `Sum` over the cells of a cube: parents [m]; children [m, c], -1 where there is no such cell."""

    parents: IntArray
    children: IntArray

    def __len__(self) -> int:
        return len(self.parents)

    @property
    def absent(self) -> BoolArray:
        """Sums that lack a child: bool [m]."""
        return np.asarray((self.children == _NONE).any(axis=1), bool)


@dataclass(frozen=True, eq=False)
class Tally:
    """How the figures bear out one sum: rows fully known that hold; rows that can't hold, absent cells being zero."""

    held: int
    held_with_absent: int
    broken: IntArray
    short: BoolArray
    """Rows that would hold if the absent cells weren't zero: bool, one per broken row."""
    telling: int
    """Rows that hold, or may hold, and would hardly do so by chance."""
    bits: float
    """How telling these are together (base 2): 245 = 120 + 125 tells 8 bits, 0 = 0 + 0 tells none."""
    covered: float
    """The largest part of a large known total that its known children make up."""


def rows_of(cube: Cube, d: int, one: Sum) -> Rows:
    """All rows of a sum along dimension d: its parent's cells that have at least one child cell."""
    place = {code: i for i, code in enumerate(cube.dimensions[d].codes)}
    step = cube.steps[d]
    parents = np.flatnonzero(cube.digit(d) == place[one.parent])
    shifts = np.array([(place[child] - place[one.parent]) * step for child in one.children], np.int64)
    found = [cube.place(keys[:, None] + shifts[None, :]) for keys in _pieces(cube.keys[parents], len(shifts))]
    children = np.concatenate([*found, np.empty((0, len(shifts)), np.int64)])
    some = (children != _NONE).any(axis=1)
    return Rows(parents[some].astype(np.int64), children[some].astype(np.int64))


def tally(cube: Cube, rows: Rows, *, unknown: bool = False) -> Tally:
    """Compares each parent with its children; absent cells are zero, or anything where they are `unknown`.

    Bounds are compared where figures are hidden or rounded.
    """
    low, high = _bounds(cube)
    below = np.where(rows.children == _NONE, 0.0, low[rows.children]).sum(axis=1)
    above = np.where(rows.children == _NONE, np.inf if unknown else 0.0, high[rows.children]).sum(axis=1)
    more, less = below > high[rows.parents], above < low[rows.parents]
    exact = (below == above) & cube.known[rows.parents]
    held = exact & ~more & ~less
    broken = np.flatnonzero(more | less)
    short = (less & ~more & rows.absent)[broken]
    whole = np.where(cube.known, low, 0.0)[rows.parents]
    covered = float((below[whole >= LARGE] / whole[whole >= LARGE]).max(initial=0))
    bits = np.where(more | less, 0.0, _bits(low[rows.parents], high[rows.parents], above - below))
    return Tally(
        held=int(held.sum()),
        held_with_absent=int((held & rows.absent).sum()),
        broken=broken.astype(np.int64),
        short=short,
        telling=int((bits > 0).sum()),
        bits=float(bits.sum()),
        covered=covered,
    )


def _bits(low: FloatArray, high: FloatArray, spread: FloatArray) -> FloatArray:
    """How unlikely it is that a total of this size lies by chance within the bounds of its parts, in bits per row."""
    with np.errstate(invalid="ignore"):
        size, loose = np.abs(low + high) / 2, 1 + spread + (high - low)
    finite = np.isfinite(size) & np.isfinite(loose)
    ratio = np.where(finite, size, 0.0) / np.where(finite, loose, 1.0)
    return np.asarray(np.log2(np.maximum(ratio, 1.0)), np.float64)


def _bounds(cube: Cube) -> tuple[FloatArray, FloatArray]:
    low = np.where(np.abs(cube.lower) >= NO_BOUND, -np.inf, cube.lower.astype(np.float64))
    high = np.where(np.abs(cube.upper) >= NO_BOUND, np.inf, cube.upper.astype(np.float64))
    return low, high


def _pieces(keys: IntArray, width: int) -> Iterator[IntArray]:
    size = max(1, AT_A_TIME // max(width, 1))
    for start in range(0, len(keys), size):
        yield keys[start : start + size]


@dataclass(frozen=True, eq=False)
class Entries:
    """Sums as entries of a sparse matrix. slack: rows that get one further unknown part, ascending."""

    row: IntArray
    column: IntArray
    sign: "np.ndarray[tuple[int, ...], np.dtype[np.int8]]"
    count: int
    slack: IntArray


def entries_of(rows: Sequence[tuple[Rows, bool]]) -> Entries:
    """All rows as one matrix; those with absent children of a sum that is partial (True) get an unknown part."""
    row, column, sign, slack, start = [], [], [], [], 0
    for one, partial in rows:
        at, child = np.nonzero(one.children != _NONE)
        row += [at + start, np.arange(len(one)) + start]
        column += [one.children[at, child], one.parents]
        sign += [np.ones(len(at), np.int8), np.full(len(one), -1, np.int8)]
        slack += [np.flatnonzero(one.absent) + start] if partial else []
        start += len(one)
    empty = np.empty(0, np.int64)
    return Entries(
        np.concatenate([*row, empty]).astype(np.int64),
        np.concatenate([*column, empty]).astype(np.int64),
        np.concatenate([*sign, np.empty(0, np.int8)]).astype(np.int8),
        start,
        np.concatenate([*slack, empty]).astype(np.int64),
    )


def unbroken(rows: Rows, broken: IntArray) -> Rows:
    """The rows without those that don't hold."""
    kept = np.setdiff1d(np.arange(len(rows)), broken)
    return Rows(rows.parents[kept], rows.children[kept])


Sums = Mapping[str, Sequence[Sum]]
