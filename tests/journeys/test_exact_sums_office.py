"""The office publishes sums of pay exactly: run, site, notebooks, attack, audit, another year beside it."""

import csv
import json
import shutil
import sqlite3
from pathlib import Path

import pytest
from helpers.journey import made_once, shared_folder, utfall
from helpers.pay_cases import PAY, delivered, pay_policy, people

TABLE = "pay-by-place"


class Office:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    policy = property(lambda self: self.folder / "policy" / "policy.yaml")
    data = property(lambda self: self.folder / "data")
    ledger = property(lambda self: self.folder / "books" / "pay.ledger")
    out = property(lambda self: self.folder / "releases")

    @property
    def release(self) -> Path:
        return next(self.out.glob("pay-*"))

    def run(self, policy=None):
        return utfall("run", policy or self.policy, "--data", self.data, "--out", self.out, "--ledger", self.ledger)

    def changed(self, old: str, new: str) -> Path:
        text = self.policy.read_text(encoding="utf-8")
        assert old in text
        other = self.policy.with_name("changed.yaml")
        other.write_text(text.replace(old, new), encoding="utf-8")
        return other

    def rows(self, release=None) -> dict[tuple[str, str], dict]:
        """(place, statistic) -> row, of all persons."""
        path = (release or self.release) / "public" / "tables" / f"{TABLE}.csv"
        with path.open(encoding="utf-8", newline="") as file:
            return {(r["place"], r["statistic"]): r for r in csv.DictReader(file) if r["pay"] == "all"}


def make(folder: Path) -> None:
    office = Office(folder)
    office.ledger.parent.mkdir(parents=True)
    pay_policy(office.policy.parent)
    delivered(office.data, people())
    made = utfall("ledger", "init", "--ledger", office.ledger, "--population", "nobody", "--by", "test")
    assert made.code == 0, made.all
    told = office.run()
    (folder / "told.json").write_text(json.dumps({"code": told.code, "all": told.all, "out": told.out}))


@pytest.fixture(scope="session")
def office(tmp_path_factory):
    return Office(made_once(shared_folder(tmp_path_factory) / "pay-office", make))


@pytest.fixture
def copied(office, tmp_path):
    shutil.copytree(office.folder, tmp_path / "office")
    return Office(tmp_path / "office")


def test_the_run_publishes_and_charges_nothing(office):
    told = json.loads((office.folder / "told.json").read_text())
    assert told["code"] == 0, told["all"]
    assert "charged ρ = 0." in told["out"]


def test_the_sums_that_are_shown_are_those_of_the_registers(office):
    rows = office.rows()
    for place, amounts in PAY.items():
        row = rows[place, "sum"]
        if place in ("n1", "n3"):
            assert (row["status"], row["value"]) == ("suppressed", "")
        else:
            assert float(row["value"]) == sum(amount or 0 for amount in amounts)
    assert rows["n1", "mean"]["status"] == "suppressed"
    assert float(rows["n2", "mean"]["value"]) == 37.5


def test_the_audit_passes_every_claim(office):
    told = utfall("audit", office.release, "--ledger", office.ledger, "--json")
    assert told.code == 0, told.all
    assert {claim["result"] for claim in told.json()["claims"]} == {"pass"}


def test_the_attacker_works_nothing_out(office):
    told = utfall("attack", office.release / "public" / "tables" / f"{TABLE}.csv")
    assert told.code == 0, told.all
    assert "Nothing can be worked out" in told.out


def test_the_ledger_notes_counts_and_sums_apart(office):
    entries = [json.loads(body) for (body,) in sqlite3.connect(office.ledger).execute("SELECT body FROM entry")]
    sets = entries[-1]["outside"]["sets"]
    assert [(one["tables"], one.get("sums_of")) for one in sets] == [([TABLE], None), ([TABLE], "pay")]


def test_site_codebook_and_notebooks_speak_of_sums(office):
    public = office.release / "public"
    held = (public / "site" / "data" / f"{TABLE}.js").read_text(encoding="utf-8")
    assert "euro a month" in held
    assert "summa" in held
    assert "Sum over the persons whose amount is known" in (public / "tables" / "codebook.json").read_text("utf-8")
    promise = (public / "promise.md").read_text(encoding="utf-8")
    assert "The certificate shows that no hidden sum is known." in promise
    shown = (public / "notebooks" / "3-tables.ipynb").read_text(encoding="utf-8")
    assert f"{TABLE}: sum" in shown
    assert "could work out the largest" not in shown
    inside = (office.release / "confidential" / "2-measure.ipynb").read_text(encoding="utf-8")
    assert "hidden by rule: a contributor could work out the largest to within 10 %" in inside


def test_a_sum_changed_in_the_files_fails_the_audit(copied):
    path = copied.release / "public" / "exact" / f"{TABLE}.sums.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    assert utfall("audit", copied.release).code == 7


def test_check_tells_of_what_rules_cant_do(copied):
    assert utfall("check", copied.policy, "--data", copied.data).code == 0
    delivered(copied.data, people(employers={"n1-0": ""}))
    told = utfall("check", copied.changed("decimals: 0", "decimals: 0, contributor: employer"), "--data", copied.data)
    assert told.code == 4, told.all
    assert "have no contributor" in told.err


def test_another_pattern_of_the_same_sums_is_refused(copied):
    told = copied.run(policy=copied.changed("p_percent: 10", "dominance: {n: 2, k: 65}"))
    assert told.code == 3, told.all
    assert "with other cells hidden" in told.err


def test_named_as_earlier_its_sums_stay_as_they_were(copied):
    first = copied.release
    named = copied.changed("tables:\n", f"earlier: [{first.name}/public]\ntables:\n")
    text = named.read_text(encoding="utf-8").replace("by: [place]", "by: [place, sex]")
    named.write_text(text, encoding="utf-8")
    before = {key: row["status"] for key, row in copied.rows(first).items() if key[1] == "sum"}
    told = copied.run(policy=named)
    assert told.code == 0, told.all
    second = next(path for path in copied.out.glob("pay-*") if path != first)
    with (second / "public" / "tables" / f"{TABLE}.csv").open(encoding="utf-8", newline="") as file:
        after = {
            (r["place"], r["statistic"]): r["status"]
            for r in csv.DictReader(file)
            if r["pay"] == "all" and r["sex"] == "all" and r["statistic"] == "sum"
        }
    assert after == before
    assert utfall("audit", second, "--ledger", copied.ledger).code == 0
