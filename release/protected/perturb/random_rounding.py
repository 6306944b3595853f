"""Random rounding: each count goes to one of the two nearest multiples of a base, without bias.

Source: Hundepool et al., Statistical Disclosure Control (2012), section 5.4. Statistics New Zealand
uses it with base 3.
"""

import numpy as np

from release.codes import IntArray
from release.errors import DataError, PolicyError
from release.protected.perturb.keys import KeyArray, draws


def randomly_rounded(counts: IntArray, keys: KeyArray, *, base: int, key: bytes) -> IntArray:
    """Counts as multiples of `base`, [n]; up with chance remainder / base, decided by the cell's key and the office's.

    Multiples stay as they are. The same persons are rounded the same way everywhere. Not additive.
    """
    refuse_base(base)
    if (counts < 0).any():
        raise DataError("counts below zero can't be rounded at random") from None
    remainder = counts % base
    level = draws(keys, key=key, purpose=f"round {base}") >> np.uint64(32)
    up = (level * np.uint64(base) >> np.uint64(32)).astype(np.int64) < remainder
    return counts - remainder + base * up


def refuse_base(base: int) -> None:
    """PolicyError where a rounding base makes no sense."""
    if isinstance(base, bool) or not isinstance(base, int) or not 2 <= base <= 10**6:
        raise PolicyError("a rounding base is a whole number, 2 or more", where="the table's protection in the policy")
