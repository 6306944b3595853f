"""The researcher: synthetic records of a release, made on a machine that has nothing but its public folder."""

import hashlib
import json
import re
import shutil

import pandas as pd
import pytest
from helpers.journey import changed_policy, secrets_in, utfall, utfall_process

from release.pipeline import PUBLIC_NOTEBOOKS


@pytest.fixture
def alone(released, tmp_path):
    """The public folder elsewhere, without the records that came with it."""
    public = shutil.copytree(released.public, tmp_path / "reader" / "release")
    shutil.rmtree(public / "synthetic")
    return public


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_the_published_records_look_like_the_linked_file(released):
    frame = pd.read_parquet(released.public / "synthetic" / "graduates.parquet")
    told = json.loads((released.public / "synthetic" / "certificate.json").read_text())
    assert len(frame) == told["rows"] == told["persons"]
    assert frame["synthetic"].all()
    assert told["impossible"]["records"] == 0
    assert {"provider", "field", "cohort", "sex", "activity-1", "pay-1", "pay-1-status", "match"} <= set(frame)
    assert frame["pay-1"].dropna().between(0, 100_000).all()
    truth = pd.read_parquet(f"{released.office.registers}.truth/graduates.parquet")
    known = [name for name in frame if not name.startswith("synthetic") and not name.endswith("-status")]
    assert set(known) <= set(truth), "the same columns as the known truth of the registers"
    assert {name: str(frame[name].dtype) for name in known} == {name: str(truth[name].dtype) for name in known}


def test_no_secret_of_the_registers_and_no_person_of_them(released):
    assert secrets_in(released.public / "synthetic") == []


def test_the_site_leads_to_the_records(released):
    for page, codebook in (("index.html", "codebook.html"), ("index.sv.html", "codebook.sv.html")):
        links = re.findall(r'href="(\.\./synthetic/[^"]*)"', (released.public / "site" / page).read_text("utf-8"))
        assert f"../synthetic/{codebook}" in links
        assert all((released.public / "site" / link).is_file() for link in links)


def test_the_same_bytes_from_the_public_folder_alone(alone, tmp_path):
    """No register, no ledger: twice the same, and other replicates are others."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        out = tmp_path / name / "graduates.parquet"
        told = utfall("synthesise", alone, "--out", out, "--rows", 700, "--replicates", 2, "--json")
        assert told.code == 0, told.err
        assert told.json()["records"] == 700
    one, two = files(tmp_path / "one"), files(tmp_path / "two")
    assert one == two
    pages = {f"graduates.parquet.codebook{kind}" for kind in (".json", ".html", ".fi.html", ".sv.html")}
    assert set(one) == {"graduates-1.parquet", "graduates-2.parquet", *pages}
    assert one["graduates-1.parquet"] != one["graduates-2.parquet"]


def test_the_releases_own_records_come_out_again(alone, released, tmp_path):
    for kind in ("parquet", "csv"):
        out = tmp_path / f"{kind}-graduates.{kind}"
        assert utfall("synthesise", alone, "--out", out).code == 0
        assert out.read_bytes() == (released.public / "synthetic" / f"graduates.{kind}").read_bytes()


def test_the_command_tells_what_it_does_and_where(alone, tmp_path):
    told = utfall_process("synthesise", alone, "--out", tmp_path / "a.csv", "--rows", "40")
    assert told.code == 0
    assert told.out.startswith("Made 40 synthetic records; nobody in them is real.")
    assert "a.csv.codebook.html" in told.out
    assert "Fitting" in told.err
    assert len((tmp_path / "a.csv").read_text().splitlines()) == 41
    note = json.loads((tmp_path / "a.csv-metadata.json").read_text())
    assert note["utfall"]["synthetic"] == "true"


def test_one_record(alone, tmp_path):
    assert utfall("synthesise", alone, "--out", tmp_path / "a.parquet", "--rows", 1).code == 0
    assert len(pd.read_parquet(tmp_path / "a.parquet")) == 1


# Bad input


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--rows", 0], "--rows"),
        (["--rows", -3], "--rows"),
        (["--replicates", 0], "--replicates"),
        (["--replicates", 101], "1 to 100"),
    ],
)
def test_numbers_that_cant_be(alone, tmp_path, arguments, words):
    told = utfall("synthesise", alone, "--out", tmp_path / "a.csv", *arguments)
    assert told.code == 2
    assert words in told.err
    assert list(tmp_path.glob("a*")) == []


@pytest.mark.parametrize("name", ["a.xlsx", "graduates", "nowhere/a.csv"])
def test_files_that_cant_be(alone, tmp_path, name):
    told = utfall("synthesise", alone, "--out", tmp_path / name)
    assert told.code == 2
    assert "--out" in told.err


def test_nothing_is_overwritten(alone, tmp_path):
    for taken in ("a-1.parquet", "a-2.parquet", "a.parquet.codebook.fi.html"):
        (tmp_path / taken).write_text("mine")
        told = utfall("synthesise", alone, "--out", tmp_path / "a.parquet", "--rows", 5, "--replicates", 2)
        assert told.code == 2
        assert f"{taken} is there already" in told.err
        assert [path.read_text() for path in tmp_path.glob("a*")] == ["mine"]
        (tmp_path / taken).unlink()


def test_no_release(tmp_path):
    told = utfall("synthesise", tmp_path, "--out", tmp_path / "a.csv")
    assert told.code == 2
    assert "no release" in told.err


def test_damaged_measurements(alone, tmp_path):
    for name in ("measurement.json", "noisy.parquet"):
        path = alone / "measurements" / name
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        told = utfall("synthesise", alone, "--out", tmp_path / "a.csv")
        assert told.code == 7
        assert "measurements" in told.err
        path.write_bytes(whole)


def test_measurements_of_another_version_or_of_other_codes(alone, tmp_path):
    path = alone / "measurements" / "measurement.json"
    whole = path.read_text()
    path.write_text(whole.replace("utfall-measurement/1", "utfall-measurement/2"))
    told = utfall("synthesise", alone, "--out", tmp_path / "a.csv")
    assert told.code == 7
    assert "version" in told.err
    path.write_text(whole)
    changed_policy(alone / "policy.yaml", lambda d: d["dimensions"]["sex"].update(codes=["1", "3"]), name="policy.yaml")
    assert utfall("synthesise", alone, "--out", tmp_path / "a.csv").code == 7


def test_a_policy_that_measured_something_else(alone, tmp_path):
    changed_policy(
        alone / "policy.yaml", lambda d: d["tables"].update(more={"by": ["sex", "education"]}), name="policy.yaml"
    )
    told = utfall("synthesise", alone, "--out", tmp_path / "a.csv")
    assert told.code == 7
    assert '"more"' in told.err


def test_a_release_of_exact_tables_alone(alone, tmp_path):
    shutil.rmtree(alone / "measurements")
    told = utfall("synthesise", alone, "--out", tmp_path / "a.csv")
    assert told.code == 7
    assert "exact tables" in told.err


def test_lists_that_leave_no_combination(alone, tmp_path):
    """Two lists of possible combinations that contradict each other."""
    (alone / "codes" / "one.csv").write_text("broad,sex\n01,1\n")
    (alone / "codes" / "other.csv").write_text("broad,sex\n01,2\n")

    def contradict(document):
        rule = {"over": ["field:broad", "sex"], "source": "invented"}
        document["possible"] = [{**rule, "codes": "codes/one.csv"}, {**rule, "codes": "codes/other.csv"}]

    changed_policy(alone / "policy.yaml", contradict, name="policy.yaml")
    told = utfall("synthesise", alone, "--out", tmp_path / "a.csv")
    assert told.code == 3
    assert "no possible combination" in told.err


def test_a_column_that_no_table_measures(alone, tmp_path):
    changed_policy(alone / "policy.yaml", lambda d: d["synthetic"].update(columns=["education"]), name="policy.yaml")
    told = utfall("synthesise", alone, "--out", tmp_path / "a.csv")
    assert told.code == 3
    assert 'no table measures "education"' in told.err


# The audit


def audited(public):
    told = utfall("audit", public, "--json")
    return next(claim for claim in told.json()["claims"] if claim["name"] == "synthetic")


def seal_again(public):
    manifest = json.loads((public / "manifest.json").read_text())
    for entry in manifest["files"]:
        content = (public / entry["path"]).read_bytes()
        entry |= {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (public / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False, indent=2) + "\n")


@pytest.fixture
def public(released, tmp_path):
    return shutil.copytree(released.public, tmp_path / "public")


def test_records_that_were_changed_are_found(public):
    """A forger who shifts figures and seals the manifest again; then one who also forges the certificate's rows."""
    assert audited(public)["result"] == "pass"
    records = public / "synthetic" / "graduates.parquet"
    frame = pd.read_parquet(records)
    frame.loc[frame["activity-1"] == "unemployed", "activity-1"] = "employed"
    frame.to_parquet(records, index=False)
    seal_again(public)
    claim = audited(public)
    assert claim["result"] == "fail"
    assert "graduates.csv" in claim["detail"]


def test_unmarked_records_and_missing_columns_are_found(public):
    records = public / "synthetic" / "graduates.parquet"
    frame = pd.read_parquet(records)
    frame.assign(synthetic=False).to_parquet(records, index=False)
    assert "aren't marked" in audited(public)["detail"]
    frame.drop(columns="sex").to_parquet(records, index=False)
    assert "other columns" in audited(public)["detail"]


def test_a_certificate_made_better_is_found(public):
    place = public / "synthetic" / "certificate.json"
    told = json.loads(place.read_text())
    told["tables"][0]["measured"]["differences"]["mean"] = 0.0
    place.write_text(json.dumps(told))
    assert "certificate's tables" in audited(public)["detail"]
    place.unlink()
    assert audited(public)["result"] == "fail"


def test_records_that_nobody_asked_for_are_found(public):
    changed_policy(public / "policy.yaml", lambda d: d.pop("synthetic"), name="policy.yaml")
    assert "asks for none" in audited(public)["detail"]


def test_notebook_4_is_kept_with_its_figures(released):
    assert PUBLIC_NOTEBOOKS[1] == "4-synthetic"
    text = (released.public / "notebooks" / "4-synthetic.ipynb").read_text()
    assert "Nobody in them is real" in text
    assert text.count("<svg") >= 4
