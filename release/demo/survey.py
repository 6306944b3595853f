"""Answers to the survey, three years after graduation."""

import numpy as np

from release.demo import facts
from release.demo.chances import carried, chance, meeting, pick, tilted
from release.demo.effects import ProviderEffects
from release.demo.graduates import OTHER_SPEAKER, Graduates
from release.demo.lists import BoolArray, FloatArray, IntArray


def draw_response(
    graduates: Graduates, effects: ProviderEffects, status: IntArray, rng: np.random.Generator
) -> BoolArray:
    """Who answers, three years after (n,): nobody outside the three collections or the register."""
    g, now = graduates, status[:, 2]
    logits = effects.answering[g.provider].copy()
    for trait, has_it in _traits(g, now).items():
        logits += facts.RESPONSE[trait] * has_it
    asked = now >= 0
    rates = np.array([facts.SURVEYED.get(cohort, np.nan) for cohort in facts.COHORTS])
    logits[asked] = meeting(logits[asked], (np.searchsorted(facts.COHORTS, g.cohort[asked]), rates))
    return np.asarray(asked & (rng.random(len(g)) < chance(logits)))


def _traits(g: Graduates, now: IntArray) -> dict[str, BoolArray]:
    """What makes a person likelier or less likely to answer, by the words of the facts."""
    return {
        "women": g.women == 1,
        "employed": np.isin(now, (facts.EMPLOYED, facts.WORKING_STUDENT)),
        "unemployed": now == facts.UNEMPLOYED,
        "abroad": now == facts.ABROAD,
        "other_tongue": g.tongue == OTHER_SPEAKER,
        "age_30": g.cohort + 3 - g.born >= 30,
    }


def draw_answers(graduates: Graduates, status: IntArray, rng: np.random.Generator) -> tuple[IntArray, ...]:
    """Scores on the three items (n,), as each person would answer; a person's items are correlated; -1: left blank."""
    employed = np.isin(status[:, 2], (facts.EMPLOYED, facts.WORKING_STUDENT)).astype(np.int64)
    mood = rng.random(len(graduates))
    statement, again = np.array(facts.STATEMENT), np.array(facts.AGAIN)
    lower = np.array([-facts.MATCH_GAIN, 0.0])
    plain = facts.SKILLS_MEAN - statement @ np.arange(1.0, 6.0)
    steps = {"match": (statement, lower), "skills": (statement, plain + lower / 4), "again": (again, lower)}
    answers = {}
    for item, (base, step) in steps.items():
        table = _answer_chances(base, step, _field_effects(graduates, rng))
        answers[item] = pick(table[graduates.broad, employed], carried(mood, rng))
    match, skills = answers["match"] + 1, answers["skills"] + 1
    return _some_blank(match, rng), _some_blank(skills, rng), _some_blank(answers["again"], rng)


def _field_effects(g: Graduates, rng: np.random.Generator) -> FloatArray:
    """What graduates of each broad field answer above or below all (B,), in points; nothing on average."""
    drawn = rng.normal(0, facts.FIELD_ANSWER_SD, len(facts.BROADS))
    return np.asarray(drawn - drawn[g.broad].mean())


def _some_blank(scores: IntArray, rng: np.random.Generator) -> IntArray:
    return np.where(rng.random(len(scores)) < facts.ITEM_BLANK, -1, scores)


def _answer_chances(base: FloatArray, steps: FloatArray, fields: FloatArray) -> FloatArray:
    """Distribution of the answers by broad field and being employed (B, 2, k): `base`, its mean moved by the steps."""
    scores = np.arange(len(base), dtype=float)
    return np.array([[tilted(base, scores, base @ scores + own + step) for step in steps] for own in fields])
