"""Whether the published synthetic records are what their certificate says, counted again from the files themselves.

The records aren't fitted anew (that takes minutes); whoever wants to can: the same measurements give the same bytes.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from release.policy.policy import Policy

FIT_ONLY = ("fit", "exact")
"""What a certificate says of the fit, which the files alone don't tell."""


def synthetic_objections(public: Path, policy: Policy) -> Iterator[str]:
    """One sentence for each thing wrong: records without being asked for, unmarked, impossible, or not as certified."""
    from synthetic.publish import FOLDER, record_paths

    folder, wanted = public / FOLDER, policy.document.synthetic
    if not wanted.records:
        if folder.exists():
            yield "there are synthetic records, and the policy asks for none"
        return
    for parquet, csv in record_paths(folder, wanted.replicates):
        yield from _file_objections(parquet, csv, policy)
    yield from _certificate_objections(public)


def _file_objections(parquet: Path, csv: Path, policy: Policy) -> Iterator[str]:
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from synthetic.columns import ID, columns_of
    from synthetic.files import same_records

    with pq.ParquetFile(parquet) as file:
        expected = [ID, "synthetic", *(column.name for column in columns_of(policy))]
        if file.schema_arrow.names != expected:
            yield f"{parquet.name} has other columns than the policy asks for"
            return
        marks = file.read(columns=["synthetic"])["synthetic"]
        if marks.null_count or not pc.all(marks).as_py():
            yield f"{parquet.name} holds records that aren't marked as synthetic"
    if not same_records(parquet, csv):
        yield f"{csv.name} doesn't hold the records of {parquet.name}"


def _certificate_objections(public: Path) -> Iterator[str]:
    from synthetic.certificate import certify_table
    from synthetic.publish import CERTIFICATE, FOLDER, RECORDS, opened

    told = json.loads((public / FOLDER / CERTIFICATE).read_bytes())
    found = json.loads(
        certify_table(public / FOLDER / f"{RECORDS}.parquet", opened(public), seed=told["seed"]).as_json()
    )
    if found["impossible"]["records"]:
        yield "there are impossible records"
    for part in found:
        if _plain(told.get(part)) != _plain(found[part]):
            yield f"the certificate's {part} aren't those of the records"


def _plain(value: Any) -> Any:
    """Without what is said of the fit."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items() if key not in FIT_ONLY}
    return [_plain(item) for item in value] if isinstance(value, list) else value
