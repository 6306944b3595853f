"""Checks a certificate of an exact table with additions alone: no solver, nothing of the code that made it.

What is checked: the published figures add up; each table of the certificate agrees with all of them, keeps what is
known of hidden cells, and holds whole numbers small enough that no sum can overflow; at each hidden cell two of
the tables differ by the width asked for. Then nobody can tell these two tables apart, so nobody knows the cell.
"""

import numpy as np

from release.codes import IntArray
from release.protected.suppression.certificate import Certificate
from release.protected.suppression.view import View


def verify(view: View, certificate: Certificate, width: IntArray) -> tuple[str, ...]:
    """Faults of a certificate, in plain words; none when it holds.

    width: int64 [n], how far two possible tables must differ at each hidden cell (0: no demand); every cell's demand is
    at least 1 unless it says 0. Costs a few additions per table and relation.
    """
    hidden = np.flatnonzero(~view.published)
    tables = certificate.tables
    if tables.ndim != 2 or tables.shape[1] != len(hidden) or tables.dtype != np.int64:
        return (f"the certificate isn't about this table: it doesn't tell of its {len(hidden)} hidden cells",)
    faults = [*_faults_of_table(view), *_faults_of_sums(view, tables, hidden)]
    short = int((_width(tables) < np.asarray(width)[hidden]).sum())
    if short:
        faults.append(f"{short} hidden cells aren't shown to have the width asked for")
    return tuple(faults)


def _faults_of_table(view: View) -> list[str]:
    """What is wrong with the published figures themselves."""
    faults = []
    parts = int(np.diff(view.relations.indptr).max(initial=0))
    if np.abs(view.values.astype(np.float64)).max(initial=0) * max(parts, 1) >= 2.0**62:
        faults.append("published figures are too large to be added safely")
    if np.any(view.values[~view.published]):
        faults.append("the view holds values of hidden cells")
    return faults


def _faults_of_sums(view: View, tables: IntArray, hidden: IntArray) -> list[str]:
    """Tables that break a sum, a bound, or are too large to be added safely."""
    faults = []
    relations = view.relations.astype(np.int64)
    parts = max(int(np.diff(relations.indptr).max(initial=0)), 1)
    for number, table in enumerate(tables):
        if np.abs(table.astype(np.float64)).max(initial=0) * parts >= 2.0**62:
            faults.append(f"table {number} holds numbers too large to be added safely")
            continue
        full = view.values.copy()
        full[hidden] = table
        broken = int(np.count_nonzero(relations @ full))
        outside = int(((table < view.lower[hidden]) | (table > view.upper[hidden])).sum())
        if broken:
            faults.append(f"table {number} breaks {broken} published sums")
        if outside:
            faults.append(f"table {number} has {outside} cells outside of what is known of them")
    return faults


def _width(tables: IntArray) -> IntArray:
    """Highest minus lowest value of each cell over the tables, [h]."""
    return np.asarray(tables.max(axis=0) - tables.min(axis=0)) if len(tables) else np.zeros(tables.shape[1], np.int64)
