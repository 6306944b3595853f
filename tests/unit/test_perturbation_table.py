"""Perturbation tables: largest entropy, zero bias, the variance asked for, and what can't be had."""

from itertools import product

import numpy as np
import pytest

from release.errors import PolicyError
from release.protected.perturb.entropy import entropy, largest_entropy, variances
from release.protected.perturb.promise import cell_key_promise
from release.protected.perturb.table import UNITS, in_units, perturbation_table

TABLES = [
    {"largest": 2, "variance": 1.0},
    {"largest": 5, "variance": 3.0},
    {"largest": 5, "variance": 3.0, "forbidden": 2},
    {"largest": 5, "variance": 3.0, "keep_positive": True},
    {"largest": 5, "variance": 2.0, "staying": 0.5},
    {"largest": 9, "variance": 0.01},
    {"largest": 3, "variance": 8.99},
    {"largest": 40, "variance": 200.0},
]


@pytest.mark.parametrize("how", TABLES)
def test_rows_are_chances_without_bias_that_dont_go_below_zero(how):
    table = perturbation_table(**how)
    assert (table.units >= 0).all()
    assert (table.units.sum(axis=1) == UNITS).all()
    assert np.abs(table.means).max() < 2**-29
    results = np.arange(1, table.rows + 1)[:, None] + table.changes
    reached = results[table.units > 0]
    assert reached.min() >= (1 if how.get("keep_positive") else 0)
    assert not np.isin(reached, range(1, how.get("forbidden", 0) + 1)).any()


@pytest.mark.parametrize("how", TABLES)
def test_larger_counts_keep_the_rules_with_the_last_row(how):
    table = perturbation_table(**how)
    for count in range(1, table.rows + 2 * how["largest"]):
        reached = count + table.changes[table.units[min(count, table.rows) - 1] > 0]
        assert reached.min() >= (1 if how.get("keep_positive") else 0)
        assert not np.isin(reached, range(1, how.get("forbidden", 0) + 1)).any()


@pytest.mark.parametrize("how", TABLES)
def test_rows_have_the_variance_asked_for_or_the_nearest(how):
    table = perturbation_table(**how)
    for count, variance in enumerate(table.variances, start=1):
        results = count + table.changes
        allowed = (results > how.get("forbidden", 0)) | ((results == 0) & (not how.get("keep_positive", False)))
        low, high = variances(table.changes[allowed])
        assert variance == pytest.approx(np.clip(how["variance"], low, high), rel=1e-7, abs=1e-7)
    assert table.variances[-1] == pytest.approx(how["variance"], rel=1e-7)


def test_published_table_of_d_2_and_v_1():
    """R package ptable, introduction: D = 2, V = 1 gives .0638 … .383 for counts of 2 and more.

    For counts of 1 it gives .3665, .3665, .1676, .0995 (variance .932, with a further constraint): at that variance
    ours has more entropy, as it must.
    """
    table = perturbation_table(largest=2, variance=1)
    assert table.probabilities[1].round(4).tolist() == [0.0638, 0.2447, 0.383, 0.2447, 0.0638]
    theirs = np.array([0.3665, 0.3665, 0.1676, 0.0995])
    ours = largest_entropy(np.arange(-1, 3), 0.932)
    assert entropy(ours) > entropy(theirs / theirs.sum())


def test_no_other_noise_has_more_entropy():
    """The slow twin: a grid of all noise on -1 … 2 with mean zero and variance 1."""
    best = entropy(largest_entropy(np.arange(-1, 3), 1.0))
    for p2 in np.linspace(0, 0.33, 200):
        # mean zero and variance one leave one free number: p(-1) = p1 + 2 p2, p(-1) + p1 + 4 p2 = 1
        p1 = (1 - 6 * p2) / 2
        p = np.array([p1 + 2 * p2, 1 - 2 * p1 - 3 * p2, p1, p2])
        if (p >= 0).all():
            assert entropy(p) <= best + 1e-12


def test_positive_counts_stay_positive_at_a_price():
    """With bias zero every 1 stays 1, so a reader who sees a 1 is surer of it than without the option."""
    kept = perturbation_table(largest=5, variance=3, keep_positive=True)
    free = perturbation_table(largest=5, variance=3)
    assert kept.staying[0] == 1
    assert kept.sure_of(1) > 1.5 * free.sure_of(1)
    assert f"{kept.sure_of(1):.0%} sure" in cell_key_promise(kept).markdown()
    assert "price" not in cell_key_promise(free).markdown()


def test_sure_of_is_bayes_with_equal_counts():
    table = perturbation_table(largest=2, variance=1)
    chances = {count: table.probabilities[min(count, table.rows) - 1][3 - count + 2] for count in range(1, 6)}
    assert table.sure_of(3) == pytest.approx(chances[3] / sum(chances.values()))
    assert perturbation_table(largest=5, variance=3, forbidden=2).sure_of(2) == 0


def test_staying_is_as_asked():
    table = perturbation_table(largest=5, variance=2, staying=0.5)
    assert table.staying == pytest.approx(np.full(table.rows, 0.5), abs=1e-9)


def test_units_hold_the_mean_exactly_where_neighbours_allow_it():
    rng = np.random.default_rng(1)
    for low, high in product(range(-4, 0), range(1, 5)):
        support = np.arange(low, high + 1)
        p = largest_entropy(support, rng.uniform(0.1, 0.9) * -low * high)
        assert in_units(support, p) @ support == 0


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"largest": 2, "variance": 5}, "at most 4"),
        ({"largest": 0, "variance": 1}, "largest noise"),
        ({"largest": 3, "variance": 0}, "variance above 0"),
        ({"largest": 3, "variance": float("nan")}, "variance above 0"),
        ({"largest": 3, "variance": 2, "forbidden": 3}, "can't get past 3"),
        ({"largest": 5, "variance": 3, "forbidden": 2, "keep_positive": True}, "bias zero is impossible"),
        ({"largest": 5, "variance": 3, "staying": 1.0}, "staying"),
    ],
)
def test_tables_that_cant_be(how, words):
    with pytest.raises(PolicyError, match=words):
        perturbation_table(**how)


def test_facts_hold_the_whole_table():
    table = perturbation_table(largest=2, variance=1)
    entries = table.facts()["chances_in_2^32"]
    assert sum(units for _, _, units in entries) == table.rows * UNITS
    assert [2, -2, int(table.units[1, 0])] in entries
