"""Numbers as the shortest decimal text that reads back the same: no exponent, no locale, on any machine."""

from typing import TYPE_CHECKING

import numpy as np

from release.published.columns import FloatArray

if TYPE_CHECKING:
    import pyarrow as pa


def decimal_text(values: FloatArray) -> "pa.StringArray":
    """Text of each number, "" for NaN. Infinite numbers never get here: `columns_of` refuses them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = pc.cast(pa.array(values + 0.0), pa.string())
    with_exponent = pc.match_substring(texts, "e")
    exact = [_positional(number) for number in values[with_exponent.to_numpy(zero_copy_only=False)]]
    texts = pc.replace_with_mask(texts, with_exponent, pa.array(exact, pa.string()))
    return pc.if_else(pa.array(np.isnan(values)), "", texts)


def _positional(number: float) -> str:
    return str(np.format_float_positional(number, trim="-"))
