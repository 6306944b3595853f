"""The known truth, kept apart from the delivery: what a perfect link gives, and the model's numbers."""

from typing import TYPE_CHECKING

import numpy as np

from release.codes import NO_ANSWER, NOT_APPLICABLE, NOT_FOUND
from release.demo import facts
from release.demo.activity import NOT_COVERED, NOT_IN_REGISTER
from release.demo.lists import BoolArray, IntArray
from release.demo.registers import ITEMS, SURVEY_COLUMN
from release.demo.world import World, coded

if TYPE_CHECKING:
    import pyarrow as pa


def true_table(world: World) -> "pa.Table":
    """One row per graduate, in order of the pseudonym.

    Codes as in the policy (special codes included); pay in euro a month, null where a perfect link finds none;
    full-time work and whether the person answered the survey.
    """
    import pyarrow as pa

    g, lists = world.graduates, world.lists
    columns = {
        "henkilo": world.pseudonyms.take(pa.array(world.number)),
        "region": coded(lists.regions, lists.region_of[g.provider]),
        "provider": coded(lists.providers, g.provider),
        "broad": coded(facts.BROADS, g.broad),
        "narrow": coded(lists.narrow_of, g.field),
        "field": coded(lists.fields, g.field),
        "education": coded(facts.EDUCATIONS, g.education),
        "cohort": pa.array(g.cohort.astype(str)),
        "sex": coded(("1", "2"), g.women),
        "tongue": coded(facts.MOTHER_TONGUE, g.tongue),
        "born": pa.array(g.born, pa.int16()),
    }
    columns |= {f"activity-{after}": _statuses(world.outcomes.status[:, after - 1]) for after in (1, 3, 5)}
    for after in (1, 3, 5):
        pay = world.outcomes.pay[:, after - 1]
        columns[f"pay-{after}"] = pa.array(pay, mask=np.isnan(pay))
        columns[f"full-time-{after}"] = pa.array(world.outcomes.full_time[:, after - 1])
    columns |= {item: _scores(world, item, high) for item, _, high in ITEMS.values()}
    columns["answered"] = pa.array(world.outcomes.answered)
    return pa.table(columns)


def _statuses(status: IntArray) -> "pa.StringArray":
    codes = (*facts.STATUSES, NOT_FOUND, NOT_APPLICABLE)
    places = {NOT_IN_REGISTER: len(facts.STATUSES), NOT_COVERED: len(facts.STATUSES) + 1}
    index = np.select([status == mark for mark in places], list(places.values()), status)
    return coded(codes, index)


def _scores(world: World, item: str, high: int) -> "pa.StringArray":
    codes = (*map(str, range(high + 1)), NO_ANSWER, NOT_APPLICABLE)
    given = getattr(world.outcomes, item)
    counts: BoolArray = world.outcomes.answered & (given >= 0)
    outside = world.outcomes.status[:, SURVEY_COLUMN] == NOT_COVERED
    return coded(codes, np.where(outside, high + 2, np.where(counts, given, high + 1)))


def parameters(world: World, persons: int, seed: int) -> dict[str, object]:
    """The numbers of the model, and the effects that were drawn for each provider."""
    lists, effects = world.lists, world.effects
    return {
        "note": facts.NOTE,
        "persons": persons,
        "seed": seed,
        "facts": {name: value for name, value in vars(facts).items() if name.isupper()},
        "providers": {
            code: {
                "employed": dict(zip(facts.BROADS, effects.employed[i].round(6).tolist(), strict=True)),
                "pay": round(float(effects.pay[i]), 6),
                "answering": round(float(effects.answering[i]), 6),
            }
            for i, code in enumerate(lists.providers)
        },
    }
