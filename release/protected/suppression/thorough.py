"""The thorough engine: the fast engine's pattern, improved block by block while there is work left to spend.

Small tables also get a proven bound; each step towards it sketches which cells are worth hiding, and a pattern started
from that sketch is often cheaper still.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from release.protected.suppression.bound import Sketch, proven, sketches, whole_table
from release.protected.suppression.fast import fast
from release.protected.suppression.flows import Move
from release.protected.suppression.improve import Reach, all_served, improve
from release.protected.suppression.master import Master
from release.protected.suppression.needless import needless
from release.protected.suppression.probe import Work
from release.protected.suppression.question import BoolArray, Pattern, Question
from release.protected.suppression.refine import refine
from release.protected.suppression.shorten import shorten
from release.protected.suppression.spare import spare
from release.protected.suppression.standing import Standing

_REACHES = (Reach(8, 60, 250, 3000), Reach(8, 80, 500, 6000), Reach(12, 60, 300, 8000), Reach(20, 120, 600, 12000))
"""Sizes of blocks; which one saves most for its work depends on the table."""
_SLICE = 0.02
"""Part of the work after which the size of blocks is chosen anew."""
_NODES = 1500
"""Branches for the last bound, which has all cuts that the refinement found."""
_BOUND_SHARE = 0.4
"""Part of the work that goes into the bound."""
SMALL = 700
"""Up to so many cells a bound is proven."""


def thorough(question: Question, moves: Sequence[Move], *, work: float | None = None) -> Pattern:
    """A cheaper safe pattern than the one that `moves` make, with a proven bound if small (`SMALL`).

    work: units to spend, about 5,000 to 10,000 a second on one core; by default grown with the table. The same
    question, moves and work give the same pattern on any machine.
    """
    left = Work(_usual_work(question) if work is None else work)
    if len(question) <= SMALL:
        return _with_bound(question, moves, left)
    standing = _started(question, moves)
    spare(standing, left, steps=1)
    spare(standing, left, steps=2)
    shorten(standing, left)
    _improve_by_turns(standing, left)
    return standing.pattern()


def _improve_by_turns(standing: Standing, work: Work) -> None:
    """Blocks of the size that saved most for its work when it was last tried; ends when no size saves anything."""
    rates, turn, most = [np.inf] * len(_REACHES), 0, _SLICE * work.left
    while work.left > 0 and max(rates) > 0:
        which, before, own = int(np.argmax(rates)), standing.cost, Work(min(work.left, most))
        improve(standing, own, reach=_REACHES[which], seed=turn)
        work.spend(own.spent)
        rates[which], turn = (before - standing.cost) / max(own.spent, 1.0), turn + 1


def _usual_work(question: Question) -> float:
    """More for larger tables; less again for those where a unit takes longer, since its programs are larger."""
    return min(1_700_000.0, 400_000.0 + 600 * len(question), 1e10 / len(question))


def _started(question: Question, moves: Sequence[Move]) -> Standing:
    standing = Standing.of(question, moves)
    needless(standing)
    return standing


def _with_bound(question: Question, moves: Sequence[Move], work: Work) -> Pattern:
    """Several starts, the cheapest refined in the master program that also gives the bound."""
    all_work = work.left
    master = Master(whole_table(question, work))
    best, bound = _best_start(question, moves, master, enough=(1 - _BOUND_SHARE) * all_work)
    hidden = refine(master, best, enough=0.1 * all_work, bound=bound)
    bound = max(bound, proven(question, master, nodes=_NODES))
    refined = _inside(question, hidden, work)
    best = best if refined is None or refined.cost > best.cost else refined
    if best.cost > bound:
        improve(best, work, reach=_REACHES[0])
    return best.pattern(min(bound, best.cost))


def _best_start(question: Question, moves: Sequence[Move], master: Master, *, enough: float) -> tuple[Standing, float]:
    """The cheapest pattern to start from, and the proven bound; leaves `enough` work."""
    best, bound, work = _started(question, moves), 0.0, master.piece.probe.work
    for sketch in sketches(question, master, enough=enough):
        bound = max(bound, sketch.least)
        others = (_guided(question, sketch), _inside(question, question.primary | (sketch.shares > 0.5), work))
        best = min([best, *(other for other in others if other)], key=lambda standing: standing.cost)
        if best.cost <= bound:
            break
    return best, bound


def _guided(question: Question, sketch: Sketch) -> Standing:
    """A pattern of the fast engine that finds cheap what the sketch would hide."""
    moves = fast(replace(question, cost=question.cost * (1.02 - sketch.shares)))
    return _started(question, moves)


def _inside(question: Question, hidden: BoolArray, work: Work) -> Standing | None:
    """A pattern that hides no other cells than these; None if that isn't safe."""
    standing = Standing.of(question, [])
    standing.hidden = hidden.copy()
    if not all_served(standing, np.flatnonzero(hidden), np.flatnonzero(question.primary), work):
        return None
    needless(standing)
    return standing
