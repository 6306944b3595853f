"""Reads one declared file, Parquet or CSV, into typed Arrow columns: as declared, with nothing guessed."""

import codecs
import csv
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from release.confidential.notes import Notes, place
from release.policy.document import Column, Input

if TYPE_CHECKING:
    import pyarrow as pa

PERSON = "__person"
"""Our name for the column with the pseudonym; no role can have it."""
LARGEST = 10**15
"""Numbers from here on are refused as implausible; below, whole numbers are exact as floating-point numbers."""

BLOCK = 1 << 20


@dataclass(frozen=True)
class Source:
    """One declared input: its name in the policy, its declaration, and where it lies."""

    name: str
    declared: Input
    path: Path

    def place(self, column: str = "") -> str:
        return place(self.name, self.declared.file, column)

    @property
    def columns(self) -> dict[str, Column]:
        """Our name of each column (PERSON and the roles), and its declaration."""
        roles = {role: self.declared.column(role) for role in self.declared.columns}
        if self.declared.time:  # periods are counted with, so they are whole numbers also where they are codes
            roles[self.declared.time] = Column(column=roles[self.declared.time].column, type="integer")
        return {PERSON: Column(column=self.declared.person), **roles}

    def is_there(self, notes: Notes) -> bool:
        """Whether the file is in the delivery; a fault if not."""
        if self.path.is_file():
            return True
        notes.fault(
            "The file isn't in the delivery.",
            where=self.place(),
            now=f"Deliver it under this name, or correct `file` in the policy under inputs.{self.name}.",
        )
        return False


def read_input(source: Source, notes: Notes) -> "pa.Table | None":
    """The file's declared columns under their role names; None if it has a fault, which is in the notes then.

    Columns are text (codes and persons), int64 (integer) or float64 (number); missing values are nulls.
    """
    import pyarrow as pa

    before = len(notes.faults)
    raw = _read_raw(source, notes)
    if raw is None:
        return None
    columns = {role: _typed(raw.column(said.column), said, source, notes) for role, said in source.columns.items()}
    return pa.table(columns) if len(notes.faults) == before else None


def _read_raw(source: Source, notes: Notes) -> "pa.Table | None":
    readers = {".csv": _read_csv, ".parquet": _read_parquet}
    reader = readers.get(source.path.suffix.lower())
    if reader is None:
        notes.fault(
            "This kind of file can't be read.",
            where=source.place(),
            now="Deliver it as Parquet or CSV (.parquet, .csv).",
        )
        return None
    return reader(source, notes) if source.is_there(notes) else None


# Parquet ---------------------------------------------------------------------------------------------------------


def _read_parquet(source: Source, notes: Notes) -> "pa.Table | None":
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(source.path) as file:
            names = file.schema_arrow.names
            readable = _has_columns(names, source, notes)
            return file.read(columns=_wanted(source)) if readable else None
    except Exception:  # noqa: BLE001 - its text may quote a path or a value
        problem = "The file can't be read as Parquet: damaged, cut off, or something else under this name."
    notes.fault(problem, where=source.place(), now="Deliver the file again; compare its size with the sender's.")
    return None


# CSV -------------------------------------------------------------------------------------------------------------


def _read_csv(source: Source, notes: Notes) -> "pa.Table | None":
    if not _encoding_fits(source, notes) or not _has_columns(_csv_header(source), source, notes):
        return None
    ragged: list[int] = []
    table = _parse_csv(source, ragged)
    if table is None:
        notes.fault(
            "The file can't be read as CSV.",
            where=source.place(),
            now=f"Check quotation marks and the separator: the policy declares {source.declared.separator!r}.",
        )
    notes.fault_if(
        len(ragged),
        "rows have more or fewer fields than the header.",
        where=source.place(),
        now=f"Put texts that hold the declared separator {source.declared.separator!r} in quotation marks.",
    )
    return None if ragged else table


def _parse_csv(source: Source, ragged: list[int]) -> "pa.Table | None":
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    def skip(row: object) -> Literal["skip"]:  # noqa: ARG001 - the row's text must not be touched
        ragged.append(1)
        return "skip"

    wanted = _wanted(source)
    declared = source.declared
    try:
        return arrow_csv.read_csv(
            source.path,
            read_options=arrow_csv.ReadOptions(encoding=declared.encoding),
            parse_options=arrow_csv.ParseOptions(
                delimiter=declared.separator, newlines_in_values=True, invalid_row_handler=skip
            ),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=wanted,
                column_types=dict.fromkeys(wanted, pa.string()),
                strings_can_be_null=True,
                null_values=[""],
            ),
        )
    except Exception:  # noqa: BLE001 - its text quotes the row
        return None


def _csv_header(source: Source) -> list[str]:
    with source.path.open(encoding=_codec(source.declared.encoding), newline="") as lines:
        return next(csv.reader(lines, delimiter=source.declared.separator), [])


def _codec(encoding: str) -> str:
    return "utf-8-sig" if encoding == "utf-8" else encoding


def _encoding_fits(source: Source, notes: Notes) -> bool:
    """Whether the bytes are text in the declared encoding, and not UTF-8 declared as something else."""
    declared = source.declared.encoding
    decodes, is_ascii = _decodes(source.path, declared)
    mistaken = declared != "utf-8" and decodes and not is_ascii and _decodes(source.path, "utf-8")[0]
    if decodes and not mistaken:
        return True
    notes.fault(
        f'The text is not in the declared encoding "{declared}"' + ("; it looks like utf-8." if mistaken else "."),
        where=source.place(),
        now=f"Declare its own `encoding` in the policy under inputs.{source.name}, or deliver it in the declared one.",
    )
    return False


def _decodes(path: Path, encoding: str) -> tuple[bool, bool]:
    """Whether a file decodes, and whether it is plain ASCII."""
    decoder = codecs.getincrementaldecoder(encoding)()
    is_ascii = True
    try:
        for block in blocks(path):
            is_ascii = is_ascii and block.isascii()
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False, is_ascii
    return True, is_ascii


def blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield block


# Columns ---------------------------------------------------------------------------------------------------------


def _wanted(source: Source) -> list[str]:
    return list(dict.fromkeys(column.column for column in source.columns.values()))


def _has_columns(names: Collection[str], source: Source, notes: Notes) -> bool:
    """Whether each declared column is there, once. Names in the file are told only if its header is a header."""
    wanted = _wanted(source)
    missing = [column for column in wanted if column not in names]
    twice = [column for column in wanted if list(names).count(column) > 1]
    is_header = len(missing) < len(wanted)
    for column in missing if is_header else []:
        near = get_close_matches(column, [n for n in names if n not in wanted], n=1)
        hint = f' Did you mean "{near[0]}"?' if near else ""
        notes.fault(
            f"The column is missing.{hint}",
            where=source.place(column),
            now=f"Correct the delivery, or the column's name in the policy under inputs.{source.name}.",
        )
    if not is_header:
        notes.fault(
            "None of the declared columns is in the file.",
            where=source.place(),
            now=f"Check its first line: column names, separated by {source.declared.separator!r}.",
        )
    for column in twice:
        notes.fault(
            "The file has two columns of this name.", where=source.place(column), now="Deliver each column once."
        )
    return not missing and not twice


def _typed(values: "pa.ChunkedArray", column: Column, source: Source, notes: Notes) -> "pa.ChunkedArray | None":
    """A column in its declared type: text (code), int64 (integer) or float64 (number); None after a fault.

    Numbers may be delivered as text with the declared decimal mark. Codes may be delivered as whole numbers, also as
    10.0, which writers make of 10 where some values are missing.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = pa.types
    if kind.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if kind.is_string(values.type) or kind.is_large_string(values.type) or kind.is_string_view(values.type):
        text = values.cast(pa.string())
        text = pc.if_else(pc.equal(text, ""), None, text)
        return (
            text
            if column.type == "code"
            else _sorted_out(_numbers_in(text, column, source, notes), column, source, notes)
        )
    if kind.is_integer(values.type) and column.type == "code":
        return values.cast(pa.string())
    if kind.is_integer(values.type) or kind.is_floating(values.type) or kind.is_decimal(values.type):
        return _sorted_out(values.cast(pa.float64(), safe=False), column, source, notes)
    notes.fault(
        f'The column can\'t be read as "{column.type}": the file stores another kind of value in it.',
        where=source.place(column.column),
        now="Deliver it as text or as numbers, or declare another type in the policy.",
    )
    return None


def _numbers_in(text: "pa.ChunkedArray", column: Column, source: Source, notes: Notes) -> "pa.ChunkedArray | None":
    """Numbers written as text; each is checked against what a number may look like before it is converted."""
    import pyarrow as pa
    import pyarrow.compute as pc

    mark = source.declared.decimal
    pattern = rf"^-?[0-9]+([{mark}][0-9]+)?([eE][-+]?[0-9]{{1,3}})?$"
    wrong = _true(pc.invert(pc.match_substring_regex(text, pattern)))
    notes.fault_if(
        wrong,
        f"rows don't hold a number (decimal mark {mark!r}).",
        where=source.place(column.column),
        now=f"Correct the delivery, or `type` and `decimal` in the policy under inputs.{source.name}.",
    )
    return None if wrong else pc.replace_substring(text, mark, ".").cast(pa.float64())


def _sorted_out(
    numbers: "pa.ChunkedArray | None", column: Column, source: Source, notes: Notes
) -> "pa.ChunkedArray | None":
    """Finite, plausible numbers in the declared type; None after a fault."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if numbers is None:
        return None
    nothing = _true(pc.is_nan(numbers))
    endless = _true(pc.is_inf(numbers))
    huge = _true(pc.greater_equal(pc.abs(numbers), float(LARGEST))) - endless
    whole = column.type != "number"
    broken = _true(pc.not_equal(pc.floor(numbers), numbers)) - nothing if whole else 0
    found = [
        (nothing, "rows hold NaN.", "Leave a missing value empty (null)."),
        (endless, "rows hold an infinite number.", "Correct the delivery."),
        (huge, "rows hold a number of 10^15 or more.", "Correct the delivery."),
        (
            broken,
            "rows hold a fraction where whole numbers or codes are declared.",
            "Declare `type: number`, or correct it.",
        ),
    ]
    for rows, what, now in found:
        notes.fault_if(rows, what, where=source.place(column.column), now=now)
    if any(rows for rows, _, _ in found):
        return None
    typed = numbers.cast(pa.int64()) if whole else numbers
    return typed.cast(pa.string()) if column.type == "code" else typed


def _true(mask: "pa.ChunkedArray") -> int:
    import pyarrow.compute as pc

    return int(pc.sum(mask).as_py() or 0)
