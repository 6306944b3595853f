"""The other registers as they are delivered: activity, earnings, survey, with faults that the policy's rules handle."""

from typing import TYPE_CHECKING

import numpy as np

from release.demo import facts
from release.demo.lists import FloatArray, IntArray
from release.demo.world import World, coded

if TYPE_CHECKING:
    import pyarrow as pa

ABSURD_PAY = (-1_200.0, 9_999_999.99)
"""Figures that slip into an earnings register; the policy takes them as missing."""
SURVEY_COLUMN = 2
"""The survey is taken three years after: the column of that year in the outcomes."""
ITEMS = {
    "tyo_vastaa_alaa": ("match", 1, 5),
    "taidot_riittavat": ("skills", 1, 5),
    "valitsisi_uudelleen": ("again", 0, 10),
}
"""Column of the survey -> item, lowest and highest score."""


# Main activity


def activity(world: World, rng: np.random.Generator) -> "pa.Table":
    """One row per person and end of year. A few are corrected in a second batch; a few persons weren't asked for."""
    import pyarrow as pa

    who, column = np.nonzero(world.outcomes.status >= 0)
    status, year = world.outcomes.status[who, column], world.year(who, column)
    late = rng.random(len(who)) < facts.CORRECTED
    wrong = (status[late] + rng.integers(1, len(facts.STATUSES), late.sum())) % len(facts.STATUSES)
    strange, strange_year, strange_status = _strange_rows(world, len(who), rng)
    people = np.concatenate([world.number[who], world.number[who[late]], strange])
    years = np.concatenate([year, year[late], strange_year])
    batch = np.concatenate([1 + late, np.ones(len(wrong) + len(strange), np.int64)])
    table = pa.table(
        {
            "henkilo": world.pseudonyms.take(pa.array(people)),
            "vuosi": pa.array(years, pa.int16()),
            "paaasiallinen_toiminta": coded(facts.STATUSES, np.concatenate([status, wrong, strange_status])),
            "toimitusera": pa.array(batch, pa.int8()),
        }
    )
    return table.take(np.lexsort((batch, years, people)))


def _strange_rows(world: World, rows: int, rng: np.random.Generator) -> tuple[IntArray, IntArray, IntArray]:
    """Persons in no base register, one row each, with a year and a status."""
    strange = world.strangers[: int(rows * facts.STRANGERS)]
    years = rng.integers(facts.COHORTS[0] + 1, facts.LAST_YEAR + 1, len(strange))
    return strange, years, rng.integers(0, len(facts.STATUSES), len(strange))


# Earnings


def earnings(world: World, rng: np.random.Generator) -> "pa.Table":
    """One row per job and year, pay as text with a decimal comma; some have a lesser second job; a few are absurd."""
    import pyarrow as pa

    who, column = np.nonzero(~np.isnan(world.outcomes.pay) | world.outcomes.absurd)
    pay, absurd = world.outcomes.pay[who, column], world.outcomes.absurd[who, column]
    pay = np.where(absurd, np.where(who % 2 == 0, *ABSURD_PAY), pay)
    (second,) = np.nonzero(~absurd & (rng.random(len(who)) < facts.SECOND_JOB))
    rows = np.concatenate([np.arange(len(who)), second])
    lesser = np.floor(pay[second] * rng.uniform(5, 60, len(second))) / 100
    full = np.concatenate([world.outcomes.full_time[who, column], np.zeros(len(second), bool)])
    people, years = world.number[who[rows]], world.year(who, column)[rows]
    table = pa.table(
        {
            "henkilo": world.pseudonyms.take(pa.array(people)),
            "vuosi": pa.array(years, pa.int16()),
            "kuukausiansio": decimal_comma(np.concatenate([pay, lesser])),
            "tyoaika": coded(("osa-aika", "kokoaika"), full),
            "asuinmaakunta": coded(world.lists.region_names, world.graduates.region[who[rows]]),
        }
    )
    return table.take(np.lexsort((years, people)))


def decimal_comma(euros: FloatArray) -> "pa.StringArray":
    """Amounts in euro as text with a comma and two decimals: "2750,50"."""
    import pyarrow as pa
    import pyarrow.compute as pc

    cents = np.rint(np.abs(euros) * 100).astype(np.int64)
    whole = pa.array(cents // 100).cast(pa.string())
    rest = coded([f"{cent:02d}" for cent in range(100)], cents % 100)
    amounts = pc.binary_join_element_wise(whole, rest, ",")
    return pc.binary_join_element_wise(coded(("", "-"), euros < 0), amounts, "")


# Survey


def survey(world: World, rng: np.random.Generator) -> "pa.Table":
    """One row per answer, with a running number. A few answered twice, the last answer counts; a few are strangers."""
    import pyarrow as pa

    (who,) = np.nonzero(world.outcomes.answered)
    twice = who[rng.random(len(who)) < facts.ANSWERED_TWICE]
    strange = world.strangers[-max(3, int(len(who) * facts.SURVEY_STRANGERS)) :]
    people = np.concatenate([world.number[twice], strange, world.number[who]])
    answered = np.concatenate([twice, rng.choice(who, len(strange)) if len(who) else strange[:0], who])
    columns = {
        "henkilo": world.pseudonyms.take(pa.array(people)),
        "vastausvuosi": pa.array(world.year(answered, SURVEY_COLUMN), pa.int16()),
        "vastausnumero": pa.array(np.arange(1, len(people) + 1), pa.int32()),
    }
    for name, (item, low, high) in ITEMS.items():
        scores = rng.integers(low, high + 1, len(people))
        scores[len(people) - len(who) :] = getattr(world.outcomes, item)[who]
        columns[name] = pa.array(scores, pa.int8(), mask=scores < low)
    return pa.table(columns).take(np.argsort(people, kind="stable"))
