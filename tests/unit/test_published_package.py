"""Data package, codebook, manifest and promise."""

import json
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from helpers.safe_tables import national, outcome_table

from release.codes import tree
from release.errors import VerificationError
from release.protected.reasons import Status, statuses_of
from release.published.about import About
from release.published.codebook import write_codebook
from release.published.csv_table import write_csv
from release.published.datapackage import write_datapackage
from release.published.manifest import (
    check_manifest,
    manifest_digest,
    manifest_without_times,
    read_manifest,
    same_release,
    write_manifest,
)
from release.published.promise import Promise, guess_at_most, percent_up, power_at_most, promise_text, rounded_up

ABOUT = About("graduates-2026", {"en": "Graduates"}, contact="info@example.org")


@pytest.fixture
def package(tmp_path):
    tables = [outcome_table(number_of_providers=3), national()]
    for table in tables:
        write_csv(table, tmp_path / f"tables/{table.name}.csv")
    write_datapackage(tables, tmp_path, ABOUT)
    return tmp_path / "tables"


def faults(package) -> list[str]:
    from frictionless import Package

    report = Package(str(package / "datapackage.json")).validate()
    return [error[2] for error in report.flatten(["rowNumber", "fieldNumber", "type"])] + [
        e.type for e in report.errors
    ]


def test_frictionless_accepts_the_package(package):
    assert faults(package) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (",shown,", ",secret,", "constraint-error"),
        ("10000,general", "1x,general", "constraint-error"),
        (",shown,", ",shown,,", "extra-cell"),
        (",count,", ",count,x", "type-error"),
    ],
)
def test_frictionless_sees_a_changed_csv(package, old, new, fault):
    path = package / "activity.csv"
    path.write_text(path.read_text().replace(old, new, 1))
    assert fault in faults(package)


def test_package_declares_key_and_every_column(package):
    resource = json.loads((package / "datapackage.json").read_text())["resources"][0]
    header = (package / "activity.csv").read_text().splitlines()[0].split(",")
    assert [field["name"] for field in resource["schema"]["fields"]] == header
    assert resource["schema"]["primaryKey"] == ["provider", "field", "cohort", "activity", "statistic"]
    cells = pd.read_csv(package / "activity.csv", dtype=str)
    assert not cells.duplicated(resource["schema"]["primaryKey"]).any()


def test_codebook_tells_parents_texts_and_all_statuses(tmp_path):
    paths = [("south", "10000"), ("south", "10001"), ("north", "10002")]
    texts = {"region": {"en": ("South", "North"), "fi": ("Etelä", "Pohjoinen")}}
    attribute = tree("provider", ("country", "region", "provider"), paths, texts)
    write_codebook([outcome_table(number_of_providers=3)], tmp_path, {"provider": attribute})
    book = json.loads((tmp_path / "tables/codebook.json").read_text())
    levels = {(entry["name"], entry["level"]): entry["codes"] for entry in book["keys"]}
    assert [code["parent"] for code in levels["provider", "provider"]] == ["south", "south", "north"]
    assert levels["provider", "region"][1] == {
        "code": "north",
        "parent": "all",
        "en": "North",
        "fi": "Pohjoinen",
        "sv": "North",
    }
    assert set(book["statuses"]) == set(statuses_of("dp")) == set(Status) - {Status.SUPPRESSED}
    assert all(words["meaning"][lang] for words in book["statuses"].values() for lang in ("en", "fi", "sv"))
    assert all(words["meaning"][lang] for words in book["statistics"].values() for lang in ("en", "fi", "sv"))


# ---- manifest ----


@pytest.fixture
def public(tmp_path):
    for name in ("promise.md", "tables/a.csv", "site/index.html"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    write_manifest(tmp_path, facts={"release": "r", "promise": {"rho": "1/2"}}, times={"published": "2026-11-21"})
    return tmp_path


def test_manifest_lists_all_files_sorted_and_times_last(public):
    manifest = read_manifest(public)
    assert [entry["path"] for entry in manifest["files"]] == ["promise.md", "site/index.html", "tables/a.csv"]
    assert list(manifest)[-1] == "times"
    assert check_manifest(public) == []


def test_manifest_sees_changed_missing_extra_and_linked_files(public):
    (public / "promise.md").write_text("promise.mD")
    (public / "tables/a.csv").unlink()
    (public / "extra").write_text("")
    (public / "site/link").symlink_to(public / "promise.md")
    assert check_manifest(public) == [
        "tables/a.csv is missing",
        "extra isn't in the manifest",
        "promise.md has changed",
        "site/link is a link, not a file of the release",
    ]


def test_a_second_run_leaves_the_manifest_untouched(public):
    before = (public / "manifest.json").read_bytes()
    digest = write_manifest(public, facts={"release": "r", "promise": {"rho": "1/2"}}, times={"published": "later"})
    assert (public / "manifest.json").read_bytes() == before
    assert digest == manifest_digest(public)
    assert write_manifest(public, facts={"release": "other"}) != digest
    assert b'"published": "2026-11-21"' not in (public / "manifest.json").read_bytes()


def test_same_release_but_for_times(public, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    for entry in read_manifest(public)["files"]:
        (other / entry["path"]).parent.mkdir(exist_ok=True)
        (other / entry["path"]).write_bytes((public / entry["path"]).read_bytes())
    write_manifest(other, facts={"release": "r", "promise": {"rho": "1/2"}}, times={"published": "later"})
    assert same_release(public, other)
    assert read_manifest(public) != read_manifest(other)
    assert "times" not in manifest_without_times(public)
    (other / "promise.md").write_text("else")
    write_manifest(other, facts={"release": "r", "promise": {"rho": "1/2"}})
    assert not same_release(public, other)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"files": [1]}', b"\xff", b'{"files": {"path": 1}}'])
def test_unreadable_manifest_is_refused(tmp_path, content):
    (tmp_path / "manifest.json").write_bytes(content)
    with pytest.raises(VerificationError):
        check_manifest(tmp_path)


def test_no_manifest_is_refused(tmp_path):
    with pytest.raises(VerificationError, match="no manifest"):
        read_manifest(tmp_path)


def test_facts_may_not_take_the_manifests_own_names(tmp_path):
    with pytest.raises(ValueError, match="times"):
        write_manifest(tmp_path, facts={"times": {}})


# ---- promise ----


@pytest.mark.parametrize("rho", [0.01, 0.125, 0.5, 1.0, 2.0, 8.0])
def test_bounds_hold_for_the_gaussian_and_are_not_far_off(rho):
    """The Gaussian mechanism is rho-zCDP: its exact power and accuracy must lie under the bounds."""
    from scipy.stats import norm

    shift = np.sqrt(2 * rho)
    power, guess = norm.cdf(shift + norm.ppf(0.05)), norm.cdf(shift / 2)
    assert power <= power_at_most(rho) <= power + 0.25
    assert guess <= guess_at_most(rho) <= guess + 0.13


def test_nothing_spent_nothing_learnt():
    assert power_at_most(1e-12) == pytest.approx(0.05, abs=1e-3)
    assert guess_at_most(1e-12) == pytest.approx(0.5, abs=1e-3)


def test_numbers_are_rounded_against_us():
    assert rounded_up(6.83933) == "6.8394"
    assert rounded_up(0.5) == "0.5"
    assert percent_up(0.3301) == 34
    assert percent_up(1.0) == 100


def test_promise_says_everything_in_three_languages():
    promise = Promise(Fraction(1, 2), 6.83933, Fraction("1e-10"), records_per_person=2, exact_tables=("exact-one",))
    text = promise_text(promise, ABOUT)
    parts = text.split("\n## ")
    assert [part.split("\n")[0] for part in parts[1:]] == ["English", "Suomi", "Svenska"]
    for part in parts[1:]:
        for word in (
            "ρ = 1/2",
            "ε = 6.8394",
            "δ = 1e-10",
            "75",
            "34",
            "exact-one",
            "info@example.org",
            "zCDP"[:1],
        ):
            assert word in part
    assert "exact-one" not in promise_text(Promise(Fraction(1, 2), 6.83933, Fraction("1e-10")), ABOUT)
    assert json.dumps(promise.facts())
