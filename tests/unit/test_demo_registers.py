"""The demo registers: rates, faults, truth, determinism, and what happens on the unhappy path."""

import csv
import hashlib
import importlib.util
import json
import subprocess
import sys
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from release.demo import files, make_demo
from release.errors import UsageError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return make_demo(tmp_path_factory.mktemp("small") / "demo", persons=3_000, seed=7)


@pytest.fixture(scope="module")
def middle(tmp_path_factory):
    return make_demo(tmp_path_factory.mktemp("middle") / "demo", persons=60_000)


def digests(*folders):
    return {
        str(path.relative_to(folder.parent)): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


# Rates --------------------------------------------------------------------------------------------------------------


def rates():
    spec = importlib.util.spec_from_file_location("demo_rates", ROOT / "benchmarks" / "demo_rates.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["demo_rates"] = module
    spec.loader.exec_module(module)
    return module


def test_rates_are_those_of_the_domain(middle):
    found = rates().comparisons(middle)
    assert len(found) > 100
    assert [str(c) for c in found if not c.fits and "cells a year" not in c.what and "median size" not in c.what] == []
    # A small demo leaves small cells empty, so the number of cells is compared at full size only (the benchmark).


def test_the_comparison_sees_a_shift_of_five_points(middle, tmp_path):
    truth = pd.read_parquet(middle.truth / "graduates.parquet")
    employed = truth.index[(truth["activity-1"] == "10") & (truth.education == "pt")]
    truth.loc[employed[::12], "activity-1"] = "12"
    truth.loc[truth.index[::16], "sex"] = "1"
    truth.to_parquet(tmp_path / "graduates.parquet")
    off = [c.what for c in rates().comparisons(replace(middle, truth=tmp_path)) if not c.fits]
    assert {"pt 2019: employed", "women among vocational graduates"} <= set(off)


# Truth --------------------------------------------------------------------------------------------------------------


def read_csv(path, encoding, separator):
    with path.open(encoding=encoding, newline="") as file:
        return list(csv.DictReader(file, delimiter=separator))


def linked_by_hand(folder):
    """The policy's rules in plain Python: slow, obvious. Person -> what a perfect link gives."""
    successor = {
        kind: {row["from"]: row["to"] for row in read_csv(folder / "codes" / f"{kind}-successors.csv", "utf-8", ",")}
        for kind in ("provider", "field")
    }
    kept = {}
    for row in pq.read_table(folder / "tutkinnot.parquet").to_pylist():
        best = kept.get(row["henkilo"])
        rank = (row["koulutusaste"], row["tutkintovuosi"])
        if best is None or rank > (best["koulutusaste"], best["tutkintovuosi"]):
            kept[row["henkilo"]] = row
    activity = {}
    for row in sorted(pq.read_table(folder / "toiminta.parquet").to_pylist(), key=lambda row: row["toimitusera"]):
        activity[row["henkilo"], row["vuosi"]] = row["paaasiallinen_toiminta"]
    pay = defaultdict(list)
    for row in read_csv(folder / "ansiot.csv", "windows-1252", ";"):
        euros = float(row["kuukausiansio"].replace(",", "."))
        if 0 <= euros <= 100_000:
            pay[row["henkilo"], int(row["vuosi"])].append(euros)
    answers = {}
    for row in sorted(read_csv(folder / "kysely.csv", "utf-8", ","), key=lambda row: int(row["vastausnumero"])):
        answers[row["henkilo"], int(row["vastausvuosi"])] = row
    return {person: one_graduate(row, successor, activity, pay, answers) for person, row in kept.items()}


def one_graduate(row, successor, activity, pay, answers):
    person, year = row["henkilo"], row["tutkintovuosi"]
    provider, field = row["koulutuksen_jarjestaja"], row["koulutusala"]
    result = {
        "provider": successor["provider"].get(provider, provider),
        "field": successor["field"].get(field, field),
        "education": row["tutkintotyyppi"],
        "cohort": str(year),
        "sex": row["sukupuoli"],
    }
    for after in (1, 3, 5):
        outside = year + after > 2024
        result[f"activity-{after}"] = "not-applicable" if outside else activity.get((person, year + after), "not-found")
        employed = result[f"activity-{after}"] in ("10", "13")
        result[f"pay-{after}"] = max(pay.get((person, year + after), []), default=None) if employed else None
    answer = answers.get((person, year + 3), {})
    columns = {"match": "tyo_vastaa_alaa", "skills": "taidot_riittavat", "again": "valitsisi_uudelleen"}
    for item, column in columns.items():
        result[item] = "not-applicable" if year + 3 > 2024 else (answer.get(column) or "no-answer")
    return result


def test_truth_is_what_a_plain_link_of_the_files_gives(small):
    by_hand = linked_by_hand(small.folder)
    truth = pq.read_table(small.truth / "graduates.parquet").to_pylist()
    assert len(by_hand) == len(truth) == 3_000
    for row in truth:
        mine = by_hand[row["henkilo"]]
        assert mine == {name: row[name] for name in mine}


def test_the_delivery_has_the_ordinary_faults(middle):
    folder = middle.folder
    base = pd.read_parquet(folder / "tutkinnot.parquet")
    activity = pd.read_parquet(folder / "toiminta.parquet")
    pay = pd.read_csv(folder / "ansiot.csv", sep=";", decimal=",", encoding="windows-1252")
    answers = pd.read_csv(folder / "kysely.csv")
    people = set(base.henkilo)
    assert base.henkilo.duplicated().any()
    assert base.koulutuksen_jarjestaja.str.contains("^[VL]9").any()
    assert (base.koulutusala.str.len() == 3).any()
    assert activity.duplicated(["henkilo", "vuosi"]).any()
    assert people - set(activity.henkilo)
    assert set(activity.henkilo) - people
    assert pay.duplicated(["henkilo", "vuosi"]).any()
    assert (pay.kuukausiansio < 0).any()
    assert (pay.kuukausiansio > 1e6).any()
    assert set(answers.henkilo) - people
    assert answers.henkilo.duplicated().any()
    assert answers.tyo_vastaa_alaa.isna().any()


def test_a_clean_demo_is_accepted_and_linked_to_the_truth(small):
    from release.confidential.inputs import open_delivery
    from release.confidential.link import link
    from release.policy.load import load_policy

    policy = load_policy(small.folder / "graduates-demo.yaml")
    rows, counts = link(open_delivery(policy, small.folder), policy).grouped(
        ["provider__2", "field__3", "activity-1__2"]
    )
    names = ("provider", "field", "activity-1")
    codes = [policy.attributes[name].leaves.codes for name in names]
    linked = {tuple(c[i] for c, i in zip(codes, key, strict=True)): n for *key, n in zip(*rows, counts, strict=True)}
    truth = pd.read_parquet(small.truth / "graduates.parquet")
    assert linked == truth.groupby(list(names), observed=True).size().to_dict()


# Same again, and nobody is real --------------------------------------------------------------------------------------


def test_same_persons_and_seed_give_the_same_bytes(small, tmp_path):
    again = make_demo(tmp_path / "demo", persons=3_000, seed=7)
    assert digests(again.folder, again.truth) == digests(small.folder, small.truth)


def test_another_seed_gives_other_registers(small, tmp_path):
    other = make_demo(tmp_path / "demo", persons=3_000, seed=8)
    mine, theirs = digests(small.folder), digests(other.folder)
    registers = [f"demo/{name}" for name in files.REGISTERS]
    assert all(mine[name] != theirs[name] for name in registers)


def test_every_register_says_that_nobody_is_real(small):
    for path in [*small.folder.glob("*.parquet"), *small.truth.glob("*.parquet")]:
        assert "Nobody in this file is real" in pq.read_schema(path).metadata[b"note"].decode()
    for name in ("ansiot.csv", "kysely.csv"):
        notes = json.loads((small.folder / f"{name}-metadata.json").read_text(encoding="utf-8"))
        assert "Nobody in this file is real" in notes["dc:description"]
        with (small.folder / name).open(encoding=notes["dialect"]["encoding"]) as file:
            header = next(file).strip().split(notes["dialect"]["delimiter"])
        assert header == [column["name"] for column in notes["tableSchema"]["columns"]]
    readme = (small.folder / "README.txt").read_text(encoding="utf-8")
    assert readme.startswith("INVENTED DATA. Nobody")


def test_parquet_files_carry_no_statistics_of_persons(small):
    group = pq.ParquetFile(small.folder / "tutkinnot.parquet").metadata.row_group(0)
    assert all(group.column(i).statistics is None for i in range(group.num_columns))


def test_the_truth_is_never_in_the_delivery(small):
    names = {path.name for path in small.folder.rglob("*")}
    assert not names & files.TRUTH_FILES
    assert small.truth.parent == small.folder.parent


# Unhappy path -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("persons", [-1, 0, 99, 20_000_001])
def test_impossible_numbers_of_persons_are_refused(persons, tmp_path):
    with pytest.raises(UsageError, match="can't be made"):
        make_demo(tmp_path / "demo", persons=persons)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_impossible_seeds_are_refused(seed, tmp_path):
    with pytest.raises(UsageError, match="seed"):
        make_demo(tmp_path / "demo", persons=100, seed=seed)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("place", ["demo", "demo.truth"])
def test_a_folder_that_holds_something_else_is_left_alone(place, tmp_path):
    (tmp_path / place).mkdir()
    (tmp_path / place / "thesis.odt").write_text("years of work")
    with pytest.raises(UsageError, match="something else"):
        make_demo(tmp_path / "demo", persons=100)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["thesis.odt"]


def test_a_file_in_the_way_is_left_alone(tmp_path):
    (tmp_path / "demo").write_text("mine")
    with pytest.raises(UsageError, match="something else"):
        make_demo(tmp_path / "demo", persons=100)
    assert (tmp_path / "demo").read_text() == "mine"


def test_an_earlier_demo_is_replaced(tmp_path):
    make_demo(tmp_path / "demo", persons=100)
    report = make_demo(tmp_path / "demo", persons=200)
    assert pq.read_metadata(report.truth / "graduates.parquet").num_rows == 200
    assert {path.name for path in tmp_path.iterdir()} == {"demo", "demo.truth"}


def test_a_failure_leaves_nothing_half_written(tmp_path, monkeypatch):
    def full_disk(*_):
        raise OSError("no space left")

    monkeypatch.setattr(files, "survey", full_disk)
    with pytest.raises(OSError, match="no space"):
        make_demo(tmp_path / "demo", persons=100)
    assert not list(tmp_path.iterdir())


def test_the_demo_needs_neither_the_confidential_side_nor_a_query_engine(tmp_path):
    code = (
        "import sys\n"
        "for name in ('release.confidential', 'duckdb', 'ibis', 'opendp'): sys.modules[name] = None\n"
        "from pathlib import Path\n"
        "from release.demo import make_demo\n"
        f"make_demo(Path({str(tmp_path / 'demo')!r}), persons=100)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
    assert (tmp_path / "demo" / "tutkinnot.parquet").is_file()
