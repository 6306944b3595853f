"""Bin edges: the same everywhere, rising, whole where they may be."""

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from release.errors import PolicyError
from release.policy.bins import bin_codes, bin_edges
from release.policy.document import Bins
from release.policy.yaml_text import Place, PolicyText

PLACE = Place(PolicyText("p.yaml", b"", {}, {}))


def edges(low, high, number, spacing="even"):
    return bin_edges(Bins.model_validate({"from": low, "to": high, "number": number, "spacing": spacing}), PLACE)


def test_log_bins_are_the_exact_ones_rounded():
    exact = [800 * 10 ** (i / 24) for i in range(25)]
    assert [float(edge) for edge in edges(800, 8000, 24, "log")] == [round(edge) for edge in exact]


def test_narrow_bins_have_two_decimals():
    assert bin_codes(edges(0, 1, 4)) == ["under-0", "0-0.25", "0.25-0.5", "0.5-0.75", "0.75-1", "1-and-over"]
    assert bin_codes(edges(0.5, 10.5, 2)) == ["under-0.5", "0.5-5.5", "5.5-10.5", "10.5-and-over"]


def test_two_units_wide_is_whole_and_less_is_not():
    assert all(edge == edge.to_integral_value() for edge in edges(0, 20, 10))
    assert any(edge != edge.to_integral_value() for edge in edges(0, 19, 10))


@settings(deadline=None)
@given(st.integers(1, 10**6), st.integers(2, 10**6), st.integers(2, 200), st.sampled_from(["log", "even"]))
def test_edges_rise_from_the_first_to_the_last(low, width, number, spacing):
    try:
        found = edges(low, low + width, number, spacing)
    except PolicyError as refusal:
        assert "fewer bins" in str(refusal)  # noqa: PT017
        return
    assert len(found) == number + 1
    assert (found[0], found[-1]) == (low, low + width)
    assert all(a < b for a, b in pairwise(found))
    assert len(set(bin_codes(found))) == number + 2
    for i, edge in enumerate(found):
        exact = (
            low + width * i / number
            if spacing == "even"
            else low * math.exp(math.log((low + width) / low) * i / number)
        )
        assert abs(float(edge) - exact) <= 0.5001 + 1e-9 * exact


@pytest.mark.parametrize(("low", "high"), [(1, 1), (2, 1), (0.001, 5), (0, 1e13)])
def test_ends_that_make_no_sense_are_refused(low, high):
    with pytest.raises(PolicyError):
        edges(low, high, 4)
