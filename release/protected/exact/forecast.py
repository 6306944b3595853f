"""What a set of exact tables will come to, before anything is protected: for `utfall check`. Banded numbers only."""

from __future__ import annotations

import math

from release.errors import roughly
from release.protected.exact.cells import TrueCells
from release.protected.exact.judged import Judged
from release.protected.suppression.question import Effort

Line = tuple[str, str, str]
"""Where, what, roughly how many: as in the report of a delivery's checks."""

LONG = "minutes that hiding others with them may take, on one core"

_CELLS, _MINUTES, _GROWTH = 130_000.0, 10.0, 1.6
"""Pattern and certificate of so many cells took so many minutes of one core; of others, by tables of 34,000 to 212,000
cells, as a power of their number (benchmarks/README.md)."""
_THOROUGH, _SMALLEST = 5, 300
"""Minutes of the thorough engine's budget of work, which tables of more cells use up."""


def forecast(cells: TrueCells, asked: Judged) -> list[Line]:
    """Cells with persons, cells that each rule hides, and how long the engine may take where that is long."""
    where = f"tables {', '.join(cells.tables.tables)}"
    lines = [(where, "cells with persons", roughly(len(cells.values)))]
    lines += [(where, f"cells hidden by rule: {why}", roughly(int(hit.sum()))) for why, hit in asked.reasons.items()]
    minutes = expected_minutes(len(cells.values), asked.effort)
    return [*lines, (where, LONG, roughly(minutes))] if minutes >= _MINUTES else lines


def expected_minutes(cells: int, effort: Effort) -> int:
    """Minutes of one core that pattern and certificate of so many cells may take, up to the next whole one."""
    more = _THOROUGH if effort == "thorough" and cells > _SMALLEST else 0
    return math.ceil(_MINUTES * math.pow(cells / _CELLS, _GROWTH) + more)
