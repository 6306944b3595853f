"""Hypothesis strategies for small registers with all that is wrong with real ones."""

from hypothesis import strategies as st

PERSONS = ["p1", "p2", "p3", "p4", "p5", "p6"]
YEARS = [2019, 2020, 2021]


def rows(**roles):
    return st.fixed_dictionaries({"person": st.sampled_from(PERSONS), **roles})


def maybe(*values):
    return st.sampled_from([*values, None])


DEGREES = rows(
    place=st.sampled_from(["n0", "n1", "n2", "s1"]),
    cohort=st.sampled_from(YEARS),
    sex=maybe("1", "2", "9"),
    rank=maybe(1, 2),
    grade=maybe(1, 2, 7),
)
ACTIVITY = rows(activity=maybe("w1", "w2", "i1"), year=st.sampled_from([2020, 2021, 2022, 2023]), batch=maybe(1, 2))
PAY = rows(pay=maybe(-5.0, 0.0, 9.99, 10.0, 20.0, 29.5, 30.0, 40.0, 41.5), year=st.sampled_from([2020, 2021, 2022]))
SURVEY = rows(match=maybe(1, 2, 3))

REGISTERS = st.fixed_dictionaries(
    {
        "degrees": st.lists(DEGREES, min_size=1, max_size=14),
        "activity": st.lists(ACTIVITY, max_size=20),
        "pay": st.lists(PAY, max_size=12),
        "survey": st.lists(SURVEY, max_size=8),
    }
)
