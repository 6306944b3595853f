"""Files of records, Parquet or CSV: written piece by piece, so that they may be larger than memory.

The same pieces give the same bytes. A file appears when it is whole, and never takes the place of another.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from release.errors import UsageError, VerificationError

if TYPE_CHECKING:
    import pyarrow as pa

PARQUET, CSV = ".parquet", ".csv"
Write = Callable[["pa.Table"], None]
Notes = Mapping[str, str]
"""What a file says of itself: in Parquet's metadata, or beside a CSV file."""


def check_place(path: Path) -> None:
    """UsageError unless the file can be written: a known suffix, an existing folder, and nothing of its name there."""
    if path.suffix not in (PARQUET, CSV):
        raise UsageError(
            f'records are written as Parquet or CSV, and "{path.name}" is neither',
            where="--out",
            now="end the file's name in .parquet or .csv",
        )
    if not path.parent.is_dir():
        raise UsageError("there is no such folder", where="--out", now="make it, or name another")
    for taken in (path, *([notes_path(path)] if path.suffix == CSV else [])):
        refuse_taken(taken)


def refuse_taken(path: Path) -> None:
    """UsageError if there is something of this name."""
    if path.exists() or path.is_symlink():
        raise UsageError(f"{path.name} is there already", where="--out", now="name a new file; nothing was written")


def notes_path(path: Path) -> Path:
    """The file beside a CSV file that says what it is (terms of CSV on the Web)."""
    return path.with_name(f"{path.name}-metadata.json")


@contextmanager
def record_files(paths: Sequence[Path], notes: Notes) -> Iterator[Write]:
    """Opens the files and gives a function that writes one piece into each; all appear at the end, or none."""
    with ExitStack() as stack:
        writers = [stack.enter_context(_record_file(path, notes)) for path in paths]

        def write(table: "pa.Table") -> None:
            for writer in writers:
                writer(table)

        yield write


@contextmanager
def _record_file(path: Path, notes: Notes) -> Iterator[Write]:
    unfinished = path.with_name(f".{path.name}.part")
    try:
        with (_parquet if path.suffix == PARQUET else _csv)(unfinished, notes) as write:
            yield write
        refuse_taken(path)
        unfinished.rename(path)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def _parquet(path: Path, notes: Notes) -> Iterator[Write]:
    """Without statistics of the columns; codes as dictionaries; one row group for each piece."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with ExitStack() as stack:
        writers: list[pq.ParquetWriter] = []

        def write(table: "pa.Table") -> None:
            noted = table.replace_schema_metadata(dict(notes))
            if not writers:
                texts = [field.name for field in noted.schema if pa.types.is_string(field.type)][1:]
                options = {"compression": "zstd", "use_dictionary": texts, "write_statistics": False}
                writers.append(stack.enter_context(pq.ParquetWriter(path, noted.schema, **options)))
            writers[0].write_table(noted, row_group_size=len(noted))

        yield write


@contextmanager
def _csv(path: Path, notes: Notes) -> Iterator[Write]:
    """UTF-8, LF, commas, quotation marks only where a text needs them; nothing stands for a number that isn't there."""
    names: list[str] = []
    with path.open("wb") as file:

        def write(table: "pa.Table") -> None:
            if not names:
                names.extend(table.column_names)
                file.write((",".join(names) + "\n").encode())
            file.write(_lines(table))

        yield write
    final = path.with_name(path.name.removeprefix(".").removesuffix(".part"))
    notes_path(final).write_text(_csvw(final.name, names, notes), encoding="utf-8")


def _lines(table: "pa.Table") -> bytes:
    import pyarrow as pa
    import pyarrow.compute as pc

    fields = [_field(table[name].combine_chunks()) for name in table.column_names]
    fields[-1] = pc.binary_join_element_wise(fields[-1], pa.scalar("\n"), "")
    return bytes(pc.binary_join_element_wise(*fields, ",").buffers()[2])


def _field(column: "pa.Array") -> "pa.Array":
    """The column as CSV texts."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from release.published.csv_table import quoted
    from release.published.decimal_text import decimal_text

    if pa.types.is_floating(column.type):
        return decimal_text(column.to_numpy(zero_copy_only=False))
    if not pa.types.is_string(column.type):
        return pc.cast(column, pa.string())
    if len(column) and pc.starts_with(column.slice(0, 1), "SYN-")[0].as_py():
        return column
    coded = column.dictionary_encode()
    return pa.array([quoted(code) for code in coded.dictionary.to_pylist()], pa.string()).take(coded.indices)


def _csvw(name: str, columns: Sequence[str], notes: Notes) -> str:
    content = {
        "@context": "http://www.w3.org/ns/csvw",
        "url": name,
        "dc:description": notes["note"],
        "dialect": {"delimiter": ",", "encoding": "utf-8", "header": True},
        "tableSchema": {"columns": [{"name": column, "titles": column} for column in columns]},
        "utfall": dict(notes),
    }
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def read_notes(path: Path) -> dict[str, str]:
    """What a Parquet file of records says of itself; VerificationError if it can't be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_schema(path).metadata or {}
    except (OSError, pa.ArrowException):
        raise VerificationError("the records can't be read", where=path.name, now="take the release anew") from None
    return {key.decode(): value.decode() for key, value in metadata.items() if key != b"ARROW:schema"}


def same_records(parquet: Path, csv: Path) -> bool:
    """Whether a CSV file holds exactly the records of a Parquet file, as `record_files` writes them."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(parquet) as records, csv.open("rb") as file:
        same = file.readline() == (",".join(records.schema_arrow.names) + "\n").encode()
        for group in range(records.num_row_groups):
            expected = _lines(records.read_row_group(group))
            same = same and file.read(len(expected)) == expected
        return same and not file.read(1)
