"""Who knows which cells beforehand: those who are alone in a cell, and what follows from that without any table.

Whoever is alone in a total knows its parts too, where all parts but his own stand at what everyone knows them to be at
least: nothing is left for them. So no pattern can keep from him that the other cells of his row are empty, and none has
to. Where zeros are printed this adds nothing.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from release.codes import IntArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array


def known_beforehand(relations: csr_array, values: IntArray, lower: IntArray, alone: IntArray) -> dict[int, set[int]]:
    """The cells that each person who is alone somewhere knows by himself, his own among them, by his number.

    relations: sparse [m, n], -1 total, +1 parts. values, lower, alone: int64 [n], as of a `Question`.
    """
    known: dict[int, set[int]] = defaultdict(set)
    for cell in np.flatnonzero(alone >= 0).tolist():
        known[int(alone[cell])].add(cell)
    if (lower >= 1).all():
        return dict(known)
    below = _Below(relations, values <= lower)
    for cells in known.values():
        below.follow(cells)
    return dict(known)


class _Below:
    """The parts of each total, sum by sum, and which cells stand at their bound."""

    def __init__(self, relations: csr_array, least: np.ndarray) -> None:
        self._least = least
        rows = relations.tocsr()
        self._parts: dict[int, list[list[int]]] = defaultdict(list)
        for row in range(rows.shape[0]):
            entries = slice(rows.indptr[row], rows.indptr[row + 1])
            cells, signs = rows.indices[entries], rows.data[entries]
            if (signs < 0).sum() == 1:
                self._parts[int(cells[signs < 0][0])].append(cells[signs > 0].tolist())

    def follow(self, cells: set[int]) -> None:
        """Adds all parts of known totals that nothing is left for, and theirs, until nothing new is known."""
        waiting = list(cells)
        while waiting:
            for parts in self._parts.get(waiting.pop(), ()):
                rest = [part for part in parts if part not in cells]
                if all(self._least[part] for part in rest):
                    cells.update(rest)
                    waiting.extend(rest)
