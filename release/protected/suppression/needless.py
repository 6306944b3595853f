"""Hidden cells that nobody needs any more are shown again, the dearest first."""

from __future__ import annotations

import numpy as np

from release.protected.suppression.standing import Standing

_MANY = 12
"""A cell in more moves than this is never needless in practice, and takes long to try."""


def needless(standing: Standing) -> None:
    """Drop moves that no cell needs, where that lets a secondary be shown; the dearest secondaries go first."""
    standing.publish_needless()
    secondary, kept = standing.secondary, _only_moves(standing)
    for cell in secondary[np.argsort(-standing.question.cost[secondary], kind="stable")].tolist():
        lost = set(standing.users.get(cell, ()))
        if standing.hidden[cell] and len(lost) <= _MANY and kept.isdisjoint(lost) and not _needed(standing, cell, lost):
            standing.drop(lost)
            standing.publish_needless()


def _only_moves(standing: Standing) -> set[int]:
    """Moves that some cell that must be hidden has no other than; so what they change stays hidden."""
    users = (standing.users.get(cell, ()) for cell in np.flatnonzero(standing.question.primary).tolist())
    return {number for numbers in users if len(numbers) == 1 for number in numbers}


def _needed(standing: Standing, cell: int, lost: set[int]) -> bool:
    """Whether some cell that must stay hidden would lack a move, were all moves through this cell gone."""
    cells = {other for number in lost for other in standing.moves[number].cells.tolist()} - {cell}
    stays = [
        other for other in sorted(cells) if standing.question.primary[other] or not standing.users[other].keys() <= lost
    ]
    return any(standing.users[other].keys() <= lost for other in stays) or any(
        standing.missing_at(other, lost) for other in stays
    )
