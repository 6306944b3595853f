"""A pattern of a small table made cheaper, neighbourhood by neighbourhood; one master program keeps all cuts."""

from __future__ import annotations

import numpy as np

from release.protected.suppression.improve import closeness
from release.protected.suppression.master import Master, unmet_by_anyone
from release.protected.suppression.question import BoolArray
from release.protected.suppression.standing import Standing

_SMALLEST, _LARGEST = 0.25, 0.7
"""Part of the secondaries that may be shown again in one neighbourhood."""
_ROUNDS = 25
_NEAR = 1e-6


def refine(master: Master, standing: Standing, *, enough: float, bound: float) -> BoolArray:
    """Cells to hide, no dearer than now: neighbourhoods, drawn by lot, grow while nothing is found in them.

    master: of the whole table. Ends when `enough` work is left, the cost is the bound, or the largest finds nothing.
    """
    rng = np.random.default_rng(0)
    hidden, part, work = standing.hidden.copy(), _SMALLEST, master.piece.probe.work
    while work.left > enough and part <= _LARGEST and _cost(master, hidden) > bound + _NEAR:
        master.narrow(_neighbourhood(standing, hidden, part, rng), hidden)
        found = _cheaper(master, hidden)
        part = _SMALLEST if found is not None else part + 0.01
        hidden = hidden if found is None else found
    master.widen()
    return hidden


def _neighbourhood(standing: Standing, hidden: BoolArray, part: float, rng: np.random.Generator) -> BoolArray:
    """Secondaries near one of them, and about as many open cells near those."""
    secondary = np.flatnonzero(hidden & ~standing.question.primary)
    near = _spread(standing, rng.choice(secondary, 1), rng)
    released = secondary[np.argsort(-near[secondary], kind="stable")[: max(4, round(part * len(secondary)))]]
    shown = np.flatnonzero(~hidden & ~standing.question.publish)
    near = _spread(standing, released, rng)
    offered = shown[np.argsort(-near[shown], kind="stable")[: max(30, round(1.5 * len(released)))]]
    loose = np.zeros(len(hidden), dtype=bool)
    loose[released] = loose[offered] = True
    return loose


def _spread(standing: Standing, start: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return closeness(standing, start, steps=2) * (0.3 + rng.random(len(standing.question)))


def _cost(master: Master, hidden: BoolArray) -> float:
    free = master.piece.free
    return float(master.piece.cost[free] @ hidden[free])


def _cheaper(master: Master, hidden: BoolArray) -> BoolArray | None:
    """The cheapest safe pattern in the neighbourhood, if it is cheaper and the rounds suffice."""
    piece, now = master.piece, _cost(master, hidden)
    most = now - (1.0 if (piece.cost == np.rint(piece.cost)).all() else _NEAR * now) + _NEAR
    for _ in range(_ROUNDS):
        found = master.branch(nodes=50)
        if master.reached > most or piece.probe.work.left < 0:
            return None
        missing = unmet_by_anyone(piece.probe, found, piece.demands)
        deeper = master.dive(missing) if missing else found
        if _cost(master, deeper) <= most and (not missing or not unmet_by_anyone(piece.probe, deeper, piece.demands)):
            return deeper
        if not (deeper & ~found).any():
            return None
    return None
