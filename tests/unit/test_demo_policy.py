"""The demo policy and its code lists: complete, in three languages, and true to the classifications they follow."""

import csv
from pathlib import Path

import pytest

from release.plan import make_plan
from release.policy.load import load_policy

ROOT = Path(__file__).resolve().parents[2]
CODES = ROOT / "policies" / "codes"
SHARED = ROOT.parent / "shared" / "codes"
LANGUAGES = ("en", "fi", "sv")


@pytest.fixture(scope="module")
def policy():
    return load_policy(ROOT / "policies" / "graduates-demo.yaml")


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def shared(name):
    if not (SHARED / name).is_file():
        pytest.skip("the tables kept beside the project aren't here")
    return {row["code"]: row for row in rows(SHARED / name)}


def test_every_title_and_code_has_a_text_in_three_languages(policy):
    document = policy.document
    titled = [document, *document.dimensions.values(), *document.outcomes.values(), *document.tables.values()]
    assert all(set(words.title) == set(LANGUAGES) for words in titled)
    for attribute in policy.attributes.values():
        if attribute.scores is None and attribute.name != "cohort":
            for level in attribute.levels:
                assert all(all(level.labels[language]) for language in LANGUAGES), level.name


def test_it_holds_what_the_release_is_about(policy):
    assert [len(level) for level in policy.attributes["provider"].levels] == [1, 19, 380]
    assert [level.name for level in policy.attributes["field"].levels] == ["all", "broad", "narrow", "detailed"]
    assert policy.attributes["cohort"].leaves.codes == ("2019", "2020", "2021", "2022", "2023")
    assert {outcome.after for outcome in policy.document.outcomes.values()} == {1, 3, 5}
    assert sum(outcome.no_answer for outcome in policy.document.outcomes.values()) == 3
    assert 14 <= len(policy.tables) <= 20


def test_it_is_small_enough_to_be_measured_in_time(policy):
    cells = sum(group.cells for residual in make_plan(policy).residuals for group in residual.groups)
    assert cells < 2_500_000  # each costs one exact draw, 75,000 a second and core


def test_each_provider_may_offer_something_and_general_ones_offer_general_education_only(policy):
    allowed = policy.possible[0].allowed
    assert allowed.any(axis=1).all()
    general = [code.startswith("L") for code in policy.attributes["provider"].leaves.codes]
    for row, is_general in zip(allowed, general, strict=True):
        assert row[0] == is_general
        assert not (is_general and row[1:].any())


def test_successors_are_current_and_what_they_succeed_is_not(policy):
    for name in ("provider", "field"):
        current = policy.attributes[name].leaves.index
        assert policy.replace[name]
        assert all(new in current and old not in current for old, new in policy.replace[name].items())


def test_names_of_providers_are_unique():
    providers = rows(CODES / "provider.csv")
    for language in LANGUAGES:
        assert len({row[f"provider_{language}"] for row in providers}) == 380


@pytest.mark.shared
@pytest.mark.parametrize("level", ["broad", "narrow", "detailed"])
def test_fields_are_those_of_isced(level):
    known = shared(f"isced_f_2013_{level}.csv")
    for row in rows(CODES / "field.csv"):
        theirs = known[row[level]]
        assert row[f"{level}_en"] == theirs["label_en"]
        assert all(theirs[parent] == row[parent] for parent in ("broad", "narrow") if parent in theirs)


@pytest.mark.shared
def test_fields_have_the_names_of_the_national_classification():
    for level in ("broad", "narrow"):
        known = shared(f"isced_f_2013_{level}.csv")
        for row in rows(CODES / "field.csv"):
            for language in ("fi", "sv"):
                theirs = known[row[level]][f"label_{language}"].replace(",kemia", ", kemia")  # a slip of the source
                assert theirs in ("", row[f"{level}_{language}"])


@pytest.mark.shared
def test_regions_are_those_of_finland():
    known = shared("maakunta_regions.csv")
    providers = rows(CODES / "provider.csv")
    assert {row["region"] for row in providers} == set(known)
    assert all(row[f"region_{x}"] == known[row["region"]][f"name_{x}"] for row in providers for x in LANGUAGES)


@pytest.mark.shared
def test_activities_are_those_of_the_register():
    lists = {(row["list"].removeprefix("paaasiallinen_toiminta_"), row["code"]): row for row in _activities()}
    for row in rows(CODES / "activity.csv"):
        theirs = lists["ja_maasta_muuttaneet" if row["status"] == "8" else "versio2", row["status"]]
        assert all(row[f"status_{x}"] == theirs[f"label_{x}"] for x in LANGUAGES)


def _activities():
    shared("main_activity_codes.csv")
    return rows(SHARED / "main_activity_codes.csv")
