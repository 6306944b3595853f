"""Integer programs by HiGHS itself: the copy of it inside scipy prints lines of its own that no option keeps back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

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
