"""Information loss: every number on tables small enough to check by hand."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from release.protected.perturb.infoloss import hellinger, perturbation_loss, suppression_loss


def test_distances_by_hand():
    true, published = np.array([0, 1, 4, 10]), np.array([3, 0, 4, 9])
    loss = perturbation_loss(true, published).numbers()
    assert loss["cells"] == 4
    assert loss["largest"] == 3
    assert loss["mean"] == pytest.approx((3 + 1 + 0 + 1) / 4)
    assert loss["root_mean_square"] == pytest.approx(((9 + 1 + 0 + 1) / 4) ** 0.5)
    assert loss["bias"] == pytest.approx((3 - 1 + 0 - 1) / 4)
    assert loss["relative"] == pytest.approx((1 + 0 + 0.1) / 3)
    assert loss["roots"] == pytest.approx((3**0.5 + 1 + 0 + 10**0.5 - 3) / 4)
    assert (loss["unchanged"], loss["within_1"], loss["within_2"]) == (0.25, 0.75, 0.75)
    assert (loss["false_zeros"], loss["false_positives"]) == (pytest.approx(1 / 3), 1.0)


def test_of_some_cells_only():
    assert perturbation_loss(np.array([1, 5]), np.array([1, 9]), of=np.array([True, False])).largest == 0


def test_hellinger_is_zero_alike_and_one_apart():
    assert hellinger(np.array([1, 2]), np.array([10, 20])) == pytest.approx(0, abs=1e-7)
    assert hellinger(np.array([3, 0]), np.array([0, 3])) == pytest.approx(1)
    assert hellinger(np.array([1, 1]), np.array([1, 0])) == pytest.approx((1 - 0.5**0.5) ** 0.5)
    assert hellinger(np.array([0]), np.array([0])) == 0


def test_suppression_by_hand():
    relations = csr_array(np.array([[-1, 1, 1, 1]], np.int8))
    values = np.array([20, 3, 7, 10])
    hidden, primary = np.array([False, True, True, False]), np.array([False, True, False, False])
    loss = suppression_loss(relations, values, hidden=hidden, primary=primary)
    assert (loss.cells, loss.shown, loss.primary, loss.secondary) == (4, 2, 1, 1)
    assert (loss.value, loss.value_share) == (10, 0.25)
    assert (loss.margins, loss.margins_hidden) == (1, 0)


def test_what_readers_can_count_tells_no_values_and_no_rule():
    relations = csr_array(np.array([[-1, 1, 1, 1]], np.int8))
    hidden = np.array([False, True, True, False])
    losses = [
        suppression_loss(relations, np.array(v), hidden=hidden, primary=np.array(p))
        for v, p in [([20, 3, 7, 10], [False, True, False, False]), ([20, 5, 5, 10], [False, True, True, False])]
    ]
    assert losses[0].public() == losses[1].public()
    assert "confidential" in repr(losses[0])
