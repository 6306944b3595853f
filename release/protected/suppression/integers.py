"""Integer programs by HiGHS itself: the copy of it inside scipy prints lines of its own that no option keeps back."""

from __future__ import annotations

from collections.abc import Mapping
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


@dataclass(frozen=True)
class Enough:
    """When a search ends: after so many branches, or so near to what is proven, as a fraction of it."""

    nodes: int
    gap: float = 1e-4


def cheapest(
    cost: FloatArray, matrix: Any, total: FloatArray, low: FloatArray, high: FloatArray, *, enough: Enough
) -> Best:
    """The cheapest whole numbers found until it is enough, with `matrix @ x == total` and `low <= x <= high`."""
    from highspy import HighsVarType

    whole = program(cost, matrix, total, low, high)
    whole.integrality_ = [HighsVarType.kInteger] * len(cost)
    model = ready(whole, {"mip_max_nodes": enough.nodes, "mip_rel_gap": enough.gap})
    model.run()
    found = model.getInfo()
    there = found.primal_solution_status == _FEASIBLE
    bound = float(found.mip_dual_bound)
    return Best(np.array(model.getSolution().col_value) if there else None, bound if np.isfinite(bound) else None)


def program(cost: FloatArray, matrix: Any, total: FloatArray, low: FloatArray, high: FloatArray) -> Any:
    """The linear program `matrix @ x == total`, `low <= x <= high`, as HiGHS wants it; the cost is to be least."""
    import highspy

    columns = matrix.tocsc()
    made = highspy.HighsLp()
    made.num_row_, made.num_col_ = matrix.shape
    made.col_cost_, made.col_lower_, made.col_upper_ = (np.asarray(a, float) for a in (cost, low, high))
    made.row_lower_ = made.row_upper_ = np.asarray(total, float)
    made.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    made.a_matrix_.start_, made.a_matrix_.index_ = columns.indptr, columns.indices
    made.a_matrix_.value_ = columns.data.astype(float)
    return made


def ready(program: Any, options: Mapping[str, Any]) -> Any:
    """A quiet HiGHS that holds a program."""
    model = quiet(options)
    model.passModel(program)
    return model


def solved(model: Any) -> FloatArray | None:
    """The best point of a program as it stands; None where there is none, or it wasn't reached."""
    from highspy import HighsModelStatus

    model.run()
    optimal = model.getModelStatus() == HighsModelStatus.kOptimal
    return np.array(model.getSolution().col_value) if optimal else None


def quiet(options: Mapping[str, Any]) -> Any:
    """A HiGHS that prints nothing and uses one thread, so that answers are the same on any number of cores."""
    import highspy

    model = highspy.Highs()
    for option, value in {"output_flag": False, "threads": 1, "random_seed": 1, **options}.items():
        model.setOptionValue(option, value)
    return model
