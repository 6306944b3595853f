"""What lone contributors and unions tell, against trying every whole number."""

import numpy as np
import pytest
from helpers.views_of_tables import crossed_table, every_possible, view_of
from hypothesis import given, settings
from hypothesis import strategies as st

from release.protected.suppression.attack import attack
from release.protected.suppression.insiders import insiders
from release.protected.suppression.unions import Contributions, Union, dominated, estimable, unions
from release.protected.suppression.view import outsider

INNER = [[20, 1, 8], [1, 9, 6], [7, 5, 30]]
SQUARE = [(0, 1), (0, 2), (1, 1), (1, 2)]


def alone_at(count, cells):
    """Numbers of lone contributors: {cell: number}."""
    alone = np.full(count, -1, np.int64)
    for cell, number in cells.items():
        alone[cell] = number
    return alone


def test_the_lone_person_of_a_square_learns_the_other_three():
    _, truth, _ = crossed_table(INNER)
    view = view_of(INNER, SQUARE)
    assert not attack(view).exactly_known.any()
    found = insiders(view, truth, alone_at(len(truth), {1: 7}))
    assert found.learns.tolist() == [[7, 2], [7, 5], [7, 6]]
    assert not found.safe
    assert len(found.undecided) == 0


def test_with_a_third_row_hidden_nobody_learns_anything():
    _, truth, _ = crossed_table(INNER)
    view = view_of(INNER, [*SQUARE, (2, 1), (2, 2), (0, 0), (1, 0)])
    found = insiders(view, truth, alone_at(len(truth), {1: 7}))
    assert found.safe
    assert found.number == 1


def test_a_coalition_knows_all_its_cells():
    """Alone neither cell tells anything; together they leave one possible table."""
    _, truth, _ = crossed_table(INNER)
    view = view_of(INNER, [*SQUARE, (2, 1), (2, 2)])
    apart = insiders(view, truth, alone_at(len(truth), {1: 1, 5: 2}))
    together = insiders(view, truth, alone_at(len(truth), {1: 1, 5: 1}))
    assert len(apart.learns) < len(together.learns)
    assert {cell for _, cell in together.learns.tolist()} == {2, 6, 9, 10}


def test_only_the_asked_cells_count():
    _, truth, _ = crossed_table(INNER)
    asked = np.zeros(len(truth), bool)
    asked[[2, 5, 8]] = True  # cell 8 isn't hidden
    found = insiders(view_of(INNER, SQUARE), truth, alone_at(len(truth), {1: 7}), asked=asked)
    assert found.learns.tolist() == [[7, 2], [7, 5]]


def test_what_insiders_learn_is_not_shown():
    _, truth, _ = crossed_table(INNER)
    found = insiders(view_of(INNER, SQUARE), truth, alone_at(len(truth), {1: 7}))
    assert "confidential" in repr(found)


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_they_learn_what_trying_every_whole_number_tells(data):
    inner = data.draw(st.lists(st.lists(st.integers(1, 3), min_size=3, max_size=3), min_size=3, max_size=3))
    _, truth, shape = crossed_table(inner)
    places = [place for place in np.ndindex(*shape) if truth.reshape(shape)[place] <= 7]
    hidden = data.draw(st.lists(st.sampled_from(places), min_size=3, max_size=6, unique=True))
    view = view_of(inner, hidden, upper=np.full(len(truth), 7))
    people = data.draw(st.lists(st.integers(-1, 1), min_size=len(hidden), max_size=len(hidden)))
    alone = np.full(len(truth), -1, np.int64)
    alone[view.hidden] = people
    every = every_possible(view, largest=7)
    expected = []
    for person in sorted({number for number in people if number >= 0}):
        mine = alone[view.hidden] == person
        same = every[(every[:, mine] == truth[view.hidden][mine]).all(axis=1)]
        learnt = (np.ptp(same, axis=0) == 0) & ~mine
        expected.extend([person, cell] for cell in view.hidden[learnt].tolist())
    found = insiders(view, truth, alone)
    assert found.learns.tolist() == expected
    assert len(found.undecided) == 0


def test_known_moves_spare_the_search_and_wrong_ones_are_not_believed():
    _, truth, _ = crossed_table(INNER)
    view = view_of(INNER, SQUARE)
    alone = alone_at(len(truth), {1: 7})
    wrong = np.zeros((3, len(truth)), np.int64)
    wrong[0, [2, 6]] = 1, -1  # keeps columns only
    wrong[1, [2, 0]] = 1, -1  # moves a published cell
    wrong[2, [1, 2, 5, 6]] = -1, 1, 1, -1  # leaves cell 1 below its bound
    from scipy import sparse

    found = insiders(view, truth, alone, moves=sparse.csr_array(wrong))
    assert found.learns.tolist() == [[7, 2], [7, 5], [7, 6]]


def test_the_union_of_a_line_is_a_figure():
    view = view_of([[1, 2, 8], [3, 9, 6]], [(0, 0), (0, 1), (1, 0), (1, 1)])
    found = unions(view)
    assert found.complete
    assert {(union.cells, union.total) for union in found.found} == {
        ((0, 1), 3),
        ((4, 5), 12),
        ((0, 4), 4),
        ((1, 5), 11),
    }
    assert [union.total for union in found.small(4)] == [3, 4]


def test_a_hidden_sum_in_a_union_is_replaced_by_its_hidden_parts():
    """Total 20 = A + B, A = a1 + a2 + 3: hidden A, B, a1, a2 give A + B = 20 and a1 + a2 + B = 17."""
    from scipy import sparse

    relations = sparse.csr_array(np.array([[-1, 1, 1, 0, 0, 0], [0, -1, 0, 1, 1, 1]], np.int8))
    view = outsider(relations, np.array([20, 12, 8, 5, 4, 3]), np.array([0, 1, 1, 1, 1, 0], bool), lower=1)
    assert unions(view).found == (Union((1, 2), 20), Union((2, 3, 4), 17))


def test_a_union_dominated_by_one_holder_none_of_whose_cells_is():
    view = view_of([[50, 40, 8], [30, 90, 6]], [(0, 0), (0, 1), (1, 0), (1, 1)])
    contributions = Contributions(
        cell=np.array([0, 0, 1, 1, 4, 5, 5]),
        holder=np.array([1, 2, 1, 3, 2, 3, 4]),
        amount=np.array([30, 20, 39, 1, 30, 45, 45]),
    )
    found = unions(view)
    assert [union.cells for union in dominated(found, contributions, count=1, percent=75)] == [(0, 1)]
    assert [union.cells for union in dominated(found, contributions, count=1, percent=80)] == []
    assert [union.cells for union in estimable(found, contributions, percent=10)] == [(0, 1), (0, 4)]


def test_unions_say_when_there_are_too_many():
    view = view_of([[1, 2, 8], [3, 9, 6]], [(0, 0), (0, 1), (1, 0), (1, 1), (0, 3), (1, 3)])
    assert not unions(view, most=1).complete


@pytest.mark.parametrize("most", [10, 100])
def test_unions_are_sums_of_the_truth(most):
    inner = [[1, 2, 8], [3, 9, 6]]
    _, truth, _ = crossed_table(inner)
    for union in unions(view_of(inner, [(0, 0), (0, 1), (1, 0), (1, 1), (0, 3), (1, 3)]), most=most).found:
        assert truth[list(union.cells)].sum() == union.total
