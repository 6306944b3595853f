"""What the attacker finds, against trying every whole number."""

import numpy as np
import pytest
from helpers.views_of_tables import crossed_table, every_possible, view_of
from hypothesis import given, settings
from hypothesis import strategies as st

from release.protected.suppression.attack import Contradiction, attack
from release.protected.suppression.view import NO_BOUND, outsider

INNER = [[20, 2, 8], [3, 9, 6], [7, 5, 30]]
SQUARE = [(0, 1), (0, 2), (1, 1), (1, 2)]


def test_a_square_of_hidden_cells_has_the_range_that_its_smallest_cells_leave():
    found = attack(view_of(INNER, SQUARE), exact=True)
    assert found.decided.all()
    assert not found.exactly_known.any()
    assert found.lower[[1, 2, 5, 6]].tolist() == [1, 1, 2, 5]
    assert found.upper[[1, 2, 5, 6]].tolist() == [9, 9, 10, 13]
    assert found.exact.all()


def test_a_cell_hidden_alone_in_a_line_is_known():
    found = attack(view_of(INNER, [(0, 1), (2, 2)]))
    assert found.exactly_known.sum() == 2
    assert found.lower[1] == 2
    assert found.decided.all()


def test_printed_zeros_tell_that_two_ones_are_ones():
    """The union of the line is 2 and both cells are at least 1: rank alone would call them safe."""
    ones = [[1, 1, 8], [4, 4, 6], [7, 5, 30]]
    hidden = [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert attack(view_of(ones, hidden)).exactly_known.sum() == 4
    assert attack(view_of(ones, hidden, lower=0)).exactly_known.sum() == 0


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_bounds_are_those_of_trying_every_whole_number(data):
    inner = data.draw(st.lists(st.lists(st.integers(1, 3), min_size=3, max_size=3), min_size=2, max_size=3))
    _, values, shape = crossed_table(inner)
    small = [place for place in np.ndindex(*shape) if values.reshape(shape)[place] <= 9]
    hidden = data.draw(st.lists(st.sampled_from(small), min_size=1, max_size=5, unique=True))
    view = view_of(inner, hidden, lower=data.draw(st.sampled_from([0, 1])), upper=np.full(len(values), 9))
    every = every_possible(view, largest=9)
    found = attack(view, exact=True)
    assert found.decided.all()
    assert found.lower[view.hidden].tolist() == every.min(axis=0).tolist()
    assert found.upper[view.hidden].tolist() == every.max(axis=0).tolist()


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_cubes_are_decided_without_exact_bounds(data):
    numbers = st.integers(1, 3)
    inner = np.array(data.draw(st.lists(numbers, min_size=8, max_size=8))).reshape(2, 2, 2)
    places = list(np.ndindex(3, 3, 3))[:-1]
    hidden = data.draw(st.lists(st.sampled_from(places), min_size=4, max_size=7, unique=True))
    view = view_of(inner, hidden)
    every = every_possible(view, largest=7) if inner.sum() <= 7 else None
    found = attack(view)
    assert found.decided.all()
    if every is not None:
        assert found.exactly_known[view.hidden].tolist() == (np.ptp(every, axis=0) == 0).tolist()


def test_figures_that_do_not_add_up_are_refused():
    view = view_of(INNER, SQUARE)
    view.values[-1] += 1
    with pytest.raises(Contradiction, match="can't all be true"):
        attack(view)


def test_figures_that_leave_no_room_are_refused():
    with pytest.raises(Contradiction, match="fewer than 10"):
        attack(view_of(INNER, [(0, 1), (2, 2)], lower=3))


def test_negative_magnitudes_have_no_lower_bound():
    inner = [[-20, 2, 8], [3, -9, 6], [7, 5, 30]]
    found = attack(view_of(inner, SQUARE, lower=-NO_BOUND))
    assert found.decided.all()
    assert not found.exactly_known.any()


def test_published_cells_stand_at_their_value():
    view = view_of(INNER, SQUARE)
    found = attack(view)
    shown = view.published
    assert (found.lower[shown] == view.values[shown]).all()
    assert (found.upper[shown] == view.values[shown]).all()


def test_a_view_forgets_hidden_values():
    view = view_of(INNER, SQUARE)
    assert not view.values[view.hidden].any()
    with pytest.raises(ValueError, match="same number of cells"):
        outsider(view.relations, view.values[1:], ~view.published, lower=1)
