"""Files of records and their codebook: twins of each other, never in another's place, the same bytes every time."""

import csv
import html
import json
import re
from dataclasses import replace

import pytest
from helpers.small_policy import changed, small_policy
from helpers.synthetic_cases import release_of, some_persons

from release.errors import UsageError, VerificationError
from synthetic.codebook import Codebook, Tally, codebook_paths, write_codebook
from synthetic.codebook_words import LIMITS, USES, WORDS
from synthetic.files import check_place, notes_path, read_notes, record_files, same_records
from synthetic.make import fit_release, synthesise
from synthetic.publish import numbered, publish_certificate, publish_records
from synthetic.table import NOTE, record_layout, record_table

PARQUET = {"note": NOTE, "synthetic": "true"}


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    policy = small_policy(
        tmp_path_factory.mktemp("policy"),
        changed("withhold:", "synthetic: {records: true, replicates: 2, rows: 300}\nwithhold:"),
        {"codes/field.csv": 'code,field_en,field_sv\n01,"Education, arts",<b>Pedagogik</b>\n02,Arts,\n99,Unknown,\n'},
    )
    return release_of(policy, some_persons(policy, 500), noise=3)


@pytest.fixture(scope="module")
def fitted(release):
    return fit_release(release)


@pytest.fixture(scope="module")
def table(fitted):
    return record_table(synthesise(fitted, rows=300, seed=1), seed=1)


@pytest.fixture(scope="module")
def published(release, fitted, tmp_path_factory):
    public = tmp_path_factory.mktemp("public")
    publish_records(release, fitted, public)
    publish_certificate(release, fitted, public)
    return public / "synthetic"


# Files


def test_parquet_and_csv_hold_the_same_records(table, tmp_path):
    import pandas as pd

    paths = [tmp_path / "a.parquet", tmp_path / "a.csv"]
    with record_files(paths, PARQUET) as write:
        write(table.slice(0, 200))
        write(table.slice(200))
    one = pd.read_parquet(paths[0])
    other = pd.read_csv(paths[1], dtype={name: "str" for name in one if name not in ("synthetic", "pay")})
    pd.testing.assert_frame_equal(one, other, check_dtype=False)
    assert same_records(*paths)
    assert read_notes(paths[0]) == PARQUET
    assert json.loads(notes_path(paths[1]).read_text("utf-8"))["dc:description"] == NOTE
    text = paths[1].read_text("utf-8")
    paths[1].write_text(text.replace(",employed,", ",other,", 1))
    assert not same_records(*paths)
    paths[1].write_text(text + text.splitlines()[1] + "\n")
    assert not same_records(*paths)


def test_texts_are_quoted_where_they_must_be(table, tmp_path):
    import pyarrow as pa

    odd = table.set_column(2, "region", pa.array(['a "quoted", text'] * len(table)))
    with record_files([tmp_path / "odd.csv"], PARQUET) as write:
        write(odd)
    with (tmp_path / "odd.csv").open(newline="", encoding="utf-8") as file:
        assert {row["region"] for row in csv.DictReader(file)} == {'a "quoted", text'}


def test_no_statistics_of_columns_and_the_same_bytes(table, tmp_path):
    import pyarrow.parquet as pq

    for name in ("one", "two"):
        with record_files([tmp_path / f"{name}.parquet"], PARQUET) as write:
            write(table)
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()
    group = pq.read_metadata(tmp_path / "one.parquet").row_group(0)
    assert not any(group.column(i).is_stats_set for i in range(group.num_columns))


def test_a_failure_leaves_nothing(table, tmp_path):
    paths = [tmp_path / "a.parquet", tmp_path / "a.csv"]

    def interrupted():
        with record_files(paths, PARQUET) as write:
            write(table)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


def test_a_file_never_takes_the_place_of_another(table, tmp_path):
    place = tmp_path / "a.parquet"

    def too_late():
        with record_files([place], PARQUET) as write:
            write(table)
            place.write_text("mine")

    with pytest.raises(UsageError, match="there already"):
        too_late()
    assert place.read_text() == "mine"
    with pytest.raises(UsageError, match="there already"):
        check_place(place)


@pytest.mark.parametrize("name", ["a.xlsx", "a", "a.parquet.gz", "missing/a.csv"])
def test_places_that_are_refused(tmp_path, name):
    with pytest.raises(UsageError):
        check_place(tmp_path / name)


def test_names_of_replicates(tmp_path):
    assert [numbered(tmp_path / "a.csv", n).name for n in (0, 1, 12)] == ["a.csv", "a-1.csv", "a-12.csv"]


# Publishing


def test_everything_is_published_the_same_every_time(published, release, fitted, tmp_path):
    names = {f"graduates{number}.{kind}" for number in ("", "-1", "-2") for kind in ("parquet", "csv")}
    assert names | {"certificate.json"} <= {path.name for path in published.iterdir()}
    (tmp_path / "synthetic").mkdir()
    (tmp_path / "synthetic" / "graduates.csv").write_text("left over")
    publish_records(release, fitted, tmp_path)
    publish_certificate(release, fitted, tmp_path)
    again = {path.name: path.read_bytes() for path in (tmp_path / "synthetic").iterdir()}
    assert again == {path.name: path.read_bytes() for path in published.iterdir()}


def test_replicates_differ_and_say_which_they_are(published):
    one, two = (published / name for name in ("graduates-1.parquet", "graduates-2.parquet"))
    assert one.read_bytes() != two.read_bytes()
    assert [read_notes(path)["replicate"] for path in (one, two)] == ["1", "2"]
    assert read_notes(published / "graduates.parquet")["replicate"] == "0"
    assert read_notes(one)["records"] == "300"
    assert "Nobody in this file is real" in read_notes(one)["note"]


def test_measurements_that_lack_a_table_are_refused(release, tmp_path):
    from synthetic import publish

    lacking = replace(release, estimates=replace(release.estimates, counts={(): release.estimates.counts[()]}))
    with pytest.raises(VerificationError, match="wasn't measured"):
        publish._check_tables(lacking)


# Codebook


@pytest.fixture(scope="module")
def book(published):
    return json.loads((published / "codebook.json").read_text("utf-8"))


def test_every_column_is_in_the_codebook_with_its_distribution(book, published):
    import pandas as pd

    frame = pd.read_parquet(published / "graduates.parquet")
    assert [column["name"] for column in book["columns"]] == list(frame)
    for column in book["columns"]:
        if column["kind"] in ("code", "level-above", "status"):
            told = {code["code"]: code["records"] for code in column["codes"] if code["records"]}
            assert told == frame[column["name"]].value_counts().to_dict(), column["name"]
        assert all(column["title"][language] for language in ("en", "fi", "sv"))
    pay = next(column for column in book["columns"] if column["name"] == "pay")
    inside = sum(code["records"] for code in pay["codes"] if "from" in code)
    assert inside == frame["pay"].notna().sum()


def test_relations_are_told(book):
    columns = {column["name"]: column for column in book["columns"]}
    assert columns["pay"]["together"] == {"field": [["field", "pay"]]}
    assert columns["pay"]["by_rule"] == ["activity"]
    assert {"provider", "sex", "cohort", "match"} == set(columns["pay"]["apart"])
    assert ["sex", "pay"] in book["never_together"]
    assert book["tables"]["pay-by-field"] == ["field", "pay"]


def test_a_coarser_level_and_assumed_tails_are_told(book):
    columns = {column["name"]: column for column in book["columns"]}
    assert "Only measured at the level “group”" in columns["activity"]["notes"][0]["en"]
    assert "is invented" in columns["pay"]["notes"][0]["en"]
    assert all("Assumed" in note["en"] for note in columns["pay"]["notes"][1:])
    assert not columns["sex"]["notes"]


def test_the_codebook_says_how_to_use_and_cite_and_what_is_promised(book):
    assert len(book["uses"]) >= 3
    assert len(book["limits"]) >= 4
    assert "invented persons" in book["citation"]["en"]
    assert book["request"][:12] in book["citation"]["fi"]
    assert book["promise"]["rho"] == "1/2"


def test_pages_are_self_contained_and_escape_what_they_are_given(published):
    for name in ("codebook.html", "codebook.fi.html", "codebook.sv.html"):
        page = html.unescape((published / name).read_text("utf-8"))
        assert "<script" not in page
        assert "default-src 'none'" in page
        assert not re.search(r"(src|href)=\"(?!#|codebook)", page)
        assert " style=" not in page
        assert page.count("<svg") >= 10
    assert "&lt;b&gt;Pedagogik" in (published / "codebook.sv.html").read_text("utf-8")


def test_the_page_names_its_own_style_sheet_by_digest(published):
    import base64
    import hashlib

    page = (published / "codebook.html").read_text("utf-8")
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)[1]
    assert base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() in page


def test_all_words_are_in_three_languages():
    for texts in (*WORDS.values(), *USES, *LIMITS):
        assert len(texts) == 3
        assert all(texts)
        assert len(set(texts)) > 1 or len(texts[0]) < 12
        holes = [set(re.findall(r"\{\w+\}", text)) for text in texts]
        assert holes[0] == holes[1] == holes[2]


def test_a_codebook_alone(release, fitted, tmp_path):
    layout = record_layout(fitted, ["sex", "pay"])
    tally = Tally().plus(synthesise(fitted, rows=50, seed=1), layout).plus(synthesise(fitted, rows=70, seed=2), layout)
    assert tally.records == 120
    paths = write_codebook(Codebook(release, layout, tally, ("a.csv",)), tmp_path, stem="a.codebook")
    assert paths == codebook_paths(tmp_path, "a.codebook")
    told = json.loads(paths[0].read_text("utf-8"))
    assert [column["name"] for column in told["columns"]] == ["synthetic_id", "synthetic", "sex", "pay", "pay-status"]
    assert told["records"] == 120
