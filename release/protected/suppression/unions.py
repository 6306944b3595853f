"""Sums of hidden cells that anybody can compute: a margin minus its published parts.

Such a union is published as surely as a cell. So it is judged like one: it may be a small count, or be dominated by one
contributor although none of its cells is. Where a hidden cell of a union is itself a sum with published parts, the
union with that cell replaced by its hidden parts can be computed too.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from release.codes import IntArray
from release.protected.suppression.view import View


@dataclass(frozen=True)
class Union:
    """Hidden cells (positions, ascending) whose sum anybody can compute, and that sum."""

    cells: tuple[int, ...]
    total: int


@dataclass(frozen=True, eq=False)
class Unions:
    """All unions found. complete: False where there were more than were looked for."""

    found: tuple[Union, ...]
    complete: bool

    def small(self, largest: int) -> tuple[Union, ...]:
        """Unions whose sum is from 1 to `largest`: small counts that anybody can compute."""
        return tuple(union for union in self.found if 1 <= union.total <= largest)


@dataclass(frozen=True, eq=False)
class Contributions:
    """Who gave how much to which cell, in the office only. cell, holder: int64 [k]; amount: int64 [k], >= 0.

    A holder may stand several times in a cell; margins need not be listed when their parts are: give all hidden cells.
    """

    cell: IntArray
    holder: IntArray
    amount: IntArray
    _order: IntArray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_order", np.argsort(self.cell, kind="stable"))

    @cached_property
    def _starts(self) -> dict[int, tuple[int, int]]:
        cells, first, count = np.unique(self.cell[self._order], return_index=True, return_counts=True)
        return {int(c): (int(f), int(f + n)) for c, f, n in zip(cells, first, count, strict=True)}

    def largest(self, cells: tuple[int, ...], many: int) -> tuple[int, tuple[int, ...]]:
        """Total of some cells, and what their `many` largest holders gave to them together, descending."""
        rows = [self._order[slice(*self._starts.get(cell, (0, 0)))] for cell in cells]
        mine = np.concatenate([np.empty(0, np.int64), *rows]).astype(np.int64)
        _, holder = np.unique(self.holder[mine], return_inverse=True)
        given = np.zeros(int(holder.max(initial=-1)) + 1, np.int64)
        np.add.at(given, holder, self.amount[mine])
        ordered = np.sort(given)[::-1]
        return int(given.sum()), tuple(int(number) for number in ordered[:many])


def unions(view: View, *, most: int = 100_000) -> Unions:
    """Every union of hidden cells in one line, and those that come of replacing hidden sums by their hidden parts.

    most: unions looked for at most. Unions of one cell (which is then known) are included.
    """
    lines = _Lines(view)
    waiting = list(lines.whole())
    found = dict.fromkeys(waiting)
    while waiting and len(found) < most:
        for union in lines.finer(waiting.pop()):
            if union not in found:
                found[union] = None
                waiting.append(union)
    return Unions(tuple(sorted(found, key=lambda union: union.cells)), complete=not waiting)


def dominated(found: Unions, contributions: Contributions, *, count: int, percent: float) -> tuple[Union, ...]:
    """Unions of two or more cells of which the `count` largest holders gave more than `percent` % ((n,k) rule)."""
    wide = [union for union in found.found if len(union.cells) > 1]
    return tuple(union for union in wide if _share(*contributions.largest(union.cells, count)) > percent)


def estimable(found: Unions, contributions: Contributions, *, percent: float) -> tuple[Union, ...]:
    """Unions of two or more cells whose second holder can work out the first to within `percent` % (p % rule)."""
    wide = [union for union in found.found if len(union.cells) > 1]
    return tuple(union for union in wide if _too_close(*contributions.largest(union.cells, 2), percent))


def _share(total: int, largest: tuple[int, ...]) -> float:
    return 100.0 * sum(largest) / total if total > 0 else 0.0


def _too_close(total: int, largest: tuple[int, ...], percent: float) -> bool:
    return bool(largest) and 100 * (total - sum(largest)) < percent * largest[0]


class _Lines:
    """The sums of a view, by line: hidden parts, hidden whole, and what is published of them."""

    def __init__(self, view: View) -> None:
        self._hidden = ~view.published
        self._matrix = view.relations.tocsr()
        self._known = self._matrix.astype(np.int64) @ view.values
        self._of_whole: dict[int, list[tuple[tuple[int, ...], int]]] = {}
        self._open: list[Union] = []
        for row in np.flatnonzero(abs(self._matrix) @ self._hidden.astype(np.int64)):
            self._take(int(row))

    def _take(self, row: int) -> None:
        entries = slice(self._matrix.indptr[row], self._matrix.indptr[row + 1])
        cells, weight = self._matrix.indices[entries], self._matrix.data[entries]
        hidden = self._hidden[cells]
        parts = tuple(sorted(int(cell) for cell in cells[hidden & (weight > 0)]))
        whole = [int(cell) for cell in cells[hidden & (weight < 0)]]
        if whole:
            self._of_whole.setdefault(whole[0], []).append((parts, int(self._known[row])))
        elif parts:
            self._open.append(Union(parts, int(-self._known[row])))

    def whole(self) -> list[Union]:
        """Unions of one line each."""
        return list(dict.fromkeys(self._open))

    def finer(self, union: Union) -> Iterator[Union]:
        """The union with one hidden sum replaced by its hidden parts, for each such sum and way to part it."""
        for cell in union.cells:
            for parts, published in self._of_whole.get(cell, []):
                cells = {*union.cells} - {cell} | {*parts}
                if cells and len(cells) == len(union.cells) - 1 + len(parts):
                    yield Union(tuple(sorted(cells)), union.total - published)
