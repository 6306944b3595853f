"""The last stage: safe tables become files that the world may have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np

from release.codes import Attribute
from release.errors import VerificationError
from release.protected.reasons import STRUCTURAL, Status
from release.protected.safe import SafeTable
from release.protected.words import written
from release.published.about import About
from release.published.codebook import write_codebook
from release.published.columns import columns_of
from release.published.csv_table import formula_like_codes, write_csv
from release.published.datapackage import write_datapackage
from release.published.layout import csv_path, parquet_path
from release.published.parquet_table import write_parquet
from release.published.site import write_site
from release.shown import Shown


@dataclass(frozen=True)
class PublishedTable:
    """How much of a table was published. figures: those that can exist. remarks: for the office, before sending."""

    name: str
    figures: int
    shown: int
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, repr=False)
class Publication(Shown):
    """What was written below `public/`; the files themselves are listed in the manifest."""

    release: str
    tables: tuple[PublishedTable, ...]

    def _plain(self) -> str:
        return f"<Publication {self.release}: {len(self.tables)} tables>"

    def _repr_html_(self) -> str:
        rows = "".join(_row(table) for table in self.tables)
        remarks = "".join(f"<li>{escape(t.name)}: {escape(remark)}</li>" for t in self.tables for remark in t.remarks)
        head = "<tr><th>table</th><th>figures</th><th>shown</th></tr>"
        notes = f"<ul>{remarks}</ul>" if remarks else ""
        return f"<p>Published: {escape(self.release)}</p><table>{head}{rows}</table>{notes}"


def publish(
    tables: Sequence[SafeTable], public: Path, *, about: About, attributes: Mapping[str, Attribute] | None = None
) -> Publication:
    """Write tables, data package, codebook and site below an existing folder `public`, the same bytes every time.

    attributes: the policy's public code trees, for parents in the codebook. Promise and manifest are written by
    `write_promise` and, last of all, `write_manifest`.
    """
    _refuse_double_names(tables)
    for table in tables:
        write_csv(table, public / csv_path(table.name))
        write_parquet(table, public / parquet_path(table.name))
    write_datapackage(tables, public, about)
    write_codebook(tables, public, attributes or {})
    write_site(tables, public, about)
    return Publication(about.name, tuple(_summary(table) for table in tables))


def _refuse_double_names(tables: Sequence[SafeTable]) -> None:
    names = [table.name for table in tables]
    if double := sorted({name for name in names if names.count(name) > 1}):
        raise VerificationError(f"two tables are called {', '.join(double)}", now="report it: this is our own fault")


def _summary(table: SafeTable) -> PublishedTable:
    columns = columns_of(table)
    shown = int((columns.status.index == list(Status).index(Status.SHOWN)).sum())
    risky = formula_like_codes(table)
    remark = f"a spreadsheet may take {len(risky)} codes for formulas, such as {risky[0]}" if risky else ""
    possible = int((~np.isin(columns.status.index, [list(Status).index(status) for status in STRUCTURAL])).sum())
    return PublishedTable(table.name, possible, shown, (remark,) if remark else ())


def _row(table: PublishedTable) -> str:
    share = f"{written(100 * table.shown / max(1, table.figures), 0)}\u00a0%"
    return f"<tr><td>{escape(table.name)}</td><td>{written(table.figures, 0)}</td><td>{share}</td></tr>"
