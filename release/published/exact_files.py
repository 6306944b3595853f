"""`exact/`: the figures of exact tables cell by cell, and the certificate that no hidden one can be worked out."""

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from release.protected.exact.protected import Protected
from release.protected.exact.reading import FORMAT
from release.published.layout import EXACT, exact_path, write_file, write_json

if TYPE_CHECKING:
    import pyarrow as pa


def write_exact(protected: Sequence[Protected], public: Path) -> None:
    """Write every protected set below `public`, the same bytes every time; nothing unless all of them are complete."""
    contents = [_files(one) for one in protected]
    for content in contents:
        for name, part in content.items():
            write_file(public / EXACT / name, part)
    for one, content in zip(protected, contents, strict=True):
        write_json(public / exact_path(one.tables.name, "json"), _facts(one, content))


def _files(protected: Protected) -> dict[str, bytes]:
    """File name -> content, the description left out."""
    if not isinstance(protected, Protected):
        raise TypeError("a writer takes protected sets only")
    name = protected.tables.name
    files = {f"{name}.parquet": _cells_file(protected)}
    if protected.proof is not None and protected.proof.certificate is not None:
        files[f"{name}.certificate.npz"] = protected.proof.certificate.to_bytes()
    return files


def _cells_file(protected: Protected) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(_columns(protected))
    coded = list(protected.tables.finest)
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd", write_statistics=False, use_dictionary=coded)
    return sink.getvalue()


def _columns(protected: Protected) -> dict[str, "pa.Array"]:
    """One column of codes per attribute, then value, empty where hidden, and how far it is open there."""
    import pyarrow as pa

    trees = protected.tables.hierarchies
    keys = {
        name: pa.DictionaryArray.from_arrays(
            pa.array(protected.cells[:, d].astype(np.int32)), pa.array(given[0].codes, pa.string())
        )
        for d, (name, given) in enumerate(trees.items())
    }
    width = np.zeros(len(protected.values), np.int64) if protected.proof is None else protected.proof.width
    value = pa.array(protected.values, pa.int64(), mask=protected.hidden)
    return {**keys, "value": value, "width": pa.array(width, pa.int64(), mask=~protected.hidden)}


def _facts(protected: Protected, files: dict[str, bytes]) -> dict[str, object]:
    tables = protected.tables
    return {
        "format": FORMAT,
        "set": tables.name,
        "protection": tables.kind,
        **({"sums_of": tables.summed} if tables.summed else {}),
        "tables": {
            name: {attribute: tables.attributes[attribute].levels[level].name for attribute, level in levels.items()}
            for name, levels in tables.tables.items()
        },
        "settings": protected.settings,
        "figures": protected.how,
        "cells": len(protected.values),
        "hidden": int(protected.hidden.sum()),
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())},
    }
