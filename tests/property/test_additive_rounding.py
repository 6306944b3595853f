"""Rounded tables add up, stay near, never fall below zero, and hold what each method says of them."""

from itertools import product

import numpy as np
import pytest
from helpers.crossed_counts import crossed_table
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from release.errors import DataError
from release.protected.perturb import controlled
from release.protected.perturb.additive import folding, rounded_up
from release.protected.perturb.controlled import FURTHER, NEAREST, SEARCHED, controlled_rounding
from release.protected.perturb.small_counts import small_counts_rounded

seeds = st.integers(0, 10_000)


def adds_up(relations, values) -> bool:
    return not (relations.astype(np.int64) @ values).any()


@given(seeds, st.sampled_from([3, 5, 10]))
@settings(max_examples=20)
def test_controlled_rounding_adds_up_and_is_near(seed, base):
    relations, values = crossed_table(np.random.default_rng(seed))
    rounded = controlled_rounding(relations, values, base=base)
    assert adds_up(relations, rounded.values)
    assert not (rounded.values % base).any()
    assert (rounded.values >= 0).all()
    if rounded.how == NEAREST:
        assert np.abs(rounded.values - values).max() < base
        assert (rounded.values[values % base == 0] == values[values % base == 0]).all()
        assert rounded.nearest


@given(seeds)
@settings(max_examples=15)
def test_controlled_rounding_is_the_nearest_of_all(seed):
    """The slow twin: every choice of up and down for the inner cells of a table of 2 x 3."""
    rng = np.random.default_rng(seed)
    relations = csr_array(
        np.array(
            [
                # all, a, b, then columns x y z of all, of a, of b
                [-1, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0],
                [0, -1, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0],
                [0, 0, -1, 0, 0, 0, 0, 0, 0, 1, 1, 1],
                [0, 0, 0, -1, 0, 0, 1, 0, 0, 1, 0, 0],
                [0, 0, 0, 0, -1, 0, 0, 1, 0, 0, 1, 0],
                [0, 0, 0, 0, 0, -1, 0, 0, 1, 0, 0, 1],
                [-1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            ],
            np.int8,
        )
    )
    sums = folding(relations).sums
    inner = rng.integers(0, 9, 6)
    values = sums @ inner
    changes = []
    for up in product((0, 1), repeat=6):
        choice = sums @ (inner // 3 * 3 + 3 * np.array(up))
        if (np.abs(choice - values) < 3).all():
            changes.append(np.abs(choice - values).sum())
    rounded = controlled_rounding(relations, values, base=3)
    assert rounded.how == NEAREST
    assert np.abs(rounded.values - values).sum() == min(changes)


def test_a_table_whose_counts_cant_all_stay_near():
    """Half of a cube's counts are 1, its margins 2 and 4: no table of 0 and 2 has these margins, so some go further.

    Cells x = (i, j, k) with i + j + k even hold 1, all sums over one axis then are 1.
    """
    axis = np.array([[-1, 1, 1]], np.int8)
    one = np.eye(3, dtype=np.int8)
    kron = [np.kron(np.kron(axis, one), one), np.kron(np.kron(one, axis), one), np.kron(np.kron(one, one), axis)]
    relations = csr_array(np.concatenate(kron))
    sums = folding(relations).sums
    inner = np.array([1 if (i + j + k) % 2 == 0 else 0 for i, j, k in product((0, 1), repeat=3)])
    values = sums @ inner
    rounded = controlled_rounding(relations, values, base=2)
    assert adds_up(relations, rounded.values)
    assert not (rounded.values % 2).any()
    assert rounded.how in (NEAREST, FURTHER)
    every = [sums @ (2 * np.array(up)) for up in product((0, 1), repeat=8)]
    possible = any(
        (np.abs(choice - values) < 2).all() and (choice[values % 2 == 0] == values[values % 2 == 0]).all()
        for choice in every
    )
    assert (rounded.how == NEAREST) == possible


def test_the_fallback_says_so(monkeypatch):
    relations, values = crossed_table(np.random.default_rng(2))
    monkeypatch.setattr(controlled, "SOLVED_UP_TO", 10)
    rounded = controlled_rounding(relations, values, base=5)
    assert rounded.how == SEARCHED
    assert not rounded.nearest
    assert rounded.gap is None
    assert adds_up(relations, rounded.values)
    assert not (rounded.values % 5).any()


@given(seeds, st.sampled_from([3, 5]))
@settings(max_examples=20)
def test_small_counts_vanish_and_the_rest_stays(seed, base):
    relations, values = crossed_table(np.random.default_rng(seed), mean=2.0)
    rounded = small_counts_rounded(relations, values, base=base)
    assert adds_up(relations, rounded.values)
    assert not ((rounded.values > 0) & (rounded.values < base)).any()
    assert (rounded.values >= 0).all()
    inner = folding(relations).inner
    large = inner[values[inner] >= base]
    assert (rounded.values[large] == values[large]).all()
    assert not rounded.values[inner[values[inner] == 0]].any()
    assert np.isin(rounded.values[rounded.changed], (0, base)).all()


def test_only_margins_published_changes_fewer_cells():
    relations, values = crossed_table(np.random.default_rng(3), mean=2.0)
    inner = folding(relations).inner
    margins = np.ones(len(values), bool)
    margins[inner] = False
    rounded = small_counts_rounded(relations, values, base=3, published=margins)
    everything = small_counts_rounded(relations, values, base=3)
    assert adds_up(relations, rounded.values)
    assert not ((rounded.values > 0) & (rounded.values < 3))[margins].any()
    assert len(rounded.changed) < len(everything.changed)


def test_margins_are_nearer_than_by_rounding_each_inner_cell_by_itself():
    relations, values = crossed_table(np.random.default_rng(4), groups=8, size=6, columns=5)
    fold = folding(relations)
    by_itself = fold.sums @ ((values[fold.inner] + 1) // 3 * 3)
    searched = controlled_rounding(relations, values, base=3, effort="search").values
    margins = np.setdiff1d(np.arange(len(values)), fold.inner)
    assert np.abs(searched - values)[margins].mean() < 0.6 * np.abs(by_itself - values)[margins].mean()


@given(seeds)
@settings(max_examples=15)
def test_the_search_ends_where_no_single_change_helps(seed):
    rng = np.random.default_rng(seed)
    relations, values = crossed_table(rng, groups=2)
    fold = folding(relations)
    mine = np.flatnonzero(values[fold.inner] % 5)
    remainders, sums = values[fold.inner][mine] % 5, fold.sums[:, mine].tocsr()
    weights = rng.uniform(0.5, 2, sums.shape[0])
    up = rounded_up(remainders, base=5, sums=sums, weights=weights, rounds=10_000)

    def cost(choice) -> float:
        return float(weights @ (sums @ (5 * choice - remainders)) ** 2)

    here = cost(up)
    for cell in range(len(up)):
        other = up.copy()
        other[cell] = not other[cell]
        assert cost(other) >= here - 1e-6


def test_the_same_table_is_rounded_the_same_way():
    relations, values = crossed_table(np.random.default_rng(5))
    for method in (controlled_rounding, small_counts_rounded):
        first, second = (method(relations, values, base=3).values for _ in range(2))
        assert (first == second).all()


def test_tables_that_dont_add_up_are_refused():
    relations, values = crossed_table(np.random.default_rng(6))
    values[0] += 1
    for method in (controlled_rounding, small_counts_rounded):
        with pytest.raises(DataError, match="fewer than 10 totals aren't the sums"):
            method(relations, values, base=3)


def test_linked_tables_without_common_inner_cells_are_refused_with_the_way_out():
    """One total by sex and by age, and no cell of sex and age: inner cells of the two can't be rounded as one."""
    relations = csr_array(np.array([[-1, 1, 1, 0, 0], [-1, 0, 0, 1, 1]], np.int8))
    values = np.array([3, 1, 2, 2, 1])
    with pytest.raises(DataError, match=r"common inner cells[\s\S]*needn't be published"):
        small_counts_rounded(relations, values, base=3)
    assert adds_up(relations, controlled_rounding(relations, values, base=3).values), "the solver needs none"


def test_folding_is_the_table_itself():
    relations, values = crossed_table(np.random.default_rng(7))
    fold = folding(relations)
    assert (fold.sums @ values[fold.inner] == values).all()
