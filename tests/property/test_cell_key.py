"""The cell-key method: the same persons, the same noise; no bias, the stated variance, nothing below zero."""

import time
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2, norm

from release.errors import DataError, PolicyError, UsageError
from release.protected.perturb.cell_key import SumNoise, looked_up, perturbed_counts, perturbed_sums
from release.protected.perturb.keys import cell_keys, draws, record_keys
from release.protected.perturb.random_rounding import randomly_rounded
from release.protected.perturb.table import perturbation_table

KEY = b"the office's own key, never published"
TABLE = perturbation_table(largest=5, variance=3)
MANY = 200_000
UNLIKELY = 1e-20


def many_keys(cells: int = MANY, key: bytes = KEY):
    return record_keys(range(cells), key=key)


def p_of_variance(changes, *, variance: float, fourth: float) -> float:
    """Two-sided p value of the mean square against the stated variance, normal for so many draws."""
    deviation = ((fourth - variance**2) / len(changes)) ** 0.5
    return float(2 * norm.sf(abs((changes.astype(float) ** 2).mean() - variance) / deviation))


def test_noise_has_the_stated_variance_and_no_bias():
    """And the test would see a variance that is 10 % wrong, or a bias of a tenth of a person."""
    changes = perturbed_counts(np.full(MANY, 20), many_keys(), table=TABLE, key=KEY) - 20
    fourth = float(TABLE.probabilities[-1] @ TABLE.changes.astype(float) ** 4)
    assert p_of_variance(changes, variance=3, fourth=fourth) > UNLIKELY
    assert p_of_variance(changes, variance=3.3, fourth=fourth) < UNLIKELY
    assert p_of_variance(changes, variance=2.7, fourth=fourth) < UNLIKELY
    spread = (3 / MANY) ** 0.5
    assert 2 * norm.sf(abs(changes.mean()) / spread) > UNLIKELY
    assert 2 * norm.sf(abs(changes.mean() + 0.1) / spread) < UNLIKELY


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_every_change_comes_as_often_as_the_table_says(count):
    changes = perturbed_counts(np.full(MANY, count), many_keys(), table=TABLE, key=KEY) - count
    expected = TABLE.probabilities[min(count, TABLE.rows) - 1] * MANY
    found = np.bincount(changes + TABLE.largest, minlength=len(expected))
    assert not found[expected == 0].any()
    possible = expected > 0
    statistic = ((found - expected)[possible] ** 2 / expected[possible]).sum()
    assert chi2.sf(statistic, possible.sum() - 1) > UNLIKELY
    others = np.roll(expected[possible], 1)
    assert chi2.sf(((found[possible] - others) ** 2 / others).sum(), possible.sum() - 1) < UNLIKELY


@given(st.lists(st.integers(0, 500), min_size=1, max_size=40, unique=True), st.randoms(use_true_random=False))
def test_the_same_persons_are_shown_alike_in_every_table(persons, random):
    """Whatever the table, the order of records, the other cells, and the year."""
    shuffled = random.sample(persons, len(persons))
    one = cell_keys(record_keys(persons, key=KEY), np.zeros(len(persons), np.int64), cells=1)
    others = list(range(1000, 1040))
    cell = np.array([3] * len(persons) + [1] * len(others))
    two = cell_keys(record_keys(shuffled + others, key=KEY), cell, cells=5)
    assert one[0] == two[3]
    counts = np.array([len(persons)])
    first = perturbed_counts(counts, one, table=TABLE, key=KEY)
    second = perturbed_counts(np.bincount(cell, minlength=5), two, table=TABLE, key=KEY)
    assert first[0] == second[3]
    assert (second >= 0).all()
    assert second[0] == second[2] == second[4] == 0


def test_margins_have_the_sum_of_the_keys():
    keys = many_keys(1000)
    cell = np.arange(1000) % 7
    parts = cell_keys(keys, cell, cells=7)
    assert cell_keys(keys, np.zeros(1000, np.int64), cells=1)[0] == parts.sum(dtype=np.uint64)


def test_another_key_or_purpose_gives_other_noise():
    counts = np.full(5000, 20)
    keys = many_keys(5000)
    first = perturbed_counts(counts, keys, table=TABLE, key=KEY)
    assert (perturbed_counts(counts, keys, table=TABLE, key=KEY) == first).all()
    other = perturbed_counts(counts, keys, table=TABLE, key=b"another key of the office's")
    assert abs(np.corrcoef(first, other)[0, 1]) < 0.1
    assert abs(np.corrcoef(draws(keys, key=KEY, purpose="a"), draws(keys, key=KEY, purpose="b"))[0, 1]) < 0.1
    assert (record_keys(range(100), key=KEY) != record_keys(range(100), key=b"another key of the office's")).all()


def test_noise_of_a_union_isnt_told_by_that_of_its_parts():
    """Keys add up; draws don't: the draw of A and B together isn't the sum of both draws."""
    a, b = many_keys(2000)[:1000], many_keys(2000)[1000:]
    together = draws(a + b, key=KEY, purpose="count").astype(float)
    added = (draws(a, key=KEY, purpose="count") + draws(b, key=KEY, purpose="count")).astype(float)
    assert abs(np.corrcoef(together, added)[0, 1]) < 0.2


def test_lookup_is_the_cumulative_table():
    """The slow twin: add up the chances until they pass the draw."""
    rng = np.random.default_rng(5)
    uniform = rng.integers(0, 2**64, 300, dtype=np.uint64)
    rows = rng.integers(0, TABLE.rows, 300)
    found = looked_up(rows, uniform, table=TABLE)
    for row, draw, change in zip(rows, uniform, found, strict=True):
        level, passed = int(draw) >> 32, 0
        for v, units in zip(TABLE.changes, TABLE.units[row], strict=True):
            passed += int(units)
            if level < passed:
                assert change == v
                break


def test_a_million_cells_in_seconds():
    keys = np.arange(1, 1_000_001, dtype=np.uint64)
    counts = np.arange(1_000_000) % 50
    start = time.process_time()
    perturbed_counts(counts, keys, table=TABLE, key=KEY)
    assert time.process_time() - start < 10


# --- sums


def test_sums_change_by_a_share_of_the_largest_contribution():
    noise = SumNoise(shares=("1/5",), steps=10, spread=0.6)
    keys = many_keys(50_000)
    largest = np.full((50_000, 1), 1000)
    sums = np.full(50_000, 1500)
    changes = perturbed_sums(sums, largest, keys, noise=noise, key=KEY) - sums
    assert np.abs(changes).max() == 200
    fourth = float(noise.table.probabilities[-1] @ (20.0 * noise.table.changes) ** 4)
    assert p_of_variance(changes, variance=120**2, fourth=fourth) > UNLIKELY
    assert p_of_variance(changes, variance=120**2 * 1.1, fourth=fourth) < UNLIKELY
    assert abs(changes.mean()) < 6 * 120 / 50_000**0.5


@given(st.lists(st.integers(1, 10**15), min_size=1, max_size=5), st.integers(0, 2**64 - 1))
def test_sums_stay_above_zero_and_are_rounded_exactly(contributions, cell):
    noise = SumNoise(shares=(Fraction(1), Fraction(1, 3)), steps=7)
    top = [*sorted(contributions, reverse=True), 0][:2]
    total = np.array([sum(contributions)])
    keys = np.array([cell], np.uint64)
    noisy = perturbed_sums(total, np.array([top]), keys, noise=noise, key=KEY)
    assert noisy[0] >= 0
    exact = Fraction(0)
    for rank, x in enumerate(top):
        v = looked_up(
            np.array([noise.table.rows - 1]), draws(keys, key=KEY, purpose=f"sum {rank + 1}"), table=noise.table
        )[0]
        exact += noise.shares[rank] * x * int(v) / 7
    assert abs(int(noisy[0] - total[0]) - exact) <= 1


# --- random rounding


@pytest.mark.parametrize("base", [3, 5, 10])
def test_random_rounding_is_right_on_average_and_near(base):
    for remainder in range(base):
        counts = np.full(20_000, 4 * base + remainder)
        rounded = randomly_rounded(counts, many_keys(20_000), base=base, key=KEY)
        assert not (rounded % base).any()
        assert np.abs(rounded - counts).max() <= base - 1
        spread = max((remainder * (base - remainder) / 20_000) ** 0.5, 1e-9)
        assert 2 * norm.sf(abs((rounded - counts).mean()) / spread) > UNLIKELY
        if remainder:
            wrong = counts - remainder + base * (np.arange(20_000) % base < remainder - 1)
            assert 2 * norm.sf(abs((wrong - counts).mean()) / spread) < UNLIKELY


def test_random_rounding_keeps_multiples_and_persons_together():
    keys = many_keys(1000)
    assert (randomly_rounded(np.full(1000, 6), keys, base=3, key=KEY) == 6).all()
    assert (randomly_rounded(np.zeros(1000, np.int64), keys, base=3, key=KEY) == 0).all()
    first = randomly_rounded(np.full(1000, 7), keys, base=3, key=KEY)
    assert (randomly_rounded(np.full(1000, 7), keys, base=3, key=KEY) == first).all()


def test_what_cant_be_perturbed():
    keys = many_keys(1)
    with pytest.raises(DataError):
        perturbed_counts(np.array([-1]), keys, table=TABLE, key=KEY)
    with pytest.raises(DataError):
        randomly_rounded(np.array([-1]), keys, base=3, key=KEY)
    for base in (1, 0, True, 2.5):
        with pytest.raises(PolicyError):
            randomly_rounded(np.array([1]), keys, base=base, key=KEY)
    with pytest.raises(UsageError):
        record_keys([1], key=b"short")
    with pytest.raises(PolicyError):
        SumNoise(shares=("3/2",))
    with pytest.raises(PolicyError):
        perturbed_sums(np.array([5]), np.array([[5]]), keys, noise=SumNoise(shares=("1/5", "1/10")), key=KEY)
