"""One warm program answers every question as a program made for that question alone does."""

from __future__ import annotations

import numpy as np
import pytest

from release.protected.suppression.flows import Flows, uneven
from release.protected.suppression.structure import Hierarchy, crossed

SYSTEM = crossed(
    {
        "a": [Hierarchy.flat("a", ["a1", "a2", "a3", "a4"])],
        "b": [Hierarchy.flat("b", ["b1", "b2", "b3"])],
        "c": [Hierarchy.flat("c", ["c1", "c2"])],
    }
)


def _flows(seed: int) -> Flows:
    rng = np.random.default_rng(seed)
    many = len(SYSTEM)
    cost = rng.integers(1, 50, many) * uneven(np.arange(many))
    down = rng.integers(0, 4, many).astype(float)
    return Flows(SYSTEM.relations, cost=cost, down=down, up=np.full(many, np.inf), reach=3.0)


def _asked(flows: Flows, question: np.random.Generator) -> tuple[float, bool] | None:
    """What the cheapest move of a drawn question costs, some cells standing still, and whether it keeps its bounds."""
    cell, amount = int(question.integers(flows.number)), int(question.choice([-1, 1, 2, 3]))
    still = np.flatnonzero(question.random(flows.number) < 0.2)
    move = flows.cheapest(cell, amount, still=still)
    if move is None:
        return None
    kept = not np.isin(np.setdiff1d(still, cell), move.cells).any() and bool(
        (move.change >= -flows.room[move.cells]).all()
    )
    return round(float(np.abs(move.change) @ flows.cost[move.cells] / abs(move.at(cell))), 6), kept


@pytest.mark.parametrize("seed", range(6))
def test_a_question_leaves_nothing_behind_for_the_next(seed: int) -> None:
    warm = _flows(seed)
    found = [_asked(warm, np.random.default_rng([seed, turn])) for turn in range(40)]
    assert found == [_asked(_flows(seed), np.random.default_rng([seed, turn])) for turn in range(40)]
    assert any(one is None for one in found)
    assert all(one[1] for one in found if one is not None)
