"""Records as codes: what certificate and scores look at, whether the records were just made or come from a file."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from release.codes import NO_ANSWER, NOT_APPLICABLE, NOT_FOUND, Attribute, IntArray, Level
from release.errors import DataError
from release.policy.policy import Combination, Policy
from release.policy.synthetic_checks import STATUS
from release.possible import BoolArray
from release.residuals import FloatArray, cells_in
from synthetic.records import Records

if TYPE_CHECKING:
    from typing import TypeAlias

    import pandas as pd
    import pyarrow as pa

    AnyRecords: TypeAlias = "Coded | Records | pd.DataFrame | Path"

NodeArray = npt.NDArray[np.int32]
MISSING = -1
"""Stands for an empty value until it is known what it means."""


@dataclass(frozen=True, eq=False)
class Coded:
    """nodes[name][i]: record i's node at level levels[name] of the attribute (int32).

    numbers[name]: the numbers of a column that held numbers, nan where it was empty.
    """

    policy: Policy
    rows: int
    levels: Mapping[str, int]
    nodes: Mapping[str, NodeArray] = field(repr=False)
    numbers: Mapping[str, FloatArray] = field(repr=False)

    def __len__(self) -> int:
        return self.rows

    def holds(self, combination: Combination) -> bool:
        """Whether the records have all attributes of a combination, as finely as it asks."""
        return all(self.levels.get(name, 0) >= level for name, level in combination)

    def at(self, name: str, level: int) -> IntArray:
        """Each record's node at a level at or above its own."""
        return self.policy.attributes[name].ancestors(self.levels[name], level)[self.nodes[name]]

    def flat(self, combination: Combination) -> IntArray:
        """Each record's flat position in the array of a combination."""
        flat = np.zeros(self.rows, np.int64)
        for name, level in combination:
            flat = flat * len(self.policy.attributes[name].levels[level]) + self.at(name, level)
        return flat

    def count(self, combination: Combination) -> FloatArray:
        """Records in each cell of a combination, flat, in the combination's own order."""
        size = cells_in(combination, self.policy.attributes)
        return np.bincount(self.flat(combination), minlength=size).astype(np.float64)


def coded_records(records: Records) -> Coded:
    """Records as they were made: dimensions at the levels of the support, outcomes at their leaves."""
    policy = records.fit.policy
    levels = {**records.fit.support.levels, **{name: policy.attributes[name].depth for name in records.leaves}}
    nodes = {name: records.nodes(name, level).astype(np.int32) for name, level in levels.items()}
    return Coded(policy, len(records), levels, nodes, {})


def coded_file(path: Path, policy: Policy) -> Coded:
    """Records of a Parquet file, column by column; columns that the policy doesn't know are left out.

    DataError if it can't be read, or holds codes that the release's code lists don't have.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            names = set(file.schema_arrow.names)
            return _coded(lambda name: file.read(columns=[name])[name] if name in names else None, policy)
    except (OSError, pa.ArrowException):
        raise DataError("the records can't be read", now="give a Parquet file such as graduates.parquet") from None


def coded_frame(frame: "pd.DataFrame", policy: Policy) -> Coded:
    """Records of a data frame with columns named as the policy's attributes; DataError as for a file."""
    import pyarrow as pa

    def column(name: str) -> "pa.ChunkedArray | None":
        return pa.chunked_array([pa.array(frame[name], from_pandas=True)]) if name in frame.columns else None

    return _coded(column, policy)


def coded(records: "AnyRecords", policy: Policy) -> Coded:
    """Records in whichever form, as codes."""
    if isinstance(records, Coded):
        return records
    if isinstance(records, Records):
        return coded_records(records)
    return coded_file(records, policy) if isinstance(records, Path) else coded_frame(records, policy)


def _coded(read: "Callable[[str], pa.ChunkedArray | None]", policy: Policy) -> Coded:
    """Column by column. A number that isn't there takes its code from the column of statuses beside it, if any."""
    levels: dict[str, int] = {}
    nodes: dict[str, NodeArray] = {}
    numbers: dict[str, FloatArray] = {}
    for name, attribute in policy.attributes.items():
        column = read(name)
        if column is None:
            continue
        if attribute.edges is not None and _is_number(column):
            numbers[name] = column.to_numpy().astype(np.float64)
            levels[name] = attribute.depth
            nodes[name] = _with_status(_in_bins(numbers[name], attribute), read(f"{name}{STATUS}"), attribute)
        else:
            levels[name], nodes[name] = _in_list(column, attribute)
    if not nodes:
        raise DataError(
            "there is no column of this release", where="the records", now="name columns as the policy does"
        )
    return _settled(Coded(policy, len(next(iter(nodes.values()))), levels, nodes, numbers))


def _with_status(leaf: NodeArray, status: "pa.ChunkedArray | None", attribute: Attribute) -> NodeArray:
    if status is None:
        return leaf
    coded = status.combine_chunks().dictionary_encode()
    codes = [attribute.leaves.index.get(_text(value), MISSING) for value in coded.dictionary.to_pylist()]
    said = np.array([*codes, MISSING], np.int32)[coded.indices.fill_null(len(codes)).to_numpy(zero_copy_only=False)]
    return np.where(leaf == MISSING, said, leaf).astype(np.int32)


def _is_number(column: "pa.ChunkedArray") -> bool:
    import pyarrow as pa

    return bool(pa.types.is_floating(column.type) or pa.types.is_integer(column.type))


def _in_bins(numbers: FloatArray, attribute: Attribute) -> NodeArray:
    """Bins are [low, high), with an open one at each end."""
    leaf = np.searchsorted(np.array(attribute.edges), numbers, side="right").astype(np.int32)
    return np.where(np.isnan(numbers), np.int32(MISSING), leaf)


def _in_list(column: "pa.ChunkedArray", attribute: Attribute) -> tuple[int, NodeArray]:
    """The finest level that knows all the codes, and each record's node there."""
    import pyarrow as pa

    texts = column.combine_chunks()
    coded = texts if pa.types.is_dictionary(texts.type) else texts.dictionary_encode()
    codes = [None if value is None else _text(value) for value in coded.dictionary.to_pylist()]
    index = coded.indices.fill_null(len(codes)).to_numpy(zero_copy_only=False)
    for number in range(attribute.depth, 0, -1):
        level = attribute.levels[number]
        if all(code is None or code in level.index for code in codes):
            return number, _places(codes, level)[index]
    raise DataError(
        f'column "{attribute.name}" holds codes that the release doesn\'t know',
        where="the records",
        now="use records that were made from this release",
    )


def _text(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _places(codes: list[str | None], level: Level) -> NodeArray:
    """The node of each code; empty values, and the entry after the last, are missing."""
    return np.array([*(MISSING if code is None else level.index[code] for code in codes), MISSING], np.int32)


# ---- empty values ---------------------------------------------------------------------------------------------------


def _settled(records: Coded) -> Coded:
    """Empty values mean "not applicable" where the outcome doesn't arise, else "not found" or "no answer"."""
    for name in records.policy.document.outcomes:
        if name in records.nodes and (records.nodes[name] == MISSING).any():
            records = replace(records, nodes={**records.nodes, name: _without_gaps(records, name)})
    if any((nodes == MISSING).any() for nodes in records.nodes.values()):
        raise DataError(
            "a dimension has empty values", where="the records", now="give each record a code of the release"
        )
    return records


def _without_gaps(records: Coded, name: str) -> NodeArray:
    level = records.policy.attributes[name].levels[records.levels[name]]
    applies = arises(records, name)
    none, unknown = level.index.get(NOT_APPLICABLE), level.index.get(NO_ANSWER, level.index.get(NOT_FOUND))
    if (applies is None and none is not None) or unknown is None:
        raise DataError(
            f'it can\'t be told what the empty values of column "{name}" mean',
            where="the records",
            now="keep the columns that it depends on (dimensions of time, outcomes in `only_if`)",
        )
    gap = unknown if none is None or applies is None else np.where(applies, unknown, none)
    return np.where(records.nodes[name] == MISSING, gap, records.nodes[name]).astype(np.int32)


def arises(records: Coded, name: str) -> BoolArray | None:
    """To which records an outcome applies, by the calendar and `only_if`; None if a column that says so is missing."""
    policy, time = records.policy, records.policy.time_dimension
    applies = np.ones(records.rows, np.bool_)
    followed = policy.followed(name)
    if followed is not None and time is not None and not followed.all():
        if not records.holds(((time, policy.attributes[time].depth),)):
            return None
        applies &= followed[records.nodes[time]]
    for parent, leaves in policy.applicable[name].items():
        if (asked := _asked(records, parent, leaves)) is None:
            return None
        applies &= asked
    return applies


def _asked(records: Coded, parent: str, leaves: frozenset[int]) -> BoolArray | None:
    """Which records have one of a parent outcome's leaves; None if their level can't tell."""
    attribute, level = records.policy.attributes[parent], records.levels.get(parent, 0)
    if level == 0:
        return None
    inside = np.isin(np.arange(len(attribute.leaves)), sorted(leaves))
    share = np.bincount(attribute.ancestors(attribute.depth, level), weights=inside) / np.bincount(
        attribute.ancestors(attribute.depth, level)
    )
    return None if ((share > 0) & (share < 1)).any() else np.asarray(share[records.nodes[parent]] == 1)
