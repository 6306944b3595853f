"""The certificate sees what is planted: a record that can't be, a shift of five persons, a relation not measured."""

import json

import numpy as np
import pandas as pd
import pytest
from helpers.small_policy import changed, small_policy
from helpers.synthetic_cases import leaves_of, release_of, some_persons

from release.errors import DataError
from release.protected.statistics import table_figures
from release.tables import tables_of
from synthetic.agreement import Counted
from synthetic.certificate import certify, certify_table
from synthetic.coded import coded_frame
from synthetic.make import fit_release
from synthetic.records import Records
from synthetic.relations import relations

PERSONS = 600


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    return small_policy(tmp_path_factory.mktemp("policy"))


@pytest.fixture(scope="module")
def persons(policy):
    return some_persons(policy, PERSONS)


@pytest.fixture(scope="module")
def release(policy, persons):
    """Measured without noise: the records that agree best are the persons themselves."""
    return release_of(policy, persons)


@pytest.fixture
def certified(release, tmp_path):
    def certify_frame(frame):
        frame.to_parquet(tmp_path / "records.parquet")
        return certify_table(tmp_path / "records.parquet", release)

    return certify_frame


def test_records_equal_to_what_was_measured_agree_to_the_last_person(certified, persons):
    certificate = certified(persons)
    for table in certificate.tables:
        assert table.share_inside == 1.0
        assert table.measured.share_inside == 1.0
        assert table.measured.differences.largest < 1e-6
    assert all(one.exact for one in certificate.sizes)
    assert certificate.total_exact
    assert certificate.impossible.records == 0


def test_shown_figures_are_those_of_the_safe_tables(certified, persons, release):
    tables = {table.name: table for table in tables_of(release.measurements, release.policy)}
    for table in certified(persons).tables:
        assert table.shown == (tables[table.name].cells["status"] == "shown").sum() > 0


def test_a_shift_of_five_persons_shows_in_their_table_only(certified, persons):
    some = persons.index[(persons.provider == "A") & (persons.field == "01") & (persons.cohort == "2020")][:5]
    certificate = certified(persons.assign(field=persons.field.where(~persons.index.isin(some), "02")))
    assert certificate["persons"].measured.differences.largest == pytest.approx(5)
    assert certificate["persons"].measured.differences.mean == pytest.approx(10 / (3 * 5))  # 3 possible pairs, 5 years
    assert certificate["match-by-sex"].measured.differences.largest == pytest.approx(0, abs=1e-6)
    sizes = {one.dimension: one for one in certificate.sizes}
    assert sizes["field"].estimate.largest == pytest.approx(5)
    assert not sizes["field"].exact
    assert sizes["cohort"].exact


@pytest.mark.parametrize("moved", [{"1": "5", "2": "5"}, {"5": "1", "4": "1"}])
def test_a_large_shift_falls_outside_the_intervals(certified, persons, moved):
    certificate = certified(persons.assign(match=persons.match.replace(moved)))
    means = {one.statistic: one for one in certificate["match-by-sex"].published}["mean"]
    assert (means.shown, means.inside) == (2, 0)
    assert means.differences.largest_in_errors > 1.96
    assert certificate["persons"].share_inside == 1.0


@pytest.mark.parametrize(
    ("column", "where", "value", "rule"),
    [
        ("field", ("provider", "C"), "01", "provider × field"),
        ("activity-3", ("cohort", "2023"), "10", "activity-3"),
        ("activity-3", ("cohort", "2020"), "not-applicable", "activity-3"),
        ("pay", ("activity", "12"), 2000.0, "pay"),
    ],
)
def test_a_planted_impossible_record_is_found(certified, persons, column, where, value, rule):
    spoilt = persons.copy()
    spoilt.loc[spoilt.index[spoilt[where[0]] == where[1]][0], column] = value
    impossible = certified(spoilt).impossible
    assert impossible.records == 1
    assert {name: number for name, number in impossible.by_rule if number} == {rule: 1}
    assert not impossible.unchecked


def test_rules_about_missing_columns_are_named_as_unchecked(certified, persons):
    certificate = certified(persons.drop(columns=["provider", "cohort"]))
    assert set(certificate.impossible.unchecked) == {"provider × field", "activity-3"}
    assert certificate["persons"].unchecked == ("provider", "cohort")
    assert certificate["persons"].share_inside is None
    assert certificate["match-by-sex"].share_inside == 1.0


def test_certificate_of_records_says_more_than_that_of_a_file(release, persons):
    records = records_of(release, persons)
    certificate = certify(records, release, seed=7)
    assert (certificate.rows, certificate.seed) == (PERSONS, 7)
    assert certificate.request == release.measurements.request
    assert all(table.fit is not None for table in certificate.tables)
    facts = json.loads(certificate.as_json())
    assert facts["seed"] == "7"
    assert facts["impossible"]["records"] == 0
    assert facts["tables"][0]["measured"]["share_inside"] == 1.0


def records_of(release, persons) -> Records:
    """The persons as records of the release's fit."""
    fit = fit_release(release)
    leaves = leaves_of(persons, release.policy)
    nodes = {
        name: release.policy.attributes[name].ancestors(release.policy.attributes[name].depth, level)[leaves[name]]
        for name, level in fit.support.levels.items()
    }
    cells = {cell: i for i, cell in enumerate(zip(*fit.support.nodes.values(), strict=True))}
    cell = np.array([cells[key] for key in zip(*(nodes[name] for name in fit.support.nodes), strict=True)])
    return Records(fit, cell, {name: leaves[name] for name in fit.outcomes})


def test_fewer_records_stand_for_more_persons(certified, persons):
    certificate = certified(pd.concat([persons, persons, persons]))
    assert certificate.persons_per_record == pytest.approx(1 / 3)
    assert certificate["persons"].measured.differences.largest < 1e-6
    assert not certificate.total_exact


def test_figures_of_records_equal_plain_counting(policy, persons):
    """The slow, obvious twin of shares, means and response rates."""
    rows = coded_frame(persons, policy)
    shares = figures(rows, policy, "activity-by-provider")
    for place, provider in enumerate(["A", "B", "C"]):
        mine = persons[persons.provider == provider]
        assert shares["employed", "share"].value[place] == pytest.approx(mine.activity.isin(["10", "13"]).mean())
        assert shares["all", "count"].value[place] == len(mine)
    survey = figures(rows, policy, "match-by-sex")
    for place, sex in enumerate(["1", "2"]):
        answers = persons[persons.sex == sex].match
        answered = answers[answers != "no-answer"].astype(int)
        assert survey["all", "mean"].value[place] == pytest.approx(answered.mean())
        assert survey["all", "response-rate"].value[place] == pytest.approx(len(answered) / len(answers))
    pays = figures(rows, policy, "pay-by-field")
    for place, field in enumerate(["01", "02"]):
        median = persons[persons.field == field].pay.median()
        assert pays["all", "p50"].value[place] == pytest.approx(median, rel=0.05)  # to within half a bin


def figures(rows, policy, name):
    table = policy.tables[name]
    counted = Counted.of(rows, (policy.combination(table.by), policy.measured(table)), scale=1.0)
    return table_figures(counted, policy, name).columns


def test_relations_name_what_was_and_was_not_measured(policy):
    known = relations(policy)
    assert known.no_columns == ("activity-3",)
    assert {pair.columns: pair.levels for pair in known.pairs}["provider", "field"] == (("provider:region", "field"),)
    assert ("field", "pay") in {pair.columns for pair in known.pairs}
    assert ("sex", "pay") in known.no_pairs
    assert ("activity", "pay") in known.by_rule
    assert [three.columns for three in known.triples] == [("provider", "field", "cohort")]
    assert known.unfit(["sex", "pay", "field"]) == (("field", "sex"), ("sex", "pay"))
    assert known.unfit(["field", "pay"]) == ()


def test_three_columns_measured_two_by_two_are_named(tmp_path):
    tables = "tables:\n  a: {by: [field, cohort]}\n  b: {by: [cohort, sex]}\n  c: {by: [field, sex]}\n"
    text = changed("", "")
    policy = small_policy(tmp_path, text[: text.index("tables:")] + tables)
    assert relations(policy).no_triples == (("field", "sex", "cohort"),)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda persons: persons.assign(provider="Z"), "holds codes"),
        (lambda persons: persons.assign(provider=None), "empty values"),
        (lambda persons: persons[["pay", "sex"]], "can't be told"),
        (lambda persons: persons[[]].assign(other=1), "no column"),
    ],
)
def test_files_that_are_not_records_of_the_release_are_refused(certified, persons, change, said):
    with pytest.raises(DataError, match=said):
        certified(change(persons))


def test_a_file_that_is_not_parquet_is_refused(release, tmp_path):
    (tmp_path / "records.parquet").write_text("provider,field\n")
    with pytest.raises(DataError, match="can't be read"):
        certify_table(tmp_path / "records.parquet", release)


@pytest.mark.parametrize("language", ["en", "fi", "sv"])
def test_pages_stand_alone_and_say_what_matters(certified, persons, language):
    spoilt = persons.assign(
        field=np.where(persons.index == persons.index[persons.provider == "C"][0], "01", persons.field)
    )
    page = certified(spoilt).page(language)
    assert f'lang="{language}"' in page
    assert "provider × field: 1" in page
    assert all(name in page for name in ("activity-by-provider", "pay-by-field"))
    assert "http" not in page
    assert "src=" not in page
