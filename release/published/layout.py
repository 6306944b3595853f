"""Where the published files lie below `public/`, and how a file is put in place."""

from collections.abc import Iterable
from pathlib import Path

MANIFEST = "manifest.json"
PROMISE = "promise.md"
POLICY = "policy.yaml"
HOUSE = "house.yaml"
MEASUREMENTS = "measurements"
TABLES = "tables"
DATAPACKAGE = "tables/datapackage.json"
CODEBOOK = "tables/codebook.json"
EXACT = "exact"
SITE = "site"
SITE_DATA = "site/data"


def csv_path(table: str) -> str:
    """Path of a table's CSV below public/."""
    return f"{TABLES}/{table}.csv"


def parquet_path(table: str) -> str:
    """Path of a table's Parquet twin below public/."""
    return f"{TABLES}/{table}.parquet"


def exact_path(tables: str, ending: str) -> str:
    """Path of a file of a set of exact tables below public/: "json", "parquet" or "certificate.npz"."""
    return f"{EXACT}/{tables}.{ending}"


def write_file(path: Path, content: bytes | Iterable[bytes]) -> None:
    """Write a file whole or not at all: a neighbour is written, then renamed. Folders are made as needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.part")
    with unfinished.open("wb") as file:
        file.writelines([content] if isinstance(content, bytes) else content)
    unfinished.replace(path)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text with LF, ending in one line break."""
    write_file(path, (text.rstrip("\n") + "\n").encode("utf-8"))


def write_json(path: Path, content: object) -> None:
    """Write JSON that people can read: two spaces, the order as given, no NaN."""
    import json

    write_text(path, json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False))
