"""Noisy measurements: the only thing that comes out of the confidential side, and the start of all the rest.

A measurement is two files: `measurement.json` (what was measured, with which scales, at what exact cost, and OpenDP's
own serialised mechanisms) and `noisy.parquet` (one row per noisy integer residual, in the order of the JSON).
"""

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from release.codes import Attribute, IntArray, Level
from release.errors import VerificationError
from release.plan import NoiseGroup, Plan, PlannedResidual
from release.policy.policy import Combination
from release.residuals import cells_in, shape_of
from release.shown import Shown

FORMAT = "utfall-measurement/1"
FACTS_FILE = "measurement.json"
VALUES_FILE = "noisy.parquet"


@dataclass(frozen=True, repr=False)
class Measurements(Shown):
    """Noisy integer residuals of each combination, with the scales they were drawn at.

    values: arrays of int64, shape = nodes per axis. mechanisms: OpenDP's serialised measurement by scale (hexadecimal).
    """

    request: str
    attributes: Mapping[str, Attribute]
    records: int
    residuals: tuple[PlannedResidual, ...]
    values: Mapping[Combination, IntArray]
    mechanisms: Mapping[str, str]

    @property
    def rho(self) -> Fraction:
        """What the measurements cost a person, exact."""
        return sum((residual.rho for residual in self.residuals), Fraction(0))

    def _plain(self) -> str:
        return f"<Measurements: {sum(v.size for v in self.values.values())} noisy values, rho = {float(self.rho):.6g}>"

    def _repr_html_(self) -> str:
        rows = "".join(_html_row(residual, self.values) for residual in self.residuals)
        head = "<tr><th>levels</th><th>noisy values</th><th>ρ</th><th>scales</th></tr>"
        return f"<p>{self._plain()[1:-1]}</p><details><summary>by levels</summary><table>{head}{rows}</table></details>"


def _html_row(residual: PlannedResidual, values: Mapping[Combination, IntArray]) -> str:
    levels = " × ".join(f"{name}:{number}" for name, number in residual.combination) or "everybody"
    scales = [group.scale for group in residual.groups]
    span = f"{min(scales):,.3g} – {max(scales):,.3g}"
    size = values[residual.combination].size
    return f"<tr><td>{levels}</td><td>{size:,}</td><td>{float(residual.rho):.3g}</td><td>{span}</td></tr>"


def to_files(
    plan: Plan, values: Mapping[Combination, IntArray], *, mechanisms: Mapping[str, str], request: str
) -> dict[str, bytes]:
    """The two files of a measurement, by name."""
    noisy = _values_file(plan.residuals, values)
    facts = {
        "format": FORMAT,
        "request": request,
        "rho": str(plan.rho),
        **plan.measured(),
        "mechanisms": dict(mechanisms),
        "values": {"file": VALUES_FILE, "sha256": hashlib.sha256(noisy).hexdigest(), "rows": plan_rows(plan)},
    }
    text = json.dumps(facts, sort_keys=True, indent=1, ensure_ascii=False)
    return {FACTS_FILE: text.encode(), VALUES_FILE: noisy}


def plan_rows(plan: Plan) -> int:
    """Rows of the values file: one per cell of each residual's array."""
    return sum(cells_in(combination, plan.attributes) for combination in plan.combinations)


def _values_file(residuals: tuple[PlannedResidual, ...], values: Mapping[Combination, IntArray]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts = [values[residual.combination].ravel() for residual in residuals]
    numbers = np.repeat(np.arange(len(parts), dtype=np.int32), np.array([len(part) for part in parts], np.int64))
    together = np.concatenate([np.zeros(0, np.int64), *parts])
    table = pa.table({"residual": pa.array(numbers), "value": pa.array(together)})
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd", write_statistics=False, use_dictionary=["residual"])
    return sink.getvalue()


def read_measurements(folder: Path) -> Measurements:
    """Read a release's `measurements/` folder; VerificationError (exit 7) if damaged or of another version."""
    try:
        files = {name: (folder / name).read_bytes() for name in (FACTS_FILE, VALUES_FILE)}
    except OSError:
        raise _damaged("a file is missing or can't be read") from None
    return from_files(files)


def from_files(files: Mapping[str, bytes]) -> Measurements:
    """Measurements from their two files, checked against each other; VerificationError if they don't fit."""
    try:
        facts = json.loads(files[FACTS_FILE])
    except (ValueError, RecursionError):
        raise _damaged(f"{FACTS_FILE} isn't JSON") from None
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise _damaged(f'it isn\'t of the version "{FORMAT}" that this program reads')
    if hashlib.sha256(files[VALUES_FILE]).hexdigest() != facts.get("values", {}).get("sha256"):
        raise _damaged(f"{VALUES_FILE} isn't the file that {FACTS_FILE} speaks of")
    try:
        return _measurements(facts, files[VALUES_FILE])
    except (KeyError, TypeError, ValueError, ZeroDivisionError, IndexError):
        raise _damaged(f"{FACTS_FILE} doesn't fit together") from None


def _damaged(why: str) -> VerificationError:
    return VerificationError(
        f"the measurements can't be used: {why}",
        where="measurements/",
        now="take the release's folder anew from where it was published; `utfall audit` tells which files were changed",
    )


def _measurements(facts: Mapping[str, Any], noisy: bytes) -> Measurements:
    attributes = {entry["name"]: _attribute(entry) for entry in facts["attributes"]}
    residuals = tuple(_residual(entry) for entry in facts["residuals"])
    values = _values(noisy, residuals, attributes)
    records = facts["records_per_person"]
    if type(records) is not int or records < 1:
        raise ValueError
    return Measurements(facts["request"], attributes, records, residuals, values, facts["mechanisms"])


def _attribute(entry: Mapping[str, Any]) -> Attribute:
    levels = tuple(
        Level(level["name"], tuple(level["codes"]), np.array(level["parent"], np.int64)) for level in entry["levels"]
    )
    edges, scores = (None if v is None else tuple(float(x) for x in v) for v in (entry["edges"], entry["scores"]))
    return Attribute(entry["name"], levels, edges, scores)


def _residual(entry: Mapping[str, Any]) -> PlannedResidual:
    combination = tuple((str(name), int(level)) for name, level in entry["combination"])
    groups = tuple(
        NoiseGroup(tuple(int(c) for c in g["siblings"]), float.fromhex(g["scale"]), int(g["cells"]))
        for g in entry["groups"]
    )
    return PlannedResidual(combination, Fraction(entry["rho"]), groups)


def _values(
    noisy: bytes, residuals: tuple[PlannedResidual, ...], attributes: Mapping[str, Attribute]
) -> dict[Combination, IntArray]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        column = pq.read_table(io.BytesIO(noisy), columns=["value"])["value"].to_numpy()
    except pa.ArrowException:
        raise _damaged(f"{VALUES_FILE} isn't a Parquet file") from None
    sizes = [cells_in(residual.combination, attributes) for residual in residuals]
    if column.dtype != np.int64 or len(column) != sum(sizes):
        raise ValueError
    parts = np.split(column, np.cumsum(sizes)[:-1]) if sizes else []
    return {
        r.combination: part.reshape(shape_of(r.combination, attributes))
        for r, part in zip(residuals, parts, strict=True)
    }
