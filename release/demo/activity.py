"""Main activity at the end of each year after graduation."""

import numpy as np

from release.demo import facts
from release.demo.chances import Margin, carried, chance, logit, meeting, pick
from release.demo.effects import ProviderEffects
from release.demo.graduates import OTHER_SPEAKER, Graduates
from release.demo.lists import FloatArray, IntArray

NOT_COVERED, NOT_IN_REGISTER = -2, -1
"""In place of a status: the register doesn't cover that year; the person isn't in it."""


def draw_activity(graduates: Graduates, effects: ProviderEffects, rng: np.random.Generator) -> IntArray:
    """Status one to five years after (n, 5). Luck carries over from year to year, so outcomes are correlated."""
    n = len(graduates)
    luck, lot, gone, left = rng.random(n), rng.random(n), rng.random(n), rng.random(n)
    status = np.empty((n, len(facts.HORIZONS)), np.int64)
    for column, after in enumerate(facts.HORIZONS):
        luck, lot = carried(luck, rng), carried(lot, rng)
        employed = luck < chance(_employment(graduates, effects, after))
        now = np.where(employed, _kind_of_work(graduates, rng), _without_work(graduates, lot, after, rng))
        now[gone < facts.ABROAD_FROM + facts.ABROAD_STEP * after] = facts.ABROAD
        now[left < facts.MISSING_FROM + facts.MISSING_STEP * after] = NOT_IN_REGISTER
        now[graduates.cohort + after > facts.LAST_YEAR] = NOT_COVERED
        status[:, column] = now
    return status


def _employment(graduates: Graduates, effects: ProviderEffects, after: int) -> FloatArray:
    """Logit of being employed, shifted so that types, fields and cohorts have the stated means."""
    g = graduates
    own = effects.employed[g.provider, g.broad]
    own += facts.WOMEN_LOGIT * g.women + facts.OTHER_TONGUE_LOGIT * (g.tongue == OTHER_SPEAKER)
    logits = own + _field_lean(after)[g.broad] * np.where(g.education == facts.INITIAL, 1.0, 0.5)
    return meeting(logits, *_means(g, after))


def _field_lean(after: int) -> FloatArray:
    """Logit of the initial vocational employment share by broad field (B,)."""
    shares = [facts.EMPLOYED_BY_FIELD.get(code, facts.ELSEWHERE) for code in facts.BROADS]
    return logit([np.interp(after, (1, 3, 5), share) for share in shares])


def _means(g: Graduates, after: int) -> list[Margin]:
    """Initial vocational: by field, then in the first year by cohort. Other types: by cohort."""
    cohort = np.searchsorted(facts.COHORTS, g.cohort)
    outside = len(facts.BROADS)
    by_field = np.append(chance(_field_lean(after)), np.nan)
    fields: Margin = (np.where(g.education == facts.INITIAL, g.broad, outside), by_field)
    return [fields, (g.education * len(facts.COHORTS) + cohort, _by_type_and_cohort(after).ravel())]


def _by_type_and_cohort(after: int) -> FloatArray:
    """Employment share by type of education and cohort (4, 5); nan where the fields alone decide."""
    if after == 1:
        return np.array([facts.EMPLOYED_AFTER_1[education] for education in range(4)])
    shares = np.full((4, len(facts.COHORTS)), np.nan)
    for education, (third, fifth) in facts.EMPLOYED_LATER.items():
        first = float(np.mean(facts.EMPLOYED_AFTER_1[education]))
        shares[education] = np.interp(after, (1.0, 3.0, 5.0), (first, third, fifth))
    return shares


def _kind_of_work(g: Graduates, rng: np.random.Generator) -> IntArray:
    studying = rng.random(len(g)) < np.array(facts.WORKING_STUDENTS)[g.education]
    return np.where(studying, facts.WORKING_STUDENT, facts.EMPLOYED)


def _without_work(g: Graduates, lot: FloatArray, after: int, rng: np.random.Generator) -> IntArray:
    """Student, unemployed or other, in the stated proportions of the type of education and the cohort."""
    fallen = np.array([facts.FALL_COHORTS.get(cohort, 0.0) if after == 1 else 0.0 for cohort in facts.COHORTS])
    normal, low = (np.array([facts.NOT_EMPLOYED[e][state] for e in range(4)]) for state in (0, 1))
    mix = normal[:, None, :] * (1 - fallen)[:, None] + low[:, None, :] * fallen[:, None]  # (4, 5, 3)
    mix /= mix.sum(axis=2, keepdims=True)
    kind = pick(mix[g.education, np.searchsorted(facts.COHORTS, g.cohort)], lot)
    return np.choose(kind, [facts.STUDENT, facts.UNEMPLOYED, _otherwise(g, after, rng)])


def _otherwise(g: Graduates, after: int, rng: np.random.Generator) -> IntArray:
    """Conscripts are young and mostly men, pensioners mostly older; the rest is other or unknown [D]."""
    age, draw = g.cohort + after - g.born, rng.random(len(g))
    conscript = np.where(age <= 24, np.where(g.women == 1, 0.04, 0.75), 0.0)
    pensioner = np.where(age >= 55, 0.6, 0.08)
    edges = [draw < conscript, draw < conscript + pensioner]
    return np.select(edges, [facts.CONSCRIPT, facts.PENSIONER], facts.OTHER)
