"""The auditor: a whole release passes; each kind of tampering fails, with exit code 7 and a claim that names it."""

import csv
import hashlib
import json
import shutil

import pytest
from helpers.journey import change_ledger, make_ledger, utfall, utfall_process

from release.tables import make_tables, publish_tables

WITHOUT_LEDGER = (
    "files",
    "cost",
    "promise",
    "plan",
    "request",
    "tables",
    "withholding",
    "certificates",
    "changed figures",
    "two tracks",
    "synthetic",
)
WITH_LEDGER = ("ledger chain", "ledger charge", "publication")


def audited(release, *arguments):
    """Exit code, and result and detail of each claim."""
    told = utfall("audit", release, *arguments, "--json")
    assert (told.err, told.logs) == ("", "")
    return told.code, {claim["name"]: claim for claim in told.json()["claims"]}


def results(claims):
    return {name: claim["result"] for name, claim in claims.items()}


@pytest.fixture
def release(office, released):
    """A copy of the release, to be tampered with."""
    return office.out / released.folder.name


@pytest.fixture
def public(release):
    return release / "public"


def refused(release, *named, ledger=None):
    """The audit fails, and these claims fail (others may too); what it says of them."""
    code, claims = audited(release, *(("--ledger", ledger) if ledger else ()))
    assert code == 7
    assert set(named) <= {name for name, result in results(claims).items() if result == "fail"}
    assert all(claims[name]["detail"] for name in named)
    return "; ".join(claims[name]["detail"] for name in named)


def seal_again(public):
    """What a forger would do: digests and sizes in the manifest made to fit the files as they are now."""
    manifest = json.loads((public / "manifest.json").read_text())
    for entry in manifest["files"]:
        content = (public / entry["path"]).read_bytes()
        entry |= {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (public / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False, indent=2) + "\n")


def change_json(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n")


# A whole release ----------------------------------------------------------------------------------------------------


def test_a_whole_release_passes(released):
    told = utfall_process("audit", released.folder, "--ledger", released.office.ledger)
    assert (told.code, told.err) == (0, "")
    assert told.out.splitlines()[0] == f"Audit of {released.folder.name}"
    assert told.out.splitlines()[-1] == "14 claims hold, none fails."


def test_without_the_ledger_some_claims_cant_be_told(released, tmp_path):
    """And the public folder is enough, wherever it lies."""
    code, claims = audited(shutil.copytree(released.public, tmp_path / "copy"))
    assert code == 0
    assert results(claims) == dict.fromkeys(WITHOUT_LEDGER, "pass") | dict.fromkeys(WITH_LEDGER, "can't tell")


def test_the_ledger_is_only_read(released, tmp_path):
    """The auditor gets a copy of the ledger without its key."""
    copy = shutil.copy(released.office.ledger, tmp_path / "copy.ledger")
    before = copy.read_bytes()
    code, claims = audited(released.folder, "--ledger", copy)
    assert (code, set(results(claims).values())) == (0, {"pass"})
    assert copy.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["copy.ledger"]


def test_no_release_there(tmp_path):
    told = utfall("audit", tmp_path)
    assert told.code == 2
    assert "no release" in told.err


def test_a_ledger_that_is_not_there_is_no_fault_of_the_release(released, tmp_path):
    told = utfall("audit", released.folder, "--ledger", tmp_path / "none.ledger")
    assert told.code == 6
    assert "none.ledger" in told.err


# A release that was tampered with -----------------------------------------------------------------------------------


def test_a_byte_in_a_table(release, public):
    table = public / "tables" / "activity-by-field.csv"
    content = bytearray(table.read_bytes())
    at = content.rindex(b".") + 1
    content[at] = ord("1") if content[at] != ord("1") else ord("2")
    table.write_bytes(content)
    assert "activity-by-field.csv" in refused(release, "files", "tables")
    told = utfall("audit", release)
    assert (told.code, told.err) == (7, "")
    assert " FAIL" in told.out.splitlines()[-1]
    assert "activity-by-field.csv has changed" in told.out
    seal_again(public)
    assert "activity-by-field.csv" in refused(release, "tables")


def test_a_withheld_figure_made_shown(release, public):
    """Without value, and with one that looks right."""
    table = public / "tables" / "graduates-by-region.csv"
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    row = next(row for row in rows if row["status"] != "shown")
    for figures in ({}, {"value": "4.1", "lower": "1", "upper": "7", "standard_error": "1.5"}):
        row |= {"status": "shown", **figures}
        with table.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        seal_again(public)
        assert "graduates-by-region" in refused(release, "tables", "withholding")


def tamper_measurements(public):
    """One noisy value is raised by one, and tables and manifest are made to fit."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from release.policy import load_policy

    path, facts = (public / "measurements" / name for name in ("noisy.parquet", "measurement.json"))
    table = pq.read_table(path)
    name = table.column_names[-1]
    values = table.column(name).to_pylist()
    values[0] += 1
    column = pa.array(values, table.schema.field(name).type)
    pq.write_table(table.set_column(table.num_columns - 1, table.schema.field(name), column), path)
    change_json(facts, lambda f: f["values"].update(sha256=hashlib.sha256(path.read_bytes()).hexdigest()))
    return lambda: publish_tables(make_tables(public), public, load_policy(public / "policy.yaml"))


def test_a_changed_measurement(release, public, office):
    """With the digests made to fit, the tables disagree; with the tables made to fit too, only the ledger knows."""
    make_the_tables_fit = tamper_measurements(public)
    refused(release, "files", "tables")
    seal_again(public)
    refused(release, "tables")
    make_the_tables_fit()
    seal_again(public)
    assert "committed" in refused(release, "ledger charge", ledger=office.ledger)


def test_a_scale_lowered(release, public):
    """Less noise was added than is paid for."""
    facts = public / "measurements" / "measurement.json"

    def lower(content):
        for residual in content["residuals"]:
            for group in residual["groups"]:
                group["scale"] = (float.fromhex(group["scale"]) / 2).hex()

    change_json(facts, lower)
    seal_again(public)
    refused(release, "cost", "plan", "request")


def test_a_scale_lowered_with_its_mechanism(release, public):
    facts = public / "measurements" / "measurement.json"

    def lower(content):
        group = next(group for residual in content["residuals"] for group in residual["groups"])
        mechanism = json.loads(content["mechanisms"][group["scale"]])
        half = float.fromhex(group["scale"]) / 2
        mechanism["__kwargs__"]["scale"] = half
        group["scale"] = half.hex()
        content["mechanisms"][half.hex()] = json.dumps(mechanism)

    change_json(facts, lower)
    seal_again(public)
    assert "costs more than is stated" in refused(release, "cost", "plan")


@pytest.mark.parametrize(("name", "value"), [("epsilon", "1.0"), ("rho", "1/4"), ("delta", "1/1000000000000")])
def test_a_promise_made_better(release, public, name, value):
    change_json(public / "manifest.json", lambda manifest: manifest["promise"].update({name: value}))
    assert name in refused(release, "promise")


def test_a_promise_made_better_in_words(release, public):
    text = (public / "promise.md").read_text()
    (public / "promise.md").write_text(text.replace("ρ = 1/2", "ρ = 1/4"))
    seal_again(public)
    assert "promise.md" in refused(release, "tables")


def test_a_file_added_or_removed(release, public):
    (public / "tables" / "extra.csv").write_text("person,pay\n")
    assert "extra.csv" in refused(release, "files", "tables")
    (public / "tables" / "extra.csv").unlink()
    (public / "notebooks" / "3-tables.ipynb").unlink()
    assert "3-tables.ipynb" in refused(release, "files")


def test_a_policy_with_a_lower_minimum(release, public):
    policy = public / "policy.yaml"
    policy.write_text(policy.read_text().replace('"below": 10', '"below": 5'))
    refused(release, "files")
    seal_again(public)
    refused(release, "tables")


def test_a_policy_that_links_otherwise(release, public):
    policy = public / "policy.yaml"
    policy.write_text(policy.read_text().replace('"repeated": "highest pay"', '"repeated": "lowest pay"'))
    seal_again(public)
    assert "links by another rule" in refused(release, "request")


def test_damaged_files_fail_plainly(release, public):
    """Cut-off, empty or senseless files: claims that fail, never a traceback."""
    measurements = [f"measurements/{name}" for name in ("measurement.json", "noisy.parquet")]
    for name in (*measurements, "policy.yaml", "tables/match-by-sex.csv"):
        path = public / name
        whole = path.read_bytes()
        for content in (whole[: len(whole) // 2], b"[]"):
            path.write_bytes(content)
            assert name in refused(release, "files")
        path.write_bytes(whole)
    for content in (b"", b"[1]", b'{"files": 3}'):
        (public / "manifest.json").write_bytes(content)
        refused(release, "files")


# A ledger that was tampered with ------------------------------------------------------------------------------------


def test_a_ledger_entry_changed(release, office):
    change_ledger(office.ledger, "UPDATE entry SET body = replace(body, '\"1/2\"', '\"1/4\"') WHERE number = 2")
    assert "entry 2" in refused(release, "ledger chain", ledger=office.ledger)


def test_a_ledger_from_before_the_commit(release, office):
    """A whole ledger in itself, but without the charge."""
    change_ledger(office.ledger, "DELETE FROM entry WHERE number > 2")
    code, claims = audited(release, "--ledger", office.ledger)
    assert (code, claims["ledger chain"]["result"]) == (7, "pass")
    assert "committed" in claims["ledger charge"]["detail"]


def test_another_ledger(release, tmp_path):
    other = make_ledger(tmp_path / "other.ledger")
    assert "another ledger" in refused(release, "ledger charge", ledger=other)


def test_something_else_than_a_ledger(release, tmp_path):
    (tmp_path / "notes.txt").write_text("no ledger")
    refused(release, "ledger chain", "ledger charge", ledger=tmp_path / "notes.txt")


def test_a_release_told_anew_without_the_ledger_knowing(release, public, office):
    """Somebody changes what the readers see (a notebook here) and seals the manifest again: the ledger objects."""
    notebook = public / "notebooks" / "6-audit.ipynb"
    notebook.write_text(notebook.read_text().replace("fail", "fall"))
    seal_again(public)
    assert "published" in refused(release, "publication", ledger=office.ledger)
