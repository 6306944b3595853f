"""What is asked of an engine, what it gives, and what it says when it can't.

*Safe* means: every hidden cell has a whole-number *move*, a change of the hidden cells alone that keeps every sum and
no cell under its lower bound, in which it changes; so two tables that agree with all that is published differ there.
At a primary cell two such tables (the truth is one, if wanted) differ by at least its width. For someone `alone` in a
cell, who knows it, all other hidden cells still have a move that leaves his cells as they are.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from release.codes import IntArray
from release.errors import UtfallError
from release.protected.suppression.knowing import known_beforehand

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from release.protected.suppression.structure import System

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
Effort = Literal["fast", "thorough"]
CostKind = Literal["count", "value", "logarithm"]
Insiders = Literal["nobody", "primary", "hidden"]


class Unprotectable(UtfallError):  # noqa: N818 (reads as what it is)
    """No pattern of hidden cells protects what must be hidden, given what must be shown."""

    exit_code = 3
    title = "Not protectable"


@dataclass(frozen=True, eq=False)
class Question:
    """A system of exact tables to protect; everything the office knows, nothing of persons.

    relations: int8 [m, n], one sum a row (-1 total, +1 parts). values: int64 [n], whole numbers of the smallest unit.
    primary: bool [n], must be hidden. width: int64 [n], how far two possible tables must differ at a primary; every
    other hidden cell needs 1. cost: float64 [n], of hiding a cell. publish: bool [n], must be shown. lower: int64 [n],
    what everyone knows a hidden cell to be at least (1 where zeros are printed). alone: int64 [n], a number for the one
    contributor of the cell who knows himself, -1 elsewhere; the same number in several cells is one person or holding.
    insiders: which cells those who are alone somewhere must not learn: primary ones, or all hidden ones. system: keys
    of the cells, where they come from crossed trees; the engine then looks in the neighbourhood first.
    """

    relations: csr_array
    values: IntArray
    primary: BoolArray
    width: IntArray
    cost: FloatArray
    publish: BoolArray
    lower: IntArray
    alone: IntArray | None = None
    insiders: Insiders = "primary"
    system: System | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.values)

    def known_to(self, cell: int) -> frozenset[int]:
        """Who knows a cell beforehand, whatever is hidden: who is alone in it, or in a total that leaves it nothing."""
        return self._knowing.get(cell, frozenset())

    @cached_property
    def _knowing(self) -> dict[int, frozenset[int]]:
        if self.alone is None:
            return {}
        people: dict[int, set[int]] = defaultdict(set)
        for person, cells in known_beforehand(self.relations, self.values, self.lower, self.alone).items():
            for cell in cells:
                people[cell].add(person)
        return {cell: frozenset(names) for cell, names in people.items()}

    def guarded(self, cell: int) -> bool:
        """Whether no insider may learn this cell."""
        return self.insiders == "hidden" or (self.insiders == "primary" and bool(self.primary[cell]))

    @classmethod
    def of_counts(cls, system: System, values: IntArray, *, primary: BoolArray, cost: CostKind = "value") -> Question:
        """Counts with printed zeros: hidden cells are at least 1, two possible tables differ by 1."""
        n = len(values)
        return cls(
            relations=system.relations,
            values=values,
            primary=primary,
            width=np.ones(n, dtype=np.int64),
            cost=cost_of(cost, values),
            publish=np.zeros(n, dtype=bool),
            lower=np.ones(n, dtype=np.int64),
            system=system,
        )


@dataclass(frozen=True, eq=False)
class Pattern:
    """Which cells to hide, and why that is safe: whole-number moves from the true table. Stays in the office.

    hidden: bool [n]. moves: int64 [k, n], one move a row. high, low: int32 [n], the moves in which a hidden cell is
    highest and lowest, -1 for the truth as it stands. bound: proven least cost of any safe pattern, where there is one.
    """

    hidden: BoolArray
    moves: csr_array
    high: npt.NDArray[np.int32]
    low: npt.NDArray[np.int32]
    cost: float
    bound: float | None = None

    @property
    def gap(self) -> float | None:
        """How much more than the proven bound this costs, as a fraction; None without a bound."""
        if self.bound is None:
            return None
        return 0.0 if self.cost <= self.bound else self.cost / max(self.bound, 1e-9) - 1

    def range_at(self, cell: int) -> tuple[int, int]:
        """Lowest and highest change of a hidden cell over its two witnesses."""
        ends = [
            0 if move < 0 else int(self.moves[[int(move)], [cell]][0]) for move in (self.low[cell], self.high[cell])
        ]
        return ends[0], ends[1]


def cost_of(kind: CostKind, values: IntArray, *, margins: FloatArray | None = None) -> FloatArray:
    """Cost of hiding each cell: one ("count"), its value, or 1 + log n. margins: the policy's factor per cell."""
    size = np.maximum(np.abs(values), 1).astype(np.float64)
    cost = {"count": np.ones_like(size), "value": size, "logarithm": 1 + np.log(size)}[kind]
    return cost if margins is None else cost * margins
