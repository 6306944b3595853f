"""Records that agree with the fit's tables: what is refined against what, and which changes are tried."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from release.codes import NOT_APPLICABLE, IntArray
from release.policy.policy import Combination
from release.residuals import FloatArray, cells_in
from synthetic.fit import Fit, concerned_share
from synthetic.records import Records, concerned, pick
from synthetic.refine import Change, Margin, refine

ROUNDS = 20
OFFERS = 3
BATCH = 20_000
LOOKED_AT = 60_000
LIKELY = 1e-3
"""Cells of fewer expected persons are not moved to."""
EXACT = 30.0
"""Weight of the total over each dimension's first level: cohort sizes and the like come out exact."""
MANY = 20_000
HEAVIEST = 2.0
"""A table of so many cells has weight 1, smaller ones more, up to the heaviest: few cells must speak for them."""


def agreeing(
    records: Records, random: np.random.Generator, *, rounds: int = ROUNDS, beside: Sequence[FloatArray] = ()
) -> Records:
    """The records, refined until they reproduce every table of the policy as closely as whole persons allow.

    beside: differences (in the order of `all_margins`) of other records, which these make up for.
    """
    margins = list(all_margins(records))
    for margin, difference in zip(margins, beside, strict=False):
        margin.difference += difference
    cell, leaves = records.cell.copy(), {name: values.copy() for name, values in records.leaves.items()}
    refined = replace(records, cell=cell, leaves=leaves)
    neighbours = {name: _Neighbours(records.fit, name) for name in records.fit.support.levels}
    for _ in range(rounds):
        refine(cell, leaves, margins, _changes(refined, margins, neighbours, random))
    return refined


def all_margins(records: Records) -> Iterator[Margin]:
    """Every table of the policy, and each dimension alone, with the records' present differences."""
    policy = records.fit.policy
    fitted = {*records.fit.support.levels, *records.fit.outcomes}
    measured = (policy.measured(table) for table in policy.tables.values())
    wanted = dict.fromkeys(tuple(pair for pair in c if pair[0] in fitted) for c in measured)
    for name in records.fit.support.levels:
        yield _margin(records, ((name, 1),), weight=EXACT)
    for combination in wanted:
        cells = cells_in(combination, policy.attributes)
        yield _margin(records, combination, weight=float(np.clip(np.sqrt(MANY / cells), 1.0, HEAVIEST)))


def _margin(records: Records, combination: Combination, *, weight: float) -> Margin:
    fit = records.fit
    outcome = next((name for name, _ in combination if name in fit.outcomes), "")
    cells, leaves = _parts(fit, combination, outcome)
    target = fitted_table(fit, combination) * (len(records) / fit.weights.sum())
    margin = Margin(combination, cells, outcome, leaves, weight, -target)
    positions = margin.positions(records.cell, records.leaves)
    margin.difference += np.bincount(positions, minlength=len(target))
    return margin


def _parts(fit: Fit, combination: Combination, outcome: str) -> tuple[IntArray, IntArray]:
    """The flat position's parts from the support cell and from the outcome's leaf (an outcome's axis comes last)."""
    base = tuple(pair for pair in combination if pair[0] != outcome)
    cells = fit.support.index(base)
    if not outcome:
        return cells, np.zeros(0, np.int64)
    attribute, level = fit.policy.attributes[outcome], dict(combination)[outcome]
    return cells * len(attribute.levels[level]), attribute.ancestors(attribute.depth, level)


def fitted_table(fit: Fit, combination: Combination) -> FloatArray:
    """The fit's value of each cell of a table, flat, an outcome's axis last; "not applicable" included."""
    outcome = next((name for name, _ in combination if name in fit.outcomes), "")
    cells, leaves = _parts(fit, combination, outcome)
    size = cells_in(combination, fit.policy.attributes)
    if not outcome:
        return np.bincount(cells, weights=fit.weights, minlength=size).astype(np.float64)
    found, share = fit.outcomes[outcome], concerned_share(fit, outcome)
    applies = fit.weights * share
    table = np.zeros(size)
    for leaf in range(found.chances.shape[1]):
        weights = applies * found.chances[found.row, leaf]
        table += np.bincount(cells + leaves[leaf], weights=weights, minlength=size)
    beside = fit.policy.attributes[outcome].leaves.index.get(NOT_APPLICABLE)
    if beside is not None:
        table += np.bincount(cells + leaves[beside], weights=fit.weights - applies, minlength=size)
    return table


def _changes(
    records: Records, margins: Sequence[Margin], neighbours: Mapping[str, "_Neighbours"], random: np.random.Generator
) -> Iterator[Change]:
    """One round: for every table, records of cells with too many are offered a code or a cell with too few.

    The records change while this runs: each change is proposed for them as they are then.
    """
    some = _some_at_a_time(random.permutation(len(records)))
    for margin in margins:
        if margin.outcome:
            yield _better_outcome(records, margin, _surplus(records, margin, next(some)), random)
        for name in (name for name, _ in margin.combination if name in neighbours):
            yield _better_cell(records, margin, neighbours[name], _surplus(records, margin, next(some)), random)


def _some_at_a_time(order: IntArray) -> Iterator[IntArray]:
    """The next records to look at, over and over."""
    while True:
        for start in range(0, len(order), LOOKED_AT):
            yield order[start : start + LOOKED_AT]


def _surplus(records: Records, margin: Margin, seen: IntArray) -> IntArray:
    """Of the records seen, some in cells that have more than half a person too many."""
    over = margin.difference[margin.positions(records.cell[seen], _of_rows(records, margin, seen))] > 0.5
    return np.asarray(seen[over][:BATCH])


def _of_rows(records: Records, margin: Margin, rows: IntArray) -> dict[str, IntArray]:
    return {margin.outcome: records.leaves[margin.outcome][rows]} if margin.outcome else {}


def _better_outcome(records: Records, margin: Margin, rows: IntArray, random: np.random.Generator) -> Change:
    """The most missing code of the same cell of the table, among some drawn from the fit; dependent outcomes follow."""
    few, name = _few(records, rows), margin.outcome
    outcome, applies = records.fit.outcomes[name], concerned(few, name)
    new = few.leaves[name]
    for _ in range(OFFERS):
        drawn = pick(outcome.ends, outcome.row[few.cell], random.random(len(rows)))
        place = margin.cells[few.cell]
        better = margin.difference[place + margin.leaves[drawn]] < margin.difference[place + margin.leaves[new]]
        new = np.where(better & applies, drawn, new)
    now = replace(few, leaves={**few.leaves, name: new})
    return Change(rows, few.cell, {name: new, **_following(now, few, name, random)}, ())


def _better_cell(
    records: Records, margin: Margin, neighbours: "_Neighbours", rows: IntArray, random: np.random.Generator
) -> Change:
    """The most missing cell among some that differ in one dimension; outcomes that depend on it follow."""
    few = _few(records, rows)
    beside = margin.leaves[few.leaves[margin.outcome]] if margin.outcome else 0
    new = few.cell
    for _ in range(OFFERS):
        drawn = neighbours.any(few.cell, random)
        better = margin.difference[margin.cells[drawn] + beside] < margin.difference[margin.cells[new] + beside]
        new = np.where(better & (records.fit.weights[drawn] > LIKELY), drawn, new)
    name = neighbours.dimension
    return Change(rows, new, _following(replace(few, cell=new), few, name, random), (name,))


def _few(records: Records, rows: IntArray) -> Records:
    return Records(records.fit, records.cell[rows], {name: values[rows] for name, values in records.leaves.items()})


def _following(now: Records, before: Records, name: str, random: np.random.Generator) -> dict[str, IntArray]:
    """What follows a change of `name`: outcomes that begin to apply get a leaf from the fit, those that cease to,
    "not applicable"; the rest stays.
    """
    policy, changed = now.fit.policy, dict[str, IntArray]()
    for other, outcome in now.fit.outcomes.items():
        deciding = {*policy.applicable[other], policy.time_dimension}
        if deciding.isdisjoint({name, *changed}):
            continue
        applies, applied = concerned(now, other), concerned(before, other)
        if (applies == applied).all():
            continue
        none = policy.attributes[other].leaves.index[NOT_APPLICABLE]
        drawn = pick(outcome.ends, outcome.row[now.cell], random.random(len(now)))
        kept = np.where(applied, now.leaves[other], drawn)
        changed[other] = np.where(applies, kept, none)
        now = replace(now, leaves={**now.leaves, other: changed[other]})
    return changed


class _Neighbours:
    """Support cells that differ in one dimension only."""

    def __init__(self, fit: Fit, name: str) -> None:
        self.dimension = name
        key = fit.support.index(tuple((other, level) for other, level in fit.support.levels.items() if other != name))
        self.order = np.argsort(key, kind="stable")
        sorted_key = key[self.order]
        starts = np.flatnonzero(np.diff(sorted_key, prepend=sorted_key[:1] - 1))
        sizes = np.diff(np.append(starts, len(key)))
        self.start, self.size = np.empty(len(key), np.int64), np.empty(len(key), np.int64)
        self.start[self.order], self.size[self.order] = np.repeat(starts, sizes), np.repeat(sizes, sizes)

    def any(self, cell: IntArray, random: np.random.Generator) -> IntArray:
        """For each cell one of its neighbours (itself included), evenly."""
        step = (random.random(len(cell)) * self.size[cell]).astype(np.int64)
        return np.asarray(self.order[self.start[cell] + step])
