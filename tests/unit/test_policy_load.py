"""A small policy is read, completed and understood as it was meant."""

from pathlib import Path

import numpy as np
import pytest
from helpers.small_policy import FILES, POLICY, changed, refusal, small_policy, write_policy

from release.codes import NO_ANSWER, NOT_APPLICABLE, NOT_FOUND, tree
from release.errors import PolicyError
from release.policy import load_policy
from release.policy.meaning import leaves_of
from release.shipped import shipped

ROOT = Path(__file__).resolve().parents[2]
REAL = ROOT.parent / "shared" / "real"


def test_attributes_come_in_the_order_of_the_file_dimensions_first(tmp_path):
    policy = small_policy(tmp_path)
    assert list(policy.attributes) == ["provider", "field", "sex", "cohort", "activity", "activity-3", "pay", "match"]


def test_a_tree_from_a_csv_file(tmp_path):
    provider = small_policy(tmp_path).attributes["provider"]
    assert [level.name for level in provider.levels] == ["country", "region", "provider"]
    assert provider.levels[1].codes == ("01", "02")
    assert provider.leaves.codes == ("A", "B", "C")
    assert provider.leaves.parent.tolist() == [0, 0, 1]
    assert provider.levels[1].label("02", "en") == "North"
    assert provider.leaves.label("B", "fi") == "Beta"
    assert provider.leaves.label("C", "fi") == "Kamma"


def test_flat_lists_from_csv_and_inside_the_policy(tmp_path):
    policy = small_policy(tmp_path)
    assert policy.attributes["field"].leaves.codes == ("01", "02", "99")
    assert policy.attributes["field"].leaves.label("99", "sv") == "Okänt"
    assert policy.attributes["sex"].leaves.codes == ("1", "2")
    assert policy.attributes["sex"].leaves.label("1", "sv") == "Men"
    assert policy.attributes["sex"].leaves.label("2", "fi") == "Naiset"
    assert policy.attributes["cohort"].leaves.codes == ("2019", "2020", "2021", "2022", "2023")


def test_special_codes_are_leaves_with_their_own_nodes_above(tmp_path):
    policy = small_policy(tmp_path)
    activity = policy.attributes["activity-3"]
    assert activity.leaves.codes == ("10", "13", "22", "12", NOT_FOUND, NOT_APPLICABLE)
    assert activity.levels[1].codes == ("employed", "other", NOT_FOUND, NOT_APPLICABLE)
    assert activity.leaves.label(NOT_FOUND, "fi") == "Ei rekisterissä"
    assert policy.special("activity") == {NOT_FOUND}
    assert policy.special("activity-3") == {NOT_FOUND, NOT_APPLICABLE}
    assert policy.special("pay") == {NOT_FOUND, NOT_APPLICABLE}
    assert policy.special("match") == {NO_ANSWER}
    assert policy.special("provider") == frozenset()


def test_bins_and_scores(tmp_path):
    policy = small_policy(tmp_path)
    pay, match = policy.attributes["pay"], policy.attributes["match"]
    assert pay.leaves.codes[:3] == ("under-800", "800-881", "881-969")
    assert pay.leaves.codes[-3:] == ("8000-and-over", NOT_FOUND, NOT_APPLICABLE)
    assert pay.edges is not None
    assert len(pay.edges) == 25
    assert pay.leaves.label("800-881", "sv") == "800 till under 881"
    assert match.leaves.codes == ("1", "2", "3", "4", "5", NO_ANSWER)
    assert np.array_equal(match.scores, [1, 2, 3, 4, 5, np.nan], equal_nan=True)


def test_leaf_number_of_a_value_is_its_rank_among_the_edges(tmp_path):
    pay = small_policy(tmp_path).attributes["pay"]
    found = np.searchsorted(pay.edges, [799.99, 800, 881, 7999, 8000], side="right")
    assert [pay.leaves.codes[i] for i in found] == ["under-800", "800-881", "881-969", "7268-8000", "8000-and-over"]


def test_calendar_and_applicability(tmp_path):
    policy = small_policy(tmp_path)
    assert policy.time_dimension == "cohort"
    assert policy.followed("activity-3").tolist() == [True, True, True, False, False]
    assert policy.followed("activity").tolist() == [True] * 5
    assert policy.followed("match") is None
    assert policy.applicable == {
        "activity": {}, "activity-3": {}, "match": {},
        "pay": {"activity": frozenset({0, 1, 2})},
    }  # fmt: skip
    assert policy.source("activity-3") == ("work", "activity")
    assert policy.source("match") == ("survey", "match")


def test_a_code_of_two_levels_is_meant_at_the_finest_unless_the_level_is_named():
    paths = [("1", "1", "7"), ("1", "2", "1"), ("2", "3", "9")]
    attribute = tree("place", ["all", "big", "middle", "small"], paths, {})
    assert leaves_of(attribute, ["1"]) == {1}
    assert leaves_of(attribute, ["middle:1"]) == {0}
    assert leaves_of(attribute, ["big:1", "9"]) == {0, 1, 2}
    assert leaves_of(attribute, ["2"]) == {1}
    with pytest.raises(KeyError):
        leaves_of(attribute, ["small:2"])


def test_a_release_is_read_again_under_the_house_policy_it_was_made_under(tmp_path):
    policy = small_policy(tmp_path)
    again = tmp_path / "public"
    (again / "codes").mkdir(parents=True)
    (again / "policy.yaml").write_bytes(policy.text)
    (again / "house.yaml").write_bytes(policy.house_text)
    for name, content in policy.files.items():
        (again / "codes" / name).write_bytes(content)
    assert load_policy(again / "policy.yaml").house == policy.house


def test_without_a_time_dimension_there_is_no_calendar(tmp_path):
    text = POLICY.replace("    time: cohort\n", "    time: level\n")
    policy = small_policy(tmp_path, text)
    assert policy.time_dimension is None
    assert policy.followed("activity-3") is None
    assert policy.special("activity-3") == {NOT_FOUND}


def test_successors_and_possible_combinations(tmp_path):
    policy = small_policy(tmp_path)
    assert policy.replace == {"provider": {"X": "A", "Y": "A"}}
    possible = policy.possible[0]
    assert possible.combination == (("provider", 2), ("field", 1))
    assert possible.allowed.tolist() == [[True, True, False], [True, False, False], [False, False, True]]


def test_the_policy_keeps_its_text_and_files(tmp_path):
    policy = small_policy(tmp_path)
    assert policy.text == POLICY.encode()
    assert sorted(policy.files) == ["activity.csv", "field.csv", "mergers.csv", "offered.csv", "provider.csv"]
    assert policy.files["offered.csv"] == FILES["codes/offered.csv"].encode()


def test_code_lists_are_found_beside_in_codes_and_in_the_given_folders(tmp_path):
    path = write_policy(tmp_path / "policies", changed("codes/field.csv", "field.csv"))
    assert load_policy(path).files["field.csv"]
    delivery = tmp_path / "delivery"
    delivery.mkdir()
    (path.parent / "codes" / "field.csv").rename(delivery / "field.csv")
    with pytest.raises(PolicyError, match=r"field\.csv"):
        load_policy(path)
    assert load_policy(path, code_folders=[delivery]).files["field.csv"]


def test_codes_without_quotes_stay_as_they_are_written(tmp_path):
    text = changed("[2019, 2020, 2021, 2022, 2023]", "[0111, 010, no, 1_000, 2024-05-31, 12:30, 7]")
    text = text.replace("    time: cohort\n", "    time: level\n", 1)
    cohort = small_policy(tmp_path, text).attributes["cohort"]
    assert cohort.leaves.codes == ("0111", "010", "no", "1_000", "2024-05-31", "12:30", "7")


def test_a_code_read_as_a_decimal_number_is_refused_with_quotes(tmp_path):
    error = refusal(tmp_path, changed("[2019, 2020, 2021, 2022, 2023]", "[1.10, 2020]"))
    assert "put quotes around it" in str(error)


def test_the_house_policy_beside_the_policy_is_used(tmp_path):
    assert small_policy(tmp_path).house.may_grant == ["director"]
    (tmp_path / "house.yaml").unlink()
    assert load_policy(tmp_path / "small.yaml").house.may_grant == ["methodologist", "director"]
    other = tmp_path / "other.yaml"
    other.write_text((ROOT / "policies" / "house.yaml").read_text().replace("director", "nobody"))
    assert load_policy(tmp_path / "small.yaml", house=other).house.may_grant == ["methodologist", "nobody"]


def test_shipped_files_are_found():
    assert shipped("policies/house.yaml").is_file()
    assert shipped("notebooks").is_dir()


def test_the_national_demo_policy_is_accepted():
    policy = load_policy(ROOT / "policies" / "graduates-demo.yaml")
    assert len(policy.attributes["provider"].leaves) == 380
    assert policy.special("match") == {NO_ANSWER, NOT_APPLICABLE}


@pytest.mark.shared
@pytest.mark.skipif(not REAL.exists(), reason="the real persons aren't beside the project")
def test_the_census_policy_finds_its_areas_beside_the_data():
    policy = load_policy(ROOT / "policies" / "census-2000.yaml", code_folders=[REAL])
    assert [len(level) for level in policy.attributes["place"].levels] == [1, 51, 2024]
    assert len((ROOT / "policies" / "census-2000.yaml").read_text().splitlines()) <= 45


def test_importing_the_policy_is_light():
    import subprocess
    import sys

    program = "import time; import release.policy, sys; print(time.process_time(), 'pandas' in sys.modules)"
    seconds, heavy = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    assert heavy == "False"
    assert float(seconds) < 1.0  # 0.3 when the machine is idle
