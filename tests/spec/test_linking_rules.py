"""Who is counted, under what, and when: the rules of linking on drawn registers.

The policy is `tests/helpers/small_registers.py`: graduates of 2019-2021; main activity and pay one and two years after;
activity known for 2020-2022; pay in the bins 10-20, 20-30, 30-40; a survey with answers 1-3.
"""

import pytest
from helpers.drawn import spec
from helpers.small_registers import small_policy


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    return small_policy(tmp_path_factory.mktemp("policy"))


def test_who_is_counted_once(policy, tmp_path):
    """A person with several qualifications counts once: under the highest, and of several as high the latest."""
    spec(
        policy,
        tmp_path,
        degrees="""
            person | rank | cohort | place
            -------+------+--------+------
                 1 |    2 |   2019 | n1
                 1 |    1 |   2021 | s1
                 2 |    1 |   2019 | s1
                 2 |    1 |   2020 | n2
                 3 |      |   2021 | s1
                 3 |    1 |   2019 | n1
        """,
        expect={"place": {"n1": 2, "n2": 1}, "cohort": {"2019": 2, "2020": 1}, "place:region": {"north": 3}},
    )


def test_a_row_delivered_twice_counts_once(policy, tmp_path):
    """The same qualification twice is one qualification."""
    spec(
        policy,
        tmp_path,
        degrees="""
            person | rank | cohort | place
            -------+------+--------+------
                 1 |    1 |   2019 | n1
                 1 |    1 |   2019 | n1
        """,
        expect={"place": {"n1": 1}},
    )


def test_two_records_where_the_policy_allows_two(tmp_path):
    """With `records_per_person: 2` the two highest count, a row delivered twice only once, and a third not at all."""
    spec(
        small_policy(tmp_path / "policy", records=2),
        tmp_path,
        degrees="""
            person | rank | cohort | place
            -------+------+--------+------
                 1 |    3 |   2019 | n1
                 1 |    3 |   2019 | n1
                 1 |    2 |   2019 | n2
                 1 |    1 |   2019 | s1
        """,
        expect={"place": {"n1": 1, "n2": 1}},
    )


def test_codes_that_left_the_list(policy, tmp_path):
    """n0 was merged into n1, so its graduates are n1's; a sex that isn't in the list, or none, counts under x."""
    spec(
        policy,
        tmp_path,
        degrees="""
            person | place | sex
            -------+-------+----
                 1 | n0    | 1
                 2 | n1    | 9
                 3 | n1    |
        """,
        expect={"place": {"n1": 3}, "sex": {"1": 1, "x": 2}},
    )


def test_outcome_windows(policy, tmp_path):
    """The activity one year after is the one of the year after the person's own graduation, and no other year's."""
    spec(
        policy,
        tmp_path,
        degrees="""
            person | cohort
            -------+-------
                 1 |   2019
                 2 |   2020
                 3 |   2020
        """,
        activity="""
            person | year | activity
            -------+------+---------
                 1 | 2020 | w1
                 1 | 2021 | i1
                 2 | 2020 | w1
                 2 | 2021 | w2
                 3 | 2020 | w1
        """,
        expect={
            "activity-1:group": {"work": 2, "not-found": 1},
            "activity-2": {"i1": 1, "not-found": 2},
        },
    )


def test_not_followed_yet(policy, tmp_path):
    """Activity is known to 2022: for graduates of 2021 the second year after hasn't come, which isn't "not found"."""
    spec(
        policy,
        tmp_path,
        degrees="""
            person | cohort
            -------+-------
                 1 |   2021
                 2 |   2020
        """,
        activity="""
            person | year | activity
            -------+------+---------
                 1 | 2022 | w1
                 1 | 2023 | w1
        """,
        expect={
            "activity-1:group": {"work": 1, "not-found": 1},
            "activity-2": {"not-applicable": 1, "not-found": 1},
        },
    )


def test_a_corrected_row_counts(policy, tmp_path):
    """Of several rows of a person and year the one of the highest batch counts."""
    spec(
        policy,
        tmp_path,
        degrees="""
            person | cohort
            -------+-------
                 1 |   2019
        """,
        activity="""
            person | year | batch | activity
            -------+------+-------+---------
                 1 | 2021 |     2 | w2
                 1 | 2021 |     1 | i1
                 1 | 2021 |       | w1
        """,
        expect={"activity-2": {"w2": 1}},
    )


def test_only_those_in_work_have_pay(policy, tmp_path):
    """Pay arises for those in work; for others it is not applicable, whatever the register of pay says.

    A bin holds its lower edge and not its upper one. Pay below 0 is no pay we know (the policy's rule).
    """
    spec(
        policy,
        tmp_path,
        degrees="""
            person
            ------
                 1
                 2
                 3
                 4
                 5
                 6
                 7
        """,
        activity="""
            person | year | activity
            -------+------+---------
                 1 | 2020 | w1
                 2 | 2020 | w1
                 3 | 2020 | w2
                 4 | 2020 | w2
                 5 | 2020 | i1
                 6 | 2020 | w1
        """,
        pay="""
            person | year | pay
            -------+------+------
                 1 | 2020 |  9.99
                 2 | 2020 | 20.0
                 3 | 2020 | 19.99
                 4 | 2020 | 40.0
                 5 | 2020 | 25.0
                 6 | 2020 | -1.0
                 7 | 2020 | 25.0
        """,
        expect={
            "pay-1": {"under-10": 1, "10-20": 1, "20-30": 1, "40-and-over": 1, "not-found": 1, "not-applicable": 2},
        },
    )


def test_survey_without_answer(policy, tmp_path):
    """Who isn't in the survey, or left the question empty, gave no answer; an answer without a graduate is nobody's."""
    spec(
        policy,
        tmp_path,
        degrees="""
            person | sex
            -------+----
                 1 | 1
                 2 | 1
                 3 | 2
        """,
        survey="""
            person | match
            -------+------
                 1 |     3
                 2 |
                 4 |     1
        """,
        expect={"match": {"3": 1, "no-answer": 2}},
    )
