"""Integer and warm linear programs by HiGHS itself: the copy of it inside scipy prints lines of its own that no option keeps back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

_MANY = 10_000
"""Unknowns from which on an interior point method, with a corner at its end, is faster than the simplex method."""
_FEASIBLE = 2
"""What HiGHS says of a solution that keeps all rows and bounds."""


@dataclass(frozen=True, eq=False)
class Best:
    """point: float [n], the best whole numbers found, None where none were. bound: least cost proven, if any."""

    point: FloatArray | None
    bound: float | None


def cheapest(
    cost: FloatArray, matrix: Any, total: FloatArray, low: FloatArray, high: FloatArray, *, nodes: int
) -> Best:
    """The cheapest whole numbers with `matrix @ x == total` and `low <= x <= high`, after at most so many branches."""
    ready = quiet()
    ready.setOptionValue("mip_max_nodes", nodes)
    ready.passModel(_program(cost, matrix, total, low, high))
    ready.run()
    found = ready.getInfo()
    there = found.primal_solution_status == _FEASIBLE
    bound = float(found.mip_dual_bound)
    return Best(np.array(ready.getSolution().col_value) if there else None, bound if np.isfinite(bound) else None)


def warm(cost: FloatArray, matrix: Any, low: FloatArray, high: FloatArray) -> Any:
    """A linear program `matrix @ x == 0, low <= x <= high` that starts, from its second run, where the last one ended.

    Large ones begin with an interior point method that ends in a corner.
    """
    ready = quiet()
    ready.setOptionValue("solver", "simplex" if len(cost) < _MANY else "ipm")
    program = _program(cost, matrix, np.zeros(matrix.shape[0]), low, high)
    program.integrality_ = []
    ready.passModel(program)
    return ready


def solved(ready: Any) -> FloatArray | None:
    """The cheapest corner of a warm program; None where none is found."""
    from highspy import HighsModelStatus

    ready.run()
    for option, value in {"solver": "simplex", "presolve": "off"}.items():
        ready.setOptionValue(option, value)
    if ready.getModelStatus() != HighsModelStatus.kOptimal:
        return None
    return np.array(ready.getSolution().col_value)


def _program(cost: FloatArray, matrix: Any, total: FloatArray, low: FloatArray, high: FloatArray) -> Any:
    import highspy

    columns = matrix.tocsc()
    program = highspy.HighsLp()
    program.num_row_, program.num_col_ = matrix.shape
    program.col_cost_, program.col_lower_, program.col_upper_ = (np.asarray(a, float) for a in (cost, low, high))
    program.row_lower_ = program.row_upper_ = np.asarray(total, float)
    program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    program.a_matrix_.start_, program.a_matrix_.index_ = columns.indptr, columns.indices
    program.a_matrix_.value_ = columns.data.astype(float)
    program.integrality_ = [highspy.HighsVarType.kInteger] * len(cost)
    return program


def quiet() -> Any:
    """A HiGHS that prints nothing and uses one thread, so that answers are the same on any number of cores."""
    import highspy

    ready = highspy.Highs()
    for option, value in {"output_flag": False, "threads": 1, "random_seed": 1}.items():
        ready.setOptionValue(option, value)
    return ready
