"""The thorough engine: the fast engine's pattern, improved block by block while there is work left to spend.

Small tables also get a proven bound; each step towards it sketches which cells are worth hiding, and a pattern started
from that sketch is often cheaper still.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from release.protected.suppression.bound import Sketch, sketches
from release.protected.suppression.fast import fast
from release.protected.suppression.flows import Move
from release.protected.suppression.improve import Reach, improve
from release.protected.suppression.probe import Work
from release.protected.suppression.question import Pattern, Question
from release.protected.suppression.standing import Standing

_REACHES = (Reach(8, 40, 200), Reach(12, 50, 250), Reach(16, 60, 300), Reach(20, 80, 350), Reach(24, 100, 400))
"""Blocks grow from pass to pass."""
SMALL = 700
"""Up to so many cells a bound is proven."""


def thorough(question: Question, moves: Sequence[Move], *, work: float | None = None) -> Pattern:
    """A cheaper safe pattern than the one that `moves` make, with a proven bound if small (`SMALL`).

    work: units to spend, about 5,000 a second on one core; by default grown with the table. The same question, moves
    and work give the same pattern on any machine.
    """
    left = Work(_usual_work(question) if work is None else work)
    if len(question) <= SMALL:
        return _with_bound(question, moves, left)
    standing = _started(question, moves)
    for turn, reach in enumerate(_REACHES):
        improve(standing, left, reach=reach, seed=turn)
    return standing.pattern()


def _usual_work(question: Question) -> float:
    return min(1_100_000.0, 200_000.0 + 50 * len(question))


def _started(question: Question, moves: Sequence[Move]) -> Standing:
    standing = Standing.of(question, moves)
    standing.publish_needless()
    return standing


def _with_bound(question: Question, moves: Sequence[Move], work: Work) -> Pattern:
    """Several starts: the given one, then one from each sketch of the bound; the cheapest is improved further."""
    best, bound, share = _started(question, moves), 0.0, Work(work.left / 4)
    improve(best, work, reach=_REACHES[0])
    for turn, sketch in enumerate(sketches(question, share)):
        bound = max(bound, sketch.least)
        if best.cost <= bound or work.left < 0:
            break
        other = _guided(question, sketch)
        improve(other, work, reach=_REACHES[turn % 3], seed=turn)
        best = min(best, other, key=lambda standing: standing.cost)
    for turn, reach in enumerate(_REACHES):
        if best.cost > bound:
            improve(best, work, reach=reach, seed=100 + turn)
    return best.pattern(min(bound, best.cost))


def _guided(question: Question, sketch: Sketch) -> Standing:
    """A pattern of the fast engine that finds cheap what the sketch would hide."""
    moves = fast(replace(question, cost=question.cost * (1.02 - sketch.shares)))
    return _started(question, moves)
