"""Files of the incumbent tools: hand-made samples in the form of their manual, and round trips."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

from release.errors import DataError
from release.protected import How, suppress_table
from release.protected.exchange.data import columns_of, data_of, edges_of_levels, read_data, write_data
from release.protected.exchange.hrc import edges_of_hrc, hrc_of, read_hrc, write_hrc
from release.protected.exchange.jj import (
    jj_of,
    problem_of,
    problem_of_jj,
    question_of,
    read_jj,
    with_answer,
    write_jj,
)
from release.protected.exchange.metadata import metadata_of, rda_of, read_rda, write_rda
from release.protected.exchange.trees import trees_of
from release.protected.suppression.protect import protect
from release.protected.suppression.rules import MinimumFrequency
from release.protected.suppression.structure import Hierarchy

HRC = "Norra\n@N1\n@N2\n@@N2a\n@@N2b\nSödra\n@S1\n"
EDGES = [
    ("Total", "Norra"),
    ("Norra", "N1"),
    ("Norra", "N2"),
    ("N2", "N2a"),
    ("N2", "N2b"),
    ("Total", "Södra"),
    ("Södra", "S1"),
]
FIXED = """Region 1 3 "999"
  <RECODEABLE>
  <TOTCODE> "Total"
  <CODELIST> "region.cdl"
  <HIERARCHICAL>
  <HIERCODELIST> "region.hrc"
  <HIERLEADSTRING> "@"
Branch 5 5
  <RECODEABLE>
  <HIERARCHICAL>
  <HIERLEVELS> 3 1 1
Pay 11 10
  <NUMERIC>
  <DECIMALS> 2
Weight 21 4
  <WEIGHT>
  <DECIMALS> 1
Group 26 4
  <HOLDING>
Asked 30 1
  <REQUEST> "1" "2"
"""
FREE = """   <SEPARATOR> ";"
   <SAFE> s
   <UNSAFE> u
   <PROTECT> p
Size "99"
    <RECODEABLE>
    <TOTCODE> "Total"
    <DISTANCE> 2 4 4
Value
    <NUMERIC>
    <DECIMALS> 2
Shadow
    <NUMERIC> <SHADOW>
Price
    <NUMERIC> <COSTVAR>
Persons
    <FREQUENCY>
Top1
    <MAXSCORE>
State
    <STATUS>
Low
    <NUMERIC> <LOWERPL>
"""
JJ = """0
4
0 100.00 100 s 0 200 0 0 0
1 40.50 40 s 0 81 0 0 0
2 3.25 3.5 u 0 7 1 1 0
3 56.25 56 z 0 113 0 0 0
1
0 4 : 0 (-1) 1 (1) 2 (1) 3 (1)
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_hierarchy_is_read_in_any_encoding(tmp_path, encoding):
    path = tmp_path / "län_åäö.hrc"
    path.write_bytes(HRC.replace("\n", "\r\n").encode(encoding))
    assert list(read_hrc(path).parents.items()) == [(child, parent) for parent, child in EDGES]


def test_hierarchy_round_trip(tmp_path):
    tree = Hierarchy.from_edges("region", EDGES)
    assert hrc_of(tree) == HRC
    for lead, encoding in (("@", "cp1252"), ("--", "utf-8")):
        write_hrc(tree, tmp_path / "region.hrc", lead=lead, encoding=encoding)
        assert read_hrc(tmp_path / "region.hrc", lead=lead).parents == tree.parents


@pytest.mark.parametrize("text", ["@A\n", "A\n@@B\n", "A\n@B\nC\n@B\n", "Total\n", "\n"])
def test_broken_hierarchies_are_refused(text):
    with pytest.raises(DataError):
        edges_of_hrc(text, root="Total")


def test_encoding_without_a_letter_is_refused(tmp_path):
    with pytest.raises(DataError, match="letters"):
        write_hrc(Hierarchy.flat("x", ["Łódź", "Åbo"]), tmp_path / "x.hrc", encoding="cp1252")


def test_fixed_metadata():
    region, branch, pay, weight, group, asked = metadata_of(FIXED).variables
    assert (region.start, region.width, region.missing, region.total) == (1, 3, ("999",), "Total")
    assert (region.role, region.code_list, region.hierarchy_file) == ("dimension", "region.cdl", "region.hrc")
    assert branch.hierarchy_levels == (3, 1, 1)
    assert (pay.role, pay.decimals, weight.role, weight.decimals) == ("value", 2, "weight", 1)
    assert (group.role, asked.role, asked.request) == ("holding", "request", ("1", "2"))


def test_free_metadata():
    metadata = metadata_of(FREE)
    assert metadata.separator == ";"
    assert metadata.status_words == {"safe": "s", "unsafe": "u", "protect": "p"}
    roles = ["dimension", "value", "shadow", "cost", "frequency", "maxscore", "status", "lower"]
    assert [variable.role for variable in metadata.variables] == roles
    assert metadata.variables[0].distances == (2, 4, 4)


@pytest.mark.parametrize("text", [FIXED, FREE])
def test_metadata_round_trip(tmp_path, text):
    metadata = metadata_of(text)
    write_rda(metadata, tmp_path / "a.rda", encoding="cp1252")
    assert read_rda(tmp_path / "a.rda") == metadata
    assert metadata_of(rda_of(metadata)) == metadata


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("<NUMERIC>\n", "before any variable"),
        ("Region\n  <RECODEABLE>\n", "no start and width"),
        ("Region 1 3\n  <RECODABEL>\n", "RECODABLE"),
        ("Region 1 3\n  <TOTCODE>\n", "no argument"),
        ("Region 1 3\n  <HIERLEVELS> a b\n", "whole numbers"),
        ("\n", "no variable"),
    ],
)
def test_metadata_that_is_wrong_is_refused(text, told):
    with pytest.raises(DataError, match=told):
        metadata_of(text)


def test_fixed_data(tmp_path):
    metadata = metadata_of(FIXED)
    line = "N2a abcde    1234.50 1.5 Ålan1"
    assert {key: texts[0] for key, texts in columns_of(metadata, line).items()} == {
        "Region": "N2a",
        "Branch": "abcde",
        "Pay": "1234.50",
        "Weight": "1.5",
        "Group": "Ålan",
        "Asked": "1",
    }
    columns = {"Region": ["N2a", "S1"], "Branch": ["abcde", "abc"], "Pay": ["12.50", "1234567.25"]}
    columns |= {"Weight": ["1.0", "12.5"], "Group": ["g", "Ålan"], "Asked": ["1", ""]}
    write_data(metadata, columns, tmp_path / "Åbo.asc", encoding="cp1252")
    assert read_data(metadata, tmp_path / "Åbo.asc") == columns
    assert data_of(metadata, columns).splitlines()[0] == "N2a abcde      12.50 1.0 g   1"
    with pytest.raises(DataError, match="wider"):
        data_of(metadata, columns | {"Region": ["much too wide", "S1"]})
    with pytest.raises(DataError, match="end before"):
        columns_of(metadata, line[:12])


def test_free_data(tmp_path):
    metadata = metadata_of(FREE)
    rows = "Total;100.50;90;1;10;40;s;0\n9;3.25;3;1;2;2;u;1\n"
    columns = columns_of(metadata, rows)
    assert columns["Size"] == ["Total", "9"]
    assert columns["State"] == ["s", "u"]
    assert data_of(metadata, columns) == rows
    with pytest.raises(DataError, match="number of fields"):
        columns_of(metadata, rows + "a;b\n")


def test_hierarchy_in_the_digits_of_codes():
    edges = edges_of_levels(["11111", "11112", "2"], (3, 1, 1), total="T")
    assert edges == [("T", "111"), ("111", "1111"), ("1111", "11111"), ("1111", "11112"), ("T", "2")]


def test_jj_problem():
    problem = problem_of_jj(JJ)
    assert problem.decimals == 2
    assert problem.values.tolist() == [10000, 4050, 325, 5625]
    assert problem.cost.tolist() == [100, 40, 3.5, 56]
    assert problem.hidden.tolist() == [False, False, True, False]
    assert problem.above.tolist() == [0, 0, 100, 0]
    assert problem.relations.toarray().tolist() == [[-1, 1, 1, 1]]


def test_jj_round_trip(tmp_path):
    problem = problem_of_jj(JJ)
    answered = with_answer(problem, np.array([False, True, True, False]))
    assert "".join(answered.status) == "smuz"
    write_jj(answered, tmp_path / "a.jj")
    again = read_jj(tmp_path / "a.jj")
    assert jj_of(again) == jj_of(answered)
    assert (again.relations != problem.relations).nnz == 0


def test_jj_as_a_question_and_back():
    question = question_of(problem_of_jj(JJ))
    assert question.primary.tolist() == [False, False, True, False]
    assert question.publish.tolist() == [False, False, False, True]
    assert question.width.tolist()[2] == 200
    back = problem_of(question, hidden=np.array([False, True, True, False]))
    assert "".join(back.status) == "smuz"
    assert problem_of_jj(jj_of(back)).values.tolist() == question.values.tolist()
    assert isinstance(question.relations, csr_array)


def test_jj_problem_solved_by_our_engine(tmp_path):
    """A 3 x 3 table with one primary cell: written, read, solved, written with its secondaries."""
    inner = np.array([[3, 10, 7], [12, 9, 8], [20, 11, 6]])
    values = np.zeros((4, 4), int)
    values[1:, 1:] = inner
    values[0, 1:], values[1:, 0], values[0, 0] = inner.sum(axis=0), inner.sum(axis=1), inner.sum()
    cells = [f"{i} {v} {v} {'u' if v == 3 else 's'} 0 {2 * v} 0 0 1" for i, v in enumerate(values.ravel())]
    sums = [[4 * r + c for c in range(4)] for r in range(4)] + [[4 * r + c for r in range(4)] for c in range(4)]
    lines = ["0 4 : " + " ".join(f"{c} ({-1 if n == 0 else 1})" for n, c in enumerate(one)) for one in sums]
    (tmp_path / "a.jj").write_text("\n".join(["0", "16", *cells, "8", *lines]), encoding="ascii")
    problem = read_jj(tmp_path / "a.jj")
    pattern = protect(question_of(problem), effort="fast")
    write_jj(with_answer(problem, pattern.hidden), tmp_path / "b.jj")
    status = read_jj(tmp_path / "b.jj").status.reshape(4, 4)
    assert status[1, 1] == "u"
    assert (status == "m").sum() == 3


def test_from_fixed_format_files_to_a_protected_table(tmp_path):
    rda = 'Area 1 2\n  <RECODEABLE>\n  <TOTCODE> "T"\n  <HIERARCHICAL>\n  <HIERCODELIST> "C:\\x\\Län.hrc"\n'
    rda += "Branch 3 2\n  <RECODEABLE>\n  <HIERARCHICAL>\n  <HIERLEVELS> 1 1\nSex 5 1\n  <RECODEABLE>\n"
    (tmp_path / "a.rda").write_bytes(rda.encode("cp1252"))
    (tmp_path / "Län.hrc").write_bytes("Nö\r\n@Å1\r\n@Å2\r\nSö\r\n@Ö1\r\n".encode("cp1252"))
    rng = np.random.default_rng(0)
    persons = [
        "".join(str(rng.choice(c)) for c in (["Å1", "Å2", "Ö1"], ["11", "12", "21"], ["f", "m"])) for _ in range(90)
    ]
    (tmp_path / "a.asc").write_bytes("\r\n".join(persons).encode("cp1252"))
    metadata = read_rda(tmp_path / "a.rda")
    columns = read_data(metadata, tmp_path / "a.asc")
    trees = trees_of(metadata, columns, folder=tmp_path)
    assert trees["Area"] == [("T", "Nö"), ("Nö", "Å1"), ("Nö", "Å2"), ("T", "Sö"), ("Sö", "Ö1")]
    assert set(trees["Branch"]) == {("Total", "1"), ("Total", "2"), ("1", "11"), ("1", "12"), ("2", "21")}
    result = suppress_table(pd.DataFrame(columns), trees, rules=[MinimumFrequency(below=5)], how=How(effort="fast"))
    cells = result.table.set_index(["Area", "Branch", "Sex"])["value"]
    assert cells["T", "Total", "Total"] == 90
    assert (result.table["status"] == "hidden").any()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("40.50 40 s", "40.50 40 q", "cell 1"),
        ("1 40.50", "7 40.50", "cell 1"),
        ("40.50", "41.50", "sums don't hold"),
        ("0 4 :", "0 3 :", "sum 0"),
        ("3 (1)", "9 (1)", "sum 0"),
        ("0\n4\n", "0\n5\n", "sums|ends|cell"),
        ("0\n4\n", "0\nmany\n", "number of cells"),
    ],
)
def test_broken_jj_files_are_refused(old, new, told):
    with pytest.raises(DataError, match=told):
        problem_of_jj(JJ.replace(old, new, 1))
