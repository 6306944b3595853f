"""To how many an outcome applies, as it was measured itself: its persons but for "not applicable".

That number is fixed before an outcome is fitted, by the calendar and by the outcomes that it asks for. So what the
outcome's own tables say of it belongs in the fit of those: employed persons by detailed field, from pay by detailed
field; persons of the followed years by provider, from a survey by provider.
"""

from collections.abc import Iterator

import numpy as np

from release.codes import NOT_APPLICABLE, IntArray
from release.policy.policy import Combination, Policy
from release.possible import BoolArray
from release.protected.estimates import Estimates
from release.protected.functionals import outcome_table
from release.residuals import FloatArray
from synthetic.rake import NoisyCells, RakedTable
from synthetic.same_persons import codes_telling
from synthetic.support import Support

UNKNOWN = 1e12
"""Standard error of a cell that isn't to be fitted."""


def asked_by_calendar(estimates: Estimates, policy: Policy, support: Support) -> Iterator[RakedTable]:
    """For the fit of the dimensions: persons of the years that an outcome follows, by what it was measured with."""
    time = policy.time_dimension
    for name in policy.document.outcomes:
        followed = policy.followed(name)
        if policy.applicable[name] or followed is None or followed.all() or time is None or time not in support.nodes:
            continue
        inside = followed[support.nodes[time]]
        for base in _bases(estimates, name):
            if base and time not in dict(base) and (asked := _asked(estimates, base, name)):
                yield _table(asked, _rows(support.index(base), inside, asked), np.zeros(1, np.int64), base)


def asked_by_outcome(
    estimates: Estimates, policy: Policy, support: Support, name: str, cells: IntArray
) -> Iterator[RakedTable]:
    """For the fit of an outcome: persons with the codes that others ask of it, by what those were measured with.

    cells: a support cell for each row of the outcome's fit; rows must tell all dimensions of `asking_combinations`.
    """
    for other in _asking(policy, name):
        inside = np.isin(np.arange(len(policy.attributes[name].leaves)), sorted(policy.applicable[other][name]))
        alike = np.array_equal(_followed(policy, support, name), _followed(policy, support, other))
        for base in _bases(estimates, other):
            if asked := _asked(estimates, base, other):
                asked = _with_own(asked, estimates, base, name, inside) if alike else asked
                where = support.index(base)[cells] if base else np.zeros(len(cells), np.int64)
                rows = _rows(where, _followed(policy, support, other)[cells], asked)
                yield _table(asked, rows, (~inside).astype(np.int64), base)


def asking_combinations(estimates: Estimates, policy: Policy, name: str) -> list[Combination]:
    """The measured combinations of outcomes that ask for codes of this one and of no other."""
    asking = set(_asking(policy, name))
    return [c for c in estimates.counts if asking & set(dict(c))]


def _asking(policy: Policy, name: str) -> list[str]:
    return [other for other, parents in policy.applicable.items() if set(parents) == {name}]


def _followed(policy: Policy, support: Support, name: str) -> BoolArray:
    followed, time = policy.followed(name), policy.time_dimension
    if followed is None or time is None or time not in support.nodes:
        return np.ones(support.size, np.bool_)
    return np.asarray(followed[support.nodes[time]])


def _bases(estimates: Estimates, name: str) -> list[Combination]:
    """What an outcome was measured with; its own level doesn't matter."""
    return [_base(c, name) for c in estimates.counts if dict(c).get(name) == 1]


def _asked(estimates: Estimates, base: Combination, name: str) -> tuple[FloatArray, FloatArray] | None:
    """Persons asked in each cell of a base, with standard errors; None where that isn't measured."""
    codes = estimates.attributes[name].levels[1].codes
    if NOT_APPLICABLE not in codes:
        return None
    table = outcome_table(estimates, base, outcome=name, level=1)
    concerned = np.array([float(code != NOT_APPLICABLE) for code in codes])
    variance = table.variance(concerned)
    return (table.total(concerned), np.sqrt(variance)) if variance.all() else None


def _with_own(
    asked: tuple[FloatArray, FloatArray], estimates: Estimates, base: Combination, name: str, inside: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Together with what the outcome's own table says of the same persons, each by its precision.

    inside: the outcome's leaves that are asked for. Unchanged if it wasn't measured with that base, or more coarsely.
    """
    attribute = estimates.attributes[name]
    for level in range(attribute.depth, 0, -1):
        codes = codes_telling(attribute, level, inside)
        measured = any(dict(c).get(name) == level and _base(c, name) == base for c in estimates.counts)
        if measured and codes is not None:
            table = outcome_table(estimates, base, outcome=name, level=level)
            own, precision = table.total(codes.astype(float)), 1 / table.variance(codes.astype(float))
            both = precision + 1 / asked[1] ** 2
            return (asked[0] / asked[1] ** 2 + own * precision) / both, 1 / np.sqrt(both)
    return asked


def _base(combination: Combination, name: str) -> Combination:
    return tuple(pair for pair in combination if pair[0] != name)


def _rows(where: IntArray, inside: BoolArray, asked: tuple[FloatArray, FloatArray]) -> IntArray:
    """Rows of years that aren't followed have a place of their own, after the others."""
    return np.asarray(np.where(inside, where, len(asked[0])), np.int64)


def _table(asked: tuple[FloatArray, FloatArray], rows: IntArray, columns: IntArray, base: Combination) -> RakedTable:
    """Persons asked in the first column; a second column (if any) and the last row are not to be fitted."""
    value = np.zeros((len(asked[0]) + 1, int(columns.max()) + 1))
    error = np.full(value.shape, UNKNOWN)
    value[:-1, 0], error[:-1, 0] = asked
    return RakedTable(rows, columns, NoisyCells(value, error, shrunk=len(base) > 0))
