"""The statistics office: from registers and policy to a published release, as the README tells it."""

import json
import stat

import pytest
from helpers.journey import FOLDER, TABLES, utfall

from release.pipeline import PUBLIC_NOTEBOOKS

CONFIDENTIAL = {"1-link.ipynb", "2-measure.ipynb", "checks.json"}
FILES = {"manifest.json", "policy.yaml", "house.yaml", "promise.md"}
FOLDERS = {"codes", "measurements", "tables", "synthetic", "notebooks", "site"}


def names(folder):
    return {entry.name for entry in folder.iterdir()}


def test_the_run_tells_where_to_look(released):
    """Standard output: the result alone, and each place it names is there. Standard error: progress, step by step."""
    told, public = released.told, released.public
    assert told.code == 0, told.err
    first, *places = told.out.splitlines()
    assert first == f"Published {released.folder.name}; charged ρ = 1/2."
    assert [line.split()[-1] for line in places] == [
        str(public / "site" / "index.html"),
        str(public / "tables"),
        str(public / "synthetic"),
        str(public / "promise.md"),
        str(released.folder),
    ]
    assert (public / "site" / "index.html").is_file()
    for notebook in ("1-link", "2-measure", *PUBLIC_NOTEBOOKS):
        assert f"{notebook}: cell 1 of" in told.err
    assert "Traceback" not in told.err
    assert "Warning" not in told.err


def test_the_release_is_laid_out_as_promised(released):
    assert names(released.office.out) == {released.folder.name}
    assert released.folder.name.startswith("small-")
    assert names(released.folder) == {"confidential", "public"}
    assert names(released.folder / "confidential") == CONFIDENTIAL
    assert names(released.public) == FILES | FOLDERS
    assert names(released.public / "measurements") == {"measurement.json", "noisy.parquet"}
    assert names(released.public / "notebooks") == {f"{name}.ipynb" for name in PUBLIC_NOTEBOOKS}
    files = {f"{table}.{kind}" for table in TABLES for kind in ("csv", "parquet")}
    assert names(released.public / "tables") == files | {"datapackage.json", "codebook.json"}


def test_rights(released):
    """The confidential folder is closed, down to its files; all that is public can be read by everybody."""
    assert mode(released.folder / "confidential") == 0o700
    assert {mode(path) for path in (released.folder / "confidential").rglob("*")} == {0o600}
    reachable = [released.folder, released.public, *released.public.rglob("*")]
    assert {mode(path) for path in reachable} == {0o755, 0o644}
    assert all(mode(path) == (0o755 if path.is_dir() else 0o644) for path in reachable)
    books = released.office.ledger.parent
    assert {mode(path) for path in books.rglob("*")} == {0o600, 0o700}


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_no_rows_are_left_behind(released):
    """The linked rows lay in the confidential folder while the run lasted; no table of any kind is left there."""
    left = [path for path in (released.folder / "confidential").rglob("*") if path.suffix not in (".ipynb", ".json")]
    assert left == []
    assert released.office.left_behind() == []


def test_the_ledger_tells_the_run(released):
    entries = released.office.entries()
    assert [entry["kind"] for entry in entries] == ["genesis", "grant", "reserve", "commit", "publish"]
    manifest = json.loads((released.public / "manifest.json").read_text())
    assert {entry["request"] for entry in entries[2:]} == {manifest["request"]["id"]}
    assert entries[2]["rho"] == "1/2" == manifest["promise"]["rho"]
    assert entries[3]["hash"] == manifest["ledger"]["hash"]
    assert entries[4]["release"] == released.folder.name == manifest["release"]
    verified = utfall("ledger", "verify", "--ledger", released.office.ledger)
    assert verified.code == 0
    assert "nothing to object" in verified.out


def test_check_and_plan_before_the_run(released):
    """Both charge nothing; both tell programs and persons."""
    office = released.office
    before = office.ledger.read_bytes()
    told = office.check()
    assert (told.code, told.err) == (0, "")
    assert "small: policy and delivery are clean." in told.out
    assert json.loads(utfall("check", office.policy, "--data", office.registers, "--json").out)["lines"]
    plan = utfall("plan", office.policy)
    assert plan.code == 0
    assert all(name in plan.out for name in TABLES)
    assert json.loads(utfall("plan", office.policy, "--json").out)["rho"] == "1/2"
    assert office.ledger.read_bytes() == before


def test_plan_saves_only_to_a_new_file(released, tmp_path):
    saved = tmp_path / "plan.json"
    assert utfall("plan", released.office.policy, "--save", saved).code == 0
    first = saved.read_bytes()
    told = utfall("plan", released.office.policy, "--save", saved)
    assert (told.code, saved.read_bytes()) == (2, first)
    assert "plan.json" in told.err


def test_the_confidential_notebooks_show_banded_numbers(released):
    """What the statistician sees: reports with rounded numbers, never an exact small one, never a folder's name."""
    text = "".join(path.read_text() for path in (released.folder / "confidential").iterdir())
    assert "fewer than 10" in text
    assert "Charged" in text
    assert FOLDER not in text


def test_the_check_reports_are_kept_for_programs(released):
    """Every line of both reports, in banded numbers."""
    delivery, linkage = json.loads((released.folder / "confidential" / "checks.json").read_text())
    numbers = {line["rows"] for report in (delivery, linkage) for line in report["lines"]}
    assert "fewer than 10" in numbers
    assert all(number.startswith(("fewer than 10", "about ")) for number in numbers)
    assert {"tutkinnot.parquet", "kysely.csv"} <= {line["where"] for line in delivery["lines"]}


@pytest.mark.parametrize("name", PUBLIC_NOTEBOOKS)
def test_public_notebooks_show_only_the_releases_own_objects(released, name):
    notebook = json.loads((released.public / "notebooks" / f"{name}.ipynb").read_text())
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", [])]
    assert outputs
    for output in outputs:
        assert output["output_type"] == "display_data"
        assert set(output["data"]) == {"application/vnd.utfall.shown+json", "text/html", "text/plain"}
    assert str(released.office.folder) not in json.dumps(notebook)
