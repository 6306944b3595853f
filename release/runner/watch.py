"""A run of a notebook as seen from outside: which cell it has reached, how it ended."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from release.errors import UtfallError
from release.runner.parameters import source, tags
from release.runner.private import Place
from release.runner.saved import INJECTED

LONGEST_RUN = 2 * 60 * 60
"""Seconds that a notebook may take, if nothing else is said."""


def say(line: str) -> None:
    """One line of progress on standard error."""
    print(line, file=sys.stderr, flush=True)


@dataclass
class Watch:
    """Follows one run. Holds vetted things only.

    name: the notebook's name without folder and ending. seconds: how long it may take. cell: number of the code cell
    reached, from 1, papermill's injected cell not counted. notebook: the notebook being run, outputs vetted. error:
    the error of ours that a cell ended with, None if there was none or it wasn't ours.
    """

    name: str
    place: Place
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    progress: Callable[[str], None] = say
    seconds: float = LONGEST_RUN
    cell: int = 0
    notebook: Any = field(default=None, repr=False)
    error: UtfallError | None = None
    started: float = field(default_factory=monotonic)

    @property
    def cells(self) -> int:
        """Number of code cells with something in them, papermill's injected cell not counted."""
        return sum(_counts(cell) for cell in self.notebook.cells)

    @property
    def where(self) -> str:
        """The place reached, in words."""
        return f'notebook "{self.name}", ' + (
            f"cell {self.cell} of {self.cells}" if self.cell else "before its first cell"
        )

    def reached(self, cell: Any, **_: Any) -> None:
        """Called before each cell is run."""
        if _counts(cell):
            self.cell += 1
            self.progress(f"{self.name}: cell {self.cell} of {self.cells}")

    def failed(self, error: UtfallError | None) -> None:
        """Called when a cell ends with an error; the first one counts."""
        self.error = self.error or error

    def seconds_left(self) -> int:
        """Whole seconds until the run's time is out, at least one."""
        return max(1, int(self.seconds - (monotonic() - self.started)))

    @property
    def finished(self) -> bool:
        """Whether every code cell has been run."""
        return all(cell.get("execution_count") for cell in self.notebook.cells if _runs(cell))


def _runs(cell: Any) -> bool:
    return bool(cell["cell_type"] == "code" and source(cell).strip())


def _counts(cell: Any) -> bool:
    return _runs(cell) and INJECTED not in tags(cell)
