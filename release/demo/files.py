"""Writes the delivery and the truth: Parquet and CSV files, their notes, code lists and policy."""

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from release.demo import facts
from release.demo.lists import CODE_FILES, POLICY
from release.demo.qualifications import qualifications
from release.demo.registers import activity, earnings, survey
from release.demo.truth import parameters, true_table
from release.demo.world import World
from release.shipped import shipped

if TYPE_CHECKING:
    import pyarrow as pa

REGISTERS = {
    "tutkinnot.parquet": "qualifications: the base register, one row per qualification",
    "toiminta.parquet": "main activity at the end of each year 2020-2024, one row per person and year",
    "ansiot.csv": "monthly pay of the employed 2020-2024, one row per job and year (windows-1252; semicolons; 2750,50)",
    "kysely.csv": "answers to the survey three years after, collected in 2022, 2023 and 2024 (utf-8, commas)",
}
CSV_FORMATS = {"ansiot.csv": (";", "windows-1252"), "kysely.csv": (",", "utf-8")}
TRUTH_FILES = frozenset({"graduates.parquet", "parameters.json"})
README = "README.txt"


def delivery_files() -> frozenset[str]:
    """Names of all that is written into the folder of a delivery."""
    return frozenset({*REGISTERS, *map(_notes_name, CSV_FORMATS), README, POLICY, "codes"})


def write_delivery(world: World, folder: Path, streams: list[np.random.Generator]) -> dict[str, int]:
    """Write all files of the delivery; rows by register. `streams`: a random stream for each register's faults."""
    makers = (qualifications, activity, earnings, survey)
    rows = {}
    for name, maker, stream in zip(REGISTERS, makers, streams, strict=True):
        table = maker(world, stream)
        rows[name] = table.num_rows
        _write_register(table, folder / name)
    _write_lists(folder)
    (folder / README).write_text(_readme(), encoding="utf-8")
    return rows


def write_truth(world: World, folder: Path, persons: int, seed: int) -> None:
    """Write the true linked table and the model's parameters."""
    _write_parquet(true_table(world), folder / "graduates.parquet")
    (folder / "parameters.json").write_text(_json(parameters(world, persons, seed)), encoding="utf-8")


def _write_register(table: "pa.Table", path: Path) -> None:
    if path.name not in CSV_FORMATS:
        _write_parquet(table, path)
        return
    separator, encoding = CSV_FORMATS[path.name]
    _write_csv(table, path, separator, encoding)
    path.with_name(_notes_name(path.name)).write_text(_notes(table, path.name), encoding="utf-8")


def _write_parquet(table: "pa.Table", path: Path) -> None:
    """Without statistics of the columns, and with the note in the file's metadata."""
    import pyarrow.parquet as pq

    noted = table.replace_schema_metadata({"note": facts.NOTE})
    pq.write_table(noted, path, write_statistics=False, compression="zstd")


def _write_csv(table: "pa.Table", path: Path, separator: str, encoding: str) -> None:
    """A header and plain rows; a note inside would stop readers, so it lies beside the file."""
    import pyarrow as pa
    from pyarrow import csv

    style = csv.WriteOptions(include_header=False, delimiter=separator, quoting_style="none")
    with path.open("wb") as file:
        file.write((separator.join(table.column_names) + "\n").encode(encoding))
        for batch in table.to_batches(max_chunksize=200_000):
            rows = pa.BufferOutputStream()
            csv.write_csv(batch, rows, style)
            file.write(rows.getvalue().to_pybytes().decode("utf-8").encode(encoding))


def _notes_name(name: str) -> str:
    return f"{name}-metadata.json"


def _notes(table: "pa.Table", name: str) -> str:
    """Beside a CSV file: that it is invented, and how to read it (terms of CSV on the Web)."""
    separator, encoding = CSV_FORMATS[name]
    return _json(
        {
            "@context": "http://www.w3.org/ns/csvw",
            "url": name,
            "dc:description": f"{facts.NOTE} Holds {REGISTERS[name]}.",
            "dialect": {"delimiter": separator, "encoding": encoding, "header": True},
            "tableSchema": {"columns": [{"name": column, "titles": column} for column in table.column_names]},
        }
    )


def _write_lists(folder: Path) -> None:
    policies = shipped("policies")
    (folder / "codes").mkdir()
    for name in CODE_FILES:
        shutil.copyfile(policies / "codes" / name, folder / "codes" / name)
    shutil.copyfile(policies / POLICY, folder / POLICY)


def _readme() -> str:
    registers = "\n".join(f"  {name:<18} {what}" for name, what in REGISTERS.items())
    return f"""{facts.NOTE}
KEKSITTY AINEISTO. Kukaan näissä tiedostoissa ei ole todellinen.
PÅHITTADE DATA. Ingen i dessa filer är verklig.

Registers of graduates as a statistics office might receive them, made by `utfall demo`:

{registers}
  codes/             public code lists; providers and licences are invented too
  {POLICY}  the policy of the release, to be run on these files

The files have ordinary faults: persons twice, codes that have been given up, merged providers, graduates missing
from registers, absurd pay, answers whose pseudonym is in no register. The policy says what becomes of each.
The known truth is not in this folder but in the one beside it whose name ends in .truth.
"""


def _json(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"
