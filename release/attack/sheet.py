"""A published table as text, before anything in it is understood: what every reader of files gives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from release.errors import DataError

Edges = Sequence[tuple[str, str]]
"""(parent, child) pairs of codes."""


@dataclass(frozen=True)
class Sheet:
    """Columns of text, all of the same length. `name` is the file's name, with the sheet's where there are several.

    keys: the columns that are dimensions, where the format says so; else they are found by their content.
    edges: dimension -> (parent, child) pairs that the file itself tells. labels: dimension -> code -> text.
    """

    name: str
    header: tuple[str, ...]
    columns: tuple[Sequence[str], ...]
    keys: tuple[str, ...] | None = None
    edges: Mapping[str, Edges] = field(default_factory=dict)
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def column(self, name: str) -> Sequence[str]:
        return self.columns[self.header.index(name)]

    def __len__(self) -> int:
        return len(self.columns[0]) if self.columns else 0


def sheet_of_rows(name: str, rows: Sequence[Sequence[str]]) -> Sheet:
    """A sheet from lines of fields: titles above the header and notes below the table are left out.

    DataError where there is no header with at least two columns, or no line below it.
    """
    width = _usual_width(rows)
    full = [row for row in rows if _filled(row) and len(row) >= width]
    start = next((i for i, row in enumerate(full) if sum(1 for text in row[:width] if text) >= min(2, width)), None)
    if width < 2 or start is None or len(full) - start < 2:
        raise unreadable(name, "it holds no table: a header and lines of at least two columns are expected")
    header = _distinct(full[start][:width])
    body = [row for row in full[start + 1 :] if not _is_note(row)]
    return Sheet(name, header, tuple([row[i] for row in body] for i in range(width)))


def unreadable(
    name: str, why: str, now: str = "check the file, or save it again from the program that made it"
) -> DataError:
    """The letter about a file that can't be read as a table."""
    return DataError(f"the file can't be read as a table: {why}", where=f'file "{name}"', now=now)


def _usual_width(rows: Sequence[Sequence[str]]) -> int:
    """The number of columns that most filled lines have."""
    widths: dict[int, int] = {}
    for row in rows:
        if _filled(row):
            widths[len(row)] = widths.get(len(row), 0) + 1
    return max(widths, key=lambda width: (widths[width], width), default=0)


def _filled(row: Sequence[str]) -> bool:
    return any(row)


def _is_note(row: Sequence[str]) -> bool:
    """A line of text in the first column only, as footnotes are."""
    return bool(row[0]) and not any(row[1:]) and len(row) > 2 and len(row[0].split()) > 3


def _distinct(header: Sequence[str]) -> tuple[str, ...]:
    """Column names, the empty and repeated ones told apart by number."""
    names: list[str] = []
    for number, text in enumerate(header, 1):
        name = text.strip() or f"column {number}"
        names.append(name if name not in names else f"{name} ({number})")
    return tuple(names)
