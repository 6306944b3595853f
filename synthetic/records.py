"""Synthetic graduates as whole records: drawn from a fit so that every margin is kept as closely as rounding allows.

Drawn with a seed: this is not the noise that protects persons (that has none), and nothing but the fit is looked at.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from release.codes import NOT_APPLICABLE, IntArray
from release.residuals import FloatArray
from synthetic.fit import Fit, OutcomeFit
from synthetic.refine import BoolArray

_GOLDEN = (np.sqrt(5) - 1) / 2
_AT_ONCE = 20_000


@dataclass(frozen=True, eq=False)
class Records:
    """Synthetic graduates: each one's cell of the fit's support, and its leaf of every outcome."""

    fit: Fit
    cell: IntArray = field(repr=False)
    leaves: Mapping[str, IntArray] = field(repr=False)

    def __len__(self) -> int:
        return len(self.cell)

    def nodes(self, name: str, level: int) -> IntArray:
        """Each record's node of an attribute at a level."""
        if name in self.leaves:
            attribute = self.fit.policy.attributes[name]
            return np.asarray(attribute.ancestors(attribute.depth, level)[self.leaves[name]])
        return self.fit.support.at(name, level)[self.cell]


def draw_records(fit: Fit, rows: int, random: np.random.Generator) -> Records:
    """So many records. Dimensions by systematic sampling in the order of the codes, then outcome by outcome."""
    order = _time_first(fit)
    cell = order[systematic(fit.weights[order], rows, random)]
    records = Records(fit, cell, {})
    for outcome in fit.outcomes.values():
        leaf = draw_outcome(records, outcome, random)
        records = replace(records, leaves={**records.leaves, outcome.name: leaf})
    return records


def _time_first(fit: Fit) -> IntArray:
    """The support's cells with the time dimension slowest: cohort sizes come out within one person."""
    time = fit.policy.time_dimension
    slowest = fit.support.nodes.get(str(time), np.zeros(fit.support.size, np.int64))
    return np.asarray(np.argsort(slowest, kind="stable"), np.int64)


def systematic(weights: FloatArray, rows: int, random: np.random.Generator) -> IntArray:
    """Positions with frequencies within one of their expectation, and so for every run of neighbours."""
    ends = np.cumsum(weights)
    points = (np.arange(rows) + random.random()) * (ends[-1] / rows)
    return np.asarray(np.minimum(np.searchsorted(ends, points, side="right"), len(weights) - 1), np.int64)


def draw_outcome(records: Records, outcome: OutcomeFit, random: np.random.Generator) -> IntArray:
    """Each record's leaf: within a row of the outcome's table the frequencies are within one of their expectation.

    Records of a row are taken in random order, so that outcomes are independent where nothing was measured of them
    together; the sampling points of successive rows are spread evenly, so that sums over rows are close as well.
    """
    attribute = records.fit.policy.attributes[outcome.name]
    who = np.flatnonzero(concerned(records, outcome.name))
    row = outcome.row[records.cell[who]]
    order = np.lexsort((random.random(len(who)), row))
    sorted_rows = row[order]
    sizes = np.bincount(sorted_rows, minlength=len(outcome.chances))
    place = np.arange(len(who)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    shift = (random.random() + _GOLDEN * np.arange(len(sizes))) % 1
    points = (place + shift[sorted_rows]) / np.maximum(sizes, 1)[sorted_rows]
    leaf = np.full(len(records), attribute.leaves.index.get(NOT_APPLICABLE, 0), np.int64)
    leaf[who[order]] = pick(outcome.ends, sorted_rows, points)
    return leaf


def pick(ends: FloatArray, rows: IntArray, points: FloatArray) -> IntArray:
    """The leaf of each row at a point of [0, 1) of its cumulative chances; leaves without a chance are never picked."""
    points = np.minimum(points, 1 - 1e-9)
    parts = [slice(start, start + _AT_ONCE) for start in range(0, len(rows), _AT_ONCE)]
    found = [np.count_nonzero(ends[rows[part]] <= points[part, None], axis=1) for part in parts]
    return np.concatenate([np.zeros(0, np.int64), *found])


def concerned(records: Records, name: str) -> BoolArray:
    """To which records an outcome applies: by the calendar, and by the codes of other outcomes that it asks for."""
    policy, support = records.fit.policy, records.fit.support
    applies = np.ones(len(records), np.bool_)
    followed, time = policy.followed(name), policy.time_dimension
    if followed is not None and time is not None and time in support.nodes:
        applies &= followed[support.nodes[time][records.cell]]
    for parent, leaves in policy.applicable[name].items():
        if parent in records.leaves:
            applies &= np.isin(records.leaves[parent], sorted(leaves))
    return applies
