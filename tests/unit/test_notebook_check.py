"""The checker of committed notebooks: a good one passes, each fault is seen."""

from pathlib import Path

import pytest
from helpers.notebooks import cell, notebook, write

from release.runner.check import check_notebook


def check(tmp_path, content):
    return [str(fault) for fault in check_notebook(write(tmp_path / "3-tables.ipynb", content))]


def test_a_thin_notebook_passes(tmp_path):
    assert check(tmp_path, notebook("from release.notebook import tables", "tables(policy)")) == []


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("def f():\n    pass", "a function"),
        ("f = lambda: 1", "a function"),
        ("class A:\n    pass", "a class"),
        ("for x in y:\n    z(x)", "a loop"),
        ("[f(x) for x in y]", "a loop"),
        ("while True:\n    f()", "a loop"),
        ("try:\n    f()\nexcept ValueError:\n    g()", "error handling"),
        ("f('SELECT * FROM rows')", "SQL"),
        ("f('''create\n table x''')", "SQL"),
        ("print(x)", "prints"),
        ("!ls", "not plain Python"),
        ("%matplotlib inline", "not plain Python"),
        ("", "0 lines"),
        ("\n".join("f()" for _ in range(9)), "9 lines"),
    ],
)
def test_each_fault_of_a_cell_is_seen(tmp_path, step, said):
    found = check(tmp_path, notebook(step))
    assert len(found) == 1
    assert said in found[0]
    assert "3-tables.ipynb, cell 3" in found[0]


def test_too_many_cells(tmp_path):
    assert check(tmp_path, notebook(*["f()"] * 8)) == []
    assert "9 code cells" in check(tmp_path, notebook(*["f()"] * 9))[0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda cells: cells[0].update(source="no title"), "not a title"),
        (lambda cells: cells[0].update(source="# Only a title"), "why the notebook exists"),
        (lambda cells: cells.pop(1), "must have one"),
        (
            lambda cells: cells[2].update(outputs=[{"output_type": "stream", "name": "stdout", "text": "x"}]),
            "stored outputs",
        ),
        (lambda cells: cells[2].update(execution_count=1), "stored outputs"),
        (lambda cells: cells[2].update(metadata={"papermill": {}}), "metadata"),
        (lambda cells: cells[2].update(metadata={"tags": ["skip-execution"]}), "metadata"),
        (lambda cells: cells[2].update(id="0a1b2c3d"), "cell id"),
        (lambda cells: cells[2].update(id="8f14e45f-ceea-467f-ab6e-0123456789ab"), "cell id"),
        (lambda cells: cells[2].update(id="title"), "cell id"),
        (lambda cells: cells[2].pop("id"), "cell id"),
        (lambda cells: cells.append(cell("more", "policy = 'x'", "parameters")), "must have one"),
    ],
)
def test_each_fault_of_a_notebook_is_seen(tmp_path, change, said):
    content = notebook("f()")
    change(content["cells"])
    assert said in " ".join(check(tmp_path, content))


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem
)
def test_our_own_notebooks_are_thin(path):
    assert [str(fault) for fault in check_notebook(path)] == []
