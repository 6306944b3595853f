"""A reader who has nothing but the public folder, copied to another place, makes everything again, byte for byte."""

import json
import shutil

import pytest
from helpers.journey import changed_policy

from release.pipeline import PUBLIC_NOTEBOOKS, notebooks_of
from release.policy import load_policy
from release.runner.run import run_notebook
from release.shipped import shipped
from release.tables import make_tables, publish_tables

MADE_BY_NOTEBOOKS = ("tables", "site", "promise.md")
MADE_BY_NOTEBOOK_4 = "synthetic"


@pytest.fixture
def copy(released, tmp_path):
    """The public folder alone, elsewhere."""
    return shutil.copytree(released.public, tmp_path / "reader" / "copy")


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_tables_site_and_promise_come_out_the_same(copy, released):
    for name in MADE_BY_NOTEBOOKS:
        shutil.rmtree(copy / name) if (copy / name).is_dir() else (copy / name).unlink()
    assert files(copy) != files(released.public)
    publish_tables(make_tables(copy), copy, load_policy(copy / "policy.yaml"))
    assert files(copy) == files(released.public)


def test_notebooks_3_to_6_run_again_with_the_same_bytes(copy, released):
    """No register, no ledger, no environment: and the executed notebooks are the same to the last byte."""
    for name in (*MADE_BY_NOTEBOOKS, MADE_BY_NOTEBOOK_4, "notebooks", "manifest.json"):
        shutil.rmtree(copy / name) if (copy / name).is_dir() else (copy / name).unlink()
    for name in PUBLIC_NOTEBOOKS:
        run_notebook(
            shipped("notebooks") / f"{name}.ipynb",
            output=copy / "notebooks" / f"{name}.ipynb",
            folder=copy,
            parameters={"release": "."},
            environment={},
            progress=print,
        )
    again, first = files(copy), files(released.public)
    del first["manifest.json"]
    assert again == first


def test_the_public_folder_names_no_place_of_the_office(released):
    """Neither the office's folders nor the ledger's file stand in any public file."""
    places = [str(released.office.folder).encode(), b"graduates.ledger", b"/tmp/", b"/root", b"/home/"]
    for name, content in files(released.public).items():
        assert [place for place in places if place in content] == [], name


def test_notebooks_3_to_6_get_no_path_to_registers_or_ledger(released, monkeypatch, tmp_path):
    """What the pipeline hands to each notebook: only 1 and 2 get the places of data and ledger."""
    from release import pipeline
    from release.runner import run
    from release.staging import staged

    given = {}

    def look(notebook, *, output, folder, parameters, environment, progress):
        given[notebook.stem] = {**parameters, **environment, "folder": folder.name}

    monkeypatch.setattr(run, "run_notebook", look)
    monkeypatch.setattr(pipeline, "_hand_over_measurements", id)
    office = released.office
    job = pipeline.Job(office.policy, office.registers, tmp_path / "out", office.ledger)
    with staged(job.out, "release") as stage:
        pipeline._run_notebooks(stage, job, load_policy(office.policy), print)
    assert list(given) == ["1-link", "2-measure", *PUBLIC_NOTEBOOKS]
    for name in PUBLIC_NOTEBOOKS:
        assert given[name] == {"release": ".", "folder": "public"}
    assert given["2-measure"]["UTFALL_LEDGER"] == str(office.ledger)


def test_notebook_4_runs_only_where_the_policy_asks_for_records(released):
    assert "4-synthetic" in notebooks_of(load_policy(released.office.policy))
    without = changed_policy(released.office.policy, lambda d: d.pop("synthetic"), name="without.yaml")
    assert notebooks_of(load_policy(without)) == ("1-link", "2-measure", "3-tables", "5-publish", "6-audit")
    without.unlink()


def test_the_manifest_lists_every_file_but_itself(released):
    manifest = json.loads((released.public / "manifest.json").read_text())
    assert {entry["path"] for entry in manifest["files"]} == set(files(released.public)) - {"manifest.json"}
    assert list(manifest)[-1] == "times"
