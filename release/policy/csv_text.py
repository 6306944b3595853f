"""Finding and reading the public CSV files that complete a policy: code lists, successors, possible combinations."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from release.errors import Fault, PolicyError, nearest
from release.policy.yaml_text import Place

LARGEST_CODE_FILE = 16 * 1024 * 1024


@dataclass(frozen=True)
class Row:
    """One line of a CSV file: where it stands ("field.csv, line 12") and its cells by column."""

    where: str
    cells: dict[str, str]


@dataclass(frozen=True)
class CodeFile:
    """A CSV file of public codes, with stripped cells and columns."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass
class CodeFiles:
    """Finds code-list files and keeps the bytes of those that were used, by base name.

    Looked up beside the policy, then in its folder `codes`, then in each of `folders`. A file of the delivery is
    never taken for a code list (`inputs`: their names).
    """

    beside: Path
    folders: Sequence[Path] = ()
    inputs: frozenset[str] = frozenset()
    used: dict[str, bytes] = field(default_factory=dict)

    def read(self, name: str, place: Place) -> CodeFile:
        """The file that the policy names at `place`; PolicyError if it is absent or isn't a clean CSV file."""
        base = PurePosixPath(name).name
        if base in self.inputs:
            place.refuse(f'"{base}" is a file of the delivery.', "code lists are public files of their own")
        raw = self._bytes(name, base, place)
        if self.used.setdefault(base, raw) != raw:
            place.refuse(
                f'two different files are called "{base}".', "rename one: both are published beside the policy"
            )
        return parse_csv(raw, base)

    def _bytes(self, name: str, base: str, place: Place) -> bytes:
        found = next((path for path in self._candidates(name, base) if path.is_file()), None)
        if found is None:
            place.refuse(f'the file "{name}" isn\'t there.', self._advice(base))
        if found.stat().st_size > LARGEST_CODE_FILE:
            place.refuse(f'"{base}" is larger than 16 MB.', "a code list holds one row per code")
        try:
            return found.read_bytes()
        except OSError:
            place.refuse(f'"{base}" can\'t be opened.', "check who may read it")

    def _candidates(self, name: str, base: str) -> Iterable[Path]:
        yield self.beside / name
        yield self.beside / "codes" / base
        for folder in self.folders:
            yield folder / name
            yield folder / base

    def _advice(self, base: str) -> str:
        names = {path.name for folder in (self.beside, self.beside / "codes") for path in folder.glob("*.csv")}
        advice = (
            f"put it beside the policy, in its folder codes, or in the folder given by --data; {nearest(base, names)}"
        )
        return advice if names else advice.partition(";")[0]


def parse_csv(raw: bytes, name: str) -> CodeFile:
    """Columns and rows of a CSV file in UTF-8 with commas and a header; PolicyError with every faulty line."""
    lines = _lines(_decoded(raw, name), name)
    if not lines:
        raise PolicyError("the file is empty.", where=name, now="write a header line and one line per code")
    columns = tuple(cell.strip() for cell in lines[0][1])
    _check_header(columns, name)
    faults = [_ragged(name, line, len(cells), len(columns)) for line, cells in lines[1:] if len(cells) != len(columns)]
    if faults:
        raise PolicyError(faults[:10])
    rows = (Row(f"{name}, line {line}", _stripped(columns, cells)) for line, cells in lines[1:])
    return CodeFile(name, columns, tuple(rows))


def _decoded(raw: bytes, name: str) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        advice = "save it as UTF-8 (in a spreadsheet program: CSV UTF-8)"
        raise PolicyError("this line isn't UTF-8 text.", where=f"{name}, line {line}", now=advice) from None


def _lines(text: str, name: str) -> list[tuple[int, list[str]]]:
    """Lines that aren't blank, with their numbers."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        return [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error:
        where = f"{name}, line {reader.line_num}"
        raise PolicyError("the quotes of this line don't close.", where=where, now='write "" inside quotes') from None


def _check_header(columns: tuple[str, ...], name: str) -> None:
    where = f"{name}, line 1"
    if len(columns) == 1 and any(mark in columns[0] for mark in ";\t|"):
        raise PolicyError("the columns aren't separated by commas.", where=where, now="save it as CSV with commas")
    for position, column in enumerate(columns):
        if not column:
            raise PolicyError("a column has no name.", where=where, now="name it, or remove the comma")
        if column in columns[:position]:
            raise PolicyError(f'the column "{column}" is here twice.', where=where, now="remove one")


def _ragged(name: str, line: int, cells: int, columns: int) -> Fault:
    advice = "count the commas; put texts with commas in quotes"
    return Fault(f"this line has {cells} cells where the header has {columns}.", f"{name}, line {line}", advice)


def _stripped(columns: tuple[str, ...], cells: list[str]) -> dict[str, str]:
    return dict(zip(columns, (cell.strip() for cell in cells), strict=True))
