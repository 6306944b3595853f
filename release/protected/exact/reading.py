"""Reads protected sets back from a public folder: for the tables made of them, and for whoever checks them."""

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from release.codes import IntArray
from release.errors import VerificationError
from release.policy.policy import Policy
from release.protected.exact.known import known_of_hidden, known_of_sums
from release.protected.exact.protected import Proof, Protected, certificate_from, sealed
from release.protected.exact.sets import TableSet, table_sets
from release.protected.suppression import structure
from release.protected.suppression.structure import Codes

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = "utfall-exact/1"
FOLDER = "exact"


def read_exact(public: Path, policy: Policy) -> tuple[Protected, ...]:
    """Every exact set that the policy names; VerificationError where a file is missing, damaged, or of another policy.

    What is known of hidden cells follows from the policy, of sums also from the counts; never from their own files.
    """
    found: list[Protected] = []
    for tables in table_sets(policy):
        found.append(_read_set(public / FOLDER, tables, policy, found))
    return tuple(found)


def _read_set(folder: Path, tables: TableSet, policy: Policy, counts: Sequence[Protected]) -> Protected:
    facts = _facts(folder, tables)
    cells, values, hidden, width = _cells(_content(folder, f"{tables.name}.parquet", facts), tables)
    proof = None
    if tables.kind == "suppression":
        name = f"{tables.name}.certificate.npz"
        certificate = certificate_from(_content(folder, name, facts)) if name in facts["files"] else None
        proof = Proof(hidden, width, known_of_hidden(tables), certificate)
        if tables.summed:
            system = structure.of_cells(tables.hierarchies, cells=cells, tables=tables.shown)
            lower, upper = known_of_sums(tables, system, policy, counts)
            proof = replace(proof, lower=lower, upper=upper)
    elif hidden.any():
        raise _damaged(tables, "a figure is missing")
    return sealed(tables, cells, values, how=str(facts["figures"]), proof=proof)


def _facts(folder: Path, tables: TableSet) -> Mapping[str, Any]:
    try:
        facts = json.loads((folder / f"{tables.name}.json").read_bytes())
        same = facts["format"] == FORMAT and facts["protection"] == tables.kind
        same = same and facts.get("sums_of", "") == tables.summed
        whole = same and list(facts["tables"]) == list(tables.tables) and isinstance(facts["files"], dict)
        return facts if whole else _refuse(tables, "its description is of another policy or version")
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise _damaged(tables, "its description is missing or can't be read") from None


def _content(folder: Path, name: str, facts: Mapping[str, Any]) -> bytes:
    try:
        content = (folder / name).read_bytes()
    except OSError:
        raise _missing(name) from None
    if hashlib.sha256(content).hexdigest() != facts["files"].get(name):
        raise VerificationError(f"{name} isn't the file that its description speaks of", where="exact/", now=_AGAIN)
    return content


def _cells(content: bytes, tables: TableSet) -> tuple[Codes, IntArray, Any, IntArray]:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(io.BytesIO(content))
        columns = [_indices(table.column(name), given[0].codes) for name, given in tables.hierarchies.items()]
        hidden = pc.is_null(table.column("value")).to_numpy()
        values = pc.fill_null(table.column("value"), 0).to_numpy()
        width = pc.fill_null(table.column("width"), 0).to_numpy()
    except (pa.ArrowException, KeyError, ValueError):
        raise _damaged(tables, "its cells can't be read") from None
    if values.dtype != np.int64 or width.dtype != np.int64 or ((values < 0).any() and not tables.summed):
        raise _damaged(tables, "its figures aren't whole numbers, 0 or more")
    return np.stack(columns, axis=1).astype(np.int32), values, hidden, width


def _indices(column: "pa.ChunkedArray", codes: tuple[str, ...]) -> IntArray:
    """Index of each code among the tree's; ValueError for a code that isn't there."""
    import pandas as pd

    found = pd.Index(codes).get_indexer(pd.Index(column.to_pylist()))
    if (found < 0).any():
        raise ValueError
    return np.asarray(found, np.int64)


_AGAIN = "take the release's folder anew from where it was published"


def _missing(name: str) -> VerificationError:
    return VerificationError(f"the file {name} of an exact table is missing", where="exact/", now=_AGAIN)


def _damaged(tables: TableSet, why: str) -> VerificationError:
    return VerificationError(f'the exact table "{tables.name}" can\'t be used: {why}', where="exact/", now=_AGAIN)


def _refuse(tables: TableSet, why: str) -> Mapping[str, Any]:
    raise _damaged(tables, why)
