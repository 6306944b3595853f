"""Where perturbation is weak: unions of categories take random rounding off again, as its promise says."""

from itertools import combinations, product

import numpy as np
import pytest

from release.protected.perturb.keys import record_keys
from release.protected.perturb.random_rounding import randomly_rounded

KEY = b"the office's own key, never published"


def possible_counts(counts: np.ndarray, *, base: int, first: int) -> np.ndarray:
    """All counts of the categories that agree with every union, each randomly rounded: [tables, categories]."""
    unions = [u for size in range(1, len(counts) + 1) for u in combinations(range(len(counts)), size)]
    inside = np.array([[i in union for i in range(len(counts))] for union in unions], np.int64)
    keys = record_keys(range(first, first + len(unions)), key=KEY)
    shown = randomly_rounded(inside @ counts, keys, base=base, key=KEY)
    near = [range(max(0, s - base + 1), s + base) for s in shown[: len(counts)]]
    guesses = np.array(list(product(*near)))
    return guesses[(np.abs(guesses @ inside.T - shown) < base).all(axis=1)]


@pytest.mark.parametrize(("categories", "least"), [(2, 0.0), (5, 0.15)])
def test_unions_give_true_counts_back(categories, least):
    """With two categories few counts are certain; with five many are."""
    rng = np.random.default_rng(1)
    certain = []
    for table in range(40):
        counts = rng.integers(1, 12, categories)
        possible = possible_counts(counts, base=3, first=1000 * table)
        assert (possible == counts).all(axis=1).any()
        certain += (possible.min(axis=0) == possible.max(axis=0)).tolist()
    assert np.mean(certain) >= least
    if categories == 2:
        assert np.mean(certain) < 0.1
