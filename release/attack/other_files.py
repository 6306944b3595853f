"""Spreadsheets (XLSX) and Parquet files as tables of text."""

import io
import math
from typing import Any

from release.attack.sheet import Sheet, sheet_of_rows, unreadable


def read_xlsx(name: str, content: bytes) -> list[Sheet]:
    """Every worksheet that holds a table. DataError where the file is no workbook or no sheet holds one."""
    from openpyxl import load_workbook

    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        grids = {sheet.title: [[_cell(value) for value in row] for row in sheet.values] for sheet in book.worksheets}
    except Exception:  # noqa: BLE001 (the library raises many kinds for damaged files)
        raise unreadable(name, "it isn't a whole workbook (XLSX)") from None
    filled = {title: _trimmed(rows) for title, rows in grids.items() if any(any(row) for row in rows)}
    if len(filled) == 1:
        return [sheet_of_rows(name, next(iter(filled.values())))]
    return _those_with_tables(name, filled)


def read_parquet(name: str, content: bytes) -> list[Sheet]:
    """The one table of a Parquet file. DataError where it is none."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(io.BytesIO(content))
    except (pa.ArrowException, OSError, ValueError):
        raise unreadable(name, "it isn't a whole Parquet file") from None
    header = tuple(str(column) for column in table.column_names)
    if len(header) < 2 or not table.num_rows:
        raise unreadable(name, "it holds no table of at least two columns")
    columns = tuple([_cell(value) for value in table.column(i).to_pylist()] for i in range(len(header)))
    return [Sheet(name, header, columns)]


def _those_with_tables(name: str, grids: dict[str, list[list[str]]]) -> list[Sheet]:
    from release.errors import DataError

    sheets = []
    for title, rows in grids.items():
        try:
            sheets.append(sheet_of_rows(f"{name}, {title}", rows))
        except DataError:
            continue
    if not sheets:
        raise unreadable(name, "no worksheet holds a table")
    return sheets


def _trimmed(rows: list[list[str]]) -> list[list[str]]:
    """Without empty columns at the right, which spreadsheets often have."""
    width = max((i + 1 for row in rows for i, text in enumerate(row) if text), default=0)
    return [[*row[:width], *[""] * (width - len(row))] for row in rows]


def _cell(value: Any) -> str:
    """A cell's text; whole numbers without decimals, other numbers in their shortest form."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.15g}"
    return str(value).strip()
