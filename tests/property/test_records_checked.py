"""Laws of what is said about records: impossible ones are found one by one, and distances are distances."""

import numpy as np
import pytest
from helpers.small_policy import small_policy
from helpers.synthetic_cases import plainly_possible, release_of, some_persons
from hypothesis import given, settings
from hypothesis import strategies as st

from synthetic.agreement import differences_of, table_agreement
from synthetic.certificate import published_tables
from synthetic.coded import coded_frame
from synthetic.impossible import impossible_records
from synthetic.score import total_variation


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    return small_policy(tmp_path_factory.mktemp("policy"))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), column=st.sampled_from(["provider", "field", "cohort", "activity", "activity-3"]))
def test_impossible_records_are_those_that_break_a_rule(policy, seed, column):
    """A column is shuffled: the twin looks at each person alone."""
    persons = some_persons(policy, 60, seed)
    mixed = persons.assign(**{column: np.random.default_rng(seed).permutation(persons[column])})
    expected = sum(not plainly_possible(person, policy) for person in mixed.to_dict("records"))
    assert impossible_records(coded_frame(mixed, policy)).records == expected


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_persons_measured_without_noise_agree_with_themselves(policy, seed):
    persons = some_persons(policy, 80, seed)
    release, rows = release_of(policy, persons), coded_frame(persons, policy)
    for table in published_tables(release):
        found = table_agreement(rows, table, release.estimates, persons=80.0, fit=None)
        assert found.measured.differences.largest < 1e-6
        assert found.share_inside in (1.0, None)


counts = st.lists(st.integers(0, 50), min_size=5, max_size=5).filter(any).map(lambda numbers: np.array(numbers, float))


@given(counts, counts, counts)
def test_total_variation_is_a_distance(a, b, c):
    assert total_variation(a, b) == pytest.approx(total_variation(b, a))
    assert 0 <= total_variation(a, b) <= 1 + 1e-12
    assert total_variation(a, c) <= total_variation(a, b) + total_variation(b, c) + 1e-12
    assert total_variation(a, 7 * a) == pytest.approx(0, abs=1e-12)


@given(st.lists(st.tuples(st.floats(-50, 50), st.floats(-50, 50), st.floats(0.1, 9)), min_size=1, max_size=20))
def test_differences_equal_plain_ones(rows):
    found = differences_of(*(np.array(column) for column in zip(*rows, strict=True)))
    assert found.mean == pytest.approx(sum(abs(a - b) for a, b, _ in rows) / len(rows))
    assert found.largest == pytest.approx(max(abs(a - b) for a, b, _ in rows))
    assert found.largest_in_errors == pytest.approx(max(abs(a - b) / error for a, b, error in rows))
