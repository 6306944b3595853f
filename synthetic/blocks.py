"""More records than fit in memory: drawn block by block from one fit, so that each block looks like the whole."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from release.residuals import FloatArray
from synthetic.agree import agreeing, all_margins
from synthetic.fit import Fit
from synthetic.make import seeds, synthesise
from synthetic.records import Records, draw_records

LARGEST_BLOCK = 1_000_000


def record_blocks(fit: Fit, *, rows: int, seed: int) -> Iterator[Records]:
    """So many records that agree with the fit's tables, block by block.

    A single block is refined by itself. Of several, only the last is, so that it makes up for all differences of the
    others: together they agree as closely as one would. The same rows and seed give the same records.
    """
    sizes = block_sizes(rows)
    if len(sizes) == 1:
        yield synthesise(fit, rows=rows, seed=seed)
        return
    differences: list[FloatArray] = []
    for number, (size, block_seed) in enumerate(zip(sizes, seeds(str(seed), len(sizes)), strict=True), start=1):
        random = np.random.default_rng(block_seed)
        block = draw_records(fit, size, random)
        if number == len(sizes):
            block = agreeing(block, random, beside=differences)
        else:
            differences = _added(differences, block)
        yield block


def block_sizes(rows: int) -> list[int]:
    """The fewest blocks of at most a million records, as even as can be."""
    number = -(-rows // LARGEST_BLOCK)
    return [end - start for start, end in pairwise(rows * block // number for block in range(number + 1))]


def _added(differences: list[FloatArray], block: Records) -> list[FloatArray]:
    new = [margin.difference for margin in all_margins(block)]
    return [old + difference for old, difference in zip(differences, new, strict=True)] if differences else new
