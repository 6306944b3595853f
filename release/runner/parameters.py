"""The parameters a notebook may be given: a fixed list of names, plain values, checked before papermill sees them.

papermill writes the *names* it gets into the notebook as code and lets unknown ones pass with a warning.
"""

import ast
import json
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from release.errors import Fault, UsageError, nearest

NOTEBOOK_PARAMETERS = ("policy", "data", "work", "release", "ledger")
"""The only names a notebook's parameters cell may hold, and a run may set."""

LONGEST_TEXT = 300
UNPRINTABLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
"""Unicode categories no parameter may hold: controls, hidden marks, halves of characters, line separators."""

Value = str | int | bool
Notebook = dict[str, Any]
"""A notebook as its JSON, format 4."""


def read_notebook(path: Path) -> Notebook:
    """The notebook's JSON. UsageError when there is no such file or it isn't a notebook of format 4."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        notebook = None
    if not isinstance(notebook, dict) or notebook.get("nbformat") != 4 or not isinstance(notebook.get("cells"), list):
        raise UsageError(
            f'"{path.name}" is missing, or is not a notebook of format 4',
            now="give the path of one of the release's notebooks",
        ) from None
    return notebook


def check_parameters(notebook: Notebook, given: Mapping[str, Value], *, name: str) -> None:
    """UsageError unless every given parameter is known, stands in the parameters cell, and has its default's type.

    name: the notebook's name, for the message. No message quotes a value: it may be a path of the data.
    """
    defaults = declared_parameters(notebook, name=name)
    faults = [_fault(word, value, defaults, name) for word, value in given.items()]
    found = [fault for fault in faults if fault]
    if found:
        raise UsageError(found)


def declared_parameters(notebook: Notebook, *, name: str) -> dict[str, Value]:
    """Names and defaults of the notebook's one parameters cell; UsageError when it isn't plain."""
    cells = [cell for cell in notebook["cells"] if "parameters" in tags(cell)]
    if len(cells) != 1:
        raise UsageError(
            f'notebook "{name}" has {len(cells)} parameters cells, and must have one',
            now='give the tag "parameters" to exactly one code cell',
        )
    defaults = dict(_assignment(line, name) for line in _statements(source(cells[0]), name))
    unknown = [word for word in defaults if word not in NOTEBOOK_PARAMETERS]
    if unknown:
        raise UsageError([_unknown(word, NOTEBOOK_PARAMETERS, name) for word in unknown])
    return defaults


def tags(cell: Mapping[str, Any]) -> list[str]:
    """The cell's tags, [] when it has none."""
    return list(cell.get("metadata", {}).get("tags", []))


def source(cell: Mapping[str, Any]) -> str:
    """The cell's text; the file may hold it as one text or as a list of lines."""
    text = cell.get("source", "")
    return text if isinstance(text, str) else "".join(text)


def _statements(text: str, name: str) -> list[ast.stmt]:
    try:
        return ast.parse(text).body
    except (SyntaxError, ValueError):
        raise _not_plain(name) from None


def _assignment(line: ast.stmt, name: str) -> tuple[str, Value]:
    if isinstance(line, ast.Assign) and len(line.targets) == 1 and isinstance(line.value, ast.Constant):
        target, value = line.targets[0], line.value.value
        if isinstance(target, ast.Name) and type(value) in (str, int, bool):
            return target.id, value  # type: ignore[return-value]
    raise _not_plain(name)


def _not_plain(name: str) -> UsageError:
    return UsageError(
        f'the parameters cell of notebook "{name}" holds something other than plain values',
        now='write only lines like  policy = "graduates-2026.yaml",  with a text, a whole number, True or False',
    )


def _fault(word: str, value: Value, defaults: Mapping[str, Value], name: str) -> Fault | None:
    if word not in defaults:
        return _unknown(word, tuple(defaults), name)
    if type(value) is not type(defaults[word]):
        return Fault(
            f'parameter "{word}" is not of the type of its default',
            where=f'notebook "{name}"',
            now=f"give a value of type {type(defaults[word]).__name__}",
        )
    if isinstance(value, str) and not _plain_text(value):
        return Fault(
            f'parameter "{word}" is longer than {LONGEST_TEXT} characters, or holds line breaks or hidden characters',
            where=f'notebook "{name}"',
            now="give a short text on one line",
        )
    return None


def _plain_text(value: str) -> bool:
    return len(value) <= LONGEST_TEXT and not any(unicodedata.category(mark) in UNPRINTABLE for mark in value)


def _unknown(word: str, known: tuple[str, ...], name: str) -> Fault:
    shown = word if word.isidentifier() and len(word) <= 40 else "…"
    return Fault(f'parameter "{shown}" is not known', where=f'notebook "{name}"', now=nearest(shown, known))
