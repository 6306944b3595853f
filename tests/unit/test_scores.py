"""Distances, shares and regressions of records against the truth, with slow twins."""

import json
from collections import Counter
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from helpers.small_policy import small_policy
from helpers.synthetic_cases import leaves_of, release_of, some_persons

from synthetic.certificate import certify_table
from synthetic.charts import question_charts
from synthetic.coded import coded_frame
from synthetic.regression import Question, compare_regressions, default_questions
from synthetic.score import score, score_against_truth

COLUMNS = ("provider", "field", "sex", "cohort", "activity", "pay", "match")
"""All of the small policy that its tables measure, and at their finest measured level here (see `measured`)."""


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    return small_policy(tmp_path_factory.mktemp("policy"))


@pytest.fixture(scope="module")
def truth(policy):
    return some_persons(policy, 700, seed=1)


@pytest.fixture(scope="module")
def records(policy):
    return some_persons(policy, 500, seed=2)


def test_distances_equal_plain_counting(policy, truth, records):
    """The slow, obvious twin: dictionaries of shares."""
    found = score_against_truth(records, truth, policy)
    one, true = measured(records, policy), measured(truth, policy)
    for distances in found.distances:
        expected = {
            columns: slow_distance([one[c] for c in columns], [true[c] for c in columns])
            for columns in combinations(COLUMNS, distances.ways)
        }
        assert distances.sets == len(expected)
        assert distances.mean == pytest.approx(np.mean(list(expected.values())))
        assert distances.largest == pytest.approx(max(expected.values()))
        assert expected[distances.farthest] == pytest.approx(distances.largest)
        assert distances.k_marginal == pytest.approx(1000 * (1 - distances.mean))


def measured(persons, policy):
    """Activity was measured by its groups only, all else by its leaves."""
    leaves = leaves_of(persons, policy)
    return leaves | {"activity": policy.attributes["activity"].levels[2].parent[leaves["activity"]]}


def slow_distance(one, true) -> float:
    mine, theirs = (Counter(zip(*map(np.ndarray.tolist, columns), strict=True)) for columns in (one, true))
    cells = set(mine) | set(theirs)
    return sum(abs(mine[c] / mine.total() - theirs[c] / theirs.total()) for c in cells) / 2


def test_the_truth_is_no_distance_from_itself(policy, truth):
    found = score_against_truth(truth, truth, policy)
    assert all(distances.mean == 0 < distances.chance for distances in found.distances)
    assert all(one.differences.largest == 0 for one in found.shares)
    assert all(one.largest_difference == pytest.approx(0, abs=1e-9) for one in found.regressions)


def test_measured_sets_are_told_apart(policy, truth, records):
    pairs = score_against_truth(records, truth, policy).distances[1]
    assert pairs.measured_sets == 6  # three of region, field and cohort; provider-activity, field-pay, sex-match
    assert 0 < pairs.measured < 1


def test_a_sample_of_sets_is_the_same_with_the_same_seed(policy, truth, records):
    one, again, other = (score_against_truth(records, truth, policy, sets=5, seed=seed) for seed in (1, 1, 2))
    assert one == again
    assert one.distances[2].sets == 5
    assert one.distances[2].mean != other.distances[2].mean


def test_share_differences_by_plain_counting(policy, truth, records):
    found = {one.table: one.differences for one in score_against_truth(records, truth, policy).shares}
    expected = []
    for provider in ("A", "B", "C"):
        mine, theirs = (rows[rows.provider == provider].activity for rows in (records, truth))
        for codes in (["10", "13"], ["22", "12"], ["not-found"]):
            expected.append(abs(mine.isin(codes).mean() - theirs.isin(codes).mean()))
    assert found.keys() == {"activity-by-provider"}
    assert found["activity-by-provider"].mean == pytest.approx(np.mean(expected))
    assert found["activity-by-provider"].largest == pytest.approx(max(expected))


def test_shares_of_small_true_groups_are_not_compared(policy, truth, records):
    few = pd.concat([truth[truth.provider != "C"], truth[truth.provider == "C"].head(29)])
    (found,) = score_against_truth(records, few, policy).shares
    assert found.differences.cells == 2 * 3  # two providers, three groups of activities


def test_regressions_equal_least_squares_on_whole_rows(policy, truth, records):
    question = Question("pay", ("sex", "cohort"))
    found = compare_regressions(coded_frame(records, policy), coded_frame(truth, policy), question)
    assert not found.binned
    assert [one.name for one in found.coefficients[:3]] == ["constant", "sex=2", "cohort=2020"]
    for rows, own, error in ((records, "records", "records_error"), (truth, "truth", "truth_error")):
        expected, expected_errors = slow_regression(rows)
        np.testing.assert_allclose([getattr(one, own) for one in found.coefficients], expected, atol=1e-9)
        np.testing.assert_allclose([getattr(one, error) for one in found.coefficients], expected_errors, rtol=1e-6)
    assert found.coefficients[1].truth == pytest.approx(0.1, abs=0.08)  # as the persons were made


def slow_regression(rows):
    rows = rows[rows.pay.notna()]
    design = np.column_stack(
        [np.ones(len(rows)), rows.sex == "2", *(rows.cohort == str(year) for year in range(2020, 2024))]
    ).astype(float)
    y = np.log(rows.pay.to_numpy())
    coefficients, left, *_ = np.linalg.lstsq(design, y, rcond=None)
    spread = left[0] / (len(rows) - design.shape[1])
    return coefficients, np.sqrt(np.diag(np.linalg.inv(design.T @ design)) * spread)


def test_regressions_of_binned_numbers_are_near(policy, truth):
    rows = coded_frame(truth, policy)
    binned = type(rows)(policy, rows.rows, rows.levels, rows.nodes, {})
    found = compare_regressions(binned, rows, Question("pay", ("sex",)))
    exact = compare_regressions(rows, rows, Question("pay", ("sex",)))
    assert found.binned
    assert found.coefficients[1].truth == pytest.approx(exact.coefficients[1].truth, abs=0.02)
    assert found.coefficients[1].truth != exact.coefficients[1].truth


def test_default_questions_come_from_the_tables_of_pay(policy):
    assert default_questions(policy) == (Question("pay", ("field",)),)


def test_score_against_the_tables(policy, truth, records):
    release = release_of(policy, truth)
    same, other = score(truth, release), score(records, release)
    assert [table.name for table in same.tables] == list(policy.tables)
    assert all(table.distance == pytest.approx(0, abs=1e-9) for table in same.tables)
    assert same.k_marginal == pytest.approx(1000)
    assert all(table.distance > 0 for table in other.tables)
    assert json.loads(other.as_json())["k_marginal"] < 1000
    assert len(score(records[["sex", "match"]], release).tables) == 1


def test_distance_of_noise_alone_is_what_noise_makes(policy):
    """The truth itself is about so far from noisy tables."""
    truth = some_persons(policy, 800, seed=3)
    found = [score(truth, release_of(policy, truth, noise=seed)).tables[1] for seed in range(8)]
    assert np.mean([one.distance for one in found]) == pytest.approx(found[0].noise, rel=0.35)


def test_charts_answer_each_question(policy, truth, records, tmp_path):
    release = release_of(policy, truth)
    records.to_parquet(tmp_path / "records.parquet")
    charts = question_charts(certify_table(tmp_path / "records.parquet", release), score(records, release))
    assert len(charts) == len({chart.title for chart in charts}) == 7
    drawn = [chart for chart in charts if "fit" not in chart.title]
    assert all("<svg" in chart.svg for chart in drawn)
    assert "activity-by-provider" in charts[0].svg
    assert "nan" not in "".join(chart.svg for chart in charts)
