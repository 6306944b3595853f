"""Hidden cells that nobody needs any more are shown again, the dearest first."""

from __future__ import annotations

import numpy as np

from release.protected.suppression.standing import Standing


def needless(standing: Standing) -> None:
    """Drop moves that no cell needs, where that lets a secondary be shown; the dearest secondaries go first."""
    standing.publish_needless()
    secondary = standing.secondary
    for cell in secondary[np.argsort(-standing.question.cost[secondary], kind="stable")].tolist():
        if standing.hidden[cell] and not _needed(standing, cell):
            lost = set(standing.users[cell])
            standing.drop(lost)
            standing.publish_needless()


def _needed(standing: Standing, cell: int) -> bool:
    """Whether some cell that must stay hidden would lack a move, were all moves through this cell gone."""
    lost = set(standing.users.get(cell, ()))
    cells = {other for number in lost for other in standing.moves[number].cells.tolist()} - {cell}
    stays = [other for other in sorted(cells) if standing.question.primary[other] or not standing.users[other] <= lost]
    return any(standing.users[other] <= lost or standing.missing_at(other, lost) for other in stays)
