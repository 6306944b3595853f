"""The office publishes exact tables: suppressed ones with trees, a linked one, one with cell keys; all audited."""

import csv
import json
import shutil
import sqlite3
from pathlib import Path

import pytest
from helpers.journey import ROOT, made_once, secrets_in, shared_folder, utfall

from release.shipped import shipped

SUPPRESSED, LINKED, KEYED = "graduates-by-region-and-field", "graduates-by-field-and-year", "activity-by-education"
SUMMED = "pay-by-region-and-field"


class Office:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    data = property(lambda self: self.folder / "registers")
    ledger = property(lambda self: self.folder / "books" / "exact.ledger")
    out = property(lambda self: self.folder / "releases")
    policy = property(lambda self: self.folder / "policy" / "exact-demo.yaml")

    @property
    def release(self) -> Path:
        return next(self.out.glob("exact-demo-*"))

    @property
    def public(self) -> Path:
        return self.release / "public"

    def run(self, **changes):
        policy = changes.get("policy", self.policy)
        return utfall("run", policy, "--data", self.data, "--out", self.out, "--ledger", self.ledger)

    def with_policy(self, old: str, new: str) -> Path:
        text = self.policy.read_text(encoding="utf-8")
        assert old in text
        other = self.policy.with_name("changed.yaml")
        other.write_text(text.replace(old, new), encoding="utf-8")
        return other


def make(folder: Path) -> None:
    office = Office(folder)
    for place in (office.policy.parent, office.ledger.parent):
        place.mkdir(parents=True)
    assert utfall("demo", office.data, "--persons", 4000, "--seed", 5).code == 0
    for name in ("exact-demo.yaml", "house.yaml"):
        shutil.copy(shipped("policies") / name, office.policy.parent)
    shutil.copytree(office.data / "codes", office.policy.parent / "codes", dirs_exist_ok=True)
    made = utfall("ledger", "init", "--ledger", office.ledger, "--population", "fi-graduates-exact", "--by", "test")
    assert made.code == 0
    told = office.run()
    (folder / "told.json").write_text(json.dumps({"code": told.code, "all": told.all, "out": told.out}))


@pytest.fixture(scope="session")
def office(tmp_path_factory):
    return Office(made_once(shared_folder(tmp_path_factory) / "exact-office", make))


@pytest.fixture
def copied(office, tmp_path):
    shutil.copytree(office.folder, tmp_path / "office")
    return Office(tmp_path / "office")


def rows(public: Path, table: str) -> list[dict]:
    with (public / "tables" / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_run_publishes_and_charges_nothing(office):
    told = json.loads((office.folder / "told.json").read_text())
    assert told["code"] == 0, told["all"]
    assert "charged ρ = 0." in told["out"]


def test_hidden_cells_look_alike_and_the_rest_is_true(office):
    found = rows(office.public, SUPPRESSED)
    assert {row["status"] for row in found} <= {"shown", "suppressed", "not-applicable"}
    hidden = [row for row in found if row["status"] == "suppressed"]
    assert hidden
    assert not any(row["value"] or row["lower"] or row["upper"] or row["note"] for row in hidden)
    shown = [float(row["value"]) for row in found if row["status"] == "shown"]
    assert not any(0 < value < 5 for value in shown)


def test_linked_tables_show_the_same_cells_alike(office):
    one = {row["field"]: row for row in rows(office.public, SUPPRESSED) if row["provider"] == "all"}
    other = {row["field"]: row for row in rows(office.public, LINKED) if row["cohort"] == "all"}
    assert {f: (r["value"], r["status"]) for f, r in one.items()} == {
        f: (r["value"], r["status"]) for f, r in other.items()
    }


def test_forced_cells_are_shown(office):
    totals = [row for row in rows(office.public, SUPPRESSED) if row["provider"] == "all" and len(row["field"]) == 2]
    assert totals
    assert all(row["status"] in ("shown", "not-applicable") for row in totals)


def test_changed_figures_carry_their_range(office):
    counts = [row for row in rows(office.public, KEYED) if row["statistic"] == "count" and row["status"] == "shown"]
    assert all(float(row["upper"]) - float(row["value"]) == 5 for row in counts)


def test_a_mean_is_shown_where_its_sum_and_its_persons_are(office):
    found = {(r["provider"], r["field"], r["pay-1"], r["statistic"]): r for r in rows(office.public, SUMMED)}
    means = {key[:2]: row for key, row in found.items() if key[3] == "mean"}
    assert {row["status"] for row in means.values()} == {"shown", "suppressed"}
    for place, mean in means.items():
        total, persons = found[*place, "all", "sum"], found[*place, "reported", "count"]
        assert (mean["status"] == "shown") == (total["status"] == persons["status"] == "shown")
        if mean["status"] == "shown":
            assert float(mean["value"]) == pytest.approx(float(total["value"]) / float(persons["value"]))


def test_the_attacker_works_nothing_out(office):
    told = utfall("attack", *(office.public / "tables" / f"{table}.csv" for table in (SUPPRESSED, LINKED)))
    assert told.code == 0, told.all
    assert "Nothing can be worked out" in told.out


def test_the_attacker_sees_a_table_that_was_protected_alone(copied):
    """With all secondary cells of one line shown again, somebody is worked out: the attacker says so."""
    lines = (copied.public / "tables" / f"{SUPPRESSED}.csv").read_text(encoding="utf-8").splitlines()
    hidden = [i for i, line in enumerate(lines) if ",suppressed," in line]
    line = next(i for i in hidden if lines[i].split(",")[0] != "all")
    region = lines[line].split(",")[0]
    others = [i for i in hidden if i != line and lines[i].startswith(f"{region},")]
    for i in others:
        lines[i] = lines[i].replace("count,,,,,suppressed,", "count,5,5,5,0,shown,")
    bare = copied.folder / "bare.csv"
    bare.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert utfall("attack", bare).code != 0


def test_the_promise_says_what_it_is_not(office):
    promise = (office.public / "promise.md").read_text(encoding="utf-8")
    assert "This release isn't differentially private" in promise
    assert all(table in promise for table in (SUPPRESSED, LINKED, KEYED, SUMMED))
    manifest = json.loads((office.public / "manifest.json").read_text())
    assert manifest["promise"]["rho"] == "0"
    assert manifest["promise"]["exact_tables"] == [SUPPRESSED, LINKED, KEYED, SUMMED]


def test_the_ledger_notes_a_disclosure_outside_of_epsilon(office):
    entries = [json.loads(body) for (body,) in sqlite3.connect(office.ledger).execute("SELECT body FROM entry")]
    assert [entry["kind"] for entry in entries] == ["genesis", "publish"]
    outside = entries[1]["outside"]
    assert outside["noisy"] is False
    assert [one["tables"] for one in outside["sets"]] == [[SUPPRESSED, LINKED, SUMMED], [KEYED], [SUMMED]]
    assert utfall("ledger", "verify", "--ledger", office.ledger).code == 0
    shown = utfall("ledger", "show", "--ledger", office.ledger).out
    assert f"outside of ε: {SUPPRESSED}, {LINKED}, {SUMMED}, {KEYED}, {SUMMED} (sums)" in shown


def test_the_audit_passes_every_claim(office):
    told = utfall("audit", office.release, "--ledger", office.ledger, "--json")
    assert told.code == 0, told.all
    results = {claim["name"]: claim["result"] for claim in told.json()["claims"]}
    assert set(results.values()) == {"pass"}
    assert {"certificates", "changed figures", "two tracks"} <= set(results)


def test_the_site_says_what_kind_of_figures_these_are(office):
    page = (office.public / "site" / f"table-{SUPPRESSED}.html").read_text(encoding="utf-8")
    assert "Not differentially private" in page
    assert "hidden to protect persons" in page
    assert "95 % intervals cover" not in page
    index = (office.public / "site" / "index.fi.html").read_text(encoding="utf-8")
    assert "eivät nojaa satunnaiseen kohinaan" in index


def test_the_notebooks_show_hidden_cells_without_saying_which_rule(office):
    public = (office.public / "notebooks" / "3-tables.ipynb").read_text(encoding="utf-8")
    assert "hidden to protect persons" in public
    assert "fewer than 5 persons" not in public
    inside = (office.release / "confidential" / "2-measure.ipynb").read_text(encoding="utf-8")
    assert "hidden by rule: fewer than 5 persons" in inside


def test_no_path_of_the_delivery_is_anywhere(office):
    assert secrets_in(office.release) == []


def test_again_charges_nothing_and_changes_nothing(copied):
    before = (copied.public / "manifest.json").read_bytes()
    told = copied.run()
    assert told.code == 0
    assert "already, unchanged" in told.out
    assert (copied.public / "manifest.json").read_bytes() == before


def test_check_tells_before_the_run_what_rules_hide_and_what_contradicts(copied):
    clean = utfall("check", copied.policy, "--data", copied.data)
    assert clean.code == 0
    assert "cells hidden by rule: fewer than 5 persons: about" in clean.out
    told = utfall("check", copied.with_policy("minimum: 5", "minimum: 1000"), "--data", copied.data)
    assert told.code == 3
    assert "must be shown must be hidden: fewer than 1000 persons" in told.err
    assert len(list(copied.out.glob("exact-demo-*"))) == 1


def test_another_pattern_of_the_same_counts_is_refused(copied):
    told = copied.run(policy=copied.with_policy("minimum: 5", "minimum: 9"))
    assert told.code == 3, told.all
    assert "shows the same counts with other cells hidden" in told.err
    assert "under `earlier`" in told.err
    assert len(list(copied.out.glob("exact-demo-*"))) == 1


def test_named_as_earlier_its_cells_stay_as_they_were(copied):
    named = copied.with_policy("contact:", f"earlier: [{copied.release.name}/public]\ncontact:")
    text = named.read_text(encoding="utf-8")
    named.write_text(text.replace('["field:narrow", cohort]', '["provider:region", cohort]'), encoding="utf-8")
    first = copied.public
    told = copied.run(policy=named)
    assert told.code == 0, told.all
    second = next(path for path in copied.out.glob("exact-demo-*") if path / "public" != first) / "public"
    told = utfall("audit", second.parent, "--ledger", copied.ledger)
    assert told.code == 0, told.all
    one, other = ({(r["provider"], r["field"]): r["status"] for r in rows(p, SUPPRESSED)} for p in (first, second))
    assert one == other


@pytest.mark.parametrize("name", [f"{SUPPRESSED}.certificate.npz", f"{SUPPRESSED}.parquet", f"{KEYED}.parquet"])
def test_a_changed_file_fails_the_audit(copied, name):
    path = copied.public / "exact" / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    assert utfall("audit", copied.release).code == 7


def test_a_figure_changed_everywhere_fails_the_certificate(copied):
    """Someone who shows one hidden figure, and makes all files and digests agree again, is still found out."""
    import hashlib

    import pyarrow as pa
    import pyarrow.parquet as pq

    path = copied.public / "exact" / f"{SUPPRESSED}.parquet"
    table = pq.read_table(path)
    values = table.column("value").to_pylist()
    values[next(i for i, value in enumerate(values) if value is not None and value > 5)] += 1
    place = table.column_names.index("value")
    pq.write_table(table.set_column(place, "value", pa.array(values, pa.int64())), path)
    facts = path.with_suffix(".json")
    told = json.loads(facts.read_text())
    told["files"][path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    facts.write_text(json.dumps(told))
    report = utfall("audit", copied.release, "--json").json()
    failed = {claim["name"] for claim in report["claims"] if claim["result"] == "fail"}
    assert "certificates" in failed


def test_the_shipped_policy_is_the_one_of_the_demo():
    assert (ROOT / "policies" / "exact-demo.yaml").is_file()
