"""Promises: each says it is no differential privacy, tells its numbers, and the numbers are the method's."""

import numpy as np
import pytest

from release.protected.perturb.cell_key import SumNoise, perturbed_counts
from release.protected.perturb.keys import record_keys
from release.protected.perturb.promise import (
    NO_DP,
    cell_key_promise,
    controlled_rounding_promise,
    random_rounding_promise,
    small_counts_promise,
    sums_promise,
)
from release.protected.perturb.random_rounding import randomly_rounded
from release.protected.perturb.table import perturbation_table

KEY = b"the office's own key, never published"
TABLE = perturbation_table(largest=5, variance=3, forbidden=2)
PROMISES = [
    cell_key_promise(TABLE),
    sums_promise(SumNoise(shares=("1/10", "1/20"))),
    random_rounding_promise(3),
    controlled_rounding_promise(3, how="nearest"),
    small_counts_promise(5),
]


@pytest.mark.parametrize("promise", PROMISES, ids=lambda p: p.method)
def test_every_promise_denies_differential_privacy_and_names_a_weakness(promise):
    assert NO_DP in promise.weaknesses
    assert len(promise.weaknesses) > 1
    assert promise.numbers
    text = promise.markdown()
    assert all(sentence in text for sentence in (*promise.says, *promise.weaknesses))
    assert KEY.decode() not in text


def test_numbers_of_cell_keys_are_what_happens():
    keys = record_keys(range(50_000), key=KEY)
    changes = perturbed_counts(np.full(50_000, 30), keys, table=TABLE, key=KEY) - 30
    numbers = cell_key_promise(TABLE).numbers
    assert np.abs(changes).max() <= numbers["largest_change"]
    assert changes.std() == pytest.approx(numbers["standard_deviation"], rel=0.03)
    assert np.abs(changes).mean() == pytest.approx(numbers["mean_absolute_change"], rel=0.03)
    assert (changes == 0).mean() == pytest.approx(numbers["chance_of_no_change"], rel=0.05)


def test_numbers_of_random_rounding_are_what_happens():
    counts = np.arange(30_000) % 30 + 30
    changes = randomly_rounded(counts, record_keys(range(30_000), key=KEY), base=3, key=KEY) - counts
    numbers = random_rounding_promise(3).numbers
    assert np.abs(changes).max() == numbers["largest_change"]
    assert changes.std() == pytest.approx(numbers["standard_deviation"], rel=0.03)
    assert np.abs(changes).mean() == pytest.approx(numbers["mean_absolute_change"], rel=0.03)


def test_counts_never_shown_are_told():
    assert "Counts of 1 to 2 are never shown." in cell_key_promise(TABLE).says
    assert (
        "A count of 1 is never shown." in cell_key_promise(perturbation_table(largest=5, variance=3, forbidden=1)).says
    )
