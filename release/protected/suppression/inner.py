"""The office's inner check of a pattern: with the true figures and the true rules, before anything is published.

The public certificate shows that no hidden cell is known. It can't tell which cells a rule hides, nor ask for what
hangs on the truth. So the office checks two things by itself, and what comes out of it stays there: cells that a rule
of concentration hides can lie so far *above* the truth that the rule would hold (`highest_found`), and sums that rules
judge but no table shows, complements of group disclosure, are as open as asked (`faults_inside`).
"""

from dataclasses import replace
from typing import Any

import numpy as np

from release.codes import IntArray
from release.errors import roughly
from release.protected.suppression.boxes import branches_of
from release.protected.suppression.certificate import Uncertified, certify, sums_of
from release.protected.suppression.question import BoolArray, Effort, Pattern, Question
from release.protected.suppression.verify import verify
from release.protected.suppression.view import NO_BOUND, View, outsider
from release.protected.suppression.whole import NEAR, Sums, corner, whole, whole_anywhere


def protect_upwards(question: Question, upward: IntArray, *, effort: Effort) -> Pattern:
    """A pattern in which readers must think each cell possible that lies `upward` [n] above the truth (0: no demand).

    The engine asks that two possible tables differ by the width; both may lie below the truth. Where they do, it is
    asked again with that cell not allowed to fall. Raises as the engine does.
    """
    from release.protected.suppression.protect import protect

    lower = question.lower
    while True:
        pattern = protect(replace(question, lower=lower), effort=effort)
        if not upward.any():
            return pattern
        highest = highest_found(view_of(question, pattern.hidden), question.values, upward, moves=pattern.moves)
        short = highest < question.values + upward
        if not (short & (lower < question.values)).any():
            return pattern
        lower = np.where(short, question.values, lower).astype(np.int64)


def view_of(question: Question, hidden: BoolArray) -> View:
    """What an outsider has of a question's system, its complements among the hidden cells."""
    lower = np.where(question.lower < 0, -NO_BOUND, question.lower).astype(np.int64)
    branches = () if question.system is None else branches_of(question.system)
    return outsider(question.relations, question.values, hidden, lower=lower, branches=branches)


# Above the truth ---------------------------------------------------------------------------------------------------


def highest_found(view: View, truth: IntArray, upward: IntArray, *, moves: Any = None) -> IntArray:
    """The largest value found of each cell in a possible table, int64 [n]; looked for up to `upward` above the truth.

    truth: int64 [n]. moves: sparse [k, >= n], the engine's moves from the truth, each checked here. Cells without
    demand stand at what was found on the way. Never higher than what is possible.
    """
    sums, mine = sums_of(view), np.asarray(truth, np.int64)[view.hidden]
    wanted = mine + np.asarray(upward, np.int64)[view.hidden]
    high = mine + _rises(sums, mine, view, moves)
    for cell in np.flatnonzero(wanted > mine):
        if high[cell] < wanted[cell]:
            found = _raised(sums, mine, int(cell), int(wanted[cell]))
            high = high if found is None else np.maximum(high, found)
    highest = np.asarray(truth, np.int64).copy()
    highest[view.hidden] = high
    return highest


def _rises(sums: Sums, truth: IntArray, view: View, moves: Any) -> IntArray:
    """By how much the moves that keep every sum, bound and published figure raise each hidden cell, at most, [h]."""
    if moves is None or moves.shape[0] == 0:
        return np.zeros(len(truth), np.int64)
    given = moves.tocsr().astype(np.int64)[:, : len(view.values)]
    mine = given[:, view.hidden].tocsr()
    inside = np.ravel(abs(given).sum(axis=1) == abs(mine).sum(axis=1))
    keeps = np.ravel(abs(sums.matrix @ mine.T).sum(axis=0) == 0)
    entries = mine.tocoo()
    after = truth[entries.col] + entries.data
    outside = (after < sums.low[entries.col]) | (after > sums.high[entries.col])
    possible = np.bincount(entries.row[outside], minlength=mine.shape[0]) == 0
    good = (inside & keeps & possible)[entries.row]
    rise = np.zeros(len(truth), np.int64)
    np.maximum.at(rise, entries.col[good], entries.data[good])
    return rise


def _raised(sums: Sums, truth: IntArray, cell: int, wanted: int) -> IntArray | None:
    """A possible table with one cell as high as wanted, or as high as was found; None where none was."""
    low, high = _around(sums, truth)
    high[cell] = min(high[cell], wanted - truth[cell])
    near = Sums(sums.matrix, np.zeros_like(sums.total), low, high)
    cost = np.zeros(len(truth))
    cost[cell] = -1.0
    point = corner(cost, sums.matrix, near.total.astype(np.float64), *near.ends)
    change = None if point is None else whole(near, point)
    if point is not None and point[cell] > high[cell] - NEAR and (change is None or change[cell] < high[cell]):
        low[cell] = high[cell]
        found = whole_anywhere(replace(near, low=low))
        change = change if found is None else found
    return None if change is None or not sums.holds(truth + change) else truth + change


def _around(sums: Sums, truth: IntArray) -> tuple[IntArray, IntArray]:
    """How far each hidden cell may fall and rise from the truth; unknown bounds stay unknown."""
    low = np.where(sums.low <= -NO_BOUND, -NO_BOUND, sums.low - truth)
    return low, np.where(sums.high >= NO_BOUND, NO_BOUND, sums.high - truth)


# Judged sums that no table shows -----------------------------------------------------------------------------------


def faults_inside(question: Question, hidden: BoolArray) -> tuple[str, ...]:
    """What is wrong with a pattern for what rules judge and no table shows, in plain words; nothing where all is well.

    question: with its complements as cells of their own at the end, which stay hidden. hidden: bool [n], the pattern.
    They are certified and verified as if the table showed them: additions alone decide.
    """
    view = view_of(question, hidden)
    width = np.where(hidden, np.where(question.primary, question.width, 1), 0).astype(np.int64)
    try:
        certificate = certify(view, width)
    except Uncertified as problem:
        return (f"sums that rules judge and no table shows may be worked out: {problem.faults[0].what}",)
    return tuple(f"sums that rules judge and no table shows: {fault}" for fault in verify(view, certificate, width))


def too_low(short: BoolArray) -> tuple[str, ...]:
    """What to say of cells that `not_far_enough` names; nothing where there are none."""
    number = int(short.sum())
    if not number:
        return ()
    return (f"in {roughly(number)} cells a contribution could still be estimated too closely from above",)
