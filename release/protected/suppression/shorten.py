"""Long moves replaced by short ones among the hidden cells near by, so that blocks can be solved one at a time."""

from __future__ import annotations

import numpy as np

from release.protected.suppression.improve import Service, closeness
from release.protected.suppression.probe import Work
from release.protected.suppression.standing import Standing

_LONG = 12
_NEAR = 150
"""Hidden cells among which a short move is sought."""


def shorten(standing: Standing, work: Work) -> None:
    """Drop long moves, the longest first, where each cell that needs one finds short ones among near hidden cells."""
    lengths = {number: len(move.cells) for number, move in standing.moves.items()}
    for number in sorted(lengths, key=lambda name: (-lengths[name], name)):
        if lengths[number] <= _LONG or work.left <= 0:
            return
        _replace(standing, number, work)


def _replace(standing: Standing, number: int, work: Work) -> None:
    """Find other moves for those who need this one; it stays if someone finds none."""
    orphans = sorted({demand.cell for demand in standing.orphans({number})})
    [move] = standing.drop([number])
    served = [_served_near(standing, cell, work) for cell in orphans]
    if not all(served):
        standing.add(move)


def _served_near(standing: Standing, cell: int, work: Work) -> bool:
    """Whether a cell has, or finds near by, all moves that it needs."""
    if not standing.missing_at(cell):
        return True
    near = closeness(standing, np.array([cell]), steps=2)
    hidden = np.flatnonzero(standing.hidden & (near > 0))
    window = np.sort(hidden[np.argsort(-near[hidden], kind="stable")[:_NEAR]])
    work.spend(60)
    return Service.inside(standing, window, work).serve(cell)
