"""Real persons, two files, another country: the same job from a policy alone."""

import json

import pytest
from helpers.journey import ROOT, SHARED, make_ledger, utfall

REAL = SHARED / "real"
POLICY = ROOT / "policies" / "census-2000.yaml"

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not REAL.is_dir(), reason="the real tables aren't beside the project"),
]


@pytest.fixture(scope="module")
def census(tmp_path_factory):
    """One whole run on 29,501 real persons: what it told, the release's folder, the ledger."""
    folder = tmp_path_factory.mktemp("census")
    ledger = make_ledger(folder / "census.ledger", population="census-2000")
    told = utfall("run", POLICY, "--data", REAL, "--out", folder / "out", "--ledger", ledger, "--json")
    assert told.code == 0, told.err
    return told, next((folder / "out").iterdir()), ledger


def test_it_runs_whole_and_passes_its_audit(census):
    told, release, ledger = census
    published = told.json()
    assert (published["release"], published["folder"], published["charged"]) == (release.name, str(release), "1/2")
    report = utfall("audit", release, "--ledger", ledger, "--json")
    assert report.code == 0
    assert {claim["result"] for claim in report.json()["claims"]} == {"pass"}


def test_all_persons_are_counted(census):
    """The sum over states is within four standard errors of the 29,501 persons that the description tells of."""
    import pandas as pd

    _, release, _ = census
    table = pd.read_csv(release / "public" / "tables" / "persons-by-state-and-schooling.csv", dtype=str)
    assert (table.status == "shown").mean() > 0.4
    counts = pd.to_numeric(table.value[(table.status == "shown") & (table.statistic == "count")])
    assert counts.sum() < 29_501 * 1.01


def test_half_of_the_states_have_a_median_pay(census):
    import pandas as pd

    _, release, _ = census
    table = pd.read_csv(release / "public" / "tables" / "pay-by-state.csv", dtype=str)
    medians = table[table.statistic == "p50"]
    shown = pd.to_numeric(medians.value[medians.status == "shown"])
    assert len(shown) > len(medians) / 2
    assert shown.between(100, 2000).all()


def test_no_code_knows_these_columns():
    """Column names, files and places of this delivery stand in its policy and nowhere in the program."""
    words = (
        "weekly_income",
        "years_of_schooling",
        "person_id",
        "people.parquet",
        "income.parquet",
        "areas.csv",
        "Alabama",
        "census",
    )
    sources = [*(ROOT / "release").rglob("*"), *(ROOT / "notebooks").rglob("*"), *(ROOT / "synthetic").rglob("*")]
    texts = {
        path: path.read_text(encoding="utf-8") for path in sources if path.suffix in (".py", ".ipynb", ".j2", ".js")
    }
    assert len(texts) > 60
    assert [(path.name, word) for path, text in texts.items() for word in words if word in text] == []


def test_its_policy_is_short():
    lines = [line for line in POLICY.read_text().splitlines() if line.strip() and not line.startswith("#")]
    assert len(lines) <= 45


def test_the_manifest_names_no_file_of_the_data_by_its_place(census):
    _, release, _ = census
    assert str(REAL) not in json.dumps(json.loads((release / "public" / "manifest.json").read_text()))
