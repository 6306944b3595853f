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


def record_objections(public: Path, policy: Policy) -> Iterator[str]:
    """One sentence for each thing wrong with the files: not asked for, other columns, unmarked, not the same twice."""
    from synthetic.publish import FOLDER, record_paths

    folder, wanted = public / FOLDER, policy.document.synthetic
    if wanted.records:
        for parquet, csv in record_paths(folder, wanted.replicates).values():
            yield from _file_objections(parquet, csv, policy)
    elif folder.exists():
        yield "there are synthetic records, and the policy asks for none"


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


def certificate_objections(public: Path) -> Iterator[str]:
    """Whether the certificate says what is counted in the records again, and that none of them is impossible."""
    from synthetic.certificate import certify_table
    from synthetic.publish import CERTIFICATE, FOLDER, RECORDS, opened

    folder = public / FOLDER
    told = json.loads((folder / CERTIFICATE).read_bytes())
    again = certify_table(folder / f"{RECORDS}.parquet", opened(public), seed=told["seed"])
    found = json.loads(again.as_json())
    if again.impossible.records:
        yield "there are impossible records"
    for part in found:
        if _plain(told.get(part)) != _plain(found[part]):
            yield f"the certificate's {part} aren't those of the records"


def _plain(value: Any) -> Any:
    """Without what is said of the fit."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items() if key not in FIT_ONLY}
    return [_plain(item) for item in value] if isinstance(value, list) else value
