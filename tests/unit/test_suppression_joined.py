"""Cells that move together are joined without losing or inventing a move; corners are made whole."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from release.protected.suppression.joined import joined, mixed
from release.protected.suppression.whole import Sums, whole


def rank(matrix):
    return int(np.linalg.matrix_rank(matrix)) if matrix.size else 0


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_as_many_independent_moves_as_before(data):
    rows, cells = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 8))
    weights = st.lists(st.sampled_from([0, 0, 1, 1, -1]), min_size=cells, max_size=cells)
    matrix = np.array(data.draw(st.lists(weights, min_size=rows, max_size=rows)), np.int64)
    found = joined(sparse.csr_array(matrix))
    steps, sums = found.steps.toarray(), found.sums.toarray()
    assert steps.shape[1] - rank(sums) == cells - rank(matrix)
    assert rank(np.vstack([sums, matrix @ steps])) == rank(sums)


def test_the_only_cell_of_a_sum_stays_where_it_is_even_the_first():
    found = joined(sparse.csr_array(np.array([[1, 0, 0], [0, 1, 1]], np.int64)))
    assert found.steps.toarray().tolist() in ([[0], [1], [-1]], [[0], [-1], [1]])


def test_room_is_the_least_of_a_class():
    found = joined(sparse.csr_array(np.array([[1, 1]], np.int64)))
    down, up = found.room(np.array([2, 5]), np.array([9, 7]))
    sign = found.steps.toarray()[0, 0]
    assert (down.tolist(), up.tolist()) == (([2], [5]) if sign > 0 else ([5], [2]))


def test_mixing_is_the_same_everywhere():
    assert mixed(np.array([0, 1]), 1).tolist() == [4442667547861771982, 11517140950751948802]
    assert len(np.unique(mixed(np.arange(10_000), 3))) == 10_000


def test_a_corner_of_halves_is_made_whole():
    """Three pairs that each sum to 1: the corner (1/2, 1/2, 1/2, ...) has whole neighbours once a slack is free."""
    matrix = sparse.csr_array(np.array([[1, 1, 0, 1], [0, 1, 1, 1], [1, 0, 1, 1]], np.int64))
    sums = Sums(matrix, np.ones(3, np.int64), np.zeros(4, np.int64), np.full(4, 5))
    found = whole(sums, np.array([0.5, 0.5, 0.5, 0.0]))
    assert found.tolist() == [0, 0, 0, 1]


def test_where_no_whole_numbers_exist_there_are_none():
    matrix = sparse.csr_array(np.array([[1, 1, 0], [0, 1, 1], [1, 0, 1]], np.int64))
    sums = Sums(matrix, np.ones(3, np.int64), np.zeros(3, np.int64), np.full(3, 5))
    assert whole(sums, np.full(3, 0.5)) is None
