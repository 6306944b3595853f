"""The thorough engine: the fast engine's pattern, improved block by block while there is work left to spend."""

from __future__ import annotations

from collections.abc import Sequence

from release.protected.suppression.flows import Move
from release.protected.suppression.improve import Reach, improve
from release.protected.suppression.probe import Work
from release.protected.suppression.question import Pattern, Question
from release.protected.suppression.standing import Standing

_REACHES = (Reach(8, 40, 200), Reach(12, 50, 250), Reach(16, 60, 300), Reach(20, 80, 350), Reach(24, 100, 400))
"""Blocks grow from pass to pass; the last size is used until no work is left, or a pass finds nothing."""
WORK = 600_000.0
"""Units of work to spend by default: about three minutes on one core."""


def thorough(question: Question, moves: Sequence[Move], *, work: float = WORK) -> Pattern:
    """A cheaper safe pattern than the one that `moves` make. The same moves and work give the same pattern."""
    standing = Standing.of(question, moves)
    standing.publish_needless()
    left = Work(work)
    for turn, reach in enumerate(_REACHES):
        improve(standing, left, reach=reach, seed=turn)
    return standing.pattern()
