"""A table as Parquet: the CSV's twin, with types. No file statistics, no pandas index, the same bytes every time."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from release.protected.reasons import REASONS, statuses_of
from release.protected.safe import FIGURES, SafeTable
from release.protected.words import translated
from release.published.columns import Coded, Columns, FloatArray, columns_of
from release.published.layout import write_file

if TYPE_CHECKING:
    import pyarrow as pa


def write_parquet(table: SafeTable, path: Path) -> None:
    """Write the table: codes as dictionary columns, figures as doubles that are null where not shown."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    content = _arrow_table(table, columns_of(table))
    sink = pa.BufferOutputStream()
    coded = [field.name for field in content.schema if field.name not in FIGURES]
    pq.write_table(content, sink, compression="zstd", use_dictionary=coded, write_statistics=False)
    write_file(path, bytes(sink.getvalue()))


def _arrow_table(table: SafeTable, columns: Columns) -> "pa.Table":
    import pyarrow as pa

    arrays = [
        *(_dictionary(coded) for coded in columns.keys),
        _dictionary(columns.statistic),
        *(_figures(columns.figures[name]) for name in FIGURES),
        _dictionary(columns.status),
        _dictionary(columns.note),
    ]
    return pa.Table.from_arrays(arrays, schema=_schema(table))


def _schema(table: SafeTable) -> "pa.Schema":
    import pyarrow as pa

    code = pa.dictionary(pa.int32(), pa.string())
    fields = [
        *(pa.field(key.name, code, nullable=False) for key in table.keys),
        pa.field("statistic", code, nullable=False),
        *(pa.field(name, pa.float64()) for name in FIGURES),
        pa.field("status", code, nullable=False),
        pa.field("note", code, nullable=False),
    ]
    return pa.schema(fields, metadata=_metadata(table))


def _metadata(table: SafeTable) -> dict[str, str]:
    statuses = "; ".join(f"{status.value}: {REASONS[status].en}" for status in statuses_of(table.protection))
    return {
        "name": table.name,
        "title": translated(table.title, "en", table.name),
        "unit": table.unit,
        **_intervals(table),
        "statuses": statuses,
    }


def _intervals(table: SafeTable) -> dict[str, str]:
    """What intervals cover; of an exact table its protection."""
    if table.protection == "dp":
        return {"intervals": f"95 %, cover {table.covers}"}
    return {"protection": table.protection}


def _dictionary(coded: Coded) -> "pa.DictionaryArray":
    import pyarrow as pa

    return pa.DictionaryArray.from_arrays(pa.array(coded.index), pa.array(coded.codes, pa.string()))


def _figures(values: FloatArray) -> "pa.DoubleArray":
    import pyarrow as pa

    return pa.array(values, pa.float64(), mask=np.isnan(values))
