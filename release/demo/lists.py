"""The public code lists as the demo uses them: read from the same files as the policy."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from release.demo.facts import BROADS

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
POLICY = "graduates-demo.yaml"
CODE_FILES = (
    "activity.csv", "field-successors.csv", "field.csv", "offered.csv", "provider-successors.csv", "provider.csv"
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class CodeLists:
    """Providers (P), regions (R) and detailed fields (D) as codes; trees and licences as arrays.

    region_of (P,) and broad_of (D,) are indices; offered (P, B) tells which provider may offer which broad field.
    old_providers and old_fields: successor -> a code that has left the classification.
    """

    providers: tuple[str, ...]
    regions: tuple[str, ...]
    region_names: tuple[str, ...]
    fields: tuple[str, ...]
    region_of: IntArray
    broad_of: IntArray
    narrow_of: tuple[str, ...]
    offered: BoolArray
    old_providers: Mapping[str, str]
    old_fields: Mapping[str, str]

    @property
    def general(self) -> BoolArray:
        """Which providers are general upper secondary (P,)."""
        return self.offered[:, 0]


def read_lists(folder: Path) -> CodeLists:
    """The code lists in `folder` (the one called codes)."""
    providers, fields = _rows(folder / "provider.csv"), _rows(folder / "field.csv")
    codes = tuple(row["provider"] for row in providers)
    regions = {row["region"]: row["region_fi"] for row in providers}
    return CodeLists(
        providers=codes,
        regions=tuple(regions),
        region_names=tuple(regions.values()),
        fields=tuple(row["detailed"] for row in fields),
        region_of=np.array([list(regions).index(row["region"]) for row in providers]),
        broad_of=np.array([BROADS.index(row["broad"]) for row in fields]),
        narrow_of=tuple(row["narrow"] for row in fields),
        offered=_offered(codes, _rows(folder / "offered.csv")),
        old_providers={row["to"]: row["from"] for row in _rows(folder / "provider-successors.csv")},
        old_fields={row["to"]: row["from"] for row in _rows(folder / "field-successors.csv")},
    )


def _offered(providers: tuple[str, ...], rows: list[dict[str, str]]) -> BoolArray:
    allowed = np.zeros((len(providers), len(BROADS)), bool)
    for row in rows:
        allowed[providers.index(row["provider"]), BROADS.index(row["broad"])] = True
    return allowed


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
