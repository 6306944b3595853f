"""What the engine promises, on tables small enough to see through; and how other ways of hiding fail on them."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.tiny_tables import learned_by_insiders, narrow_cells, question_of

from release.errors import DataError
from release.protected.suppression.protect import protect
from release.protected.suppression.question import Unprotectable
from release.protected.suppression.structure import Hierarchy, crossed, folded

title = "Which cells an exact table hides"

ROWS = Hierarchy.flat("row", ["a", "b", "c"], root="all")
COLUMNS = Hierarchy.flat("column", ["x", "y", "z"], root="all")
EVERY = {"row": list("aaabbbccc"), "column": list("xyzxyzxyz")}
TABLE = np.array([1, 9, 8, 7, 6, 9, 8, 9, 5])
TREES = {"row": [ROWS], "column": [COLUMNS]}


def square(counts=TABLE, **asked):
    return question_of(crossed(TREES, leaves=EVERY), counts, **asked)


def at(question, *key):
    return int(question.system.places({"row": [key[0]], "column": [key[1]]})[0])


def test_a_small_count_takes_three_more_with_it():
    """1 at a/x: hiding it alone gives it away by every sum; a square of four hidden cells is the least."""
    question = square()
    pattern = protect(question)
    assert pattern.hidden.sum() == 4
    assert narrow_cells(question, pattern.hidden) == []
    assert narrow_cells(question, question.primary) == [at(question, "a", "x")]


def test_each_hidden_cell_comes_with_two_tables():
    question = square(width=3)
    pattern = protect(question)
    for cell in np.flatnonzero(pattern.hidden):
        low, high = pattern.range_at(int(cell))
        assert high - low >= (3 if question.primary[cell] else 1)
    tables = question.values + pattern.moves.toarray()
    assert not (question.relations @ tables.T).any()
    assert (tables[:, ~pattern.hidden] == question.values[~pattern.hidden]).all()
    assert (tables[:, pattern.hidden] >= 1).all()


def test_nothing_to_hide():
    pattern = protect(square(most=0))
    assert not pattern.hidden.any()
    assert pattern.cost == 0


def test_hidden_ones_side_by_side_are_no_protection():
    """Four hidden ones in a square: none can fall below 1, so all sums give them away. Ranks see nothing wrong."""
    question = square(np.array([1, 1, 8, 1, 1, 9, 8, 9, 5]))
    square_of_ones = np.isin(np.arange(len(question)), [at(question, r, c) for r in "ab" for c in "xy"])
    free = question.relations[:, np.flatnonzero(square_of_ones)].toarray()
    assert np.linalg.matrix_rank(free) < 4
    assert len(narrow_cells(question, square_of_ones)) == 4
    assert narrow_cells(question, protect(question).hidden) == []


def test_someone_alone_in_a_cell_undoes_a_square():
    """Whoever is the 1 at a/x knows the whole square; asked for, more is hidden and he learns nothing."""
    plain = square(insiders="nobody")
    assert learned_by_insiders(plain, protect(plain).hidden, only_primary=False)
    careful = square(insiders="hidden")
    assert not learned_by_insiders(careful, protect(careful).hidden, only_primary=False)


def test_who_is_alone_in_a_row_knows_its_empty_cells_and_others_dont():
    """Row a holds one person, at x, who knows that a/y and a/z are empty: nothing to keep from him, all from others."""
    counts = np.array([1, 0, 0, 7, 6, 9, 8, 9, 0])
    question = replace(square(counts, insiders="primary"), lower=np.zeros(16, np.int64))
    person = question.alone[at(question, "a", "all")]
    assert question.known_to(at(question, "a", "y")) == {person}
    assert question.known_to(at(question, "c", "z")) == frozenset()
    pattern = protect(question)
    assert pattern.hidden[[at(question, row, column) for row, column in ("ay", "az", "cz")]].all()
    assert narrow_cells(question, pattern.hidden) == []
    assert learned_by_insiders(question, pattern.hidden, only_primary=True) == []


def test_linked_tables_protected_one_by_one_give_each_other_away():
    """Two tables share the rows' totals: one hides two, the other prints them. As one system nothing is known."""
    trees = TREES | {"other": [Hierarchy.flat("other", ["p", "q"], root="all")]}
    leaves = EVERY | {"other": list("ppqppqppq")}
    linked = question_of(crossed(trees, leaves=leaves, tables=[["row", "column"], ["row", "other"]]), TABLE)
    first = square()
    hidden = np.isin(np.arange(len(first)), [at(first, row, column) for row in "ab" for column in ("x", "all")])
    assert narrow_cells(first, hidden) == []
    second = question_of(crossed(trees, leaves=leaves, tables=[["row", "other"]]), TABLE)
    assert not second.primary.any()
    names = {key for key, h in zip((first.system.key(i) for i in range(len(first))), hidden, strict=True) if h}
    printed = {second.system.key(i) for i in range(len(second))}
    keys = [linked.system.key(i) for i in range(len(linked))]
    still = np.array([key[:2] in names and key[2] == "all" and key not in printed for key in keys])
    assert len(narrow_cells(linked, still)) == 2
    assert narrow_cells(linked, protect(linked).hidden) == []


def test_what_must_be_shown_is_shown():
    question = square()
    publish = np.zeros(len(question), dtype=bool)
    publish[at(question, "b", "y")] = publish[at(question, "c", "z")] = True
    pattern = protect(replace(question, publish=publish))
    assert not (pattern.hidden & publish).any()
    assert narrow_cells(question, pattern.hidden) == []


def test_a_demand_that_cannot_be_met_is_explained():
    question = square()
    publish = ~question.primary
    with pytest.raises(Unprotectable, match="can be worked out by an outsider"):
        protect(replace(question, publish=publish))


def test_a_hidden_cell_that_equals_a_shown_one_is_refused():
    rows = {"row": ["a", "b", "b"], "column": ["x", "x", "y"]}
    question = question_of(crossed(TREES, leaves=rows), np.array([2, 9, 8]))
    publish = np.zeros(len(question), dtype=bool)
    publish[at(question, "a", "all")] = True
    with pytest.raises(Unprotectable, match="equal cells that must be shown"):
        protect(replace(question, publish=publish))


def test_a_table_that_does_not_add_up_is_refused():
    question = square()
    with pytest.raises(DataError, match="fewer than 10"):
        protect(replace(question, values=question.values + (np.arange(len(question)) == 5)))


def test_a_person_in_linked_tables_is_one_person():
    """The 1 of one table and the 1 of the other are the same cell group after joining."""
    question = square()
    assert (folded(question.system, TABLE) == question.values).all()
    everyone = replace(question, alone=np.where(question.values == 1, np.arange(len(question)), -1), insiders="hidden")
    assert not learned_by_insiders(everyone, protect(everyone).hidden, only_primary=False)


def test_amounts_that_move_by_much():
    """Amounts in euro, 10 % width: the other hidden cells are large enough to take it."""
    question = square(TABLE * 1000)
    primary = question.values == 1000
    asked = replace(question, primary=primary, width=np.where(primary, 300, 1), lower=np.zeros(len(question), np.int64))
    pattern = protect(asked)
    low, high = pattern.range_at(at(question, "a", "x"))
    assert high - low >= 300
