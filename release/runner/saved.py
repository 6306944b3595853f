"""Executed notebooks as they are kept: the same outputs give the same bytes, wherever and whenever they ran.

No times, paths, versions or parameter values; only the cells, their fixed ids, and what was shown.
"""

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from release.runner.parameters import Notebook, source, tags
from release.runner.vet import NOT_SHOWN

INJECTED = "injected-parameters"
BANNER = "papermill-error-cell-tag"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
Cell = dict[str, Any]


def normalise(notebook: Mapping[str, Any], *, parameters: Sequence[str] = (), stopped: str = "") -> Notebook:
    """The executed notebook in its one canonical form.

    parameters: names set by the run; their values may be paths and are left out. stopped: text of a first cell that
    says where a failed run stopped, "" for a finished one.
    """
    kept = [cell for cell in notebook["cells"] if BANNER not in tags(cell)]
    cells = [_injected(parameters) if INJECTED in tags(cell) else _cell(cell, at) for at, cell in enumerate(kept)]
    code = (cell for cell in cells if cell["cell_type"] == "code" and cell["execution_count"] is not None)
    for number, cell in enumerate(code, start=1):
        cell["execution_count"] = number
    first = [_markdown("stopped", stopped)] if stopped else []
    return {"cells": first + cells, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5}


def save_notebook(notebook: Notebook, path: Path) -> None:
    """Write it whole or not at all, with mode 0600: a temporary file in the same folder, synced, then renamed."""
    text = json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    handle, name = tempfile.mkstemp(prefix=".notebook-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def failed_path(output: Path) -> Path:
    """Where a failed run leaves its vetted notebook: beside the output, as `<name>.failed.ipynb`."""
    return output.with_name(output.stem + ".failed.ipynb")


def _cell(cell: Mapping[str, Any], at: int) -> Cell:
    kept = {"cell_type": cell["cell_type"], "id": cell.get("id") or f"cell-{at}", "source": _lines(source(cell))}
    kept["metadata"] = {"tags": sorted(tags(cell))} if tags(cell) else {}
    if cell["cell_type"] == "code":
        kept["execution_count"] = cell.get("execution_count")
        kept["outputs"] = _outputs(cell.get("outputs", []))
    return kept


def _injected(parameters: Sequence[str]) -> Cell:
    """papermill's cell with the values given, which may be paths: only the names stay."""
    text = f"# set by the run: {', '.join(sorted(parameters))} (the values are not kept)"
    cell = {"cell_type": "code", "id": "set-by-the-run", "metadata": {"tags": [INJECTED]}, "source": [text]}
    return {**cell, "execution_count": None, "outputs": []}


def _outputs(outputs: Sequence[Mapping[str, Any]]) -> list[Cell]:
    """What was shown, in order; one line for all that wasn't, whose number and order may vary; the error."""
    shown = [_shown(output) for output in outputs if output["output_type"] == "display_data"]
    errors = [_error(output) for output in outputs if output["output_type"] == "error"]
    hidden = any(output["output_type"] == "stream" for output in outputs)
    note = [{"output_type": "stream", "name": "stdout", "text": [NOT_SHOWN + "\n"]}] if hidden else []
    return shown + note + errors


def _shown(output: Mapping[str, Any]) -> Cell:
    data = {name: _lines(part) if isinstance(part, str) else dict(part) for name, part in output["data"].items()}
    return {"output_type": "display_data", "data": data, "metadata": {}}


def _error(output: Mapping[str, Any]) -> Cell:
    return {"output_type": "error", "ename": output["ename"], "evalue": output["evalue"], "traceback": []}


def _markdown(name: str, text: str) -> Cell:
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": _lines(text)}


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)
