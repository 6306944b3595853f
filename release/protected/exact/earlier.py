"""What earlier releases showed and hid of the cells that a set of exact tables tells of."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from release.codes import IntArray
from release.errors import DataError, roughly
from release.policy.policy import EarlierRelease, Policy
from release.protected.exact.protected import Protected
from release.protected.exact.reading import read_exact
from release.protected.exact.sets import TableSet
from release.protected.suppression.question import BoolArray
from release.protected.suppression.structure import System
from release.shown import Closed


@dataclass(frozen=True, repr=False, eq=False)
class Before(Closed):
    """Cells of a system that an earlier release showed, and hid, bool [n] each; lower: what is known of hidden ones."""

    shown: BoolArray
    hidden: BoolArray
    lower: int


def nothing_before(cells: int) -> Before:
    """No earlier release."""
    return Before(np.zeros(cells, bool), np.zeros(cells, bool), 1)


def before(policy: Policy, tables: TableSet, system: System, values: IntArray) -> Before:
    """What the policy's earlier releases tell of a system; DataError where their figures are of other persons.

    values: true values of the system's cells, int64 [n]. Stays in the office until it is found to agree.
    """
    found = nothing_before(len(system))
    for release in policy.earlier:
        for protected in read_exact(release.folder, release.policy):
            same = protected.tables.summed == tables.summed and protected.tables.kind == "suppression"
            if same and set(protected.tables.finest) & set(tables.finest):
                found = _joined(found, _told(release, protected, system, values))
    return found


def _joined(one: Before, other: Before) -> Before:
    return Before(one.shown | other.shown, one.hidden | other.hidden, min(one.lower, other.lower))


def _told(release: EarlierRelease, protected: Protected, system: System, values: IntArray) -> Before:
    """One earlier set, cell by cell of the system; its printed zeros too."""
    places = system.places(_codes(protected))
    listed = places >= 0
    here = np.full(len(system), -1, np.int64)
    here[places[listed]] = np.flatnonzero(listed)
    inside = _inside(protected, system)
    known = inside & (here >= 0)
    shown, hidden = inside.copy(), np.zeros(len(system), bool)
    hidden[known] = protected.hidden[here[known]]
    shown &= ~hidden
    told = np.where(known, protected.values[here], 0)
    other = int((shown & (told != values)).sum()) + int((~listed & (protected.hidden | (protected.values != 0))).sum())
    if other:
        raise DataError(
            f'the release "{release.name}" shows other figures of {roughly(other)} cells than this delivery gives',
            where=f"earlier: {release.place}",
            now="publish from the delivery of that release; leave `earlier` out only if it is about other persons. "
            "Nothing has been charged to the privacy budget.",
        )
    lower = 1 if protected.proof is None or not isinstance(protected.proof.lower, int) else protected.proof.lower
    return Before(shown, hidden, lower)


def _codes(protected: Protected) -> Mapping[str, list[str]]:
    return {
        name: np.array(given[0].codes, dtype=object)[protected.cells[:, d]].tolist()
        for d, (name, given) in enumerate(protected.tables.hierarchies.items())
    }


def _inside(protected: Protected, system: System) -> BoolArray:
    """Cells of the system that some table of the earlier set shows."""
    found = np.zeros(len(system), bool)
    depths = [
        np.array([given[0].depth[code] for code in names], np.int64)[system.cells[:, d]]
        for d, (given, names) in enumerate(zip(system.hierarchies, system.codes, strict=True))
    ]
    for levels in protected.tables.shown:
        parts = [depth <= levels.get(name, 0) for name, depth in zip(system.dimensions, depths, strict=True)]
        found |= np.stack(parts).all(axis=0)
    return found
