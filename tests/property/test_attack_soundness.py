"""Whatever the published table looks like: what the attack says is known is the truth, and no file makes it stumble."""

import csv
import io
import json
from functools import cache
from itertools import product

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from release.attack.attack import Options, attack_files
from release.attack.files import READERS
from release.errors import DataError, UsageError
from release.protected.suppression.attack import Contradiction

QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def trees(draw):
    """Codes of a dimension: {leaf: codes above it, itself included}, named by prefixes, by level, or without sense."""
    naming = draw(st.sampled_from(["prefix", "level", "flat", "numbers"]))
    groups = draw(st.integers(2, 3))
    if naming == "flat":
        return {f"c{i}": ("Total", f"c{i}") for i in range(groups + 1)}
    if naming == "numbers":
        return {code: ("Total", code) for code in ("1", "10", "12", "2")[: groups + 1]}
    found = {}
    for g, n in product(range(1, groups + 1), range(1, draw(st.integers(1, 3)) + 1)):
        leaf = f"G{g}{n}" if naming == "prefix" else f"P{g}{n}0"
        found[leaf] = ("Total", f"G{g}", leaf)
    return found


@st.composite
def tables(draw):
    """(truth, text of the published CSV): two crossed dimensions, some cells hidden, zeros printed or left out."""
    rows, columns = draw(trees()), draw(trees())
    values = np.random.default_rng(draw(st.integers(0, 2**32))).integers(0, 60, (len(rows), len(columns)))
    shares = draw(st.sampled_from([1, 1, 0]))
    inner = {
        key: int(value) * shares + (1 - shares) * (int(value) // 45)
        for key, value in zip(product(rows, columns), values.ravel(), strict=True)
    }
    truth: dict[tuple[str, str], int] = {}
    for (row, column), value in inner.items():
        for key in product(rows[row], columns[column]):
            truth[key] = truth.get(key, 0) + value
    printed = {k: v for k, v in truth.items() if v} if draw(st.booleans()) else truth
    hidden = {key for key, value in printed.items() if value and draw(st.integers(0, 3)) == 0}
    order = draw(st.permutations(sorted(printed)))
    lines = [f"{a},{b},{'..' if (a, b) in hidden else truth[a, b]}" for a, b in order]
    return truth, "row,column,n\n" + "\n".join(lines) + "\n"


@QUICK
@given(tables())
def test_what_is_said_to_be_known_is_true(tmp_path, case):
    truth, text = case
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    try:
        report = attack_files([path], Options())
    except DataError:
        assert len(text.splitlines()) <= 2
        return
    [table] = report.tables
    assert table.hidden == text.count("..")
    for cell in table.derived:
        assert cell.lower == cell.upper == str(truth[cell.codes["row"], cell.codes["column"]])


@cache
def sound(suffix):
    """The same bytes in each run: workbooks hold the time they were made."""
    rows = [["a", "b", "n"], ["x", "1", "5"], ["x", "2", ".."], ["Total", "1", "9"], ["Total", "2", "8"]]
    if suffix == ".px":
        return b'STUB="a";\nHEADING="b";\nVALUES("a")="x","Total";\nVALUES("b")="1","2";\nDATA=\n5 ".." 9 8;\n'
    if suffix in (".json", ".jsonstat"):
        dims = {"a": {"category": {"index": ["x", "T"]}}, "b": {"category": {"index": ["1", "2"]}}}
        return json.dumps({"id": ["a", "b"], "size": [2, 2], "dimension": dims, "value": [5, None, 9, 8]}).encode()
    if suffix == ".parquet":
        out = io.BytesIO()
        pq.write_table(pa.table({name: column for name, *column in zip(*rows, strict=True)}), out)
        return out.getvalue()
    if suffix in (".xlsx", ".xlsm"):
        from openpyxl import Workbook

        book, file = Workbook(), io.BytesIO()
        for row in rows:
            book.active.append(row)
        book.save(file)
        return file.getvalue()
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


@pytest.mark.parametrize("suffix", [s for s in READERS if s not in (".xlsm", ".tsv", ".txt", ".tab", ".jsonstat")])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_bytes_are_refused_in_plain_words(tmp_path, suffix, data):
    content = bytearray(sound(suffix))
    for _ in range(data.draw(st.integers(1, 6))):
        where = data.draw(st.integers(0, len(content) - 1))
        kind = data.draw(st.sampled_from(["change", "cut", "repeat", "insert"]))
        if kind == "change":
            content[where] = data.draw(st.integers(0, 255))
        elif kind == "cut":
            del content[where : where + data.draw(st.integers(1, 9))]
        elif kind == "repeat":
            content[where:where] = content[where : where + 9]
        else:
            content[where:where] = data.draw(st.binary(max_size=5))
        content = content or bytearray(b" ")
    path = tmp_path / f"damaged{suffix}"
    path.write_bytes(bytes(content))
    told = refusal(path)
    assert str(tmp_path) not in told


def refusal(path):
    """The words of a refusal, "" where there is none; any other error fails the test."""
    try:
        attack_files([path], Options())
    except (DataError, UsageError, Contradiction) as refused:
        return str(refused)
    return ""
