"""The figures for the site: scripts that hand compact arrays to the page, so that it works from a file.

`data/<table>.js` describes a table; `data/<table>.<part>.js` holds its figures, in one part, or in one per code of the
first key where there are many. A figure's place is its position in the grid of all codes and statistics;
`at` lists runs of places (start, length), so that a whole grid costs next to nothing.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from release.protected.reasons import Status
from release.protected.safe import KeyColumn, SafeTable
from release.protected.words import EXACT, LANGUAGES, code_texts, is_fraction, key_title, statistic_text, status_text
from release.published.columns import Coded, Columns, FloatArray, columns_of
from release.published.decimal_text import decimal_text

Places = npt.NDArray[np.int64]
ROWS_IN_ONE_PART = 20_000
FIGURES_SHOWN = ("value", "lower", "upper")


@dataclass(frozen=True, eq=False)
class Grid:
    """A table's figures in the order of their places. keys: codes that occur; bounds: where parts begin."""

    columns: Columns
    keys: tuple[Coded, ...]
    order: Places
    places: Places
    bounds: Places
    exact: bool

    @property
    def figures(self) -> Mapping[str, FloatArray]:
        """The figures; an exact one has no interval to show."""
        own = self.columns.figures
        return {name: np.full(len(own[name]), np.nan) if self.exact and name != "value" else own[name] for name in own}


def grid_of(table: SafeTable) -> Grid:
    """The table's figures laid out for the site."""
    columns = columns_of(table)
    keys = tuple(_only_used(coded) for coded in columns.keys)
    sizes = (*(len(coded.codes) for coded in keys), len(columns.statistic.codes))
    indices = (*(coded.index for coded in keys), columns.statistic.index)
    places = np.ravel_multi_index(indices, sizes).astype(np.int64)
    order = np.argsort(places, kind="stable")
    exact = table.protection == "suppression"
    return Grid(columns, keys, order, places[order], _bounds(places[order], sizes), exact)


def scripts(table: SafeTable) -> Iterator[tuple[str, bytes]]:
    """File names below `site/data` and their content."""
    grid = grid_of(table)
    yield f"{table.name}.js", _call("table", _description(table, grid))
    for number, content in enumerate(_parts(grid)):
        yield f"{table.name}.{number}.js", f'utfall.part("{table.name}",{number},{content});\n'.encode()


def _only_used(coded: Coded) -> Coded:
    used, index = np.unique(coded.index, return_inverse=True)
    return Coded(tuple(coded.codes[i] for i in used), index.astype(np.int32))


def _bounds(places: Places, sizes: tuple[int, ...]) -> Places:
    """Rows at which parts begin, and the end: one part, or one per code of the first key."""
    if len(places) <= ROWS_IN_ONE_PART or len(sizes) < 2:
        return np.array([0, len(places)], np.int64)
    stride = int(np.prod(sizes[1:]))
    return np.searchsorted(places, np.arange(sizes[0] + 1) * stride).astype(np.int64)


def _description(table: SafeTable, grid: Grid) -> dict[str, object]:
    outside = {"exact": dict(EXACT[table.covers])} if table.covers in EXACT else {}
    return {
        "name": table.name,
        **outside,
        "unit": table.unit,
        "parts": len(grid.bounds) - 1,
        "keys": [_key(key, coded) for key, coded in zip(table.keys, grid.keys, strict=True)],
        "statistics": [_statistic(name) for name in table.statistics],
        "statuses": [
            {language: status_text(status, language) for language in LANGUAGES} for status in grid.columns.status.codes
        ],
        "notes": list(grid.columns.note.codes),
    }


def _key(key: KeyColumn, coded: Coded) -> dict[str, object]:
    texts = {language: code_texts(key, coded.codes, language) for language in LANGUAGES}
    title = {language: key_title(key, language) for language in LANGUAGES}
    return {"name": key.name, "title": title, "codes": coded.codes, "texts": texts}


def _statistic(name: str) -> dict[str, object]:
    called = {language: statistic_text(name, language) for language in LANGUAGES}
    return {"name": name, "called": called, "fraction": is_fraction(name)}


def _parts(grid: Grid) -> Iterator[str]:
    """Each part as a JavaScript object: runs of places, statuses as digits, figures of the shown rows, notes by row."""
    status = grid.columns.status.index[grid.order]
    shown = status == list(Status).index(Status.SHOWN)
    digits = (status + ord("0")).astype(np.uint8).tobytes().decode("ascii")
    numbers = _joined_figures(grid, shown)
    notes = grid.columns.note.index[grid.order]
    blank = grid.columns.note.codes.index("") if "" in grid.columns.note.codes else -1
    for part, (start, end) in enumerate(zip(grid.bounds[:-1], grid.bounds[1:], strict=True)):
        figures = ",".join(f"{name}:[{numbers[name][part]}]" for name in FIGURES_SHOWN)
        at, note = _runs(grid.places[start:end]), _pairs(notes[start:end], blank)
        yield f'{{at:{at},status:"{digits[start:end]}",{figures},note:{note}}}'


def _joined_figures(grid: Grid, shown: npt.NDArray[np.bool_]) -> dict[str, list[str]]:
    """For each figure and part, the numbers of the shown rows with commas between them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = grid.order[shown]
    offsets = pa.array(np.concatenate(([0], np.cumsum(shown)))[grid.bounds].astype(np.int32))
    figures = grid.figures
    decimals = _decimals(figures["standard_error"][rows])
    lists = {
        name: pa.ListArray.from_arrays(offsets, decimal_text(_to_decimals(figures[name][rows], decimals)))
        for name in FIGURES_SHOWN
    }
    return {name: pc.binary_join(texts, ",").to_pylist() for name, texts in lists.items()}


def _decimals(error: FloatArray) -> FloatArray:
    """Decimals that keep four figures of the standard error; nine where there is none."""
    with np.errstate(divide="ignore", invalid="ignore"):
        decimals = np.clip(3 - np.floor(np.log10(error)), 0, 9)
    return np.where(error > 0, decimals, 9.0)


def _to_decimals(values: FloatArray, decimals: FloatArray) -> FloatArray:
    scale = 10.0**decimals
    return np.asarray(np.rint(values * scale) / scale, np.float64)


def _runs(places: Places) -> str:
    """Places as [start, length, start, length, …]."""
    breaks = np.flatnonzero(np.diff(places) != 1) + 1
    starts = np.concatenate(([0], breaks)) if len(places) else breaks
    lengths = np.diff(np.concatenate((starts, [len(places)])))
    return _compact(np.stack((places[starts], lengths), axis=1).ravel().tolist())


def _pairs(notes: npt.NDArray[np.int32], blank: int) -> str:
    """Rows with a note as [row, note, row, note, …]."""
    rows = np.flatnonzero(notes != blank)
    return _compact(np.stack((rows, notes[rows]), axis=1).ravel().tolist())


def _call(function: str, content: object) -> bytes:
    return f"utfall.{function}({_compact(content)});\n".encode()


def _compact(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
