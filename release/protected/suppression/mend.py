"""Whole numbers near a fractional solution of a large system of sums, piece by piece.

All numbers are rounded; then each piece changes its own cells, as little as can be, until its own sums hold again. The
rounded numbers are whole, so the corners of these small programs nearly always are; of one program for all they aren't.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from release.codes import IntArray
from release.protected.suppression.corners import Room
from release.protected.suppression.flows import set_bounds
from release.protected.suppression.integers import program, ready
from release.protected.suppression.pieces import last_piece
from release.protected.suppression.question import FloatArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_NEAR = 1e-6
_OUTSIDE = 30.0
"""Price of leaving the bounds by one: few cells do, and moves bring them back later."""
_SHARES = 0.1, 0.02, 0.0
"""Part of the fractional amounts that are held at whole numbers at once, fewer where that fails, at last one."""


def mended(room: Room, missing: IntArray, number: IntArray) -> IntArray | None:
    """A small change with `room.sums @ change == missing`, int64 [k]; None where these steps find none.

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
                return None
            change[own] = answer
    return change if (room.sums @ change == missing).all() else None


def _answer(sums: csr_array, left: IntArray, down: IntArray, up: IntArray) -> IntArray | None:
    """The smallest change that gives each sum what it lacks, within its room where that can be."""
    from scipy.sparse import hstack

    many = len(down)
    uneven = 1 + (np.arange(many) * 7919 % 101) / 1000
    cost = np.concatenate([uneven, uneven, _OUTSIDE * uneven, _OUTSIDE * uneven])
    most = np.concatenate([up, down, np.full(2 * many, np.inf)])
    asked = program(cost, hstack([sums, -sums, sums, -sums]), left.astype(float), np.zeros(4 * many), most)
    model = ready(asked, {"presolve": "off", "solver": "simplex", "simplex_strategy": 1})
    found = _whole_corner(model, most)
    return None if found is None else np.array([1, -1, 1, -1]) @ found.reshape(4, many)


def _whole_corner(model: Any, most: FloatArray) -> IntArray | None:
    """A corner in whole numbers: fractional amounts are held at the nearest ones, a few more each time."""
    point = _solved(model)
    while point is not None:
        away = np.abs(point - np.rint(point))
        loose = np.flatnonzero(away > _NEAR)
        if not len(loose):
            return np.rint(point).astype(np.int64)
        point = _held(model, point, loose[np.argsort(away[loose], kind="stable")], most)
    return None


def _held(model: Any, point: FloatArray, loose: IntArray, most: FloatArray) -> FloatArray | None:
    """The solution with some fractional amounts held at the nearest whole numbers; one may go to the other side."""
    for share in _SHARES:
        some = loose[: max(1, int(len(loose) * share))]
        near = np.rint(point[some])
        for held in [near, np.where(near > point[some], near - 1, near + 1)][: 2 if len(some) == 1 else 1]:
            set_bounds(model, some, held, held)
            if (found := _solved(model)) is not None:
                return found
        set_bounds(model, some, np.zeros(len(some)), most[some])
    return None


def _solved(model: Any) -> FloatArray | None:
    from highspy import HighsModelStatus

    model.run()
    optimal = model.getModelStatus() == HighsModelStatus.kOptimal
    return np.array(model.getSolution().col_value) if optimal else None
