"""Published files of text: bytes to text in whatever encoding they came, and lines to fields."""

import csv
import io
from collections.abc import Sequence

from release.attack.sheet import Sheet, sheet_of_rows, unreadable

SEPARATORS = ";\t,|"
LARGEST_FIELD = 1_000_000


def decoded(name: str, content: bytes) -> str:
    """Text of a file: Unicode with or without mark, else Windows' western code page, else Latin-1."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _unicode(name, content, "utf-16")
    if b"\0" in content:
        raise unreadable(name, "it holds bytes that no text has")
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


def read_csv(name: str, content: bytes) -> list[Sheet]:
    """The one table of a CSV file; separator, encoding and lines above the header are found out."""
    lines = decoded(name, content).replace("\r\n", "\n").replace("\r", "\n")
    best = max(SEPARATORS, key=lambda mark: _columns(lines, mark))
    return [sheet_of_rows(name, _rows(name, lines, best))]


def _columns(lines: str, separator: str) -> tuple[int, int]:
    """How well a separator fits: lines with as many fields as most have, at least two; and that number."""
    sample = lines[:200_000].splitlines()[:200]
    try:
        widths = [len(row) for row in csv.reader(sample, delimiter=separator) if row]
    except csv.Error:
        return 0, 0
    usual = max(set(widths), key=widths.count, default=0)
    return (widths.count(usual), usual) if usual > 1 else (0, 0)


def _rows(name: str, lines: str, separator: str) -> Sequence[Sequence[str]]:
    csv.field_size_limit(LARGEST_FIELD)
    try:
        return [[text.strip() for text in row] for row in csv.reader(io.StringIO(lines), delimiter=separator)]
    except csv.Error:
        raise unreadable(name, "its lines can't be told apart into fields") from None


def _unicode(name: str, content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        raise unreadable(name, "its text breaks off within a character") from None
