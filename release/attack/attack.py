"""`utfall attack`: from published files to what an outsider can derive from them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from release.attack.cube import Cube
from release.attack.files import read_published
from release.attack.marks import told_meaning
from release.attack.published import NO_BOUND, Published
from release.attack.report import AttackReport, Derived, Increases, SumsFound, TableFindings, plain
from release.attack.rounded import EXACT, Rounding, as_bounds, seen_rounding, told_rounding
from release.attack.shape import Reading, tables_of
from release.attack.system import Evidence, gathered
from release.attack.trees import Sum, sums_of_edges, told_edges
from release.attack.years import DATE, cumulative
from release.errors import DataError, UsageError, nearest
from release.protected.suppression.view import View

if TYPE_CHECKING:
    from release.protected.suppression.attack import Findings

Say = Callable[[str], None]
FEW_HIDDEN = 300
"""So many hidden cells get the narrowest bounds there are; of more it is only told whether they are safe."""
MANY_ROUNDED = 2_000
"""Of more rounded figures it is only told which ones the sums pin down at once: programs over all take too long."""
NOISY = "its figures carry noise by design: what is computed from them is as noisy; not attacked"


@dataclass(frozen=True)
class Options:
    """What the user tells beside the files; texts as on the command line."""

    hierarchies: Sequence[str] = ()
    marks: Sequence[str] = ()
    values: Sequence[str] = ()
    rounding: str | None = None
    least: int | None = None
    width: int = 1
    cumulative: bool = False


def attack_files(paths: Sequence[Path], options: Options, *, say: Say = lambda _: None) -> AttackReport:
    """Read the files, join them, find the sums, and derive what can be derived of every hidden cell."""
    files = [_read(path, options) for path in paths]
    noisy = [table for tables in files for table in tables if table.noisy]
    files = [[table for table in tables if not table.noisy] for tables in files]
    if not any(files):
        return AttackReport(tuple(_not_attacked(table) for table in noisy), ())
    tables, told = _dated(files, options)
    evidence = gathered(tables, {**told, **_told_sums(tables, options.hierarchies)}, least=options.least)
    say(f"{len(evidence.cube):,} cells, {evidence.view.relations.shape[0]:,} sums")
    derived = _derived(evidence, options.width)
    found = [_findings(evidence.cube, i, derived, options.width) for i in range(len(evidence.cube.tables))]
    rest = tuple(_not_attacked(table) for table in noisy)
    return AttackReport((*found, *rest), _sums_found(evidence), _increases(evidence.cube, derived), evidence.left_out)


def _read(path: Path, options: Options) -> list[Published]:
    """The additive tables of one file, with what rounding makes of their figures."""
    reading = Reading(dict(told_meaning(mark) for mark in options.marks), tuple(options.values))
    tables = [table for sheet in read_published(path) for table in tables_of(sheet, reading)]
    if not tables:
        raise DataError("the file holds no figures that add up", where=f'file "{path.name}"', now="attack its counts")
    return [as_bounds(table, _rounding(table, options.rounding)) for table in tables]


def _rounding(table: Published, told: str | None) -> Rounding:
    if told is not None:
        return told_rounding(told)
    return EXACT if table.noisy else seen_rounding(table)


def _dated(
    files: Sequence[Sequence[Published]], options: Options
) -> tuple[list[Published], Mapping[str, tuple[Sum, ...]]]:
    if not options.cumulative:
        return [table for tables in files for table in tables], {}
    tables, sums = cumulative(files)
    return tables, {DATE: sums}


def _told_sums(tables: Sequence[Published], hierarchies: Sequence[str]) -> Mapping[str, tuple[Sum, ...]]:
    """`--hierarchy DIM=FILE`, several for one dimension where its trees overlap."""
    codes: dict[str, dict[str, None]] = {}
    for table in tables:
        for dimension in table.dimensions:
            codes.setdefault(dimension.name, {}).update(dict.fromkeys(dimension.codes))
    told: dict[str, tuple[Sum, ...]] = {}
    for option in hierarchies:
        name, found, file = option.partition("=")
        if not found:
            raise UsageError("a hierarchy is told as DIMENSION=FILE", where=f"--hierarchy {option}")
        if name not in codes:
            raise UsageError(
                f'no file has a dimension "{name}"', where=f"--hierarchy {name}=…", now=nearest(name, codes)
            )
        sums = sums_of_edges(told_edges(Path(file)), tuple(codes[name]))
        if not sums:
            raise UsageError(
                f'the hierarchy has no code that the dimension "{name}" has', where=f"--hierarchy {name}=…"
            )
        told[name] = tuple(dict.fromkeys((*told.get(name, ()), *sums)))
    return told


def _derived(evidence: Evidence, width: int) -> "Findings":
    """What can be derived of every cell, known ones as they are; narrower than `width` (in whole units) counts."""
    from release.protected.suppression.attack import attack

    view = evidence.view
    rounded = sum(int((~table.hidden & (table.lower < table.upper)).sum()) for table in evidence.cube.tables)
    if rounded > MANY_ROUNDED:
        return _carried(view)
    asked = np.full(len(view.values), width * 10**evidence.cube.decimals if width > 1 else 1, np.int64)
    return attack(view, width=asked, exact=len(view.hidden) <= FEW_HIDDEN)


def _carried(view: View) -> "Findings":
    """Bounds carried along the sums only, for large rounded tables; what isn't known exactly is undecided."""
    from release.protected.suppression.attack import Findings, propagated
    from release.protected.suppression.certificate import sums_of

    sums = propagated(sums_of(view))
    lower, upper = view.lower.copy(), view.upper.copy()
    lower[view.hidden], upper[view.hidden] = sums.low, sums.high
    decided = lower == upper
    return Findings(lower, upper, lower, np.where(decided, upper, lower), decided, ~view.published)


def _findings(cube: Cube, number: int, found: "Findings", width: int) -> TableFindings:
    """Counts and lists the hidden and the rounded cells of one table by what is known of them."""
    table, at = cube.tables[number], cube.sources[number]
    exact = found.lower[at] == found.upper[at]
    rounded = ~table.hidden & (table.lower < table.upper)
    undecided = table.hidden & ~exact & ~found.decided[at]
    enough = width * 10**cube.decimals if width > 1 else 1
    narrow = table.hidden & ~exact & ~undecided & (found.width[at] < enough)
    told = (table.hidden & exact) | narrow | (rounded & exact)
    return TableFindings(
        name=table.title,
        cells=len(table),
        hidden=int(table.hidden.sum()),
        exactly_known=int((table.hidden & exact).sum()),
        narrow=int(narrow.sum()),
        safe=int((table.hidden & ~exact & ~narrow & ~undecided).sum()),
        undecided=int(undecided.sum()),
        rounded=int(rounded.sum()),
        restored=int((rounded & exact).sum()),
        derived=tuple(_cell(cube, found, int(cell)) for cell in at[told]),
    )


def _cell(cube: Cube, found: "Findings", cell: int) -> Derived:
    low, high = int(found.lower[cell]), int(found.upper[cell])
    bounds = ["∞" if abs(end) >= NO_BOUND else plain(end, cube.decimals) for end in (low, high)]
    return Derived(cube.codes_of(cell), "-∞" if low <= -NO_BOUND else bounds[0], bounds[1])


def _not_attacked(table: Published) -> TableFindings:
    return TableFindings(table.title, len(table), int(table.hidden.sum()), 0, 0, 0, 0, 0, 0, (), NOISY)


def _sums_found(evidence: Evidence) -> tuple[SumsFound, ...]:
    names = [dimension.name for dimension in evidence.cube.dimensions]
    return tuple(SumsFound(name, len(evidence.sums.get(name, ())), name in evidence.guessed) for name in names)


def _increases(cube: Cube, found: "Findings") -> tuple[Increases, ...]:
    """Between successive files: increases known exactly, above zero and below the smallest figure shown."""
    d = next((d for d, dimension in enumerate(cube.dimensions) if dimension.name == DATE), None)
    if d is None:
        return ()
    shown = cube.lower[cube.printed & cube.known & ~cube.hidden]
    below = int(shown[shown > 0].min(initial=NO_BOUND))
    lower, upper = found.lower[: len(cube)], found.upper[: len(cube)]
    small = (lower == upper) & ~cube.printed & (lower > 0) & (lower < below)
    digit, codes = cube.digit(d), cube.dimensions[d].codes
    names = [(i, code) for i, code in enumerate(codes) if not (cube.printed & (digit == i)).any()]
    return tuple(
        Increases(code, below, tuple(_cell(cube, found, int(cell)) for cell in np.flatnonzero(small & (digit == i))))
        for i, code in names
    )
