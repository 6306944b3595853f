"""Published files of all kinds become the same table; damaged ones are refused in plain words."""

import json
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook

from release.attack.files import read_published
from release.attack.marks import Meaning, meaning, told_meaning
from release.attack.published import NO_BOUND, UNTOLD
from release.attack.shape import Reading, tables_of
from release.errors import DataError, UsageError

ROWS = [
    ("Total", "Total", 40),
    ("Total", "Män", 25),
    ("Total", "Kvinnor", 15),
    ("Åland", "Total", 22),
    ("Åland", "Män", 20),
    ("Åland", "Kvinnor", None),
    ("Öland", "Total", 18),
    ("Öland", "Män", None),
    ("Öland", "Kvinnor", 13),
]
CELLS = {(area, sex): value for area, sex, value in ROWS}


def long_csv(separator=",", mark="..", encoding="utf-8", quote=""):
    lines = ["område;kön;antal"] + [f"{a};{s};{quote}{mark if v is None else v}{quote}" for a, s, v in ROWS]
    return "\n".join(lines).replace(";", separator).encode(encoding)


def wide_csv():
    lines = ["Tabell 1. Personer efter område och kön", "", "område\tTotal\tMän\tKvinnor"]
    for area in ("Total", "Åland", "Öland"):
        lines.append("\t".join([area, *(str(CELLS[area, sex] or "x") for sex in ("Total", "Män", "Kvinnor"))]))
    return "\n".join([*lines, "x: withheld because few persons"]).encode("utf-8-sig")


def our_csv():
    lines = ["område,kön,statistic,value,lower,upper,standard_error,status,note"]
    for area, sex, value in ROWS:
        lines.append(
            f"{area},{sex},count,{'' if value is None else value},,,,{'too-few' if value is None else 'shown'},"
        )
        lines.append(f"{area},{sex},share,0.5,,,,shown,")
    return "\n".join(lines).encode()


def px(encoding="utf-8", codepage="utf-8"):
    figures = " ".join('".."' if v is None else str(v) for _, _, v in ROWS)
    return f"""CHARSET="ANSI";
AXIS-VERSION="2010";
CODEPAGE="{codepage}";
LANGUAGE="sv";
TITLE="Personer efter område; och "
"kön";
STUB="område";
HEADING="kön";
STUB[en]="area";
VALUES("område")="Hela landet","Åland","Öland";
CODES("område")="Total","Åland","Öland";
VALUES("kön")="Total","Män","Kvinnor";
VALUES[en]("area")="All","a","b";
NOTE="a = b; c";
DATA=
{figures};
""".replace("\n", "\r\n").encode(encoding)


def jsonstat():
    values = [v for _, _, v in ROWS]
    return {
        "version": "2.0",
        "class": "dataset",
        "id": ["område", "kön"],
        "size": [3, 3],
        "dimension": {
            "område": {
                "category": {
                    "index": {"Total": 0, "Åland": 1, "Öland": 2},
                    "label": {"Total": "Hela landet"},
                    "child": {"Total": ["Åland", "Öland"]},
                }
            },
            "kön": {"category": {"index": ["Total", "Män", "Kvinnor"]}},
        },
        "value": values,
        "status": {str(i): ".." for i, v in enumerate(values) if v is None},
    }


def xlsx(path, *, wide):
    book = Workbook()
    book.active.title = "About"
    book.active.append(["Persons by area and sex"])
    sheet = book.create_sheet("Table")
    sheet.append(["Persons by area and sex"])
    sheet.append([])
    if wide:
        sheet.append(["område", "Total", "Män", "Kvinnor"])
        for area in ("Total", "Åland", "Öland"):
            values = [CELLS[area, sex] for sex in ("Total", "Män", "Kvinnor")]
            sheet.append([area, *("x" if v is None else float(v) for v in values)])
    else:
        sheet.append(["område", "kön", "antal"])
        for area, sex, value in ROWS:
            sheet.append([area, sex, "x" if value is None else value])
    book.save(path)


def cells_of(table):
    """(codes …) -> value, None where hidden."""
    names = [dimension.codes for dimension in table.dimensions]
    keys = [tuple(codes[i] for codes, i in zip(names, row, strict=True)) for row in table.cells.tolist()]
    values = [None if hidden else int(low) for hidden, low in zip(table.hidden, table.lower, strict=True)]
    return dict(zip(keys, values, strict=True))


def read(path, content=None, **reading):
    if content is not None:
        path.write_bytes(content)
    return [table for sheet in read_published(path) for table in tables_of(sheet, Reading(**reading))]


@pytest.mark.parametrize(
    "content",
    [
        long_csv(),
        long_csv(";", encoding="cp1252"),
        long_csv("\t", encoding="utf-16"),
        long_csv("|", encoding="utf-8-sig"),
        long_csv(mark="*", quote='"'),
        long_csv(mark=""),
        long_csv(mark="c").replace(b"\n", b"\r\n"),
        our_csv(),
        wide_csv(),
    ],
)
def test_csv_of_any_form(tmp_path, content):
    [table] = read(tmp_path / "tabell_åäö.csv", content)
    assert cells_of(table) == CELLS
    assert table.name == "tabell_åäö.csv"
    assert (table.lower[table.hidden] == UNTOLD).all()
    assert (table.upper[table.hidden] == NO_BOUND).all()


@pytest.mark.parametrize(("encoding", "codepage"), [("utf-8", "utf-8"), ("latin-1", "iso-8859-1"), ("cp1252", "utf-8")])
def test_px(tmp_path, encoding, codepage):
    [table] = read(tmp_path / "a.px", px(encoding, codepage))
    assert cells_of(table) == CELLS
    assert table.dimensions[0].labels["Total"] == "Hela landet"


@pytest.mark.parametrize("form", ["dataset", "sparse", "collection", "bundle"])
def test_jsonstat(tmp_path, form):
    document = jsonstat()
    if form == "sparse":
        document["value"] = {str(i): v for i, v in enumerate(document["value"]) if v is not None}
    if form == "collection":
        document = {"class": "collection", "link": {"item": [document]}}
    if form == "bundle":
        document = {"first": document}
    [table] = read(tmp_path / "a.json", json.dumps(document).encode())
    assert cells_of(table) == CELLS
    assert table.dimensions[0].edges == [("Total", "Åland"), ("Total", "Öland")]


@pytest.mark.parametrize("wide", [False, True])
def test_workbook(tmp_path, wide):
    xlsx(tmp_path / "a.xlsx", wide=wide)
    [table] = read(tmp_path / "a.xlsx")
    assert cells_of(table) == CELLS


def test_parquet(tmp_path):
    area, sex, value = zip(*ROWS, strict=True)
    columns = {"area": pa.array(area).dictionary_encode(), "sex": sex, "value": pa.array(value, pa.float64())}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    [table] = read(tmp_path / "a.parquet")
    assert cells_of(table) == CELLS


@pytest.mark.parametrize(
    ("text", "kind", "lower", "upper"),
    [
        ("12", "figure", 12, 12),
        ("1 234", "figure", 1234, 1234),
        ("1\u00a0234", "figure", 1234, 1234),
        ("-5", "figure", -5, -5),
        ("−5", "figure", -5, -5),
        ("12 p", "figure", 12, 12),
        ("7*", "figure", 7, 7),
        ("-", "figure", 0, 0),
        ("1-4", "hidden", 1, 4),
        ("1 – 4", "hidden", 1, 4),
        ("<5", "hidden", None, 4),
        ("≤ 4", "hidden", None, 4),
        (">=10", "hidden", 10, None),
        ("..", "hidden", None, None),
        ("x", "hidden", None, None),
        (": c", "hidden", None, None),
        ("(X)", "hidden", None, None),
        (".", "absent", None, None),
    ],
)
def test_marks(text, kind, lower, upper):
    found = meaning(text, comma=False, told={})
    assert found == Meaning(
        kind, None if lower is None else Fraction(lower), None if upper is None else Fraction(upper)
    )


@pytest.mark.parametrize(
    ("text", "comma", "value"),
    [("1,234", False, "1234"), ("12,5", True, "12.5"), ("1.234,5", True, "1234.5"), ("1,234.5", False, "1234.5")],
)
def test_separators_of_numbers(text, comma, value):
    assert meaning(text, comma=comma, told={}).lower == Fraction(value)


def test_told_marks(tmp_path):
    marks = dict(told_meaning(option) for option in ("q=1-4", "=zero", "r=absent", "t=7"))
    content = b"a,b,n\nx,1,5\nx,2,q\ny,1,\ny,2,r\nz,1,t\n"
    [table] = read(tmp_path / "a.csv", content, marks=marks)
    assert table.lower.tolist() == [5, 1, 0, 7]
    assert table.upper.tolist() == [5, 4, 0, 7]
    for wrong in ("q", "q=maybe", "q="):
        with pytest.raises(UsageError):
            told_meaning(wrong)


def test_empty_is_zero_where_few_are_marked_otherwise(tmp_path):
    [table] = read(tmp_path / "a.csv", b"a,b,n\nx,1,6\nx,2,1-4\ny,1,\ny,2,9\n")
    assert table.lower.tolist() == [6, 1, 0, 9]
    assert table.hidden.tolist() == [False, True, False, False]


def test_decimal_comma_makes_the_unit_finer(tmp_path):
    [table] = read(tmp_path / "a.csv", b"alue;summa;k\nA;12,5;\nB;1 000,25;\n", values=("summa",))
    assert table.decimals == 2
    assert table.lower.tolist() == [1250, 100025]


def test_columns_that_repeat_another_are_labels(tmp_path):
    content = b"code,name,sex,n\n1,One,m,5\n1,One,f,6\n2,Two,m,7\n2,Two,f,8\n"
    [table] = read(tmp_path / "a.csv", content)
    assert [dimension.name for dimension in table.dimensions] == ["code", "sex"]


def test_noisy_tables_are_known_as_such(tmp_path):
    content = our_csv().replace(b"count,40,,,,", b"count,40,35,45,2.5,")
    assert read(tmp_path / "a.csv", content)[0].noisy


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.csv", b"", "empty"),
        ("a.csv", b"\x00\x01\x02", "bytes"),
        ("a.csv", b"only one column\nx\n", "no table"),
        ("a.csv", b"a,n\nx,5\nx,6\n", "same cell"),
        ("a.csv", b"a,n\nx,5\ny,?huh\n", "known mark"),
        ("a.px", b'STUB="a";', "DATA"),
        ("a.px", b'STUB="a";\nVALUES("a")="x","y";\nDATA=1;', "2"),
        ("a.px", b'STUB="a";\nVALUES("a")="x","y";\nCODES("a")="1";\nDATA=1 2;', "CODES"),
        ("a.px", b'TITLE="a";\nDATA=1 2;', "STUB"),
        ("a.json", b"{", "JSON"),
        ("a.json", b"[1]", "dataset"),
        ("a.json", json.dumps(jsonstat() | {"size": [3, 2]}).encode(), "fit together"),
        ("a.json", json.dumps(jsonstat() | {"value": [1, 2]}).encode(), "fit together"),
        ("a.xlsx", b"PK\x03\x04nothing", "workbook"),
        ("a.parquet", b"PAR1nothing", "Parquet"),
    ],
)
def test_damaged_files_are_refused(tmp_path, name, content, told):
    with pytest.raises(DataError, match=told) as refused:
        read(tmp_path / name, content)
    assert str(tmp_path) not in str(refused.value)
    assert "a." in str(refused.value)


def test_unknown_kinds_and_missing_files_are_wrong_usage(tmp_path):
    for name in ("a.docx", "not-there.csv"):
        with pytest.raises(UsageError):
            read_published(tmp_path / name)


def test_a_column_of_years_is_a_dimension(tmp_path):
    content = b"region,year,n\nA,2019,5\nA,2020,6\nB,2019,7\nB,2020,8\n"
    [table] = read(tmp_path / "a.csv", content)
    assert [dimension.name for dimension in table.dimensions] == ["region", "year"]
    [table] = read(tmp_path / "b.csv", content.replace(b",n\n", b",figure\n"))
    assert [dimension.name for dimension in table.dimensions] == ["region", "year"]
    assert np.array_equal(table.lower, [5, 6, 7, 8])
