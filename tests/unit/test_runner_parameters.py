"""Notebook parameters: a fixed list of names, values of the right type, nothing written into a notebook as code."""

import pytest
from helpers.notebooks import cell, notebook, write

from release.errors import UsageError
from release.runner.parameters import NOTEBOOK_PARAMETERS, check_parameters, declared_parameters, read_notebook

PLAIN = 'policy = "p.yaml"\ndata = "."\nrelease = 3\nwork = True'


def check(given, parameters=PLAIN):
    check_parameters(notebook(parameters=parameters), given, name="1-link")


def test_known_names_with_values_of_the_right_type_pass():
    check({"policy": 'a "quoted" \\ name.yaml', "release": 4, "work": False})
    assert declared_parameters(notebook(), name="x") == {"policy": "policy.yaml", "data": "."}
    assert "ledger" in NOTEBOOK_PARAMETERS


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"polcy": "x"}, 'did you mean "policy"?'),
        ({"ledger": "x"}, 'parameter "ledger" is not known'),
        ({"x = 1; import os": "x"}, 'parameter "…" is not known'),
        ({"release": "4"}, "type int"),
        ({"release": True}, "type int"),
        ({"work": 1}, "type bool"),
        ({"policy": 1.5}, "type str"),
        ({"policy": None}, "type str"),
        ({"policy": "a\nimport os"}, "line breaks"),
        ({"policy": "a\u2028b"}, "hidden characters"),
        ({"policy": "a\u202eb"}, "hidden characters"),
        ({"policy": "a\x00b"}, "hidden characters"),
        ({"policy": "\udcff"}, "hidden characters"),
        ({"policy": "x" * 301}, "longer than 300"),
    ],
)
def test_anything_else_is_refused_and_no_value_is_quoted(given, said):
    with pytest.raises(UsageError, match="1-link") as caught:
        check(given)
    assert said in str(caught.value)
    assert "import os" not in str(caught.value)


def test_every_fault_is_listed():
    with pytest.raises(UsageError) as caught:
        check({"polcy": "x", "release": "x"})
    assert len(caught.value.faults) == 2


@pytest.mark.parametrize(
    "text",
    [
        "policy = open('x')",
        "policy = 'a' + 'b'",
        "policy: str = 'a'",
        "policy = data = 'a'",
        "policy, data = 'a', 'b'",
        "policy = 1.5",
        "policy = None",
        "policy = b'x'",
        "import os",
        "policy = ",
        "policy.x = 'a'",
        "epsilon = 1",
    ],
)
def test_a_parameters_cell_holds_nothing_but_plain_values_under_known_names(text):
    with pytest.raises(UsageError):
        declared_parameters(notebook(parameters=text), name="1-link")


def test_there_is_exactly_one_parameters_cell():
    none, two = notebook(), notebook()
    none["cells"].pop(1)
    two["cells"].append(cell("more", "work = 'x'", "parameters"))
    for content in (none, two):
        with pytest.raises(UsageError, match="must have one"):
            declared_parameters(content, name="1-link")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"nbformat": 3, "cells": []}', '{"nbformat": 4}', b"\xff\xfe"])
def test_what_is_no_notebook_is_refused(tmp_path, text):
    path = tmp_path / "x.ipynb"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UsageError, match=r'"x\.ipynb" is missing'):
        read_notebook(path)
    with pytest.raises(UsageError):
        read_notebook(tmp_path / "absent.ipynb")
    assert read_notebook(write(tmp_path / "y.ipynb", notebook()))["nbformat"] == 4
