"""CSV and Parquet: the same figures, the same bytes every time, and nothing but safe tables."""

import csv
import io
import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from helpers.safe_tables import key, national, outcome_table, sealed, with_cells
from hypothesis import given
from hypothesis import strategies as st

from release.errors import VerificationError
from release.protected.safe import FIGURES, SafeTable
from release.published.columns import columns_of, rounded
from release.published.csv_table import formula_like_codes, write_csv
from release.published.decimal_text import decimal_text
from release.published.parquet_table import write_parquet

WRITERS = pytest.mark.parametrize("write", [write_csv, write_parquet])


def number_text(number: float) -> str:
    """The slow, obvious twin of `decimal_text(rounded(…))`."""
    if math.isnan(number):
        return ""
    billionths = round(number * 1e9)
    whole, rest = divmod(abs(billionths), 10**9)
    return ("-" if billionths < 0 else "") + f"{whole}.{rest:09d}".rstrip("0").rstrip(".")


def plain_csv(table: SafeTable) -> str:
    """The slow, obvious twin of the writer."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.cells.columns)
    for row in table.cells.to_dict("records"):
        writer.writerow([number_text(v) if name in FIGURES else v for name, v in row.items()])
    return out.getvalue()


def awkward_table() -> SafeTable:
    codes = ('say "hi"', "a,b", "two\nlines", "=1+1", "åäö", "007")
    figures = {name: [1e-9, -0.0, 1e-7, 123456.000000001, 25.0, np.nan] for name in FIGURES}
    cells = pd.DataFrame({"place": pd.Categorical(codes, codes), "statistic": "count", **figures})
    cells["status"] = ["shown"] * 5 + ["too-few"]
    cells["note"] = ["", "x, y", "", "", "", "no"]
    return sealed("awkward", {"en": "Awkward"}, (key("place", codes),), ("count",), cells)


@pytest.mark.parametrize("table", [outcome_table(), awkward_table(), national()], ids=lambda t: t.name)
def test_csv_equals_its_slow_twin(tmp_path, table):
    write_csv(table, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_bytes().decode("utf-8") == plain_csv(table)


@pytest.mark.parametrize("table", [outcome_table(), awkward_table(), national()], ids=lambda t: t.name)
def test_parquet_holds_what_the_csv_holds(tmp_path, table):
    write_csv(table, tmp_path / "t.csv")
    write_parquet(table, tmp_path / "t.parquet")
    text = {name: str for name in table.cells.columns if name not in FIGURES}
    from_csv = pd.read_csv(
        tmp_path / "t.csv",
        dtype=text,
        keep_default_na=False,
        na_values={n: [""] for n in FIGURES},
    )
    from_parquet = pq.read_table(tmp_path / "t.parquet").to_pandas()
    assert from_parquet[list(text)].astype(str).to_numpy().tolist() == from_csv[list(text)].to_numpy().tolist()
    assert np.array_equal(from_parquet[list(FIGURES)], from_csv[list(FIGURES)].astype(float), equal_nan=True)


@given(st.lists(st.floats(-1e12, 1e12, allow_subnormal=False) | st.floats(-1e-3, 1e-3) | st.just(math.nan), min_size=1))
def test_decimal_text_reads_back_and_has_no_exponent(numbers):
    values = rounded(np.array(numbers))
    for value, text in zip(values, decimal_text(values).to_pylist(), strict=True):
        assert "e" not in text
        assert text == "" if math.isnan(value) else float(text) == value
        assert len(text.partition(".")[2]) <= 9


@given(st.floats(-8e6, 8e6))
def test_decimal_text_equals_its_slow_twin(number):
    assert decimal_text(rounded(np.array([number]))).to_pylist() == [number_text(number)]


@WRITERS
def test_same_bytes_twice_also_with_rows_of_another_type(tmp_path, write):
    table = outcome_table()
    write(table, tmp_path / "one")
    plain = with_cells(
        table,
        provider=table.cells["provider"].astype(str),
        status=table.cells["status"].astype(str),
        note=table.cells["note"].astype("category"),
    )
    write(plain, tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["one", "two"]  # nothing unfinished is left


@WRITERS
def test_only_safe_tables_are_written(tmp_path, write):
    table = outcome_table()
    forged = object.__new__(SafeTable)
    for name, value in vars(table).items():
        object.__setattr__(forged, name, None if name == "seal" else value)
    for other in (table.cells, SimpleNamespace(**vars(table)), forged, None):
        with pytest.raises(TypeError, match="safe tables only"):
            write(other, tmp_path / "t")
    with pytest.raises(TypeError):
        replace(table, seal=object())
    assert not (tmp_path / "t").exists()


def broken(table: SafeTable) -> dict[str, SafeTable]:
    cells = table.cells
    shown = cells["status"] == "shown"
    first_shown, first_withheld = shown.idxmax(), (~shown).idxmax()

    def with_number(column, row, number):
        return with_cells(table, **{column: cells[column].mask(cells.index == row, number)})

    return {
        "shown NaN": with_number("value", first_shown, np.nan),
        "shown inf": with_number("value", first_shown, np.inf),
        "infinite end": with_number("upper", first_shown, np.inf),
        "withheld value": with_number("value", first_withheld, 3.0),
        "withheld error": with_number("standard_error", first_withheld, 3.0),
        "interval turned round": with_cells(table, lower=cells["upper"] + 1),
        "unknown status": with_cells(table, status="secret"),
        "unknown code": with_cells(table, provider="99999"),
        "missing code": with_cells(table, provider=cells["provider"].where(cells.index > 0)),
        "extra column": with_cells(table, true_value=1.0),
    }


@WRITERS
@pytest.mark.parametrize("fault", broken(outcome_table()))
def test_broken_tables_are_refused(tmp_path, write, fault):
    with pytest.raises(VerificationError):
        write(broken(outcome_table())[fault], tmp_path / "t")
    assert not (tmp_path / "t").exists()


def test_parquet_has_no_statistics_and_no_pandas(tmp_path):
    write_parquet(outcome_table(), tmp_path / "t.parquet")
    content = (tmp_path / "t.parquet").read_bytes()
    assert b"pandas" not in content
    file = pq.ParquetFile(tmp_path / "t.parquet")
    assert set(file.schema_arrow.metadata) == {b"name", b"title", b"unit", b"intervals", b"statuses"}
    for group in range(file.metadata.num_row_groups):
        row_group = file.metadata.row_group(group)
        assert not any(row_group.column(c).is_stats_set for c in range(row_group.num_columns))


def test_formula_like_codes_are_named():
    assert formula_like_codes(awkward_table()) == ("=1+1",)
    assert formula_like_codes(outcome_table()) == ()


def test_key_codes_keep_the_order_of_the_code_list_with_all_first():
    columns = columns_of(outcome_table())
    assert columns.keys[3].codes == ("all", "10", "12", "22", "99")
