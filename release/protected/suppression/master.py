"""The cheapest cells to hide so that demands are met: an integer program that learns its conditions as it goes.

Which hidden cells protect another is a monotone matter: hiding more never hurts. So a set of hidden cells is safe if it
hits every *cut*, a set of cells one of which must be hidden (with weights where cells are smaller than the width).
Cuts come from `Probe`, first for fractions of cells, then for whole ones. Whatever is added last, the integer program's
own bound is a lower bound of the optimum; and a solution that meets all demands is an optimum.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from release.codes import IntArray
from release.protected.suppression.integers import quiet
from release.protected.suppression.probe import NOBODY, Demand, Probe
from release.protected.suppression.question import BoolArray, FloatArray

_NUDGE = 0.05
"""Added to all shares before cuts are sought: cuts with few cells come out, and far fewer of them are needed."""
_WORTH = 0.02
"""How much a cut must be missed by, to be worth adding."""
_NEAR = 1e-6
FAR = 4
"""How many times the width cells may move, where moves of the width itself don't suffice."""


@dataclass(frozen=True, eq=False)
class Piece:
    """A table, or a block of one, to solve: what is hidden in any case, what may be, what each costs, what is asked."""

    probe: Probe
    fixed: BoolArray
    free: IntArray
    cost: FloatArray
    demands: Sequence[Demand]


class Master:
    """The integer program over the free cells, with the cuts found so far."""

    def __init__(self, piece: Piece) -> None:
        self.piece = piece
        self.least = self.reached = 0.0
        self._loose = np.ones(len(piece.free), dtype=bool)
        self._columns = np.arange(len(piece.free), dtype=np.int32)
        self._known: set[tuple[bytes, bytes]] = set()
        self._cuts: list[FloatArray] = []
        self._model = quiet({})
        self._model.addVars(len(piece.free), np.zeros(len(piece.free)), np.ones(len(piece.free)))
        self._model.changeColsCost(len(piece.free), self._columns, piece.cost[piece.free].astype(float))
        self.shares = piece.fixed.astype(float)

    def relax(self, *, rounds: int, enough: float = np.inf, insiders: bool = True) -> float:
        """Add cuts for fractions of cells until none is missed; the bound then. Stops when the bound is `enough`.

        insiders: also cuts for them and for far moves, which take longer to find than they do good in a block.
        """
        for _ in range(rounds):
            if (
                self.least > enough
                or self.piece.probe.work.left < 0
                or not self.separate(self.piece.demands, insiders=insiders)
            ):
                break
            self._solve()
        return self.least

    def branch(self, *, nodes: int) -> BoolArray:
        """Solve the integer program as it stands, at most so many branches; the cells it would hide."""
        self._kind(whole=True)
        self._model.setOptionValue("mip_max_nodes", nodes)
        self._solve()
        self._kind(whole=False)
        return self.piece.fixed | (self.shares > 0.5)

    def dive(self, demands: Sequence[Demand]) -> BoolArray:
        """From whole shares hide more, cut by cut, until no cut is missed; those cuts stay. What is hidden then."""
        self.shares[self.piece.free] = self.shares[self.piece.free] > 0.5
        first = len(self._cuts)
        waiting = self.separate(demands)
        while waiting and self.piece.probe.work.left > 0:
            self._hit(self._cuts[first:])
            first = len(self._cuts)
            waiting = self.separate(waiting) or self.separate(demands)
        return self.piece.fixed | (self.shares > 0.5)

    def narrow(self, loose: BoolArray, standing: BoolArray) -> None:
        """Only loose cells may differ from a standing pattern, until `widen`; bounds count only in between for it."""
        self._loose = loose[self.piece.free]
        kept = standing[self.piece.free].astype(float)
        low, high = np.where(self._loose, 0.0, kept), np.where(self._loose, 1.0, kept)
        self._model.changeColsBounds(len(self._columns), self._columns, low, high)

    def widen(self) -> None:
        """Any free cell may be hidden or shown again."""
        self.narrow(np.ones(len(self.piece.fixed), dtype=bool), self.piece.fixed)

    def separate(self, demands: Sequence[Demand], *, insiders: bool = True) -> list[Demand]:
        """Add cuts that the shares miss; the demands that showed them. Cuts that are dear to find only when need be."""
        found = self._separate(demands, _NUDGE, self._missing) or self._separate(demands, 0.0, self._missing)
        if found or not insiders:
            return found
        return (
            self._separate(demands, 0.0, self._missing, far=FAR)
            or self._separate(demands, _NUDGE, self._missing_for_insiders)
            or self._separate(demands, 0.0, self._missing_for_insiders, far=FAR)
        )

    def forbid(self, hidden: BoolArray) -> None:
        """Something that this set doesn't hide must be hidden."""
        self._add((~hidden[self.piece.free]).astype(float))

    def _separate(
        self,
        demands: Sequence[Demand],
        nudge: float,
        missing: Callable[[Sequence[Demand]], list[Demand]],
        *,
        far: int = 1,
    ) -> list[Demand]:
        share = self.shares.copy()
        share[self.piece.free] = np.minimum(share[self.piece.free] + nudge, 1)
        share[self.piece.fixed] = 1
        self.piece.probe.open(share, far=far)
        return missing(demands)

    def _missing(self, demands: Sequence[Demand]) -> list[Demand]:
        """Demands that show a cut that the shares miss; what is met by another's change isn't looked at."""
        found, waiting = [], list(demands)
        while waiting:
            demand = waiting.pop(0)
            if self._missed(demand):
                found.append(demand)
            else:
                waiting = self.piece.probe.not_met_too(demand, waiting)
        return found

    def _missing_for_insiders(self, demands: Sequence[Demand]) -> list[Demand]:
        return [demand for demand in demands if self._missed_by_insiders(demand)]

    def _missed(self, demand: Demand) -> bool:
        """Whether the demand shows a cut that the shares miss; it is added."""
        weights = self.piece.probe.cut(demand, self.piece.fixed)
        if weights is None:
            return False
        own = weights[self.piece.free]
        return float(own @ self.shares[self.piece.free]) < 1 - _WORTH and self._add(own)

    def _missed_by_insiders(self, demand: Demand) -> bool:
        """Whether someone alone in a cell of a move that meets the demand shows a cut that the shares miss."""
        shown = [self._missed(other) for other in self.piece.probe.insiders(demand)]
        return any(shown)

    def _hit(self, cuts: Sequence[FloatArray]) -> None:
        """Hide the cells that meet most cuts for their cost, until all of these are met."""
        cost = np.maximum(self.piece.cost[self.piece.free], 1e-9)
        rows = np.array(cuts)
        while len(rows := rows[rows @ self.shares[self.piece.free] < 1 - _WORTH]):
            gain = rows.sum(axis=0) * (self._loose & (self.shares[self.piece.free] < 0.5)) / cost
            best = int(np.argmax(gain))
            if gain[best] <= 0:
                return
            self.shares[self.piece.free[best]] = 1.0

    def _add(self, weights: FloatArray) -> bool:
        """Add a cut, very small weights taken off its right side; False when it is known already."""
        small = weights < _NEAR
        at = np.flatnonzero(~small).astype(np.int32)
        name = (at.tobytes(), np.round(weights[at], 6).tobytes())
        if name in self._known or not len(at):
            return False
        self._known.add(name)
        kept = np.where(small, 0.0, weights)
        self._cuts.append(kept)
        self._model.addRow(1.0 - _NEAR - float(weights[small].sum()), np.inf, len(at), at, kept[at])
        return True

    def _solve(self) -> None:
        self._model.run()
        found: Any = self._model.getInfo()
        whole = found.mip_node_count >= 0
        self.reached = float(found.mip_dual_bound if whole else found.objective_function_value)
        if self._loose.all():
            self.least = max(self.least, self.reached)
        solution = self._model.getSolution()
        if solution.value_valid:
            self.shares[self.piece.free] = np.clip(np.array(solution.col_value), 0, 1)
        steps, cuts = max(int(found.simplex_iteration_count), 0), len(self._known)
        self.piece.probe.work.spend(steps * (0.3 + cuts / 1500) + (100 + cuts / 3 if whole else 5))

    def _kind(self, *, whole: bool) -> None:
        import highspy

        kind = highspy.HighsVarType.kInteger if whole else highspy.HighsVarType.kContinuous
        self._model.changeColsIntegrality(len(self._columns), self._columns, np.array([kind] * len(self._columns)))


def unmet(probe: Probe, hidden: BoolArray, demands: Sequence[Demand]) -> tuple[list[Demand], list[IntArray]]:
    """Demands that no move inside the hidden cells meets, and whole-number moves that meet the others."""
    probe.open(hidden.astype(float), far=FAR)
    moves: list[IntArray] = []
    missing: list[Demand] = []
    rest = list(demands)
    while rest:
        demand = rest.pop(0)
        found = probe.moves(demand)
        if found is None:
            missing.append(demand)
            continue
        moves.extend(found)
        rest = [other for other in rest if not _meets(found, other, probe.alone)]
    return missing, moves


def unmet_by_anyone(probe: Probe, hidden: BoolArray, demands: Sequence[Demand]) -> list[Demand]:
    """Demands that no move meets, with those of insiders who are in all moves found for a cell."""
    missing, moves = unmet(probe, hidden, demands)
    while not missing:
        inside = [other for demand in demands for other in _insiders(moves, demand, probe)]
        if not inside:
            break
        missing, more = unmet(probe, hidden, inside)
        moves += more
    return missing


def _insiders(moves: list[IntArray], demand: Demand, probe: Probe) -> list[Demand]:
    """Those alone in a cell who are in all moves of the demand's cell, but for those who know it beforehand."""
    if demand.still != NOBODY:
        return []
    through = [set(probe.alone[np.flatnonzero(move)].tolist()) for move in moves if move[demand.cell]]
    known = set.intersection(*through) - {NOBODY} - probe.known_to[demand.cell] if through else set()
    return [Demand(demand.cell, 1, person) for person in sorted(known)]


def _meets(moves: list[IntArray], demand: Demand, alone: IntArray) -> bool:
    calm = [move for move in moves if demand.still < 0 or not move[alone == demand.still].any()]
    ends = [0, *(int(move[demand.cell]) for move in calm)]
    return max(ends) - min(ends) >= demand.width
