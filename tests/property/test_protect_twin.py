"""Patterns of the fast engine on drawn tables, judged by integer programs that know nothing of the engine."""

import numpy as np
from helpers.tiny_tables import learned_by_insiders, narrow_cells, questions
from hypothesis import assume, given, settings

from release.protected.suppression.protect import protect, unsafe
from release.protected.suppression.question import Unprotectable

QUICK = settings(max_examples=25, deadline=None, derandomize=True)


def pattern_of(question):
    try:
        return protect(question)
    except Unprotectable:
        assume(False)
        raise


@QUICK
@given(questions())
def test_no_hidden_cell_can_be_worked_out(question):
    pattern = pattern_of(question)
    assert (pattern.hidden >= question.primary).all()
    assert narrow_cells(question, pattern.hidden) == []
    assert not unsafe(question, pattern).any()


@QUICK
@given(questions(width=3))
def test_primary_cells_are_as_wide_as_asked(question):
    pattern = pattern_of(question)
    assert narrow_cells(question, pattern.hidden) == []


@settings(max_examples=12, deadline=None, derandomize=True)
@given(questions(insiders="hidden"))
def test_nobody_alone_in_a_cell_learns_another(question):
    pattern = pattern_of(question)
    assert learned_by_insiders(question, pattern.hidden, only_primary=False) == []


@settings(max_examples=12, deadline=None, derandomize=True)
@given(questions(insiders="primary"))
def test_nobody_alone_in_a_cell_learns_a_sensitive_one(question):
    pattern = pattern_of(question)
    assert learned_by_insiders(question, pattern.hidden, only_primary=True) == []


@settings(max_examples=20, deadline=None, derandomize=True)
@given(questions(insiders="primary", zeros=True))
def test_with_empty_cells_hidden_what_can_be_protected_is(question):
    """Where hiding everything is safe from outsiders, some pattern is safe from all: empty cells aren't in the way."""
    assume(not narrow_cells(question, np.ones(len(question), dtype=bool)))
    pattern = protect(question)
    assert narrow_cells(question, pattern.hidden) == []
    assert learned_by_insiders(question, pattern.hidden, only_primary=True) == []


@QUICK
@given(questions(insiders="primary"))
def test_the_same_question_gives_the_same_pattern(question):
    first, second = pattern_of(question), pattern_of(question)
    assert (first.hidden == second.hidden).all()
    assert (first.moves != second.moves).nnz == 0


@QUICK
@given(questions())
def test_a_broken_witness_is_seen(question):
    """The check of moves fails when a move breaks a sum: one more at one cell."""
    pattern = pattern_of(question)
    if not pattern.moves.nnz:
        return
    pattern.moves.data = pattern.moves.data.copy()
    pattern.moves.data[0] += 1
    row = int(np.flatnonzero(np.diff(pattern.moves.indptr))[0])
    used = (pattern.high == row) | (pattern.low == row)
    if used.any():
        assert unsafe(question, pattern)[used].any()
