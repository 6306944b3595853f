"""Monthly pay of the employed, each year after graduation."""

import numpy as np

from release.demo import facts
from release.demo.chances import centred
from release.demo.effects import ProviderEffects
from release.demo.graduates import Graduates
from release.demo.lists import BoolArray, FloatArray, IntArray


def draw_pay(
    graduates: Graduates, effects: ProviderEffects, status: IntArray, rng: np.random.Generator
) -> tuple[FloatArray, BoolArray, BoolArray]:
    """Monthly pay in euro with cents (n, 5), nan where there is none; full-time work; whose figure is absurd."""
    n = len(graduates)
    usual, person = _usual_pay(graduates, effects, rng), rng.standard_normal(n)
    pay, full_time = np.full(status.shape, np.nan), np.zeros(status.shape, bool)
    for column, growth in enumerate(facts.PAY_GROWTH):
        year = facts.PERSONAL * person + np.sqrt(1 - facts.PERSONAL**2) * rng.standard_normal(n)
        full = _with_tail(usual * growth * np.exp(facts.PAY_SD * year), rng)
        full_time[:, column] = rng.random(n) >= _part_time(graduates, status[:, column])
        factor = np.where(full_time[:, column], 1.0, rng.uniform(*facts.PART_TIME_FACTOR, n))
        pay[:, column] = np.round(full * factor, 2)
    paid = np.isin(status, (facts.EMPLOYED, facts.WORKING_STUDENT)) & (rng.random(status.shape) >= facts.NO_PAY_ROW)
    absurd = paid & (rng.random(status.shape) < facts.ABSURD)
    return np.where(paid & ~absurd, pay, np.nan), full_time & paid, absurd


def _usual_pay(g: Graduates, effects: ProviderEffects, rng: np.random.Generator) -> FloatArray:
    """Full-time median of a person's field, sex and provider, one year after."""
    medians = np.array([facts.PAY[code] for code in facts.BROADS])
    detailed = rng.normal(0, facts.DETAILED_PAY_SD, int(g.field.max()) + 1)
    own = centred(effects.pay[g.provider] + detailed[g.field], g.broad)
    return np.asarray(medians[g.broad, g.women] * np.exp(own))


def _with_tail(pay: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Pay above 6,000 follows a Pareto tail."""
    tail = facts.TAIL_FROM * (1 - rng.random(len(pay))) ** (-1 / facts.TAIL_INDEX)
    return np.where(pay > facts.TAIL_FROM, np.minimum(tail, facts.TAIL_END), pay)


def _part_time(g: Graduates, status: IntArray) -> FloatArray:
    """Chance of part-time work: most working students, and so many others that each type of education has a third."""
    students = np.array(facts.WORKING_STUDENTS)
    others = (facts.PART_TIME - facts.PART_TIME_STUDENTS * students) / (1 - students)
    return np.where(status == facts.WORKING_STUDENT, facts.PART_TIME_STUDENTS, others[g.education])
