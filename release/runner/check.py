"""Checks the notebooks as they are committed: thin pages, with no outputs, that name what they do.

Reads the file only; runs nothing.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from release.errors import Fault, UsageError
from release.runner.parameters import declared_parameters, read_notebook, source, tags

MOST_CELLS = 8
MOST_LINES = 8
SHORTEST_WHY = 60
"""Characters of text, besides the title, that a notebook needs to say why it exists."""

NOT_IN_NOTEBOOKS: dict[str, tuple[type[ast.AST], ...]] = {
    "a function": (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda),
    "a class": (ast.ClassDef,),
    "a loop": (ast.For, ast.AsyncFor, ast.While, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
    "error handling": (ast.Try, ast.TryStar),
}
SQL = re.compile(
    r"\b(select\b.+\bfrom|insert\s+into|create\s+(table|view)|delete\s+from|update\b.+\bset)\b", re.I | re.S
)
RANDOM_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){0,3}(-[0-9a-f]{12})?")
GOOD_ID = re.compile(r"[a-z][a-z0-9-]{1,63}")
Cell = dict[str, Any]


def check_notebook(path: Path) -> tuple[Fault, ...]:
    """Everything that is wrong with a committed notebook; empty when it's fine. UsageError if it can't be read."""
    notebook = read_notebook(path)
    cells: list[Cell] = notebook["cells"]
    found = [*_opening(cells), *_parameters(notebook, path.stem), *_number(cells), *_ids(cells)]
    for at, cell in enumerate(cells, start=1):
        found += _cell(cell, f"cell {at}")
    return tuple(Fault(fault.what, ", ".join(filter(None, (path.name, fault.where))), fault.now) for fault in found)


def _opening(cells: list[Cell]) -> Iterator[Fault]:
    first = source(cells[0]) if cells and cells[0]["cell_type"] == "markdown" else ""
    if not re.match(r"# \S", first):
        yield Fault("the first cell is not a title", now='begin it with "# " and the title')
    text = "\n".join(source(cell) for cell in cells if cell["cell_type"] == "markdown")
    if len(re.sub(r"(?m)^#.*$", "", text).strip()) < SHORTEST_WHY:
        yield Fault("no text says why the notebook exists", now="add two or three sentences under the title")


def _parameters(notebook: Cell, name: str) -> Iterator[Fault]:
    try:
        declared_parameters(notebook, name=name)
    except UsageError as problem:
        yield from problem.faults


def _number(cells: list[Cell]) -> Iterator[Fault]:
    steps = [cell for cell in cells if cell["cell_type"] == "code" and "parameters" not in tags(cell)]
    if len(steps) > MOST_CELLS:
        yield Fault(
            f"{len(steps)} code cells besides the parameters, and at most {MOST_CELLS} are allowed",
            now="move steps into a function under release/",
        )


def _ids(cells: list[Cell]) -> Iterator[Fault]:
    ids = [str(cell.get("id", "")) for cell in cells]
    for name, times in Counter(ids).items():
        if times > 1 or not GOOD_ID.fullmatch(name) or RANDOM_ID.fullmatch(name):
            yield Fault(
                f'cell id "{name}" is missing, random or used twice', now='name the cell, e.g. "link-registers"'
            )


def _cell(cell: Cell, where: str) -> Iterator[Fault]:
    if set(cell.get("metadata", {})) - {"tags"} or set(tags(cell)) - {"parameters"}:
        yield Fault("metadata other than the tag parameters", where, "remove it")
    if cell["cell_type"] != "code":
        return
    if cell.get("outputs") or cell.get("execution_count") is not None:
        yield Fault("stored outputs or a number of execution", where, "clear all outputs before committing")
    lines = [line for line in source(cell).splitlines() if line.strip()]
    if not 0 < len(lines) <= MOST_LINES:
        yield Fault(f"{len(lines)} lines, and 1 to {MOST_LINES} are allowed", where, "move work into release/")
    yield from _code(source(cell), where)


def _code(text: str, where: str) -> Iterator[Fault]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        yield Fault("not plain Python (magics and shell commands don't count)", where, "write plain Python")
        return
    nodes = list(ast.walk(tree))
    for what, kinds in NOT_IN_NOTEBOOKS.items():
        if any(isinstance(node, kinds) for node in nodes):
            yield Fault(f"holds {what}", where, "move it into release/ and call it by a good name")
    if any(isinstance(node, ast.Constant) and SQL.search(str(node.value)) for node in nodes):
        yield Fault("holds SQL", where, "move it into release/confidential/")
    if any(isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print" for node in nodes):
        yield Fault("prints", where, "end the cell with the object itself: printed text is never shown")
