"""Secondaries shown again: never dearer, never less safe, and the cheapest where the choice is plain."""

import numpy as np
import pytest
from helpers.tiny_tables import learned_by_insiders, narrow_cells, question_of, questions
from hypothesis import assume, given, settings
from scipy.sparse import csr_array

from release.protected.suppression.fast import fast
from release.protected.suppression.flows import Move
from release.protected.suppression.improve import closeness
from release.protected.suppression.probe import NOBODY, Demand, Probe, Work
from release.protected.suppression.protect import unsafe
from release.protected.suppression.question import Question, Unprotectable
from release.protected.suppression.spare import spare
from release.protected.suppression.standing import Standing
from release.protected.suppression.structure import Hierarchy, crossed

QUICK = settings(max_examples=25, deadline=None, derandomize=True)


def standing_of(question):
    try:
        return Standing.of(question, fast(question))
    except Unprotectable:
        assume(False)
        raise


def slow_missing(standing, cell):
    """What a cell lacks, by its moves one by one."""
    question, moves = standing.question, [move for move in standing.moves.values() if move.at(cell)]
    changes = [0, *(move.at(cell) for move in moves)]
    width = question.width[cell] if question.primary[cell] else 1
    found = [Demand(cell, int(width))] if max(changes) - min(changes) < width else []
    people = sorted(set(question.alone.tolist()) - {NOBODY, int(question.alone[cell])})
    always = [who for who in people if all(any(question.alone[c] == who for c in move.cells) for move in moves)]
    return found + [Demand(cell, 1, who) for who in always if moves and question.guarded(cell)]


@pytest.mark.parametrize("insiders", ["nobody", "primary", "hidden"])
def test_patterns_get_cheaper_and_stay_safe(insiders):
    saved = []

    @settings(QUICK, max_examples=12)
    @given(questions(insiders=insiders, width=2))
    def check(question):
        standing = standing_of(question)
        before = standing.cost
        spare(standing, Work(np.inf))
        saved.append(before - standing.cost)
        hidden = standing.hidden
        assert standing.cost <= before
        assert not unsafe(question, standing.pattern()).any()
        assert narrow_cells(question, hidden) == []
        if insiders != "nobody":
            assert learned_by_insiders(question, hidden, only_primary=insiders == "primary") == []

    check()
    assert max(saved) > 0


@QUICK
@given(questions(insiders="hidden"))
def test_what_a_cell_lacks_is_what_its_moves_say(question):
    standing = standing_of(question)
    for number in list(standing.moves)[::2]:
        standing.drop([number])
    for cell in np.flatnonzero(standing.hidden).tolist():
        assert standing.missing_at(cell) == slow_missing(standing, cell)


def flat(counts):
    """Rows by columns with totals; ones are primary."""
    trees = {
        "row": [Hierarchy.flat("row", [f"r{i}" for i in range(counts.shape[0])])],
        "column": [Hierarchy.flat("column", [f"c{j}" for j in range(counts.shape[1])])],
    }
    at = np.argwhere(counts > 0)
    leaves = {"row": [f"r{i}" for i, _ in at], "column": [f"c{j}" for _, j in at]}
    return question_of(crossed(trees, leaves=leaves), counts[counts > 0], most=1)


def rectangle(question, rows, columns):
    system = question.system
    keys = {"row": [f"r{i}" for i in rows for _ in columns], "column": [f"c{j}" for _ in rows for j in columns]}
    cells = system.places(keys)
    order = np.argsort(cells)
    return Move(cells[order], np.array([1, -1, -1, 1])[order])


def test_a_dear_rectangle_gives_way_to_the_cheapest():
    """One primary; of all rectangles through it the cheapest is 4 + 5 + 6, whose last corner is two sums away."""
    question = flat(np.array([[1, 4, 90], [5, 6, 90], [90, 90, 99]]))
    standing = Standing.of(question, [rectangle(question, (0, 2), (0, 2))])
    assert standing.cost == 279
    spare(standing, Work(np.inf), steps=2)
    assert standing.cost == 15


def test_where_nothing_is_cheaper_all_stays_as_it_was():
    question = flat(np.array([[1, 4, 90], [5, 6, 90], [90, 90, 99]]))
    standing = Standing.of(question, [rectangle(question, (0, 1), (0, 1))])
    hidden, moves = standing.hidden.copy(), dict(standing.moves)
    spare(standing, Work(np.inf))
    assert (standing.hidden == hidden).all()
    assert standing.moves == moves
    assert {cell: set(users) for cell, users in standing.users.items() if users} == {
        cell: {0} for cell in np.flatnonzero(hidden).tolist()
    }


def test_without_work_nothing_is_tried():
    question = flat(np.array([[1, 4, 90], [5, 6, 90], [90, 90, 99]]))
    standing = Standing.of(question, [rectangle(question, (0, 2), (0, 2))])
    spare(standing, Work(0))
    assert standing.cost == 279


@QUICK
@given(questions())
def test_closeness_is_a_walk_step_by_step(question):
    standing = Standing(question, question.primary.copy(), {}, {})
    sums = abs(question.relations).toarray()
    here = np.zeros(len(question))
    here[0] = 1.0
    total = here.copy()
    for _ in range(2):
        rows = sums @ (here / np.maximum(sums.sum(axis=0), 1))
        here = sums.T @ (rows / sums.sum(axis=1))
        total += here
    assert np.allclose(closeness(standing, np.array([0]), steps=2), total)


def probe_of(question: Question, share: np.ndarray) -> Probe:
    room = (question.values - question.lower).astype(float)
    known_to = [question.known_to(cell) for cell in range(len(question))]
    probe = Probe(csr_array(question.relations), room, alone=question.alone, known_to=known_to, work=Work(np.inf))
    probe.open(share)
    return probe


def test_who_is_met_by_anothers_change_would_be_met_alone():
    spared = []

    @settings(QUICK, max_examples=8)
    @given(questions(insiders="primary"))
    def check(question):
        share = 0.3 + 0.7 * (np.arange(len(question)) % 2)
        people = np.unique(question.alone[question.alone >= 0])[:2].tolist()
        demands = [Demand(cell, w, p) for cell in range(len(question)) for w in (1, 2) for p in (NOBODY, *people)]
        nothing = np.zeros(len(question), dtype=bool)
        for first in [demand for demand in demands if demand.width == 1 and demand.still == NOBODY][:12]:
            probe = probe_of(question, share)
            probe.cut(first, nothing)
            left = probe.not_met_too(first, demands)
            for other in set(demands) - set(left):
                spared.append(other)
                assert probe_of(question, share).cut(other, nothing) is None

    check()
    assert any(demand.still != NOBODY for demand in spared)
