"""Opens a delivery: reads the declared files, checks them against the policy, and hands them to a closed engine."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from release.confidential.bland import bland
from release.confidential.checks import check_relations, check_values
from release.confidential.engine import private_engine
from release.confidential.notes import CheckReport, Notes
from release.confidential.reading import Source, blocks, read_input
from release.confidential.uses import uses
from release.errors import DataError
from release.policy.policy import Policy
from release.shown import Closed

if TYPE_CHECKING:
    import ibis.backends.duckdb as ibis_duckdb
    import ibis.expr.types as ir
    import pyarrow as pa

AGAIN = "Check the files against the policy and try again. Nothing has been charged to the privacy budget."


@dataclass(frozen=True, repr=False, eq=False)
class Delivery(Closed):
    """A checked delivery. tables: per input its rows, with columns PERSON and the roles. Confidential."""

    engine: "ibis_duckdb.Backend"
    tables: Mapping[str, "ir.Table"]
    report: CheckReport


@bland("The delivery can't be opened.", now=AGAIN, error=DataError)
def open_delivery(policy: Policy, folder: Path) -> Delivery:
    """Read every declared file and check all that the policy declares of it.

    Raises one DataError with every fault found; its text quotes no value and no path.
    """
    notes = Notes()
    engine = private_engine()
    attributes = uses(policy)
    tables = {
        source.name: engine.create_table(source.name, rows)
        for source in _sources(policy, folder)
        if (rows := _read_checked(source, notes)) is not None
    }
    check_relations(tables, policy, attributes, notes)
    notes.refuse_faults()
    return Delivery(engine, tables, notes.report("What the delivery holds"))


@bland("The delivery can't be read.", now=AGAIN, error=DataError)
def delivery_digest(policy: Policy, folder: Path, key: bytes) -> str:
    """HMAC-SHA256 of the declared files in the policy's order, as hexadecimal text.

    Each file goes in as its name and its content, both preceded by their length in bytes.
    """
    notes = Notes()
    digest = hmac.new(key, digestmod=hashlib.sha256)
    for source in _sources(policy, folder):
        if not source.is_there(notes):
            continue
        name = source.declared.file.encode()
        digest.update(len(name).to_bytes(8, "big") + name + source.path.stat().st_size.to_bytes(8, "big"))
        for block in blocks(source.path):
            digest.update(block)
    notes.refuse_faults()
    return digest.hexdigest()


def _sources(policy: Policy, folder: Path) -> list[Source]:
    return [Source(name, declared, folder / declared.file) for name, declared in policy.document.inputs.items()]


def _read_checked(source: Source, notes: Notes) -> "pa.Table | None":
    rows = read_input(source, notes)
    return None if rows is None else check_values(rows, source, notes)
