"""The only type that a writer accepts: a table that may leave the office."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from release.codes import Labels
from release.shown import Shown

_SEAL = object()
"""Whoever holds it may make safe tables: withholding here, and suppression of exact tables."""

FIGURES = ("value", "lower", "upper", "standard_error")


@dataclass(frozen=True)
class KeyColumn:
    """One key column of a table: a dimension or the outcome, with its codes and their texts.

    parents: of the codes, where those of several levels stand in one column (exact tables with their totals).
    """

    name: str
    level: str
    codes: tuple[str, ...]
    labels: Labels
    title: Mapping[str, str]
    parents: tuple[str | None, ...] | None = None


@dataclass(frozen=True, repr=False)
class SafeTable(Shown):
    """A table that may leave the office.

    cells: one row per key and statistic, in key order. Columns: one per key (categorical codes), `statistic`
    (categorical), `value, lower, upper, standard_error` (float64, NaN where not shown), `status` (categorical of
    `Status`), `note` (text, "" where there is none). Shares are fractions of one. An outcome's key column holds "all"
    in rows that are about all its codes together (the base count, means, percentiles, response rates).
    covers: what the intervals cover ("noise" or "noise-and-chance"), nominal level 95 %; of an exact table the
    protection. protection: "dp", or how an exact table is protected.
    """

    name: str
    title: Mapping[str, str]
    keys: tuple[KeyColumn, ...]
    statistics: tuple[str, ...]
    covers: str
    unit: str
    cells: pd.DataFrame
    seal: object = field(repr=False)
    protection: str = "dp"

    def __post_init__(self) -> None:
        if self.seal is not _SEAL:
            raise TypeError("safe tables are made by withholding or suppression only")

    def _plain(self) -> str:
        return f"<SafeTable {self.name}: {len(self.cells)} figures>"

    def _repr_html_(self) -> str:
        from release.protected.display import table_html

        return table_html(self)
