"""Which cells of exact tables to hide besides those that must be: the one function that others call."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from release.codes import IntArray
from release.errors import DataError, UtfallError, roughly
from release.protected.suppression.boxes import Boxes
from release.protected.suppression.clean import Joined, joined
from release.protected.suppression.fast import LITTLE, fast
from release.protected.suppression.flows import Move
from release.protected.suppression.improve import Reach, improve
from release.protected.suppression.needless import needless
from release.protected.suppression.pieces import Pieces, pieces_of
from release.protected.suppression.probe import Work
from release.protected.suppression.question import BoolArray, Effort, Pattern, Question
from release.protected.suppression.spare import spare
from release.protected.suppression.standing import Standing

_WHOLE_AT_ONCE = 7_000
"""Up to so many cells (after joining) each program looks at the whole system: cheaper patterns for more time."""
_IMPROVED = 12_000
"""Up to so many cells the fast engine solves blocks of its pattern: in larger ones moves are too long for blocks."""
_PIECES: dict[Effort, tuple[int, ...]] = {"fast": (3_000, 9_000, 25_000), "thorough": (9_000, 25_000)}
"""Cells of a piece: smaller pieces are faster, and find dearer moves; what they can't serve is left to larger ones."""
_LITTLE_ACROSS_TREES = 0.03
_LITTLE_IN_PIECES: dict[Effort, float] = {"fast": 0.1, "thorough": 0.03}
"""As `LITTLE`, where moves must be short."""
_WORK_PER_CELL, _WORK = 20.0, 40_000.0
"""Work of the fast engine on making its pattern cheaper: about ten seconds at most."""


def protect(question: Question, *, effort: Effort = "fast") -> Pattern:
    """The cells to hide, with moves that show each of them to be safe (`question` says what safe means).

    effort: "fast" serves cell by cell; "thorough" improves that pattern as long as it pays. Deterministic. Raises
    DataError on a question that can't be meant, Unprotectable when no pattern is safe.
    """
    _refuse_nonsense(question)
    smaller = joined(question)
    cuts, branches = _cuts(smaller, question, effort)
    little = _little(question, effort, in_pieces=bool(cuts))
    moves = fast(smaller.question, cuts=cuts, branches=branches, little=little)
    pattern = _finished(smaller.question, moves, effort)
    whole = replace(smaller.spread(pattern), cost=pattern.cost)
    _refuse_unsafe(question, whole)
    return whole


def _finished(question: Question, moves: list[Move], effort: Effort) -> Pattern:
    if effort == "thorough":
        from release.protected.suppression.thorough import thorough

        return thorough(question, moves)
    standing = Standing.of(question, moves)
    needless(standing)
    _made_cheaper(standing, Work(min(_WORK_PER_CELL * len(question), _WORK)))
    return standing.pattern()


def _made_cheaper(standing: Standing, work: Work) -> None:
    """Within the work: dear secondaries shown again, looking near and less near; then small blocks solved exactly."""
    spare(standing, work, steps=1)
    spare(standing, work, steps=2)
    if len(standing.question) <= _IMPROVED:
        improve(standing, work, reach=Reach())


def _little(question: Question, effort: Effort, *, in_pieces: bool) -> float:
    if question.system is not None and any(len(trees) > 1 for trees in question.system.hierarchies):
        return _LITTLE_ACROSS_TREES
    return _LITTLE_IN_PIECES[effort] if in_pieces else LITTLE


def _cuts(smaller: Joined, question: Question, effort: Effort) -> tuple[list[Pieces], list[IntArray]]:
    """Large systems in pieces, small ones and larger ones, and in branches; none where one program holds all anyway."""
    if question.system is None or len(smaller.question) <= _WHOLE_AT_ONCE:
        return [], []
    boxes = Boxes(question.system, smaller.group)
    return [pieces_of(smaller.question, boxes, most=most) for most in _PIECES[effort]], boxes.branches


def unsafe(question: Question, pattern: Pattern) -> BoolArray:
    """Hidden cells that the pattern's own moves don't show to be safe from outsiders. bool [n]; by whole numbers.

    A move that breaks a sum, a bound or a published cell counts for nothing.
    """
    good = _good_moves(question, pattern)
    ends = []
    for which in (pattern.high, pattern.low):
        end = np.zeros(len(question), dtype=np.int64)
        cells = np.flatnonzero(which >= 0)
        if len(cells):
            end[cells] = np.asarray(pattern.moves[which[cells], cells]).ravel() * good[which[cells]]
        ends.append(end)
    width = np.where(question.primary, question.width, 1)
    return pattern.hidden & (ends[0] - ends[1] < width)


def _good_moves(question: Question, pattern: Pattern) -> BoolArray:
    moves = pattern.moves.tocoo()
    good = np.ones(pattern.moves.shape[0], dtype=bool)
    shown = ~pattern.hidden[moves.col]
    fallen = question.values[moves.col] + moves.data < question.lower[moves.col]
    good[moves.row[shown | fallen]] = False
    broken = (question.relations.astype(np.int64) @ pattern.moves.T.tocsr()).tocoo()
    good[broken.col[broken.data != 0]] = False
    return good


def _refuse_unsafe(question: Question, pattern: Pattern) -> None:
    faults = int(unsafe(question, pattern).sum()) + int((question.primary & ~pattern.hidden).sum())
    if faults or (pattern.hidden & question.publish).any():
        raise UtfallError(f"the engine's pattern isn't safe at cells ({roughly(faults)}): our own fault")


def _refuse_nonsense(question: Question) -> None:
    broken = int(np.count_nonzero(question.relations.astype(np.int64) @ question.values))
    if broken:
        raise DataError(f"sums of the table don't hold ({roughly(broken)})", now="correct the table, or its trees")
    low = int((question.primary & (question.values < question.lower)).sum())
    if low:
        raise DataError(f"hidden cells lie under their known lower bound ({roughly(low)})")
