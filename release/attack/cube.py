"""All cells of all published files in one space: the same combination of codes is the same cell, wherever it stands."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from release.attack.published import NO_BOUND, UNTOLD, BoolArray, Dimension, Published
from release.attack.trees import Sum, total_of
from release.codes import IntArray
from release.errors import DataError, Fault, roughly

STATISTIC = "statistic"
NOT_TOLD = "(not told)"
MOST_CELLS = 2**62


@dataclass(frozen=True, eq=False)
class Cube:
    """Cells by key, ascending. A key is the cell's place in the full cross of the codes.

    lower, upper: int64 [n], in units of 10 ** -decimals. hidden: bool [n], withheld by its publisher in some file,
    though another may show it. printed: bool [n]; the others are cells that no file prints and that sums run through.
    sources: per table the positions of its cells, in its own order.
    """

    dimensions: tuple[Dimension, ...]
    keys: IntArray
    lower: IntArray
    upper: IntArray
    hidden: BoolArray
    printed: BoolArray
    tables: tuple[Published, ...]
    sources: tuple[IntArray, ...]
    decimals: int

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def known(self) -> BoolArray:
        return np.asarray(self.lower == self.upper, bool)

    @property
    def steps(self) -> tuple[int, ...]:
        """What one code further adds to a key, per dimension."""
        return steps_of(self.dimensions)

    def digit(self, d: int) -> IntArray:
        """Index of each cell's code in dimension d."""
        return (self.keys // self.steps[d]) % len(self.dimensions[d].codes)

    def place(self, keys: IntArray) -> IntArray:
        """Positions of keys, -1 where there is no such cell."""
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[at] == keys, at, -1)

    def codes_of(self, cell: int) -> dict[str, str]:
        """A cell's codes by dimension."""
        key = int(self.keys[cell])
        return {
            dim.name: dim.codes[key // step % len(dim.codes)]
            for dim, step in zip(self.dimensions, self.steps, strict=True)
        }


def steps_of(dimensions: Sequence[Dimension]) -> tuple[int, ...]:
    sizes = [len(dimension.codes) for dimension in dimensions]
    return tuple(prod(sizes[d + 1 :]) for d in range(len(sizes)))


def joined(tables: Sequence[Published], *, more: Mapping[str, Iterable[str]] | None = None) -> Cube:
    """One cube of several tables. more: further codes per dimension, that no file prints.

    A dimension that a table lacks stands at its total. DataError where two files show different figures of a cell.
    """
    whole = _in_one_unit(_with_statistic(tables))
    dimensions = _all_dimensions(whole, more or {})
    if prod(len(dimension.codes) for dimension in dimensions) >= MOST_CELLS:
        raise DataError("the tables have too many dimensions and codes to be joined", now="attack fewer files at once")
    keys = [_keys(table, dimensions) for table in whole]
    every = np.unique(np.concatenate(keys))
    sources = tuple(np.searchsorted(every, mine).astype(np.int64) for mine in keys)
    lower, upper = _narrowest(whole, sources, len(every))
    hidden = _withheld(whole, sources, len(every))
    decimals = whole[0].decimals
    cube = Cube(dimensions, every, lower, upper, hidden, np.ones(len(every), bool), tuple(whole), sources, decimals)
    _refuse_contradictions(cube)
    return cube


def with_unprinted(cube: Cube, sums: Mapping[str, Sequence[Sum]]) -> Cube:
    """The cube with the totals and the made-up parts that sums run through, though no file prints them: unknown."""
    grown = cube
    for _ in range(sum(len(found) for found in sums.values()) + 1):
        keys = [_missing(grown, d, one) for d, dim in enumerate(cube.dimensions) for one in sums.get(dim.name, ())]
        new = np.setdiff1d(np.concatenate([*keys, np.empty(0, np.int64)]), grown.keys)
        if not len(new):
            break
        grown = _with_keys(grown, new)
    return grown


def _missing(cube: Cube, d: int, one: Sum) -> IntArray:
    """Keys of parents of printed children, and of made-up children of known parents."""
    place = {code: i for i, code in enumerate(cube.dimensions[d].codes)}
    digit, step = cube.digit(d), cube.steps[d]
    children = np.array([place[child] for child in one.children if child not in one.made], np.int64)
    base = cube.keys[np.isin(digit, children)]
    above = base + (place[one.parent] - (base // step) % len(place)) * step
    parents = np.union1d(cube.keys[digit == place[one.parent]], above)
    below = [parents + (place[child] - place[one.parent]) * step for child in one.made]
    return np.concatenate([parents, *below]).astype(np.int64)


def _with_keys(cube: Cube, new: IntArray) -> Cube:
    keys = np.union1d(cube.keys, new)
    at = np.searchsorted(keys, cube.keys)
    count = len(keys)

    def spread(values: "np.ndarray[tuple[int, ...], np.dtype[np.generic]]", rest: int) -> IntArray:
        out = np.full(count, rest, np.int64)
        out[at] = values
        return out

    return replace(
        cube,
        keys=keys,
        lower=spread(cube.lower, UNTOLD),
        upper=spread(cube.upper, NO_BOUND),
        hidden=spread(cube.hidden, 0).astype(bool),
        printed=spread(cube.printed, 0).astype(bool),
        sources=tuple(at[source].astype(np.int64) for source in cube.sources),
    )


def _with_statistic(tables: Sequence[Published]) -> list[Published]:
    """Tables of different statistics are kept apart by a dimension of their own."""
    if len({table.statistic for table in tables}) == 1:
        return list(tables)
    return [_with_dimension(table, Dimension(STATISTIC, (table.statistic,))) for table in tables]


def _with_dimension(table: Published, dimension: Dimension) -> Published:
    column = np.zeros((len(table), 1), np.int32)
    return replace(
        table, dimensions=(*table.dimensions, dimension), cells=np.hstack([table.cells, column]).astype(np.int32)
    )


def _in_one_unit(tables: Sequence[Published]) -> list[Published]:
    finest = max(table.decimals for table in tables)
    return [_scaled(table, 10 ** (finest - table.decimals), finest) for table in tables]


def _scaled(table: Published, factor: int, decimals: int) -> Published:
    def scaled(bounds: IntArray) -> IntArray:
        return np.where(np.abs(bounds) >= NO_BOUND, bounds, bounds * factor).astype(np.int64)

    return replace(table, lower=scaled(table.lower), upper=scaled(table.upper), decimals=decimals)


def _all_dimensions(tables: Sequence[Published], more: Mapping[str, Iterable[str]]) -> tuple[Dimension, ...]:
    """Dimensions by name, each with all codes met anywhere; a code for tables that lack it and its total."""
    names = dict.fromkeys(dimension.name for table in tables for dimension in table.dimensions)
    found = []
    for name in names:
        mine = [dimension for table in tables for dimension in table.dimensions if dimension.name == name]
        codes = tuple(dict.fromkeys(code for dimension in mine for code in dimension.codes))
        labels = {code: text for dimension in mine for code, text in dimension.labels.items()}
        edges = tuple(dict.fromkeys(edge for dimension in mine for edge in dimension.edges))
        lacking = (NOT_TOLD,) if len(mine) < len(tables) and total_of(codes, labels) is None else ()
        made = tuple(code for code in dict.fromkeys(more.get(name, ())) if code not in codes)
        found.append(Dimension(name, (*codes, *lacking, *made), edges, labels, made))
    return tuple(found)


def _keys(table: Published, dimensions: Sequence[Dimension]) -> IntArray:
    keys = np.zeros(len(table), np.int64)
    mine = {dimension.name: i for i, dimension in enumerate(table.dimensions)}
    for dimension, step in zip(dimensions, steps_of(dimensions), strict=True):
        place = {code: i for i, code in enumerate(dimension.codes)}
        if dimension.name in mine:
            i = mine[dimension.name]
            keys += np.array([place[code] for code in table.dimensions[i].codes], np.int64)[table.cells[:, i]] * step
        else:
            keys += place[total_of(dimension.codes, dimension.labels) or NOT_TOLD] * step
    return keys


def _narrowest(tables: Sequence[Published], sources: Sequence[IntArray], count: int) -> tuple[IntArray, IntArray]:
    lower, upper = np.full(count, UNTOLD, np.int64), np.full(count, NO_BOUND, np.int64)
    for table, at in zip(tables, sources, strict=True):
        lower[at] = np.maximum(lower[at], table.lower)
        upper[at] = np.minimum(upper[at], table.upper)
    return lower, upper


def _withheld(tables: Sequence[Published], sources: Sequence[IntArray], count: int) -> BoolArray:
    hidden = np.zeros(count, bool)
    for table, at in zip(tables, sources, strict=True):
        hidden[at] |= table.hidden
    return hidden


def _refuse_contradictions(cube: Cube) -> None:
    wrong = np.flatnonzero(cube.lower > cube.upper)
    if len(wrong):
        listed = ["; ".join(f"{k}: {v}" for k, v in cube.codes_of(int(cell)).items()) for cell in wrong[:10]]
        raise DataError(
            [
                Fault(
                    f"{roughly(len(wrong))} cells have different figures in different files, so these aren't of the "
                    "same persons",
                    where="\n            ".join(listed),
                    now="attack the files one by one, or tell --cumulative where each holds those before it",
                )
            ]
        )
