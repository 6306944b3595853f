"""A table as long CSV: one column per key, then statistic, value, lower, upper, standard_error, status, note.

UTF-8, LF, codes, numbers as shortest decimal text; nothing stands for a figure that isn't shown.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from release.protected.safe import FIGURES, SafeTable
from release.published.columns import Coded, Columns, columns_of
from release.published.decimal_text import decimal_text
from release.published.layout import write_file

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_AT_A_TIME = 100_000


def write_csv(table: SafeTable, path: Path) -> None:
    """Write the table. Codes are written as they are, also those that a spreadsheet takes for formulas."""
    columns = columns_of(table)
    write_file(path, _pieces(table, columns))


def formula_like_codes(table: SafeTable) -> tuple[str, ...]:
    """Codes that a spreadsheet might take for a formula when a CSV is opened by a double click."""
    codes = (code for coded in columns_of(table).keys for code in coded.codes)
    return tuple(code for code in codes if code.startswith(("=", "+", "-", "@", "\t", "\r")))


def _pieces(table: SafeTable, columns: Columns) -> Iterator[bytes]:
    header = [*(key.name for key in table.keys), "statistic", *FIGURES, "status", "note"]
    yield (",".join(quoted(name) for name in header) + "\n").encode("utf-8")
    for start in range(0, len(columns), ROWS_AT_A_TIME):
        yield _lines(columns, slice(start, start + ROWS_AT_A_TIME))


def _lines(columns: Columns, rows: slice) -> bytes:
    import pyarrow.compute as pc

    fields = [
        *(_texts(coded, rows) for coded in columns.keys),
        _texts(columns.statistic, rows),
        *(decimal_text(columns.figures[name][rows]) for name in FIGURES),
        _texts(columns.status, rows),
        _texts(columns.note, rows, end="\n"),
    ]
    lines = pc.binary_join_element_wise(*fields, ",")
    return bytes(lines.buffers()[2])


def _texts(coded: Coded, rows: slice, end: str = "") -> "pa.StringArray":
    import pyarrow as pa

    return pa.array([quoted(code) + end for code in coded.codes], pa.string()).take(pa.array(coded.index[rows]))


def quoted(text: str) -> str:
    """A field as RFC 4180 wants it: in quotation marks only where it must be."""
    if any(mark in text for mark in ',"\n\r'):
        return '"' + text.replace('"', '""') + '"'
    return text
