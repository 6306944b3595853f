"""From published files to what an outsider has: all cells, all confirmed sums, all bounds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from release.attack.confirm import confirmed_sums, judged
from release.attack.cube import Cube, joined, with_unprinted
from release.attack.published import NO_BOUND, UNTOLD, Published
from release.attack.sums import Entries, Sums, entries_of, rows_of, tally, unbroken
from release.attack.trees import Sum, guessed_sums, parents_of
from release.codes import IntArray
from release.errors import DataError, Fault, roughly
from release.protected.suppression.boxes import branch_of_codes
from release.protected.suppression.view import View

LISTED = 10


@dataclass(frozen=True, eq=False)
class Evidence:
    """All that the files tell: the cube, the sums found per dimension, and the same as numbers only.

    view: cells of the cube first, then the unknown parts of partial sums. left_out: sums between shown figures that
    don't hold and aren't used. guessed: dimensions whose sums were inferred.
    """

    cube: Cube
    sums: Sums
    view: View
    left_out: int
    guessed: tuple[str, ...]


def gathered(tables: Sequence[Published], told: Sums, *, least: int | None = None) -> Evidence:
    """What an outsider has of these tables together.

    told: sums per dimension given by the user or known by construction; they must hold. least: the least that a hidden
    cell holds, in whole units; else 1 where zeros are shown, 0 where not. DataError where told sums don't hold.
    """
    cube = _whole_cube(tables, told)
    guessed = tuple(dim.name for dim in cube.dimensions if dim.name not in told)
    inferred = {dim.name: confirmed_sums(cube, d) for d, dim in enumerate(cube.dimensions) if dim.name in guessed}
    sums = {**inferred, **told}
    cube = _with_floor(with_unprinted(cube, sums))
    _refuse_broken(cube, told)
    verdicts = {
        (d, one): judged(cube, d, one) for d, dim in enumerate(cube.dimensions) for one in sums.get(dim.name, ())
    }
    zeros_left_out = any(v.held for v in verdicts.values()) and not any(v.partial for v in verdicts.values())
    cube = _with_least(cube, least, zeros_left_out)
    entries, left_out = _sound_entries(cube, {key: verdict.partial for key, verdict in verdicts.items()})
    return Evidence(cube, sums, _view(cube, entries, _branches(cube, sums)), left_out, guessed)


def _branches(cube: Cube, sums: Sums) -> list[IntArray]:
    """Where the cells stand in the trees that the sums make, as `View.branches`."""
    found = []
    for d, dimension in enumerate(cube.dimensions):
        parents, depth = parents_of(sums.get(dimension.name, ()), dimension.codes)
        for level in range(1, int(depth.max(initial=0))):
            found.append(branch_of_codes(parents, depth, level)[1 + cube.digit(d)])
    return [branch for branch in found if branch.any()]


def _whole_cube(tables: Sequence[Published], told: Sums) -> Cube:
    """The cube with all codes that told or guessed sums run through, those that no file prints too."""
    first = joined(tables)
    guesses = {dim.name: guessed_sums(dim) for dim in first.dimensions if dim.name not in told}
    return _with_floor(joined(tables, more=_made({**guesses, **told})))


def _sound_entries(cube: Cube, partial: Mapping[tuple[int, Sum], bool]) -> tuple[Entries, int]:
    """All rows of all sums but those that don't hold; and how many these are."""
    kept, left_out = [], 0
    for (d, one), part in partial.items():
        rows = rows_of(cube, d, one)
        found = tally(cube, rows, unknown=bool(one.made))
        wrong = found.broken[~found.short] if part else found.broken
        left_out += len(wrong)
        kept.append((unbroken(rows, wrong), part))
    return entries_of(kept), left_out


def _made(sums: Sums) -> Mapping[str, list[str]]:
    """Codes that no file prints."""
    return {name: [code for one in found for code in one.made] for name, found in sums.items()}


def _with_floor(cube: Cube) -> Cube:
    """Nothing told of how little a cell can hold means: not below zero, unless some figure shown is."""
    if (cube.lower[cube.known] < 0).any():
        return cube
    return replace(cube, lower=np.where(cube.lower == UNTOLD, 0, cube.lower).astype(np.int64))


def _with_least(cube: Cube, least: int | None, absent_are_zero: bool) -> Cube:
    """With the least that hidden cells hold where their mark doesn't tell: told, or 1 where zeros are shown."""
    lower = cube.lower.copy()
    for table, at in zip(cube.tables, cube.sources, strict=True):
        floor = least if least is not None else int(table.prints_zeros or (absent_are_zero and _leaves_out(table)))
        mine = at[table.hidden & (table.lower == UNTOLD)]
        unit = 10**cube.decimals if least is not None else 1
        if floor and (cube.lower[mine] >= 0).all():
            lower[mine] = np.maximum(lower[mine], floor * unit)
    return replace(cube, lower=lower)


def _leaves_out(table: Published) -> bool:
    """Whether the table prints fewer cells than its codes have combinations, so that zeros are those left out."""
    sizes = [len(np.unique(table.cells[:, d])) for d in range(table.cells.shape[1])]
    return len(table) < int(np.prod(np.array(sizes, np.float64)))


def _refuse_broken(cube: Cube, told: Sums) -> None:
    """Told sums must hold between shown figures; every place where they don't is listed, up to ten by name."""
    faults = []
    for d, dimension in enumerate(cube.dimensions):
        for one in told.get(dimension.name, ()):
            rows = rows_of(cube, d, one)
            found = tally(cube, rows, unknown=bool(one.made))
            wrong = found.broken[~found.short]
            if len(wrong):
                faults.append(_does_not_hold(cube, dimension.name, one, rows.parents[wrong]))
    if faults:
        raise DataError(faults)


def _does_not_hold(cube: Cube, dimension: str, one: Sum, parents: IntArray) -> Fault:
    places = ["; ".join(f"{k}: {v}" for k, v in cube.codes_of(int(cell)).items()) for cell in parents[:LISTED]]
    more = [f"… and {roughly(len(parents) - LISTED)} more"] if len(parents) > LISTED else []
    return Fault(
        f'"{one.parent}" isn\'t the sum of its {len(one.children)} parts in {roughly(len(parents))} places',
        where=f'dimension "{dimension}"\n            ' + "\n            ".join([*places, *more]),
        now="correct the hierarchy, or tell how figures are rounded with --rounding",
    )


def _view(cube: Cube, entries: Entries, branches: Sequence[IntArray]) -> View:
    """The numbers alone: cells of the cube, then one unknown part per row of a partial sum that lacks children."""
    from scipy.sparse import csr_array

    count, slack = len(cube), len(entries.slack)
    row = np.concatenate([entries.row, entries.slack])
    column = np.concatenate([entries.column, np.arange(count, count + slack)])
    sign = np.concatenate([entries.sign, np.ones(slack, np.int8)])
    relations = csr_array((sign, (row, column)), shape=(entries.count, count + slack))
    known = np.concatenate([cube.known, np.zeros(slack, bool)])
    lower = np.concatenate([np.maximum(cube.lower, -NO_BOUND), np.zeros(slack, np.int64)])
    upper = np.concatenate([cube.upper, np.full(slack, NO_BOUND, np.int64)])
    values = np.where(known, lower, 0).astype(np.int64)
    return View(relations, known, values, lower, upper, [np.append(b, np.zeros(slack, np.int64)) for b in branches])
