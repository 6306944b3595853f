"""The certificate of an exact table and its verifier: from published figures alone, and no tampering goes unseen."""

import io
import json

import numpy as np
import pytest
from helpers.views_of_tables import crossed_table, view_of

from release.protected.suppression.certificate import Certificate, Uncertified, certify, certify_as_wide
from release.protected.suppression.verify import verify
from release.protected.suppression.view import outsider

INNER = [[20, 2, 8], [3, 9, 6], [7, 5, 30]]
SQUARE = [(0, 1), (0, 2), (1, 1), (1, 2)]


def ones(view, width=1):
    return np.full(len(view.values), width, np.int64)


@pytest.fixture
def view():
    return view_of(INNER, SQUARE)


@pytest.fixture
def certificate(view):
    return certify(view, ones(view))


def test_a_safe_table_is_certified_and_verifies(view, certificate):
    assert verify(view, certificate, ones(view)) == ()
    assert (certificate.width >= 1).all()


def test_it_is_the_same_whatever_the_hidden_truth_is(view, certificate):
    """Two truths with the same published figures: the same bytes."""
    other = np.array(INNER)
    other[:2, 1:] += [[1, -1], [-1, 1]]
    relations, values, _ = crossed_table(other)
    assert not (relations @ values).any()
    twin = outsider(relations, values, ~view.published, lower=1)
    assert certify(twin, ones(twin)).to_bytes() == certificate.to_bytes()
    assert certify(twin, ones(twin)).to_json() == certificate.to_json()


def test_json_there_and_back(view, certificate):
    again = Certificate.from_json(certificate.to_json())
    assert (again.tables == certificate.tables).all()
    assert verify(view, again, ones(view)) == ()


@pytest.mark.parametrize("change", [{"kind": "x"}, {"version": 2}, {"hidden": 5}, {"tables": [[1.5, 2, 3, 4]]}])
def test_what_is_no_certificate_is_not_read(certificate, change):
    body = json.loads(certificate.to_json()) | change
    with pytest.raises(ValueError, match="certificate"):
        Certificate.from_json(json.dumps(body))


@pytest.mark.parametrize(
    ("width", "hidden"), [(1, [(0, 1), (2, 2)]), (9, SQUARE)], ids=["can be computed", "narrower than asked"]
)
def test_without_a_complete_certificate_there_is_none(width, hidden):
    leaky = view_of(INNER, hidden)
    with pytest.raises(Uncertified, match="fewer than 10"):
        certify(leaky, ones(leaky, width))


@pytest.mark.parametrize("width", [2, 3, 5])
def test_wider_demands(view, width):
    certificate = certify(view, ones(view, width))
    assert (certificate.width >= width).all()
    assert verify(view, certificate, ones(view, width)) == ()


def tampered(certificate, place, number):
    tables = certificate.tables.copy()
    tables[place] = number
    return Certificate(tables)


def test_one_changed_number_is_seen(view, certificate):
    for place in np.ndindex(*certificate.tables.shape):
        wrong = tampered(certificate, place, certificate.tables[place] + 1)
        assert any("breaks" in fault for fault in verify(view, wrong, ones(view)))


def test_a_table_below_what_is_known_is_seen(view, certificate):
    square = np.array([-7, 7, 7, -7])
    wrong = Certificate(certificate.tables + square)
    assert any("outside" in fault for fault in verify(view, wrong, ones(view)))


def test_too_narrow_is_seen(view, certificate):
    one = Certificate(certificate.tables[:1])
    assert any("width" in fault for fault in verify(view, one, ones(view)))
    assert any("width" in fault for fault in verify(view, certificate, ones(view, 9)))


def test_a_missing_cell_or_no_table_is_seen(view, certificate):
    assert verify(view, Certificate(certificate.tables[:, 1:]), ones(view))
    assert verify(view, Certificate(certificate.tables[:0]), ones(view))
    assert verify(view, Certificate(certificate.tables.astype(np.float64)), ones(view))


def test_numbers_that_overflow_are_seen(view, certificate):
    """2^62 + 2^62 + 2^62 + 2^62 is 0 in 64 bits: sums that overflow must not count as kept."""
    huge = tampered(certificate, (0, slice(None)), 2**62)
    assert any("too large" in fault for fault in verify(view, huge, ones(view)))


def test_figures_that_do_not_add_up_are_seen(view, certificate):
    values = view.values.copy()
    values[-1] += 1
    broken = outsider(view.relations, values, ~view.published, lower=1)
    assert verify(broken, certificate, ones(view))


def test_a_view_that_holds_hidden_values_is_refused(view, certificate):
    view.values[view.hidden[0]] = 2
    assert any("hidden" in fault for fault in verify(view, certificate, ones(view)))


def test_nothing_hidden_needs_nothing():
    open_view = view_of(INNER, [])
    assert verify(open_view, certify(open_view, ones(open_view)), ones(open_view)) == ()


def test_as_wide_as_the_table_allows_and_no_wider_than_asked(view):
    for most, expected in ((1, 1), (5, 5), (100, 8)):
        certificate, width = certify_as_wide(view, most)
        assert set(width[view.hidden]) == {expected}
        assert not width[view.published].any()
        assert verify(view, certificate, width) == ()


def test_as_wide_still_needs_two_values_everywhere():
    with pytest.raises(Uncertified):
        certify_as_wide(view_of(INNER, [(0, 1), (2, 2)]), 3)


# What tools that only look at ranks, leave lone contributors out, or protect table by table let through


def test_ranks_say_safe_where_whole_numbers_tell():
    """Four hidden cells leave one unknown free, but where zeros are printed one table only."""
    corners = [(0, 0), (0, 1), (1, 0), (1, 1)]
    for inner, safe in (([[2, 1, 8], [4, 2, 6]], True), ([[1, 1, 8], [4, 1, 6]], False)):
        view = view_of(inner, corners)
        assert np.linalg.matrix_rank(view.equations[0].toarray()) < len(view.hidden)
        if safe:
            assert certify(view, ones(view)).width.min() >= 1
        else:
            with pytest.raises(Uncertified):
                certify(view, ones(view))


def test_fractions_say_safe_where_whole_numbers_tell():
    """a + a + b = 3 and b at most 1: fractions leave a from 1 to 3/2, whole numbers leave 1."""
    from scipy import sparse

    relations = sparse.csr_array(np.array([[-1, 1, 1, 1], [0, -1, 1, 0]], np.int8))
    upper = np.array([9, 9, 9, 1])
    view = outsider(relations, np.array([3, 1, 1, 1]), np.array([0, 1, 1, 1], bool), lower=0, upper=upper)
    with pytest.raises(Uncertified):
        certify(view, ones(view))


def linked_tables():
    """Region x sex and region x age of the same persons: the tables share the regions' totals."""
    both = np.array([[[2, 9], [6, 8]], [[7, 3], [5, 9]], [[8, 6], [9, 7]]])
    relations, values, shape = crossed_table(both)
    return relations, values, shape


def test_tables_protected_one_by_one_leak_where_they_are_linked():
    """Two squares, each safe in its own table; a cell that both hide has other partners in each, and is computed."""
    first = view_of([[2, 9, 6], [7, 3, 5], [8, 6, 9]], [(0, 0), (0, 1), (1, 0), (1, 1)])
    assert certify(first, ones(first)).width.min() >= 1
    relations, values, shape = linked_tables()
    hidden = np.zeros(shape, bool)
    hidden[[0, 0, 1, 1], [0, 1, 0, 1], 2] = True  # one table: the margin over the last axis
    alone = outsider(relations, values, hidden.ravel(), lower=1)
    with pytest.raises(Uncertified):
        certify(alone, ones(alone))  # the inner cells that the other table prints give all of them back


def test_figures_below_zero_keep_their_signs_in_a_file():
    """As sums of amounts may be."""
    tables = np.array([[-3, 200], [5, -70_000]])
    with np.load(io.BytesIO(Certificate(tables).to_bytes())) as arrays:
        assert (arrays["tables"] == tables).all()
