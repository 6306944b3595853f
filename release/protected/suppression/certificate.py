"""The certificate of an exact table: whole-number tables that agree with all that is published and differ where hidden.

Whoever holds it can check with additions alone that no hidden count can be worked out: each table is possible, and at
each hidden cell two of them differ. It is computed from a `View`, so from published figures alone: the true table has
no way into it, and it is the same whatever the hidden truth is.
"""

import io
import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from release.codes import IntArray
from release.errors import UtfallError, roughly
from release.protected.suppression.first_table import first_table
from release.protected.suppression.possible import Possible
from release.protected.suppression.spread import spread
from release.protected.suppression.view import View
from release.protected.suppression.whole import Sums

_KIND = "utfall-suppression-certificate"
_VERSION = 1
_ALONE = 100
"""Cells that get programs of their own: where more are short, the table isn't safe anyway."""


class Uncertified(UtfallError):  # noqa: N818 (reads as what it is)
    """A table can't be published: it has no complete certificate."""

    exit_code = 7
    title = "No certificate"


@dataclass(frozen=True, eq=False)
class Certificate:
    """Possible tables of the hidden cells. tables: int64 [t, h]; columns follow the view's hidden cells."""

    tables: IntArray

    @property
    def width(self) -> IntArray:
        """Difference of the highest and lowest possible value shown of each hidden cell, [h]."""
        return np.asarray(np.ptp(self.tables, axis=0)) if len(self.tables) else np.zeros(self.tables.shape[1], np.int64)

    def to_json(self) -> str:
        """Text of the certificate, always the same bytes for the same tables."""
        body = {"kind": _KIND, "version": _VERSION, "hidden": self.tables.shape[1], "tables": self.tables.tolist()}
        return json.dumps(body, separators=(",", ":"), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Certificate":
        """Reads what `to_json` wrote; ValueError where it isn't a certificate of whole numbers."""
        body = json.loads(text)
        if not isinstance(body, dict) or body.get("kind") != _KIND or body.get("version") != _VERSION:
            raise ValueError("this isn't a certificate of this kind and version")
        return cls(_as_tables(body.get("tables"), body.get("hidden")))

    def to_bytes(self) -> bytes:
        """The certificate as a compressed numpy file (`tables`, in the smallest integers that hold them)."""
        buffer = io.BytesIO()
        signed = bool((self.tables < 0).any())
        small = np.dtype(np.int64) if signed else np.min_scalar_type(int(self.tables.max(initial=0)))
        np.savez_compressed(buffer, tables=self.tables.astype(small))
        return buffer.getvalue()


def certify(view: View, width: IntArray) -> Certificate:
    """Possible tables that differ by at least `width` [n] (0: no demand) at each hidden cell.

    A function of the view and the width only. Uncertified, with how many cells, where that can't be shown.
    """
    asked = np.asarray(width, np.int64)[view.hidden]
    possible = _searched(view, asked)
    _refuse_short(possible, asked)
    return Certificate(_needed(np.array(possible.tables), asked))


def certify_as_wide(view: View, most: int) -> tuple[Certificate, IntArray]:
    """Possible tables that differ at each hidden cell by as much as was found, up to `most` (>= 1), and by 1 at least.

    Gives also the width shown at each cell, int64 [n], 0 at published ones: a function of the view and `most` only, so
    it tells nobody at which cells a rule asked for it. Uncertified where a hidden cell isn't shown to have two values.
    """
    possible = _searched(view, np.full(len(view.hidden), most, np.int64))
    _refuse_short(possible, np.ones(len(view.hidden), np.int64))
    width = np.zeros(len(view.values), np.int64)
    width[view.hidden] = np.minimum(possible.width, most)
    return Certificate(_needed(np.array(possible.tables), width[view.hidden])), width


def _searched(view: View, asked: IntArray) -> Possible:
    sums = sums_of(view)
    first = first_table(sums, view.branches_of_hidden)
    if first is None:
        raise Uncertified(
            "no whole-number table was found that agrees with the published figures",
            now="check that the table adds up; without a certificate it can't be published",
        )
    possible = Possible(sums, [first], view.branches_of_hidden)
    spread(possible, asked, alone=_ALONE)
    return possible


def _refuse_short(possible: Possible, asked: IntArray) -> None:
    short = int((possible.width < asked).sum())
    if short:
        raise Uncertified(
            f"{roughly(short)} of {roughly(len(asked))} hidden cells aren't shown to be safe: they may be worked out",
            where="the certificate of the exact table",
            now="hide more cells, or lower the width asked for; without a certificate the table can't be published",
        )


def sums_of(view: View) -> Sums:
    """What every possible table of the hidden cells keeps."""
    matrix, total = view.equations
    low, high = view.free
    return Sums(matrix, total, low, high)


def _needed(tables: IntArray, width: IntArray) -> IntArray:
    """The tables without those that no cell needs, tried from the last."""
    for place in range(len(tables) - 1, -1, -1):
        fewer = np.delete(tables, place, axis=0)
        if len(fewer) and (np.ptp(fewer, axis=0) >= width).all():
            tables = fewer
    return tables


def _as_tables(rows: Any, hidden: Any) -> IntArray:
    whole = isinstance(rows, list) and isinstance(hidden, int) and all(_whole_row(row, hidden) for row in rows)
    if not whole:
        raise ValueError("the certificate's tables aren't rows of whole numbers, one for each hidden cell")
    return np.array(rows, np.int64).reshape(len(rows), hidden)


def _whole_row(row: Any, hidden: int) -> bool:
    return isinstance(row, list) and len(row) == hidden and all(type(number) is int for number in row)
