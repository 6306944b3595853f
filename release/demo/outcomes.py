"""What becomes of them: main activity and pay at the end of each year, and answers to the survey."""

from dataclasses import dataclass

import numpy as np

from release.demo.activity import draw_activity
from release.demo.effects import ProviderEffects
from release.demo.graduates import Graduates
from release.demo.lists import BoolArray, FloatArray, IntArray
from release.demo.pay import draw_pay
from release.demo.survey import draw_answers, draw_response


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Status, pay and full-time work per person and year after graduation (n, 5); answers per person (n,).

    status: index of STATUSES, or NOT_COVERED or NOT_IN_REGISTER. pay: euro a month, nan: none.
    absurd: whose register row holds an absurd figure, so that the pay is missing.
    answered: three years after; the scores mean nothing without an answer, and -1 is an item left blank.
    """

    status: IntArray
    pay: FloatArray
    full_time: BoolArray
    absurd: BoolArray
    answered: BoolArray
    match: IntArray
    skills: IntArray
    again: IntArray


def draw_outcomes(graduates: Graduates, effects: ProviderEffects, rngs: list[np.random.Generator]) -> Outcomes:
    """Activity, pay and answers of all graduates; a random stream for each."""
    status = draw_activity(graduates, effects, rngs[0])
    pay, full_time, absurd = draw_pay(graduates, effects, status, rngs[1])
    answered = draw_response(graduates, effects, status, rngs[2])
    match, skills, again = draw_answers(graduates, status, rngs[2])
    return Outcomes(status, pay, full_time, absurd, answered, match, skills, again)
