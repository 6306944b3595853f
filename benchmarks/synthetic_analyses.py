"""Analyses that were chosen before any result was seen, as a researcher would make them; used by synthetic_coverage.py.

Each gives its figure and the usual variance of that figure (nan where there is no simple formula), from persons as
arrays: true ones or synthetic ones alike. Run alone it prints nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import nan

import numpy as np
import numpy.typing as npt

from release.codes import IntArray
from release.residuals import FloatArray

BoolArray = npt.NDArray[np.bool_]
Figure = tuple[float, float]
"""(point, its usual variance)"""
WOMEN, MEN = 1, 0
TECHNOLOGY, HEALTH = 7, 9
"""Broad fields, by position in the code list: 07 and 09."""


@dataclass(frozen=True, eq=False)
class Persons:
    """Persons as arrays: positions in the code lists; pay in euro a month, and answers, nan where there are none."""

    region: IntArray
    field: IntArray
    cohort: IntArray
    sex: IntArray
    status: IntArray
    pay: FloatArray
    match: FloatArray

    @property
    def employed(self) -> BoolArray:
        return np.asarray(self.status == 0)

    def among(self, *, sex: int | None = None, field: int | None = None, region: int | None = None) -> BoolArray:
        asked = {"sex": sex, "field": field, "region": region}
        chosen = [getattr(self, name) == code for name, code in asked.items() if code is not None]
        return np.asarray(np.logical_and.reduce(chosen))


@dataclass(frozen=True)
class Analysis:
    """columns: what it relates, as the certificate names them."""

    name: str
    columns: tuple[str, ...]
    figure: Callable[[Persons], Figure]


def mean(values: FloatArray | BoolArray) -> Figure:
    """Mean (or share) of what isn't nan, and its variance."""
    known = np.asarray(values, np.float64)
    known = known[~np.isnan(known)]
    return float(known.mean()), float(known.var(ddof=1) / len(known))


def difference(values: FloatArray | BoolArray, one: BoolArray, other: BoolArray) -> Figure:
    """Mean among one group, minus mean among another."""
    (a, va), (b, vb) = mean(values[one]), mean(values[other])
    return a - b, va + vb


def median(values: FloatArray) -> Figure:
    return float(np.nanmedian(values)), nan


def dummies(persons: Persons, who: BoolArray) -> FloatArray:
    """One, woman, each field but the first, each cohort but the first."""
    columns = [np.ones(int(who.sum())), persons.sex[who] == WOMEN]
    columns += [persons.field[who] == code for code in range(1, 11)]
    columns += [persons.cohort[who] == code for code in range(1, 5)]
    return np.stack(columns, axis=1).astype(np.float64)


def least_squares(persons: Persons, coefficient: int) -> Figure:
    """Of pay on sex, field and cohort; variance robust against unequal spread."""
    who = ~np.isnan(persons.pay)
    x, y = dummies(persons, who), persons.pay[who]
    inverse = np.linalg.inv(x.T @ x)
    found = inverse @ (x.T @ y)
    weighted = x * (y - x @ found)[:, None]
    return float(found[coefficient]), float((inverse @ (weighted.T @ weighted) @ inverse)[coefficient, coefficient])


def logistic(persons: Persons, coefficient: int) -> Figure:
    """Of being employed on sex, field and cohort, by Newton's steps."""
    x, y = dummies(persons, np.ones(len(persons.sex), np.bool_)), persons.employed
    x, where = np.unique(x, axis=0, return_inverse=True)
    n, employed = np.bincount(where), np.bincount(where, weights=y)
    found = np.zeros(x.shape[1])
    for _ in range(8):
        chance = 1 / (1 + np.exp(-x @ found))
        information = (x.T * (n * chance * (1 - chance))) @ x
        found = found + np.linalg.solve(information, x.T @ (employed - n * chance))
    return float(found[coefficient]), float(np.linalg.inv(information)[coefficient, coefficient])


def correlation(one: FloatArray, other: FloatArray) -> Figure:
    both = ~np.isnan(one) & ~np.isnan(other)
    r = float(np.corrcoef(one[both], other[both])[0, 1])
    return r, (1 - r * r) ** 2 / int(both.sum())


_BY = ("field:broad", "cohort", "sex")
MEASURED = (
    Analysis("employed, share of all", ("activity-1",), lambda p: mean(p.employed)),
    Analysis(
        "employed, share of women in health, 2020",
        ("activity-1", *_BY),
        lambda p: mean(p.employed[p.among(sex=WOMEN, field=HEALTH) & (p.cohort == 1)]),
    ),
    Analysis(
        "employed, 2020 minus 2019",
        ("activity-1", "cohort"),
        lambda p: difference(p.employed, p.cohort == 1, p.cohort == 0),
    ),
    Analysis(
        "employed, women minus men in technology",
        ("activity-1", "field:broad", "sex"),
        lambda p: difference(p.employed, p.among(sex=WOMEN, field=TECHNOLOGY), p.among(sex=MEN, field=TECHNOLOGY)),
    ),
    Analysis(
        "unemployed, share in the second region",
        ("activity-1", "provider:region"),
        lambda p: mean((p.status == 1)[p.among(region=1)]),
    ),
    Analysis("pay, mean, euro", ("pay-1",), lambda p: mean(p.pay)),
    Analysis("pay, median of women, euro", ("pay-1", "sex"), lambda p: median(p.pay[p.among(sex=WOMEN)])),
    Analysis("pay regressed on sex, field, cohort: woman", ("pay-1", *_BY), lambda p: least_squares(p, 1)),
    Analysis("pay regressed: health", ("pay-1", *_BY), lambda p: least_squares(p, 1 + HEALTH)),
    Analysis("pay regressed: cohort 2023", ("pay-1", *_BY), lambda p: least_squares(p, 15)),
    Analysis("employed, logistic: woman, log odds", ("activity-1", *_BY), lambda p: logistic(p, 1)),
    Analysis("match, mean of answers", ("match",), lambda p: mean(p.match)),
    Analysis(
        "match, women minus men",
        ("match", "sex"),
        lambda p: difference(p.match, p.among(sex=WOMEN), p.among(sex=MEN)),
    ),
)
"""Relations that the benchmark's tables measure."""

NOT_MEASURED = (
    Analysis(
        "match, employed minus others",
        ("match", "activity-1"),
        lambda p: difference(p.match, p.employed, ~p.employed),
    ),
    Analysis(
        "match, 2020 minus 2019", ("match", "cohort"), lambda p: difference(p.match, p.cohort == 1, p.cohort == 0)
    ),
    Analysis("correlation of pay and match", ("pay-1", "match"), lambda p: correlation(p.pay, p.match)),
    Analysis(
        "pay, first region minus others",
        ("pay-1", "provider:region"),
        lambda p: difference(p.pay, p.region == 0, p.region != 0),
    ),
    Analysis(
        "employed, women minus men in the third region",
        ("activity-1", "provider:region", "sex"),
        lambda p: difference(p.employed, p.among(sex=WOMEN, region=2), p.among(sex=MEN, region=2)),
    ),
)
"""Relations that no table measures: the certificate says so."""
