"""Whole numbers near a fractional solution of a large system of sums, piece by piece.

All numbers are rounded; then each piece changes its own cells, as little as can be, until its own sums hold again. The
rounded numbers are whole, so the corners of these small programs nearly always are; of one program for all they aren't.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from release.codes import IntArray
from release.protected.suppression.corners import Room
from release.protected.suppression.flows import set_bounds, uneven
from release.protected.suppression.integers import program, ready, solved
from release.protected.suppression.joined import fractions
from release.protected.suppression.pieces import last_piece
from release.protected.suppression.question import FloatArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_NEAR = 1e-6
_OUTSIDE = 30.0
"""Price of leaving the bounds by one: few cells do, and moves bring them back later."""
_NO_LIMIT = 2**30
"""Steps of the simplex method."""
_ROUNDS, _FEW_ROUNDS = 20, 3
"""So often amounts are held, at most: where that isn't enough it seldom ends. Few to bring classes back: other cells
may do so at once."""
_SHARES = 0.1, 0.02, 0.0
"""Part of the fractional amounts that are held at whole numbers at once, fewer where that fails, at last one."""
_ROUNDINGS, _LOT = 60, 0.3
"""Roundings of one solution, and how much of one the lot decides: far cheaper than another solution."""


Rounding = Callable[[FloatArray], tuple[IntArray, Room]]
"""Whole numbers near amounts in fractions, [k] each, and the room that is left from there."""


def mended_roundings(point: FloatArray, rounding: Rounding, number: IntArray) -> Iterator[IntArray]:
    """Whole numbers near a solution that keep the sums, int64 [k], as many as are found, the nearest first.

    point: the solution in fractions, [k]. number: as in `mended`. The nearest whole numbers come first. Where a piece
    can't answer these, it and those before it that share its sums are rounded a little up or down by lot, until it can;
    other pieces stay as they were.
    """
    aside = np.zeros(len(point))
    for turn in range(1, _ROUNDINGS + 1):
        near, room = rounding(point + aside)
        missing = np.rint(room.sums @ (point - near)).astype(np.int64)
        change, stuck = mended(room, missing, number)
        if change is not None:
            yield near + change
        again = _asked(room.sums, number, stuck)
        aside[again] = _LOT * (fractions(len(point), turn)[again] - 0.5)


def _asked(sums: csr_array, number: IntArray, piece: int | None) -> IntArray:
    """All of the pieces that a piece shares its sums with; everything where none is named."""
    if piece is None:
        return np.arange(len(number))
    mine = sums[np.flatnonzero(last_piece(sums, number) == piece)]
    return np.flatnonzero(np.isin(number, number[mine.indices]))


def mended(room: Room, missing: IntArray, number: IntArray) -> tuple[IntArray | None, int | None]:
    """A small change with `room.sums @ change == missing`, int64 [k]; or none, and the piece that can't answer.

    missing: int64 [r]. number: int64 [k], the piece of each cell; pieces change in this order, each what others before
    it left. Few cells may end up outside of their room, where a piece can't do without.
    """
    change = np.zeros(len(number), dtype=np.int64)
    of_row = last_piece(room.sums, number)
    for piece in range(int(number.max(initial=-1)) + 1):
        rows, own = np.flatnonzero(of_row == piece), np.flatnonzero(number == piece)
        left = (missing - room.sums @ change)[rows]
        if left.any():
            answer = _answer(room.sums[rows][:, own].tocsr(), left, room.down[own], room.up[own])
            if answer is None:
                return None, piece
            change[own] = answer
    return (change, None) if (room.sums @ change == missing).all() else (None, None)


def brought_inside(room: Room, *, steps: int) -> IntArray | None:
    """A small change within the room that keeps all sums, int64 [k]: classes out of bounds (room below 0) come back.

    steps: of the simplex method, at most. None where there is none, or none was found in whole numbers.
    """
    from scipy.sparse import hstack

    many = len(room.down)
    least = np.concatenate([np.maximum(-room.down, 0), np.maximum(-room.up, 0)])
    most = np.concatenate([np.maximum(room.up, 0), np.maximum(room.down, 0)])
    none = np.zeros(room.sums.shape[0])
    asked = program(np.tile(uneven(np.arange(many)), 2), hstack([room.sums, -room.sums]), none, least, most)
    found = _whole_corner(asked, least, most, steps=steps, rounds=_FEW_ROUNDS)
    return None if found is None else np.array([1, -1]) @ found.reshape(2, many)


def _answer(sums: csr_array, left: IntArray, down: IntArray, up: IntArray) -> IntArray | None:
    """The smallest change that gives each sum what it lacks, within its room where that can be."""
    from scipy.sparse import hstack

    many = len(down)
    cost = np.outer([1, 1, _OUTSIDE, _OUTSIDE], uneven(np.arange(many))).ravel()
    least, most = np.zeros(4 * many), np.concatenate([up, down, np.full(2 * many, np.inf)])
    asked = program(cost, hstack([sums, -sums, sums, -sums]), left.astype(float), least, most)
    found = _whole_corner(asked, least, most)
    return None if found is None else np.array([1, -1, 1, -1]) @ found.reshape(4, many)


def _whole_corner(
    asked: Any, least: FloatArray, most: FloatArray, *, steps: int = _NO_LIMIT, rounds: int = _ROUNDS
) -> IntArray | None:
    """A corner in whole numbers: fractional amounts are held at the nearest ones, a few more each time.

    steps: of the simplex method, at most. rounds: so often amounts are held, at most.
    """
    options = {"presolve": "off", "solver": "simplex", "simplex_strategy": 1, "simplex_iteration_limit": steps}
    model = ready(asked, options)
    point = solved(model)
    for _ in range(rounds):
        if point is None:
            return None
        away = np.abs(point - np.rint(point))
        loose = np.flatnonzero(away > _NEAR)
        if not len(loose):
            return np.rint(point).astype(np.int64)
        point = _held(model, point, loose[np.argsort(away[loose], kind="stable")], (least, most))
    return None


def _held(model: Any, point: FloatArray, loose: IntArray, ends: tuple[FloatArray, FloatArray]) -> FloatArray | None:
    """The solution with some fractional amounts held at the nearest whole numbers; one may go to the other side."""
    for share in _SHARES:
        some = loose[: max(1, int(len(loose) * share))]
        near = np.rint(point[some])
        for held in [near, np.where(near > point[some], near - 1, near + 1)][: 2 if len(some) == 1 else 1]:
            set_bounds(model, some, held, held)
            if (found := solved(model)) is not None:
                return found
        set_bounds(model, some, *(end[some].astype(float) for end in ends))
    return None
