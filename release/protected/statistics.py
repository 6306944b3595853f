"""From estimates to the figures that a policy's tables ask for: counts, shares, means, percentiles, response rates.

A table is a set of columns over the cells of its base (the dimensions in `by`): one column per code and statistic.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from release.codes import NO_ANSWER, NOT_APPLICABLE, SPECIAL_CODES, Attribute
from release.policy.document import Table
from release.policy.policy import Combination, Policy
from release.possible import BoolArray, any_child
from release.protected.estimates import Estimates
from release.protected.functionals import OutcomeTable, outcome_table
from release.protected.intervals import Figures, count_figures, percentile_figures, ratio_figures
from release.residuals import FloatArray, along, cells_in, shape_of

ALL = "all"
"""The outcome's code in rows that are about all its codes together."""

Column = tuple[str, str]
"""(code of the outcome, or ALL, or "" without an outcome; statistic)"""


@dataclass(frozen=True, eq=False)
class TableFigures:
    """All figures of one table, before any is withheld.

    columns: (code, statistic) -> figures of shape (cells of the base,). in_frame: the outcome is followed there;
    possible: the combination can occur at all.
    """

    name: str
    base: Combination
    columns: Mapping[Column, Figures] = field(repr=False)
    response: FloatArray | None = field(repr=False)
    in_frame: BoolArray = field(repr=False)
    possible: BoolArray = field(repr=False)


def table_figures(estimates: Estimates, policy: Policy, name: str) -> TableFigures:
    """Compute one table's figures over the cells of its base, in row-major order."""
    table = policy.tables[name]
    base = policy.combination(table.by)
    columns = dict(_outcome_columns(estimates, policy, table) if table.of else _person_columns(estimates, table, base))
    response = _response(estimates, policy, table) if table.of else None
    return TableFigures(name, base, columns, response, frame_mask(policy, table, base), possible_mask(policy, base))


def _person_columns(estimates: Estimates, table: Table, base: Combination) -> Iterator[tuple[Column, Figures]]:
    counts, variances = estimates.counts[base].reshape(-1), estimates.variances[base].reshape(-1)
    yield ("", "count"), count_figures(counts, variances, counts, chance=table.covers == "noise-and-chance")


def _outcome_columns(estimates: Estimates, policy: Policy, table: Table) -> Iterator[tuple[Column, Figures]]:
    outcome, level = policy.level_of(str(table.of))
    found = outcome_table(estimates, policy.combination(table.by), outcome=outcome, level=level)
    whom = Persons.of(found)
    chance = table.covers == "noise-and-chance"
    wanted = [statistic for statistic in table.show if not is_percentile(statistic)]
    for statistic in wanted:
        yield from _COLUMNS[statistic](found, whom, chance)
    percents = sorted(int(statistic[1:]) for statistic in table.show if is_percentile(statistic))
    for percent, figures in zip(percents, percentile_figures(found, percents, chance=chance), strict=True):
        yield (ALL, f"p{percent}"), figures


def is_percentile(statistic: str) -> bool:
    """p1 … p99."""
    return statistic[0] == "p" and statistic[1:].isdigit()


@dataclass(frozen=True, eq=False)
class Persons:
    """Whom an outcome's figures are about, as 0/1 coefficients over its codes.

    concerned: all but "not applicable". answered: with a code, a number or a score of their own (a coded outcome counts
    those not found as a code of its own). codes: those that get a row.
    """

    concerned: FloatArray
    answered: FloatArray
    codes: tuple[str, ...]

    @classmethod
    def of(cls, table: OutcomeTable) -> "Persons":
        """From the outcome's codes at the table's level."""
        attribute = table.attribute
        codes = attribute.levels[table.level].codes
        coded = attribute.edges is None and attribute.scores is None
        silent = {NOT_APPLICABLE, NO_ANSWER} if coded else set(SPECIAL_CODES)
        concerned = np.array([float(code != NOT_APPLICABLE) for code in codes])
        answered = np.array([float(code not in silent) for code in codes])
        return cls(concerned, answered, tuple(code for code in codes if code != NOT_APPLICABLE))


def _count_columns(table: OutcomeTable, whom: Persons, chance: bool) -> Iterator[tuple[Column, Figures]]:
    total = table.total(whom.concerned)
    yield (ALL, "count"), count_figures(total, table.variance(whom.concerned), total, chance=chance)
    for code in whom.codes:
        one = _indicator(table, code)
        yield (code, "count"), count_figures(table.total(one), table.variance(one), total, chance=chance)


def _share_columns(table: OutcomeTable, whom: Persons, chance: bool) -> Iterator[tuple[Column, Figures]]:
    for code in whom.codes:
        one = _indicator(table, code)
        if (one * whom.answered).any():
            yield (code, "share"), ratio_figures(table, one, whom.answered, limits=(0.0, 1.0), chance=chance)


def _mean_columns(table: OutcomeTable, whom: Persons, chance: bool) -> Iterator[tuple[Column, Figures]]:
    scores = np.nan_to_num(np.array(table.attribute.scores))
    lowest, highest = scores[whom.answered > 0].min(), scores[whom.answered > 0].max()
    middle = (lowest + highest) / 2
    centred = ratio_figures(
        table,
        (scores - middle) * whom.answered,
        whom.answered,
        limits=(lowest - middle, highest - middle),
        chance=chance,
    )
    moved = (centred.value + middle, centred.lower + middle, centred.upper + middle)
    yield (ALL, "mean"), Figures(*moved, centred.standard_error, centred.base)


def _response_columns(table: OutcomeTable, whom: Persons, chance: bool) -> Iterator[tuple[Column, Figures]]:
    figures = ratio_figures(table, whom.answered, whom.concerned, limits=(0.0, 1.0), chance=chance)
    yield (ALL, "response-rate"), figures


_COLUMNS = {"count": _count_columns, "share": _share_columns, "mean": _mean_columns, "response-rate": _response_columns}


def _indicator(table: OutcomeTable, code: str) -> FloatArray:
    codes = table.attribute.levels[table.level].codes
    return np.array([float(code == other) for other in codes])


def _response(estimates: Estimates, policy: Policy, table: Table) -> FloatArray | None:
    """The share of those asked who answered, whether or not the table shows it; None where nobody was asked."""
    outcome, level = policy.level_of(str(table.of))
    if not policy.document.outcomes[outcome].no_answer:
        return None
    found = outcome_table(estimates, policy.combination(table.by), outcome=outcome, level=level)
    figures = dict(_response_columns(found, Persons.of(found), False))
    return figures[ALL, "response-rate"].value


def frame_mask(policy: Policy, table: Table, base: Combination) -> BoolArray:
    """Cells of the base where the outcome is followed: False for cohorts whose time hasn't come."""
    shape = shape_of(base, policy.attributes)
    inside = np.ones(shape, np.bool_)
    followed = policy.followed(policy.level_of(table.of)[0]) if table.of else None
    if followed is not None:
        for axis, (name, level) in enumerate(base):
            if name == policy.time_dimension and level == policy.attributes[name].depth:
                inside &= along(followed, axis, len(base))
    return inside.reshape(-1)


def possible_mask(policy: Policy, base: Combination) -> BoolArray:
    """Cells of the base that can occur by every public list of combinations."""
    shape = shape_of(base, policy.attributes)
    possible = np.ones(shape, np.bool_)
    for rule in policy.possible:
        possible &= _projected(rule.allowed, rule.combination, base, policy.attributes)
    return possible.reshape(-1) if base else np.ones(cells_in(base, policy.attributes), np.bool_)


def _projected(
    allowed: BoolArray, listed: Combination, base: Combination, attributes: Mapping[str, Attribute]
) -> BoolArray:
    """A list of combinations as seen from the base: finer levels inherit, coarser ones are possible if any child is."""
    levels = dict(base)
    for axis, (name, number) in enumerate(listed):
        seen = levels.get(name, 0)
        if seen >= number:
            allowed = allowed.take(attributes[name].ancestors(seen, number), axis=axis)
        else:
            allowed = any_child(allowed, attributes[name].ancestors(number, seen), axis)
    order = [name for name, _ in listed]
    kept = [name for name, _ in base if name in order]
    dropped = tuple(axis for axis, name in enumerate(order) if name not in levels)
    allowed = allowed.squeeze(axis=dropped)
    remaining = [name for name in order if name in levels]
    allowed = allowed.transpose([remaining.index(name) for name in kept])
    sizes = iter(allowed.shape)
    return allowed.reshape([next(sizes) if name in order else 1 for name, _ in base])
