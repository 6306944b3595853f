"""A safe pattern made cheaper, block by block: a few hidden cells are shown again, what then lacks protection is
protected anew as cheaply as can be, exactly, by the integer program of `master`; kept when it costs less."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from release.codes import IntArray
from release.protected.suppression.fast import movable
from release.protected.suppression.flows import Flows, Move
from release.protected.suppression.master import FAR, Master, Piece, unmet_by_anyone
from release.protected.suppression.probe import NOBODY, Demand, Probe, Work
from release.protected.suppression.question import BoolArray, Question
from release.protected.suppression.standing import Standing

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_TRIES = 8
_LOOKED_AT = 4
"""Secondaries that are tried for a block, for each that it may hold: where moves are long, few fit."""


@dataclass(frozen=True)
class Reach:
    """How large blocks are: cells shown again, cells offered instead, all cells that may move; work for one block."""

    released: int = 8
    offered: int = 80
    columns: int = 300
    work: float = 2000.0


@dataclass(frozen=True, eq=False)
class Block:
    """Part of a table. cells: [k] rising. released, offered: bool [k]. demands: in the block's own numbers."""

    cells: IntArray
    released: BoolArray
    offered: BoolArray
    demands: tuple[Demand, ...]
    lost: frozenset[int]


def improve(standing: Standing, work: Work, *, reach: Reach = Reach(), seed: int | None = None) -> None:
    """Solve blocks until each secondary was in one; changes `standing`. The dearest first, or by lot with a seed."""
    rng = np.random.default_rng(seed or 0)
    settled = np.zeros(len(standing.question), dtype=bool)
    secondary = standing.secondary
    dearest = secondary[np.argsort(-standing.question.cost[secondary], kind="stable")]
    for cell in (dearest if seed is None else rng.permutation(secondary)).tolist():
        if work.left <= 0:
            break
        while standing.hidden[cell] and not settled[cell] and work.left > 0:
            block = around(standing, cell, reach, rng)
            if block is None or not improved(standing, block, work, most=reach.work):
                settled[[cell] if block is None else block.cells[block.released]] = True


def improved(standing: Standing, block: Block, work: Work, *, most: float) -> bool:
    """Solve a block with at most so much of the work; whether that made the pattern cheaper."""
    own = Work(min(work.left, most))
    sums, known_to = sums_of(standing.question, block.cells), map(standing.question.known_to, block.cells.tolist())
    room, alone = standing.room[block.cells], standing.alone[block.cells]
    probe = Probe(sums, room, alone=alone, known_to=list(known_to), work=own)
    hidden = _cheaper(standing, block, probe)
    done = hidden is not None and _settle(standing, block, hidden, own)
    work.spend(own.spent + 20)
    return done


def around(standing: Standing, cell: int, reach: Reach, rng: np.random.Generator) -> Block | None:
    """The block around a secondary: near secondaries released, what they protect, near cells offered instead."""
    near = closeness(standing, np.array([cell]), steps=3) * (0.3 + rng.random(len(standing.question)))
    secondary = standing.secondary
    ranked = secondary[np.argsort(-near[secondary], kind="stable")]
    released, lost = _fitting(standing, ranked[near[ranked] > 0], reach)
    if not len(released):
        return None
    demands = standing.orphans(lost)
    needed = _supports(standing, demands)
    open_cells = np.flatnonzero(~standing.hidden & ~standing.question.publish)
    near = closeness(standing, np.union1d(released, needed), steps=2) * (0.5 + rng.random(len(near)))
    offered = _best(open_cells, near, reach.offered)
    helping = _best(np.flatnonzero(standing.hidden), near, reach.columns)
    cells, _ = movable(standing.columns, np.unique(np.concatenate([released, needed, offered, helping])))
    return _block(standing, cells, (released, offered), demands, lost)


def closeness(standing: Standing, start: IntArray, *, steps: int) -> np.ndarray:
    """How often a walk through shared sums, from any of the start cells, comes by each cell, [n]."""
    spread, gather = standing.walk
    weight = np.zeros(len(standing.question))
    weight[start] = 1.0
    total = weight
    for _ in range(steps):
        weight = gather @ (spread @ weight)
        total = total + weight
    return total


def _fitting(standing: Standing, ranked: IntArray, reach: Reach) -> tuple[IntArray, set[int]]:
    """As many of the nearest secondaries as the block can hold with all the moves that they carry."""
    chosen: list[int] = []
    lost: set[int] = set()
    touched: set[int] = set()
    for cell in ranked[: _LOOKED_AT * reach.released].tolist():
        more = standing.users.get(cell, {}).keys() - lost
        wider = touched.union(*(standing.moves[number].cells.tolist() for number in more))
        if len(wider) > reach.columns:
            continue
        chosen.append(cell)
        lost, touched = lost | more, wider
        if len(chosen) == reach.released:
            break
    return np.array(sorted(chosen), dtype=np.int64), lost


def _supports(standing: Standing, demands: Sequence[Demand]) -> IntArray:
    numbers = sorted(standing.moves_through({demand.cell for demand in demands}))
    parts = [standing.moves[number].cells for number in numbers]
    return np.unique(np.concatenate(parts)) if parts else np.zeros(0, np.int64)


def _best(cells: IntArray, near: np.ndarray, number: int) -> IntArray:
    some = cells[near[cells] > 0]
    return some[np.argsort(-near[some], kind="stable")[:number]]


def _block(
    standing: Standing, cells: IntArray, ways: tuple[IntArray, IntArray], demands: list[Demand], lost: set[int]
) -> Block:
    released, offered = (np.isin(cells, way) for way in ways)
    primary = standing.question.primary
    inner = tuple(
        replace(demand, cell=int(np.searchsorted(cells, demand.cell))) for demand in demands if primary[demand.cell]
    )
    return Block(cells, released, offered, inner, frozenset(lost))


def sums_of(question: Question, cells: IntArray) -> csr_array:
    """The sums between some cells, all others standing still."""
    part = question.relations[:, cells].tocsr()
    return part[np.flatnonzero(np.diff(part.indptr))]


def _cheaper(standing: Standing, block: Block, probe: Probe) -> BoolArray | None:
    """Cells of the block to hide, safe and cheaper than now; None if there are none or none was found."""
    question = standing.question
    hidden = standing.hidden[block.cells]
    free = np.flatnonzero(block.released | block.offered)
    cost = question.cost[block.cells]
    piece = Piece(probe, hidden & ~block.released, free, cost, block.demands)
    now = float(cost[block.released].sum())
    return solved(piece, below=now - _step(cost[free]))


def _step(cost: np.ndarray) -> float:
    """The least by which a cheaper pattern is cheaper."""
    return 1.0 if (cost == np.rint(cost)).all() else 1e-6 * float(cost.sum())


def solved(piece: Piece, *, below: float, rounds: int = 25, nodes: int = 50) -> BoolArray | None:
    """The cheapest safe set of a piece, if it costs at most `below` and the rounds suffice."""
    master = Master(piece)
    most = below + 1e-6
    if master.relax(rounds=rounds, enough=most, insiders=False) > most:
        return None
    for _ in range(rounds):
        hidden = master.branch(nodes=nodes)
        if master.least > most or piece.probe.work.left < 0:
            return None
        missing = unmet_by_anyone(piece.probe, hidden, piece.demands)
        if missing:
            deeper = master.dive(missing)
            if not (deeper & ~hidden).any():
                master.forbid(hidden)
            hidden = deeper
        if piece.cost[piece.free] @ hidden[piece.free] <= most and not (
            missing and unmet_by_anyone(piece.probe, hidden, piece.demands)
        ):
            return hidden
    return None


def _settle(standing: Standing, block: Block, hidden: BoolArray, work: Work) -> bool:
    """Put a cheaper solution in place, with new short moves; everything as before, and False, if that fails."""
    before, first = standing.hidden.copy(), standing.next_number
    gone = standing.drop(sorted(block.lost))
    standing.hidden[block.cells] = hidden
    touched = np.unique(np.concatenate([block.cells, *(move.cells for move in gone)]))
    asked = block.cells[[demand.cell for demand in block.demands]]
    if all_served(standing, block.cells[hidden], asked, work):
        standing.publish_needless(touched)
        return True
    standing.drop(range(first, standing.next_number))
    for move in gone:
        standing.add(move)
    standing.hidden = before
    return False


def all_served(standing: Standing, cells: IntArray, asked: IntArray, work: Work) -> bool:
    """Find moves inside some hidden cells: for those who asked, then for others that have a use and lack something."""
    service = Service.inside(standing, cells, work)
    if not all(service.serve(cell) for cell in asked.tolist()):
        return False
    return all(service.serve(cell) for cell in cells.tolist() if standing.users.get(cell))


@dataclass(eq=False)
class Service:
    """Short moves inside some cells, for whoever lacks one. lost: moves that count no more."""

    standing: Standing
    cells: IntArray
    flows: Flows
    work: Work
    lost: frozenset[int]

    @classmethod
    def inside(cls, standing: Standing, cells: IntArray, work: Work) -> Service:
        """Moves inside these cells only, each as short as can be; through cells of someone alone only at need."""
        most = FAR * float(standing.question.width[cells].max(initial=1))
        flows = Flows(
            sums_of(standing.question, cells),
            cost=np.where(standing.alone[cells] == NOBODY, 1.0, 3.0),
            down=standing.room[cells],
            up=np.full(len(cells), np.inf),
            reach=most,
        )
        return cls(standing, cells, flows, work, frozenset())

    def serve(self, cell: int) -> bool:
        """Add moves until the cell lacks nothing; whether that succeeded."""
        for _ in range(_TRIES):
            missing = self.standing.missing_at(cell, self.lost)
            if not missing:
                return True
            move = self._found(cell, missing)
            if move is None or not self.use(move):
                return False
        return False

    def use(self, move: Move) -> bool:
        """Remember a move; whether it may be used."""
        self.standing.add(move)
        return True

    def _found(self, cell: int, missing: list[Demand]) -> Move | None:
        people = [demand.still for demand in missing if demand.still != NOBODY]
        at = int(np.searchsorted(self.cells, cell))
        for still in [people, *([people[:1]] if len(people) > 1 else [])]:
            quiet = np.flatnonzero(np.isin(self.standing.alone[self.cells], still))
            for amount in _amounts(missing[0], self.standing.ends_of(cell, self.lost)):
                self.work.spend(1 + len(self.cells) / 50)
                move = self.flows.cheapest(at, amount, still=quiet)
                if move is not None:
                    return Move(self.cells[move.cells], move.change)
        return None


def _amounts(demand: Demand, reached: tuple[int, int]) -> list[int]:
    """Changes to try: to the full width from what is reached already, up or down, or half of the way."""
    low, high = reached if demand.still == NOBODY else (0, 0)
    up, down = demand.width + low, demand.width - high
    return [amount for amount in (up, -down, up // 2, -(down // 2)) if amount != 0]
