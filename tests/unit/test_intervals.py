"""Intervals against textbook figures, and percentiles in bins against the distribution that was put into the bins."""

from math import erf, exp, log, sqrt

import numpy as np
import pytest

from release.codes import Attribute, flat
from release.protected.functionals import OutcomeTable
from release.protected.intervals import Z, count_figures, percentile_figures, ratio_figures

EDGES = tuple(float(round(edge)) for edge in np.geomspace(800, 8000, 25))


def known(counts, *, edges=None) -> OutcomeTable:
    """One cell, known without noise."""
    codes = [f"c{i}" for i in range(len(counts))]
    attribute = Attribute("outcome", flat("outcome", codes).levels, edges=edges)
    counts = np.array([counts], float)
    return OutcomeTable(attribute, 1, counts, counts.sum(axis=1), np.zeros(1), (np.zeros((1, 1)),))


def test_a_share_with_chance_has_wilsons_interval():
    """8 of 10: 0.490 to 0.943 (Wilson 1927; Agresti and Coull 1998)."""
    found = ratio_figures(known([8, 2]), np.array([1.0, 0.0]), np.ones(2), limits=(0, 1), chance=True)
    assert found.value[0] == 0.8
    assert found.lower[0] == pytest.approx(0.4902, abs=5e-5)
    assert found.upper[0] == pytest.approx(0.9433, abs=5e-5)


def test_a_share_known_without_noise_is_certain():
    found = ratio_figures(known([8, 2]), np.array([1.0, 0.0]), np.ones(2), limits=(0, 1), chance=False)
    assert (found.lower[0], found.upper[0]) == (pytest.approx(0.8), pytest.approx(0.8))


def test_a_share_of_a_base_that_may_be_empty_has_no_bounds_but_its_own():
    found = known([2, 1])
    noisy = OutcomeTable(
        found.attribute, 1, found.counts, found.base_counts, np.full(1, 100.0), (np.full((1, 1), 50.0),)
    )
    for chance in (False, True):
        share = ratio_figures(noisy, np.array([1.0, 0.0]), np.ones(2), limits=(0, 1), chance=chance)
        assert (share.lower[0], share.upper[0]) == (0, 1)


@pytest.mark.parametrize("count", [-30.0, 0.0, 3.0, 100.0])
@pytest.mark.parametrize("variance", [0.0, 25.0])
def test_a_count_with_chance_holds_all_expected_numbers_that_the_test_accepts(count, variance):
    found = count_figures(np.array([count]), np.array([variance]), np.array([count]), chance=True)
    expected = np.linspace(0, 200, 200_001)
    accepted = expected[(count - expected) ** 2 <= Z**2 * (variance + expected)]
    if len(accepted):
        assert found.lower[0] == pytest.approx(accepted.min(), abs=2e-3)
        assert found.upper[0] == pytest.approx(accepted.max(), abs=2e-3)
    else:
        assert found.upper[0] == 0


def persons_in_bins(persons: float, median: float, spread: float) -> list[float]:
    """A log-normal number in the bins: under, bins, over, and a special code without persons."""
    under = [0.5 * (1 + erf(log(edge / median) / spread / sqrt(2))) for edge in EDGES]
    return [*(persons * np.diff([0.0, *under, 1.0])), 0.0]


@pytest.mark.parametrize("median", [2400.0, 2470.0, 2530.0, 2600.0])
def test_percentiles_of_a_large_group_are_near_those_of_the_number_itself(median):
    """Straight lines within bins would be off by 0.4 %, and their intervals wouldn't hold the truth."""
    found = percentile_figures(known(persons_in_bins(1e6, median, 0.25), edges=EDGES), [25, 50, 75], chance=False)
    for figures, z in zip(found, (-0.6744898, 0.0, 0.6744898), strict=True):
        truth = median * exp(0.25 * z)
        assert figures.value[0] == pytest.approx(truth, rel=1e-3)
        assert figures.lower[0] <= truth <= figures.upper[0]
        assert figures.upper[0] - figures.lower[0] < 0.004 * truth


def test_percentiles_rise_also_where_noise_makes_a_bin_negative():
    random = np.random.default_rng(3)
    counts = np.array([persons_in_bins(60, 2500, 0.3)]) + random.normal(0, 6, (500, len(EDGES) + 2))
    attribute = Attribute("pay", flat("pay", [f"c{i}" for i in range(len(EDGES) + 2)]).levels, edges=EDGES)
    table = OutcomeTable(attribute, 1, counts, counts.sum(axis=1), np.full(500, 36.0), (np.full((500, 1), 36.0),))
    values = np.array([figures.value for figures in percentile_figures(table, [25, 50, 75], chance=False)])
    complete = values[:, ~np.isnan(values).any(axis=0)]
    assert complete.shape[1] > 50
    assert (np.diff(complete, axis=0) >= 0).all()
