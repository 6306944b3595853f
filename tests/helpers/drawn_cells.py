"""Cells drawn as the contributions they hold, so that a statistician can check a rule by hand."""

from collections import defaultdict

import numpy as np

from release.protected.suppression.rules import CellFacts
from release.protected.suppression.rules.facts import NOBODY

TOP = 4


def rows_of(text: str) -> list[dict[str, str]]:
    """Rows of a drawn table; fields stay text."""
    lines = [line for line in text.splitlines() if line.strip() and not set(line.strip()) <= set("-+ ")]
    names, *rows = [[field.strip() for field in line.split("|")] for line in lines]
    return [dict(zip(names, row, strict=True)) for row in rows]


def contributions(text: str) -> tuple[list[str], CellFacts]:
    """Cells in order of appearance, and what the confidential side would prepare of the drawn contributions.

    Columns: cell, holding, value; a row each contribution. Contributions of one holding to a cell are added up first.
    """
    cells: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in rows_of(text):
        cells[row["cell"]][row["holding"]] += int(row["value"])
    holdings = {h: i for i, h in enumerate(sorted({h for cell in cells.values() for h in cell}))}
    each = [[abs(v) for v in cell.values() if v] for cell in cells.values()]
    numbers = [[holdings[h] for h, v in cell.items() if v] for cell in cells.values()]
    facts = CellFacts(
        counts=whole(len(cell) for cell in each),
        sums=whole(sum(cell.values()) for cell in cells.values()),
        absolute=whole(map(sum, each)),
        largest=np.array([(sorted(cell, reverse=True) + [0] * TOP)[:TOP] for cell in each], np.int64),
        contributors=whole(map(len, each)),
        sole=whole(who[0] if len(who) == 1 else NOBODY for who in numbers),
    )
    return list(cells), facts


def columns(text: str) -> tuple[list[str], dict[str, np.ndarray]]:
    """Cells by name, and the drawn whole-number columns; an empty field is NOBODY."""
    rows = rows_of(text)
    names = [name for name in rows[0] if name != "cell"]
    return [row["cell"] for row in rows], {n: whole(int(row[n]) if row[n] else NOBODY for row in rows) for n in names}


def whole(numbers) -> np.ndarray:
    return np.array(list(numbers), np.int64)
