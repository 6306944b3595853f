"""Whatever is wrong with a delivery, the refusal names rule, file and column, and never a person, a value or a path."""

import logging
import traceback
import warnings

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from helpers.small_registers import POLICY, closure, deliver, small_policy

from release.confidential.bland import bland
from release.confidential.counts import count
from release.confidential.inputs import delivery_digest, open_delivery
from release.confidential.link import link, read_linked
from release.errors import DataError, UtfallError

WHO, INCOME = "FI-CANARY-7f3a", 91827.43
MARKS = (WHO, "7f3a", "91827", "/delivery-folder")


def registers():
    return {
        "degrees": [
            {"person": who, "place": "n1", "cohort": 2019, "sex": "1", "rank": 1, "grade": 1}
            for who in (WHO, "p2", "p3")
        ],
        "activity": [{"person": WHO, "activity": "w1", "year": 2020, "batch": 1}],
        "pay": [{"person": WHO, "pay": INCOME, "year": 2020}],
        "survey": [{"person": WHO, "match": 1}],
    }


def first_row(register, **changes):
    """The registers with the planted person's row of one of them changed."""

    def change(folder, policy):
        changed = registers()
        changed[register][0].update(changes)
        deliver(folder, policy, changed)

    return change


def another_row(register, **changes):
    def change(folder, policy):
        changed = registers()
        changed[register].append(changed[register][0] | changes)
        deliver(folder, policy, changed)

    return change


def replaced_text(file, old, new, encoding="utf-8"):
    def change(folder, policy):
        text = (folder / file).read_text()
        assert old in text
        (folder / file).write_bytes(text.replace(old, new).encode(encoding))

    return change


def column_as(file, name, values):
    def change(folder, policy):
        table = pq.read_table(folder / file)
        pq.write_table(table.set_column(table.schema.get_field_index(name), name, values), folder / file)

    return change


def cut_off(file):
    def change(folder, policy):
        (folder / file).write_bytes((folder / file).read_bytes()[:-60])

    return change


def bytes_of(file, content):
    return lambda folder, _: (folder / file).write_bytes(content)


def three(value):
    return pa.array([value] * 3)


NO_CHANGE = ("", "")
FAULTS = {
    "missing file": (lambda folder, _: (folder / "pay.csv").unlink(), NO_CHANGE, ["isn't in the delivery", "pay.csv"]),
    "other kind of file": (lambda *_: None, ("file: pay.csv", "file: pay.xlsx"), ["kind of file", "pay.xlsx"]),
    "missing column": (replaced_text("pay.csv", "euros", "euroz"), NO_CHANGE, ["missing", "euros", 'mean "euroz"']),
    "no header": (replaced_text("pay.csv", '"pid";"euros";"year"\n', ""), NO_CHANGE, ["None of the declared columns"]),
    "column twice": (replaced_text("pay.csv", '"year"', '"euros"'), NO_CHANGE, ["two columns", "euros"]),
    "cut-off Parquet": (cut_off("degrees.parquet"), NO_CHANGE, ["as Parquet", "degrees.parquet"]),
    "no Parquet at all": (bytes_of("activity.parquet", WHO.encode() * 9), NO_CHANGE, ["as Parquet"]),
    "no CSV at all": (bytes_of("pay.csv", b"PAR1\x00\x15\x04" + WHO.encode() * 9), NO_CHANGE, ["pay.csv"]),
    "empty file": (bytes_of("pay.csv", b""), NO_CHANGE, ["None of the declared columns"]),
    "wrong encoding": (replaced_text("pay.csv", WHO, WHO + "ä", "latin-1"), NO_CHANGE, ["encoding", "utf-8"]),
    "utf-8 declared as another": (
        replaced_text("pay.csv", WHO, WHO + "ä"),
        ("    decimal:", "    encoding: windows-1252\n    decimal:"),
        ["looks like utf-8"],
    ),
    "ragged rows": (replaced_text("pay.csv", WHO, f"{WHO};more;{WHO}"), NO_CHANGE, ["Fewer than 10 rows", "fields"]),
    "open quotation mark": (replaced_text("pay.csv", WHO, f'"{WHO}'), NO_CHANGE, ["pay.csv"]),
    "text for a number": (
        replaced_text("pay.csv", "91827,43", "91827 and"),
        NO_CHANGE,
        ["don't hold a number", "euros"],
    ),
    "other decimal mark": (replaced_text("pay.csv", "91827,43", "91827.43"), NO_CHANGE, ["decimal mark ','"]),
    "endless as text": (replaced_text("pay.csv", "91827,43", "91827e999"), NO_CHANGE, ["infinite"]),
    "nan as text": (replaced_text("pay.csv", "91827,43", "nan"), NO_CHANGE, ["don't hold a number"]),
    "NaN": (column_as("degrees.parquet", "rank", three(float("nan"))), NO_CHANGE, ["NaN", "rank"]),
    "infinite": (column_as("degrees.parquet", "rank", three(float("-inf"))), NO_CHANGE, ["infinite", "rank"]),
    "huge": (column_as("degrees.parquet", "rank", three(9182743 * 10**12)), NO_CHANGE, ["10^15", "rank"]),
    "fraction": (column_as("degrees.parquet", "rank", three(91827.43)), NO_CHANGE, ["fraction", "rank"]),
    "nested type": (column_as("degrees.parquet", "sex", three([WHO])), NO_CHANGE, ["another kind of value", "sex"]),
    "binary type": (column_as("degrees.parquet", "sex", three(WHO.encode())), NO_CHANGE, ["another kind", "sex"]),
    "date for a number": (
        column_as("degrees.parquet", "rank", three(91827).cast(pa.int32()).cast(pa.date32())),
        NO_CHANGE,
        ['as "integer"', "rank"],
    ),
    "no person": (another_row("pay", person=None), NO_CHANGE, ["no person", "pid", "pay.csv"]),
    "empty register": (replaced_text("pay.csv", f"{WHO};91827,43;2020\n", ""), NO_CHANGE, ["no rows", "pay.csv"]),
    "negative": (
        first_row("pay", pay=-INCOME),
        ("otherwise: missing", "otherwise: refuse"),
        ["at least 0", "rules.pay"],
    ),
    "above a rule": (
        lambda *_: None,
        ("{minimum: 0, otherwise: missing}", "{maximum: 9000}"),
        ["at most 9000", "Fewer than 10"],
    ),
    "unknown code": (first_row("degrees", place=WHO), NO_CHANGE, ["code list", '"place"', "place_code"]),
    "no code": (first_row("degrees", place=None), NO_CHANGE, ["no code", '"place"']),
    "off the scale": (first_row("survey", match=91827), NO_CHANGE, ['"match"', "q1"]),
    "no period": (first_row("degrees", cohort=None), NO_CHANGE, ["no period", "year"]),
    "person repeated in a period": (
        another_row("activity", activity="w2"),
        ("repeated: highest batch", "repeated: refuse"),
        ["repeat a person in a period", "inputs.activity.repeated"],
    ),
    "person repeated": (
        another_row("survey"),
        ("    repeated: lowest match\n", ""),
        ["repeat a person, where", "inputs.survey.repeated"],
    ),
    "person twice in the base": (
        another_row("degrees", rank=2),
        ("{base: degrees, keep: %(keep)s, highest: rank, latest: cohort}", "{base: degrees, keep: single}"),
        ["repeat a person", "link.keep"],
    ),
    "stranger": (
        another_row("survey", person=WHO + "-x"),
        ("repeated: lowest match\n    strangers: ignore", "repeated: lowest match"),
        ["aren't in the base register", "inputs.survey"],
    ),
    "impossible combination": (
        lambda *_: None,
        ("tables:", "possible: [{over: [place, sex], codes: possible.csv, source: licences}]\ntables:"),
        ["possible combinations", '"place", "sex"'],
    ),
}


@pytest.fixture(params=FAULTS, ids=lambda name: name.replace(" ", "-"))
def refused(request, tmp_path, caplog, capfd):
    """The error of each fault, with the words it should hold, and all that was logged or printed meanwhile."""
    change, (old, new), words = FAULTS[request.param]
    assert old in POLICY
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "possible.csv").write_text("place,sex\nn2,1\nn2,2\nn2,x\nn1,2\n")
    folder = tmp_path / "delivery-folder"
    deliver(folder, small_policy(tmp_path / "policy"), registers())
    policy = small_policy(tmp_path / "policy", text=POLICY.replace(old, new))
    change(folder, policy)
    with (
        caplog.at_level(logging.DEBUG),
        warnings.catch_warnings(record=True) as warned,
        pytest.raises(DataError) as caught,
    ):
        open_delivery(policy, folder)
    captured = capfd.readouterr()
    heard = [caplog.text, captured.out, captured.err, *(str(w.message) for w in warned)]
    return caught.value, words, "\n".join(heard)


def test_a_refusal_says_what_where_and_what_now_and_nothing_of_the_data(refused):
    error, words, heard = refused
    text = str(error)
    assert all(word in text for word in words), text
    assert all(fault.what and fault.where and fault.now for fault in error.faults)
    assert error.exit_code == 4
    assert "Nothing has been charged" in text
    for said in (text, repr(error), str(error.args), heard, "".join(traceback.format_exception(error))):
        assert not [mark for mark in MARKS if mark in said]
    assert error.__cause__ is None
    assert error.__context__ is None


def test_the_traceback_holds_no_frame_that_saw_rows(refused):
    error, _, _ = refused
    seen = [frame.f_code.co_name for frame, _ in traceback.walk_tb(error.__traceback__)]
    assert seen[-2:] == ["guarded", "_raise_alone"]


def test_all_faults_come_at_once(tmp_path):
    policy = small_policy(tmp_path / "policy")
    wrong = registers()
    wrong["degrees"][0]["place"] = "nowhere"
    wrong["survey"][0]["match"] = 9
    folder = deliver(tmp_path / "delivery", policy, wrong)
    (folder / "pay.csv").unlink()
    with pytest.raises(DataError) as caught:
        open_delivery(policy, folder)
    assert len(caught.value.faults) == 3


def test_nothing_that_is_shown_tells_a_row(tmp_path):
    policy = small_policy(tmp_path / "policy")
    folder = deliver(tmp_path / "delivery-folder", policy, registers())
    delivery = open_delivery(policy, folder)
    linked = link(delivery, policy)
    counts = count(linked, closure(policy), policy.attributes)
    for thing in (delivery, linked, counts, delivery.report, linked.report):
        shown = [repr(thing), str(thing), thing._repr_html_(), f"{thing}"]
        assert not [mark for mark in MARKS if mark in "".join(shown)]
    for thing in (delivery, linked, counts):
        assert len(repr(thing)) < 40
    for report in (delivery.report, linked.report):
        assert all(number.startswith(("about", "fewer than")) for _, _, number in report.lines)


def test_saved_rows_hold_codes_only_and_are_the_owners(tmp_path):
    policy = small_policy(tmp_path / "policy")
    linked = link(open_delivery(policy, deliver(tmp_path / "delivery", policy, registers())), policy)
    linked.save(tmp_path / "linked.parquet")
    assert (tmp_path / "linked.parquet").stat().st_mode & 0o777 == 0o600
    assert WHO.encode() not in (tmp_path / "linked.parquet").read_bytes()
    file = pq.ParquetFile(tmp_path / "linked.parquet")
    assert all(str(field.type).startswith("int") for field in file.schema_arrow)
    assert not any(file.metadata.row_group(0).column(i).is_stats_set for i in range(file.metadata.num_columns))
    again = read_linked(tmp_path / "linked.parquet")
    before, after = (count(rows, closure(policy), policy.attributes) for rows in (linked, again))
    assert all((before.tables[c] == after.tables[c]).all() for c in before.tables)
    assert after.records_per_person == 1
    assert again.report == linked.report


def test_a_damaged_or_missing_file_of_linked_rows_is_refused(tmp_path):
    (tmp_path / "linked.parquet").write_bytes(b"PAR1" + WHO.encode())
    for name in ("linked.parquet", "absent.parquet"):
        with pytest.raises(DataError, match="Link again"):
            read_linked(tmp_path / name)


def test_rows_linked_under_other_codes_are_not_counted(tmp_path):
    policy = small_policy(tmp_path / "policy")
    linked = link(open_delivery(policy, deliver(tmp_path / "delivery", policy, registers())), policy)
    other = small_policy(tmp_path / "other", text=POLICY.replace("scale: [1, 3]", "scale: [1, 4]"))
    with pytest.raises(DataError, match='other codes of "match"'):
        count(linked, closure(other), other.attributes)


def test_counting_an_open_set_is_refused(tmp_path):
    policy = small_policy(tmp_path / "policy")
    linked = link(open_delivery(policy, deliver(tmp_path / "delivery", policy, registers())), policy)
    with pytest.raises(UtfallError, match="closed downwards"):
        count(linked, [(("place", 2),)], policy.attributes)


def test_the_digest_is_of_every_byte_and_of_the_key(tmp_path):
    policy = small_policy(tmp_path / "policy")
    folder = deliver(tmp_path / "delivery", policy, registers())
    first = delivery_digest(policy, folder, b"key")
    assert first == delivery_digest(policy, folder, b"key")
    assert first != delivery_digest(policy, folder, b"other key")
    (folder / "pay.csv").write_bytes((folder / "pay.csv").read_bytes() + b"\n")
    assert first != delivery_digest(policy, folder, b"key")
    (folder / "survey.csv").unlink()
    with pytest.raises(DataError, match=r"survey\.csv"):
        delivery_digest(policy, folder, b"key")


def test_any_foreign_exception_becomes_bland():
    @bland("It can't be done.", now="Do otherwise.")
    def leaky():
        raise ValueError(f"could not convert {WHO} {INCOME}")

    with pytest.raises(UtfallError) as caught:
        leaky()
    assert "ValueError" in str(caught.value)
    assert not [mark for mark in MARKS if mark in "".join(traceback.format_exception(caught.value))]
    assert caught.value.__context__ is None


def test_our_own_error_leaves_behind_what_led_to_it():
    @bland("It can't be done.", now="Do otherwise.")
    def careless():
        try:
            raise ValueError(f"could not convert {WHO}")
        except ValueError as error:
            raise DataError("A value can't be read.") from error

    with pytest.raises(DataError, match="A value can't be read") as caught:
        careless()
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


def test_the_engine_reaches_no_file_and_no_setting(tmp_path):
    policy = small_policy(tmp_path / "policy")
    delivery = open_delivery(policy, deliver(tmp_path / "delivery", policy, registers()))
    for statement in ("copy degrees to 'x.csv'", "from 'x.csv'", "set enable_external_access = true", "install httpfs"):
        with pytest.raises(Exception, match=r"(?i)disabled|locked"):
            delivery.engine.raw_sql(statement)
