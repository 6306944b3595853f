"""A joint distribution over the possible combinations, close to all measured tables in units of their errors.

The dimensions' joint weights are fitted first; then each outcome's distribution within the cells of the dimensions that
it was measured with. Outcomes that were never measured together are independent within such a cell.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from release.codes import NOT_APPLICABLE, IntArray
from release.policy.policy import Combination, Policy
from release.protected.estimates import Estimates
from release.residuals import FloatArray
from synthetic.asked import asked_by_calendar, asked_by_outcome, asking_combinations
from synthetic.known import with_all_known
from synthetic.rake import NoisyCells, RakedTable, inside_intervals, rake
from synthetic.runs import measured_runs
from synthetic.support import Support, TooManyCellsError, possible_cells
from synthetic.wanted import wanted_only


@dataclass(frozen=True, eq=False)
class OutcomeFit:
    """One outcome: chances[i, k] of leaf k in row i; row[c] is the row of support cell c. Rows add up to one.

    parents: the dimensions it was measured with. The code "not applicable" has no chance here: who is concerned is
    known from the calendar and from other outcomes.
    """

    name: str
    parents: tuple[str, ...]
    row: IntArray = field(repr=False)
    chances: FloatArray = field(repr=False)

    @cached_property
    def ends(self) -> FloatArray:
        """Cumulative chances of each row; the last is 1."""
        ends = np.cumsum(self.chances, axis=1)
        return np.asarray(ends / ends[:, -1:])


@dataclass(frozen=True, eq=False)
class Fit:
    """weights: persons in each cell of the support; outcomes: their distributions, in the policy's order."""

    policy: Policy
    support: Support
    weights: FloatArray = field(repr=False)
    outcomes: Mapping[str, OutcomeFit]

    @property
    def persons(self) -> int:
        """The total, as a whole number."""
        return int(np.rint(self.weights.sum()))


def fit(estimates: Estimates, policy: Policy, *, inside: bool = True) -> Fit:
    """Fit the dimensions' joint, then every outcome within it.

    inside: bring the published tables' cells inside their intervals; not for replicates, whose figures move on purpose.
    """
    support, best = _possible(with_all_known(estimates, policy), policy)
    printed = {policy.measured(table) for table in policy.tables.values()} if inside else set()
    published = Published(estimates, frozenset(printed))
    weights = fit_dimensions(best, policy, support, published)
    outcomes: dict[str, OutcomeFit] = {}
    for name in policy.document.outcomes:
        if any(name in dict(combination) for combination in best.counts):
            outcomes[name] = fit_outcome(best, Fit(policy, support, weights, outcomes), name, published)
    return Fit(policy, support, weights, outcomes)


def _possible(estimates: Estimates, policy: Policy) -> tuple[Support, Estimates]:
    """The possible cells of all measured dimensions; of those that the records need if these are too many."""
    try:
        return possible_cells(policy, finest_levels(estimates, policy)), estimates
    except TooManyCellsError:
        fewer = wanted_only(estimates, policy)
        return possible_cells(policy, finest_levels(fewer, policy)), fewer


@dataclass(frozen=True, eq=False)
class Published:
    """What readers see: the estimates without the knowledge of zeros, and the combinations of the published tables."""

    estimates: Estimates
    combinations: frozenset[Combination]


def finest_levels(estimates: Estimates, policy: Policy) -> dict[str, int]:
    """The finest measured level of each measured dimension."""
    found: dict[str, int] = {}
    for combination in estimates.counts:
        for name, level in combination:
            if name in policy.document.dimensions:
                found[name] = max(level, found.get(name, 0))
    return found


def fit_dimensions(estimates: Estimates, policy: Policy, support: Support, published: Published) -> FloatArray:
    """Weights of the support's cells; the total is the noisy one, rounded to whole persons."""
    total = max(float(np.rint(estimates.counts[()])), 1.0)
    tables = {
        c: _dimension_table(estimates, support, c)
        for c in estimates.counts
        if c and all(name in support.levels for name, _ in c) and estimates.variances[c].all()
    }
    even = np.full((support.size, 1), total / support.size)
    shown = [_dimension_table(published.estimates, support, c) for c in tables if c in published.combinations]
    known = [*tables.values(), *asked_by_calendar(estimates, policy, support)]
    return inside_intervals(rake(even, known), shown, known).reshape(-1)


def _dimension_table(estimates: Estimates, support: Support, combination: Combination) -> RakedTable:
    value, error = estimates.counts[combination], np.sqrt(estimates.variances[combination])
    one, shrunk = np.zeros(1, np.int64), len(combination) > 1
    cells = NoisyCells(value.reshape(-1, 1), error.reshape(-1, 1), shrunk)
    return RakedTable(support.index(combination), one, cells)


def fit_outcome(estimates: Estimates, so_far: Fit, name: str, published: Published) -> OutcomeFit:
    """An outcome's distribution in the cells of the dimensions it was measured with."""
    measured = [c for c in estimates.counts if name in dict(c)]
    needed = [*measured, *asking_combinations(estimates, so_far.policy, name)]
    parents = tuple(d for d in so_far.support.levels if any(d in dict(c) for c in needed))
    cells, row = _rows(so_far.support, parents, needed)
    persons = so_far.weights * concerned_share(so_far, name)
    concerned = np.asarray(np.bincount(row, weights=persons, minlength=len(cells)), np.float64)
    attribute = so_far.policy.attributes[name]
    answers = np.array([code != NOT_APPLICABLE for code in attribute.leaves.codes])
    known = [c for c in measured if estimates.variances[c].all()]
    tables = {c: _outcome_table(estimates, so_far.support, c, name, cells) for c in known}
    fitted = [*tables.values(), *asked_by_outcome(estimates, so_far.policy, so_far.support, name, cells)]
    even = answers / answers.sum()
    raked = rake(concerned[:, None] * even, fitted, rows=concerned)
    seen = [c for c in tables if c in published.combinations]
    shown = [_outcome_table(published.estimates, so_far.support, c, name, cells) for c in seen]
    weights = inside_intervals(raked, shown, fitted, rows=concerned)
    sums = weights.sum(axis=1, keepdims=True)
    return OutcomeFit(name, parents, row, np.where(sums > 0, weights / np.where(sums > 0, sums, 1), even))


def concerned_share(so_far: Fit, name: str) -> FloatArray:
    """For each support cell the share of persons to whom an outcome applies: by the calendar, and by other outcomes."""
    policy, support = so_far.policy, so_far.support
    share = np.ones(support.size)
    followed, time = policy.followed(name), policy.time_dimension
    if followed is not None and time is not None and time in support.nodes:
        share *= followed[support.nodes[time]]
    for parent, leaves in policy.applicable[name].items():
        if parent in so_far.outcomes:
            outcome = so_far.outcomes[parent]
            share *= outcome.chances[:, sorted(leaves)].sum(axis=1)[outcome.row] * concerned_share(so_far, parent)
    return share


def _rows(support: Support, parents: tuple[str, ...], needed: list[Combination]) -> tuple[IntArray, IntArray]:
    """One support cell for each distinct combination of the parents' needed nodes, and each cell's row among them."""
    finest = {d: max(dict(c).get(d, 0) for c in needed) for d in parents}
    key = support.index(tuple((d, finest[d]) for d in parents))
    _, first, row = np.unique(key, return_index=True, return_inverse=True)
    return first.astype(np.int64), row.astype(np.int64)


def _outcome_table(
    estimates: Estimates, support: Support, combination: Combination, name: str, cells: IntArray
) -> RakedTable:
    """A measured table as seen from an outcome's rows; its "not applicable" column is left out (known otherwise)."""
    base = tuple(pair for pair in combination if pair[0] != name)
    axis = [other for other, _ in combination].index(name)
    level = dict(combination)[name]
    attribute = estimates.attributes[name]
    value = np.moveaxis(estimates.counts[combination], axis, -1).reshape(-1, len(attribute.levels[level]))
    error = np.sqrt(np.moveaxis(estimates.variances[combination], axis, -1)).reshape(value.shape)
    rows = np.zeros(len(cells), np.int64) if not base else support.index(base)[cells]
    unknown = attribute.levels[level].index.get(NOT_APPLICABLE)
    if unknown is not None:
        error = error.copy()
        error[:, unknown] = 1e12
    columns, noisy = attribute.ancestors(attribute.depth, level), NoisyCells(value, error, len(combination) > 1)
    return RakedTable(rows, columns, noisy, runs=tuple(measured_runs(estimates, combination, name)))
