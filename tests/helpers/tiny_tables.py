"""Tiny exact tables, and the slow obvious twin of the engine: try every whole number that the hidden cells may be."""

from dataclasses import replace
from itertools import product

import numpy as np
from hypothesis import strategies as st

from release.protected.suppression.question import Question, cost_of
from release.protected.suppression.structure import Hierarchy, crossed, folded

ROWS = Hierarchy.from_edges("row", [("all", "A"), ("all", "B"), ("A", "a1"), ("A", "a2"), ("B", "b1"), ("B", "b2")])
COLUMNS = Hierarchy.flat("column", ["x", "y", "z"], root="all")


@st.composite
def questions(draw, *, most=2, width=1, insiders="nobody", zeros=False):
    """A table of two dimensions, one with a level between; counts 0 to 6, those up to `most` are primary.

    zeros: whether empty cells are as sensitive; else they are printed.
    """
    counts = np.array(draw(st.lists(st.integers(0, 6), min_size=12, max_size=12).filter(any)))
    rows = [(r, c) for r, c in product(ROWS.leaves, COLUMNS.leaves)]
    kept = [pair for pair, count in zip(rows, counts, strict=True) if count or zeros]
    leaves = {"row": [r for r, _ in kept], "column": [c for _, c in kept]}
    system = crossed({"row": [ROWS], "column": [COLUMNS]}, leaves=leaves)
    question = question_of(system, counts if zeros else counts[counts > 0], most=most, width=width, insiders=insiders)
    return replace(question, lower=np.zeros(len(question), np.int64)) if zeros else question


def question_of(system, counts, *, most=2, width=1, insiders="nobody"):
    """Counts up to `most` are primary; whoever is a count of one knows himself."""
    values = folded(system, counts)
    n = len(values)
    who = folded(system, np.where(counts == 1, np.arange(len(counts)), 0))
    return Question(
        relations=system.relations, values=values, primary=values <= most, width=np.full(n, width),
        cost=cost_of("value", values), publish=np.zeros(n, bool), lower=np.ones(n, np.int64),
        alone=np.where(values == 1, who, -1), insiders=insiders, system=system,
    )  # fmt: skip


def possible_range(question, hidden, cell, *, fixed=()):
    """Lowest and highest whole number that a cell may be, given all published cells; an integer program, both ways."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    values = question.values
    still = ~hidden
    still[list(fixed)] = True
    low = np.where(still, values, question.lower)
    high = np.where(still, values, np.inf)
    aim = np.zeros(len(values))
    ends = []
    for sign in (1, -1):
        aim[cell] = sign
        found = milp(
            aim,
            constraints=LinearConstraint(question.relations.astype(float), 0, 0),
            bounds=Bounds(low, high),
            integrality=np.ones(len(values)),
        )
        ends.append(round(found.x[cell]) if found.x is not None else sign * -(10**9))
    return ends[0], ends[1]


def narrow_cells(question, hidden):
    """Hidden cells whose possible range is narrower than asked."""
    found = []
    for cell in np.flatnonzero(hidden):
        low, high = possible_range(question, hidden, cell)
        if high - low < (question.width[cell] if question.primary[cell] else 1):
            found.append(int(cell))
    return found


def learned_by_insiders(question, hidden, *, only_primary):
    """Pairs (insider's cell, hidden cell of others) that he can work out, and couldn't if all were hidden."""
    pairs, everything = [], np.ones(len(question), dtype=bool)
    for own in np.flatnonzero(hidden & (question.alone >= 0)):
        mine = np.flatnonzero(question.alone == question.alone[own])
        others = hidden & (question.primary if only_primary else True)
        others[mine] = False
        for cell in np.flatnonzero(others):
            low, high = possible_range(question, hidden, cell, fixed=mine)
            least, most = possible_range(question, everything, cell, fixed=mine)
            if high == low and most > least:
                pairs.append((int(own), int(cell)))
    return pairs
