"""The embedded query engine: DuckDB in memory, with no way to files, network or extensions."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ibis.backends.duckdb as ibis_duckdb
    import ibis.expr.types as ir
    import pyarrow as pa

LOCKED = (
    "SET temp_directory = ''",  # nothing of the rows is ever spilled to disk
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)


def private_engine() -> "ibis_duckdb.Backend":
    """A DuckDB of our own through Ibis, closed to the outside for good; tables are handed to it as Arrow tables."""
    import ibis

    engine: Any = ibis.duckdb.connect()
    for setting in LOCKED:
        engine.raw_sql(setting)
    return engine


def materialised(engine: "ibis_duckdb.Backend", rows: "ir.Table | pa.Table") -> "ir.Table":
    """The rows computed once and kept in the engine's memory, under a name of their own."""
    import ibis.util

    return engine.create_table(ibis.util.gen_name("utfall"), rows)
