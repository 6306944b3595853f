"""Values at the limits of 64 bits never reach the mechanism; docs/proofs/gaussian.md says why."""

import numpy as np
import pytest

from release.confidential.mechanisms import LARGEST_VALUE, with_noise
from release.errors import UtfallError


@pytest.mark.parametrize("value", [LARGEST_VALUE + 1, -LARGEST_VALUE - 1, 2**63 - 1, -(2**63)])
def test_values_near_the_limits_are_refused(value):
    with pytest.raises(UtfallError, match="far from their limits"):
        with_noise(np.array([0, value], np.int64), 1.0)


@pytest.mark.parametrize("value", [LARGEST_VALUE, -LARGEST_VALUE])
def test_the_largest_allowed_values_pass(value):
    assert abs(int(with_noise(np.array([value], np.int64), 1.0)[0]) - value) < 50
