"""Messages of the kernel: what passes, what is replaced, what is dropped. Pure functions, no kernel."""

import json

import pytest

from release.errors import DataError, Fault, LedgerError, UtfallError
from release.runner.kernel import bland
from release.runner.saved import normalise
from release.runner.vet import FAILED, HIDDEN, NOT_SHOWN, faults_of, our_error, quotes_data, vetted, without_folders
from release.shown import SHOWN_TYPE

SECRET = "KANARIA-77319054"


def message(kind, **content):
    return {
        "msg_type": kind,
        "header": {"msg_type": kind, "x": SECRET},
        "parent_header": {"msg_id": "1", "x": SECRET},
        "metadata": {"x": SECRET},
        "content": {**content, "extra": SECRET},
        "buffers": [SECRET.encode()],
    }


KINDS = """
    stream display_data execute_result error status execute_input update_display_data clear_output
    comm_open comm_msg comm_close input_request debug_event iopub_welcome unheard_of
"""


@pytest.mark.parametrize("kind", KINDS.split())
def test_no_field_passes_that_is_not_named(kind):
    content = dict.fromkeys(("text", "code", "evalue", "traceback", "metadata", "transient", "name"), SECRET)
    passed = vetted(message(kind, **content, ename="KeyError", data={"text/plain": SECRET, "text/html": SECRET}))
    assert SECRET not in json.dumps(passed, default=repr)


def test_a_marked_output_passes_without_its_other_kinds():
    data = {SHOWN_TYPE: {"kind": "SafeTable", "x": SECRET}, "text/html": "<b>1</b>", "image/svg+xml": "<svg/>"}
    passed = vetted(message("execute_result", data={**data, "image/png": SECRET, "text/plain": [SECRET]}))
    assert passed["content"]["data"] == {**data, SHOWN_TYPE: {"kind": "SafeTable"}}


@pytest.mark.parametrize("mark", [{}, {SHOWN_TYPE: "yes"}, {SHOWN_TYPE: None}, {SHOWN_TYPE + "x": {}}])
def test_an_unmarked_output_is_replaced(mark):
    passed = vetted(message("display_data", data={**mark, "text/html": SECRET}))
    assert passed["content"] == {"name": "stdout", "text": NOT_SHOWN + "\n"}


def test_only_the_full_name_of_our_errors_counts():
    """pandas, duckdb, sqlite3 and psycopg all have a DataError that quotes values."""
    for name in ("DataError", "pandas.errors.DataError", "release.errors.Fault", "release.errors.KeyError", None):
        assert our_error(name, "plain words") is None
    assert type(our_error("release.errors.DataError", "plain words")) is DataError
    assert vetted(message("error", ename="DataError", evalue=SECRET))["content"]["evalue"] == FAILED


def test_the_kernel_names_only_errors_of_ours():
    class DataError(Exception):
        pass

    class OwnError(UtfallError):
        pass

    assert bland(DataError(SECRET)) == ("Error", "")
    assert bland(OwnError(SECRET)) == ("Error", "")
    assert bland(KeyError(SECRET)) == ("Error", "")
    assert bland(None) == ("Error", "")
    assert bland(LedgerError("broken", now="verify")) == ("release.errors.LedgerError", "broken\n  What now: verify")


@pytest.mark.parametrize(
    "faults",
    [
        [Fault("a")],
        [Fault("a", "b", "c"), Fault("d", now="e")],
        [Fault("two\nlines", where="there"), Fault("x")],
        [Fault("a", where="b\n  c", now="d\ne")],
    ],
)
def test_an_error_survives_the_way_through_the_kernel(faults):
    error = DataError(faults)
    again = our_error(*bland(error))
    assert type(again) is DataError
    assert str(again) == str(error)
    assert again.faults == error.faults


def test_faults_are_never_invented():
    for text in ("", "a\n  What now: b\n  Where:    c", "\n\n\n", "  Where:    x"):
        assert str(UtfallError(faults_of(text))) == text


@pytest.mark.parametrize(
    "text",
    [
        'fewer than 10 of about 41 000 rows in register "earnings" break the rule "pay is not negative"',
        "Column: pay_eur (euro per year, gross), cohort 2019-2023, field int64, p25, sha256, UTF8",
        "see confidential/checks/earnings-2026.csv; earnings2026.parquet",
        "about 3 400 000 rows",
    ],
)
def test_our_own_bland_words_pass(text):
    assert not quotes_data(text)


@pytest.mark.parametrize(
    "text",
    [
        "person 010190-123A",
        "19900101-1234",
        "pay 91827.43",
        "row 123456",
        "id a3f9c1d07b2e",
        "KANARIA-77319054",
        "1e00000",
    ],
)
def test_identifiers_pseudonyms_and_amounts_are_seen(text):
    assert quotes_data(text)
    error = our_error("release.errors.DataError", text)
    assert type(error) is DataError
    assert HIDDEN in str(error)


def test_digests_may_stand_in_errors_of_public_things():
    text = "entry 12 has digest 9f86d081884c7d659a2feaa0c55ad015"
    assert str(our_error("release.errors.LedgerError", text)) == text


def test_folders_are_cut_from_paths():
    assert without_folders('no file "/srv/secret registers/x y.csv" there') == 'no file "x y.csv" there'
    assert without_folders("no folder '/srv/secret registers/2026/', none") == "no folder '2026', none"
    assert without_folders("nothing in /registers or /srv/registers/") == "nothing in registers or …"
    assert without_folders('file "/srv/registers/earnings.csv" is cut off') == 'file "earnings.csv" is cut off'
    assert without_folders(r"C:\data\x.csv and ~/data/y.csv") == "x.csv and y.csv"
    for plain in ("1/8 and/or 1/2", "https://example.org/a/b", "confidential/checks/a.csv", "/"):
        assert without_folders(plain) == plain


def test_normalising_is_idempotent_and_leaves_no_trace_of_time_and_place():
    code = {
        "cell_type": "code",
        "id": "a",
        "source": "x",
        "execution_count": 7,
        "metadata": {"papermill": {"duration": 1.5}},
    }
    code["outputs"] = [{"output_type": "stream", "name": "stderr", "text": SECRET}] * 3
    injected = {**code, "id": "b", "source": f"data = '{SECRET}'", "metadata": {"tags": ["injected-parameters"]}}
    banner = {"cell_type": "markdown", "source": SECRET, "metadata": {"tags": ["papermill-error-cell-tag"]}}
    ran = {"cells": [banner, code, injected], "metadata": {"papermill": {"input_path": SECRET}}, "nbformat": 4}
    once = normalise(ran, parameters=["data"])
    assert SECRET not in json.dumps(once)
    assert "duration" not in json.dumps(once)
    assert len(once["cells"][0]["outputs"]) == 1
    assert once["cells"][0]["execution_count"] == 1
    assert normalise(once, parameters=["data"]) == once
