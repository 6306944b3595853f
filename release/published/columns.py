"""A safe table as plain arrays, checked once more before anything is written: what all writers start from."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from release.errors import VerificationError
from release.protected.reasons import Status, statuses_of
from release.protected.safe import _SEAL, FIGURES, KeyColumn, SafeTable

FloatArray = npt.NDArray[np.float64]
IndexArray = npt.NDArray[np.int32]
DECIMALS = 9
_EXACTLY_ROUNDED_BELOW = 2.0**23
"""Below it x * 1e9 < 2**53, so rounding to 9 decimals is exact; above it doubles have fewer decimals anyway."""


@dataclass(frozen=True, eq=False)
class Coded:
    """A column of codes: `codes[index[i]]` is the text of row i."""

    codes: tuple[str, ...]
    index: IndexArray


@dataclass(frozen=True, eq=False)
class Columns:
    """The cells of a table, all of the same length. Figures are rounded to 9 decimals, NaN where not shown."""

    keys: tuple[Coded, ...]
    statistic: Coded
    figures: Mapping[str, FloatArray]
    status: Coded
    note: Coded

    def __len__(self) -> int:
        return len(self.status.index)


def columns_of(table: SafeTable) -> Columns:
    """The table's columns. TypeError for anything but a safe table, VerificationError where it breaks its own rules."""
    if not isinstance(table, SafeTable) or table.seal is not _SEAL:
        raise TypeError("a writer takes safe tables only: made by withholding or suppression")
    _refuse_other_columns(table)
    columns = Columns(
        keys=tuple(_key(table.cells[key.name], key) for key in table.keys),
        statistic=_ordered(table.cells["statistic"], table.statistics),
        figures={name: rounded(table.cells[name].to_numpy(np.float64, copy=True)) for name in FIGURES},
        status=_ordered(table.cells["status"], statuses_of(table.protection)),
        note=_notes(table.cells["note"]),
    )
    _refuse_bad_cells(table.name, columns)
    return columns


def rounded(values: FloatArray) -> FloatArray:
    """Values to 9 decimals, the same on any machine (IEEE arithmetic only); no negative zero."""
    with np.errstate(over="ignore", invalid="ignore"):
        near = np.rint(values * 10.0**DECIMALS) / 10.0**DECIMALS
    return np.asarray(np.where(np.abs(values) < _EXACTLY_ROUNDED_BELOW, near, values) + 0.0, np.float64)


def _refuse_other_columns(table: SafeTable) -> None:
    expected = [*(key.name for key in table.keys), "statistic", *FIGURES, "status", "note"]
    if list(table.cells.columns) != expected:
        raise _broken(table.name, "its columns aren't the keys, then statistic, the figures, status and note")


def _refuse_bad_cells(name: str, columns: Columns) -> None:
    """Shown figures are numbers; figures not shown are empty; every row has its codes."""
    shown = columns.status.index == columns.status.codes.index(Status.SHOWN)
    figures = columns.figures
    if any((coded.index < 0).any() for coded in (*columns.keys, columns.statistic, columns.status)):
        raise _broken(name, "a row lacks a code, a statistic or a status")
    if not np.isfinite(figures["value"][shown]).all() or any(np.isinf(f).any() for f in figures.values()):
        raise _broken(name, "a shown figure isn't a finite number")
    if any(not np.isnan(figure[~shown]).all() for figure in figures.values()):
        raise _broken(name, "a figure that is withheld holds a number")
    if (figures["lower"] > figures["upper"]).any():
        raise _broken(name, "an interval ends before it begins")


def _broken(name: str, why: str) -> VerificationError:
    return VerificationError(
        f"the table isn't fit to be published: {why}", where=f'table "{name}"', now="report it: this is our own fault"
    )


def _coded(column: "pd.Series[str]") -> Coded:
    """Codes in their categories' order, or in order of appearance; -1 where missing."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        index, codes = column.cat.codes.to_numpy(), column.cat.categories
    else:
        index, codes = pd.factorize(column)
    return Coded(tuple(str(code) for code in codes), index.astype(np.int32))


def _notes(column: "pd.Series[str]") -> Coded:
    """Notes in alphabetical order, so that bytes don't depend on how the column is held; missing is "no note"."""
    found = _coded(column)
    used = {found.codes[i] for i in np.unique(found.index) if i >= 0}
    notes = _ordered(column, tuple(sorted(used | {""})))
    return Coded(notes.codes, np.where(notes.index < 0, 0, notes.index).astype(np.int32))


def _ordered(column: "pd.Series[str]", order: tuple[str, ...]) -> Coded:
    """Codes in a given order; codes that aren't in it count as missing."""
    coded = _coded(column)
    place = {str(code): position for position, code in enumerate(order)}
    lookup = np.array([*(place.get(code, -1) for code in coded.codes), -1], np.int32)
    return Coded(tuple(str(code) for code in order), lookup[coded.index])


def _key(column: "pd.Series[str]", key: KeyColumn) -> Coded:
    """A key column's codes in the order of its code list, "all" first where it occurs beside them."""
    coded = _coded(column)
    listed = set(key.codes)
    beside = [coded.codes[i] for i in np.unique(coded.index) if i >= 0 and coded.codes[i] not in listed]
    return _ordered(column, (*(code for code in beside if code == "all"), *key.codes))
