"""The same table at successive dates, each holding all persons of the one before: what the increases tell."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from release.attack.published import Dimension, Published
from release.attack.trees import Sum
from release.errors import UsageError

DATE = "file"


def cumulative(files: Sequence[Sequence[Published]]) -> tuple[list[Published], tuple[Sum, ...]]:
    """Tables of successive files with a dimension for the file; each later file is the one before and an increase.

    files: tables of each file, the earliest first. Increases aren't printed: they are unknown cells, not below zero.
    """
    names = [tables[0].name for tables in files]
    if len(set(names)) < 2 or len(set(names)) < len(names):
        raise UsageError(
            "--cumulative needs two files or more of different names", now="name the files, the earliest first"
        )
    tables = [_dated(table, name) for name, found in zip(names, files, strict=True) for table in found]
    steps = pairwise(names)
    return tables, tuple(
        Sum(later, (earlier, increase(earlier, later)), (increase(earlier, later),)) for earlier, later in steps
    )


def increase(earlier: str, later: str) -> str:
    """What the cells between two files are called."""
    return f"{later} less {earlier}"


def _dated(table: Published, name: str) -> Published:
    cells = np.hstack([table.cells, np.zeros((len(table), 1), np.int32)]).astype(np.int32)
    return replace(table, dimensions=(*table.dimensions, Dimension(DATE, (name,))), cells=cells)
