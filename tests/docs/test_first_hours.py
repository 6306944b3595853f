"""README and the first hours are followed to the letter, on 2,000 persons: one small office for all pages."""

import re

import pytest
from helpers.pages import ROOT, Reader, blocks

HOURS = ("researcher", "auditor", "office")


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    return Reader(tmp_path_factory.mktemp("reader"), persons=2000)


@pytest.fixture(scope="module")
def told(reader):
    """What each page's commands printed. The costly run of the demo's policy is made once, by the README."""
    pages = {"README": ROOT / "README.md"} | {name: ROOT / "docs" / f"first-hour-{name}.md" for name in HOURS}
    return {name: reader.follow(page) for name, page in pages.items()}


def test_readme_ends_with_an_audit_that_holds_and_a_ledger(told):
    assert "Published graduates-demo-" in told["README"]
    assert "none fails" in told["README"]
    assert "Spent       0.500000" in told["README"]


def test_researcher_sees_statuses_shares_and_a_sum(told):
    for words in ("too-few", "larger group", "Tables of graduates-demo", "students one year after:"):
        assert words in told["researcher"]


def test_auditor_derives_the_cost_and_sees_what_was_tampered_with(told):
    assert "announced 1/2" in told["auditor"]
    assert "exit code 7" in told["auditor"]
    assert "exit code 6" in told["auditor"]
    assert "tables/activity-by-field.csv" in told["auditor"]


def test_office_meets_the_refusals_and_pays_once(told):
    hour = told["office"]
    for code in (3, 4, 5):
        assert f"exit code {code}" in hour
    assert '"importance"?' in hour
    assert hour.count("charged ρ = 1/8") == 1
    assert hour.count("charged ρ = 0.") == 2, "the same run again, and the same measurements told otherwise"
    assert "Spent       0.125000" in hour


def test_every_page_has_something_to_run():
    for name in HOURS:
        languages = [language for language, _ in blocks(ROOT / "docs" / f"first-hour-{name}.md")]
        assert "sh" in languages


@pytest.mark.usefixtures("told")
def test_every_kind_of_published_file_is_on_the_page_about_files(reader):
    page = (ROOT / "docs" / "files.md").read_text(encoding="utf-8")
    (public,) = reader.folder.glob("releases/graduates-demo-*/public")
    for entry in public.iterdir():
        name = f"{entry.name}/" if entry.is_dir() else entry.name
        assert re.search(rf"^\| `{re.escape(name)}", page, re.MULTILINE), name
