"""Data files that go with .rda metadata: fixed format (.asc) or free format (.csv, .tab), as columns of text."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from release.errors import DataError, roughly
from release.protected.exchange.metadata import Metadata, Variable
from release.protected.exchange.texts import text_of, write_text

Columns = Mapping[str, Sequence[str]]


def read_data(metadata: Metadata, path: Path, *, encoding: str | None = None) -> dict[str, list[str]]:
    """One column of text per variable. DataError where lines are too short or have other numbers of fields."""
    return columns_of(metadata, text_of(path, encoding))


def write_data(metadata: Metadata, columns: Columns, path: Path, *, encoding: str = "utf-8") -> None:
    """Write the columns as the metadata says. DataError where a text is wider than its field."""
    write_text(path, data_of(metadata, columns), encoding)


def columns_of(metadata: Metadata, text: str) -> dict[str, list[str]]:
    """Columns from the text of a data file."""
    lines = [line for line in text.splitlines() if line.strip()]
    rows = _cut(metadata, lines) if metadata.separator is None else _split(metadata, lines)
    return {variable.name: [row[i] for row in rows] for i, variable in enumerate(metadata.variables)}


def data_of(metadata: Metadata, columns: Columns) -> str:
    """The text of a data file."""
    rows = list(zip(*(columns[variable.name] for variable in metadata.variables), strict=True))
    if metadata.separator is not None:
        out = io.StringIO()
        csv.writer(out, delimiter=metadata.separator, lineterminator="\n").writerows(rows)
        return out.getvalue()
    return "".join(_fixed_line(metadata.variables, row) + "\n" for row in rows)


def edges_of_levels(codes: Sequence[str], levels: Sequence[int], *, total: str) -> list[tuple[str, str]]:
    """The tree that `<HIERLEVELS>` tells: a code's parents are its beginnings, as wide as the first parts together."""
    edges: dict[tuple[str, str], None] = {}
    for code in dict.fromkeys(codes):
        above, width = total, 0
        for level in levels:
            width += level
            part = code[:width].rstrip()
            if level and part and part != above:
                edges[above, part] = None
                above = part
    return list(edges)


def _cut(metadata: Metadata, lines: Sequence[str]) -> list[list[str]]:
    spans = [_span(variable) for variable in metadata.variables]
    last = max(start for start, _ in spans)
    short = sum(len(line) <= last for line in lines)
    if short:
        raise _wrong(f"{roughly(short)} lines end before the last variable begins")
    return [[line[start:end].strip() for start, end in spans] for line in lines]


def _split(metadata: Metadata, lines: Sequence[str]) -> list[list[str]]:
    rows = [[text.strip() for text in row] for row in csv.reader(lines, delimiter=metadata.separator or ",")]
    wrong = sum(len(row) != len(metadata.variables) for row in rows)
    if wrong:
        raise _wrong(f"{roughly(wrong)} lines have another number of fields than there are variables")
    return rows


def _span(variable: Variable) -> tuple[int, int]:
    start, width = variable.start or 1, variable.width or 0
    return start - 1, start - 1 + width


def _fixed_line(variables: Sequence[Variable], row: Sequence[str]) -> str:
    """Texts at their places: numbers to the right of their field, codes to the left."""
    line = ""
    for variable, text in sorted(zip(variables, row, strict=True), key=lambda pair: pair[0].start or 0):
        start, end = _span(variable)
        if len(text) > end - start:
            raise _wrong(f'a text of "{variable.name}" is wider than its field')
        padded = text.rjust(end - start) if variable.role in ("value", "weight") else text.ljust(end - start)
        line = line.ljust(start) + padded
    return line


def _wrong(why: str) -> DataError:
    return DataError(f"the data don't fit the metadata: {why}", now="check that the .rda file belongs to this file")
