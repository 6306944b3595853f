"""The base register as it is delivered: a row per qualification, some with codes that have left the classification."""

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from release.demo import facts
from release.demo.lists import CodeLists, IntArray
from release.demo.world import World, coded

if TYPE_CHECKING:
    import pyarrow as pa

MERGED_IN = 2021
"""From this year on providers that merged use their successor's code."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of the base register (m,): who (a graduate's position), and what was completed where and when."""

    who: IntArray
    education: IntArray
    provider: IntArray
    field: IntArray
    year: IntArray

    def __add__(self, other: "Rows") -> "Rows":
        return Rows(*(np.concatenate([getattr(self, f.name), getattr(other, f.name)]) for f in fields(self)))


def qualifications(world: World, rng: np.random.Generator) -> "pa.Table":
    """One row per qualification: the one that counts and, for some persons, a lesser or an earlier one beside it."""
    g = world.graduates
    counting = Rows(np.arange(len(g)), g.education, g.provider, g.field, g.cohort)
    rows = counting + _lesser(world, rng)
    table = _as_delivered(world, rows, rng)
    return table.take(np.lexsort((rows.year, world.number[rows.who])))


def _lesser(world: World, rng: np.random.Generator) -> Rows:
    """Qualifications that rank below the one that counts: lower and not later, or as high and earlier.

    Further after initial, specialist after further: from the same provider and field. Initial: half matriculated too,
    half have an earlier initial one from the same provider and field.
    """
    g, first = world.graduates, facts.COHORTS[0]
    who = _with_several(world, rng)
    education, cohort = g.education[who], g.cohort[who]
    matriculated = (education == facts.INITIAL) & ((rng.random(len(who)) < 0.5) | (cohort == first))
    again = (education == facts.INITIAL) & ~matriculated
    schools = np.flatnonzero(world.lists.general)
    return Rows(
        who=who,
        education=np.where(matriculated, facts.GENERAL, np.where(again, facts.INITIAL, education - 1)),
        provider=np.where(matriculated, rng.choice(schools, len(who)), g.provider[who]),
        field=np.where(matriculated, np.flatnonzero(world.lists.broad_of == 0)[0], g.field[who]),
        year=rng.integers(first, cohort - again + 1),
    )


def _with_several(world: World, rng: np.random.Generator) -> IntArray:
    """Who has several: vocational graduates, so many that the stated share of all persons comes out."""
    vocational = world.graduates.education != facts.GENERAL
    share = facts.SEVERAL / max(float(vocational.mean()), facts.SEVERAL)
    return np.flatnonzero(vocational & (rng.random(len(vocational)) < share))


def _as_delivered(world: World, rows: Rows, rng: np.random.Generator) -> "pa.Table":
    import pyarrow as pa

    g, who, lists = world.graduates, rows.who, world.lists
    return pa.table(
        {
            "henkilo": world.pseudonyms.take(pa.array(world.number[who])),
            "sukupuoli": coded(("1", "2"), g.women[who]),
            "aidinkieli": coded(facts.MOTHER_TONGUE, g.tongue[who]),
            "syntymavuosi": pa.array(g.born[who], pa.int16()),
            "maakunta": coded(lists.regions, g.region[who]),
            "koulutuksen_jarjestaja": _provider_codes(lists, rows, rng),
            "koulutus": _qualification_codes(lists, rows),
            "koulutusala": _field_codes(lists, rows),
            "koulutusaste": pa.array(np.array(facts.RANK)[rows.education], pa.int16()),
            "tutkintotyyppi": coded(facts.EDUCATIONS, rows.education),
            "tutkintovuosi": pa.array(rows.year, pa.int16()),
        }
    )


def _provider_codes(lists: CodeLists, rows: Rows, rng: np.random.Generator) -> "pa.StringArray":
    """Provider codes; half the earlier rows of merged providers carry the code that has been given up."""
    old = _positions(lists.providers, tuple(lists.old_providers))[rows.provider]
    given_up = (old >= 0) & (rows.year < MERGED_IN) & (rng.random(len(rows.who)) < 0.5)
    return coded((*lists.providers, *lists.old_providers.values()), np.where(given_up, old, rows.provider))


def _field_codes(lists: CodeLists, rows: Rows) -> "pa.StringArray":
    """Field codes; in the first year some are still those of the classification before."""
    old = _positions(lists.fields, tuple(lists.old_fields))[rows.field]
    lost = (old >= 0) & (rows.year == facts.COHORTS[0])
    return coded((*lists.fields, *lists.old_fields.values()), np.where(lost, old, rows.field))


def _positions(codes: tuple[str, ...], successors: tuple[str, ...]) -> IntArray:
    """For each code the place of the one it succeeded, if those are listed after all codes; -1 if there is none."""
    return np.array([len(codes) + successors.index(code) if code in successors else -1 for code in codes])


def _qualification_codes(lists: CodeLists, rows: Rows) -> "pa.StringArray":
    """Six digits, invented: 3, the detailed field, and a digit for the type of education."""
    codes = [f"3{field}{education}" for education in range(len(facts.EDUCATIONS)) for field in lists.fields]
    return coded(codes, rows.education * len(lists.fields) + rows.field)
