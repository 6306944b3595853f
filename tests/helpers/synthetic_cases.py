"""Persons of the small policy, measured with or without a test's noise, and files of records: for tests only."""

import numpy as np
import pandas as pd
from helpers.outcome_policies import measured

from release.codes import NO_ANSWER, NOT_APPLICABLE, NOT_FOUND
from release.plan import make_plan
from release.policy import Policy
from release.protected.estimates import estimate
from synthetic.make import Release


def some_persons(policy: Policy, number: int, seed: int = 1) -> pd.DataFrame:
    """So many possible persons of the small policy: codes as text, pay in euros, nan where there is none."""
    random = np.random.default_rng(seed)
    offered = np.array([("A", "01"), ("A", "02"), ("B", "01"), ("C", "99")])[
        random.choice(4, number, p=[0.4, 0.3, 0.2, 0.1])
    ]
    cohort = random.integers(2019, 2024, number)
    activity = random.choice(["10", "13", "22", "12", NOT_FOUND], number, p=[0.5, 0.2, 0.1, 0.15, 0.05])
    later = random.choice(["10", "13", "22", "12", NOT_FOUND], number)
    sex = random.choice(["1", "2"], number)
    pay = np.exp(random.normal(7.6 + 0.1 * (sex == "2"), 0.3, number)).round(2)
    earning = np.isin(activity, ["10", "13", "22"]) & (random.random(number) < 0.95)
    return pd.DataFrame(
        {
            "provider": offered[:, 0],
            "field": offered[:, 1],
            "sex": sex,
            "cohort": cohort.astype(str),
            "activity": activity,
            "activity-3": np.where(cohort + 3 <= 2024, later, NOT_APPLICABLE),
            "pay": np.where(earning, pay, np.nan),
            "match": random.choice(["1", "2", "3", "4", "5", NO_ANSWER], number),
        }
    )


def plainly_possible(person: dict, policy: Policy) -> bool:
    """The small policy's rules, said again for one person: what is offered, the calendar, pay only of those at work."""
    offered = {("A", "01"), ("A", "02"), ("B", "01"), ("C", "99")}
    followed = int(person["cohort"]) + 3 <= 2024
    at_work = person["activity"] in ("10", "13", "22")
    return (
        (person["provider"], person["field"]) in offered
        and (person["activity-3"] != NOT_APPLICABLE) == followed
        and (at_work or np.isnan(person["pay"]))
    )


def leaves_of(persons: pd.DataFrame, policy: Policy) -> dict[str, np.ndarray]:
    """Each person's leaf of each attribute, looked up one by one."""
    return {
        name: np.array([leaf_of(name, person, policy) for person in persons.to_dict("records")])
        for name in policy.attributes
    }


def leaf_of(name: str, person: dict, policy: Policy) -> int:
    attribute = policy.attributes[name]
    value = person[name]
    if attribute.edges is None:
        return attribute.leaves.index[value]
    if np.isnan(value):
        return attribute.leaves.index[NOT_FOUND if person["activity"] in ("10", "13", "22") else NOT_APPLICABLE]
    return sum(value >= edge for edge in attribute.edges)


def release_of(policy: Policy, persons: pd.DataFrame, noise: int | None = None) -> Release:
    """What their release would give: measured without noise, or with a test's noise of that seed."""
    random = None if noise is None else np.random.default_rng(noise)
    measurements = measured(make_plan(policy), leaves_of(persons, policy), random=random)
    return Release(policy, measurements, estimate(measurements))
