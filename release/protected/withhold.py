"""Withholding: which figures are fit to be shown, judged on noisy figures only, each with a typed reason.

A threshold on true counts would leak; these rules look at what was measured, so they are post-processing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np
import numpy.typing as npt
import pandas as pd

from release.policy.document import Withhold, texts_of
from release.policy.policy import Combination, Policy
from release.protected import safe
from release.protected.estimates import Estimates
from release.protected.intervals import Figures
from release.protected.reasons import Status
from release.protected.safe import KeyColumn, SafeTable
from release.protected.statistics import ALL, Column, TableFigures, is_percentile, table_figures
from release.residuals import levels_of, shape_of

_STATUSES = tuple(Status)
_NUMBER = {status: number for number, status in enumerate(_STATUSES)}
_CAN_SEE_PARENT = (Status.TOO_FEW, Status.TOO_UNCERTAIN, Status.LOW_RESPONSE)

StatusArray = npt.NDArray[np.int8]
"""Positions in the list of statuses."""


@dataclass(frozen=True, eq=False)
class JudgedTable:
    """A table's figures with a status for each: (code, statistic) -> (cells of the base,)."""

    figures: TableFigures
    statuses: Mapping[Column, StatusArray]


def withhold(estimates: Estimates, policy: Policy) -> tuple[SafeTable, ...]:
    """Every table of the policy, with a reason for each figure that isn't fit, and the parent that is shown instead."""
    judged = {name: judge(table_figures(estimates, policy, name), policy) for name in policy.tables}
    return tuple(_safe_table(judged[name], _notes(judged, name, policy), policy) for name in policy.tables)


def judge(figures: TableFigures, policy: Policy) -> JudgedTable:
    """The status of every figure by the policy's rules."""
    rules = policy.document.withhold
    minimum = max(rules.below, policy.tables[figures.name].minimum or 0.0)
    return JudgedTable(figures, {column: _status(figures, column, rules, minimum) for column in figures.columns})


def _status(figures: TableFigures, column: Column, rules: Withhold, minimum: float) -> StatusArray:
    """Later lines win: a structural reason over a low response rate, over too few, over too uncertain."""
    one = figures.columns[column]
    status = np.zeros(one.value.shape, np.int8)
    status[_too_uncertain(one, column[1], rules)] = _NUMBER[Status.TOO_UNCERTAIN]
    status[~(one.base >= minimum)] = _NUMBER[Status.TOO_FEW]
    if rules.response_rate_below is not None and figures.response is not None and column[1] != "response-rate":
        status[~(figures.response >= rules.response_rate_below)] = _NUMBER[Status.LOW_RESPONSE]
    status[~figures.possible] = _NUMBER[Status.NOT_APPLICABLE]
    status[~figures.in_frame] = _NUMBER[Status.NOT_IN_FRAME]
    return status


def _too_uncertain(figures: Figures, statistic: str, rules: Withhold) -> npt.NDArray[np.bool_]:
    limits = {
        "count": rules.relative_error_above,
        "share": rules.share_error_above,
        "response-rate": rules.share_error_above,
        "mean": rules.mean_error_above,
    }
    limit = limits.get(statistic, rules.percentile_error_above)
    relative = statistic == "count" or is_percentile(statistic)
    finite = np.isfinite(figures.value) & np.isfinite(figures.lower) & np.isfinite(figures.upper)
    if limit is None:
        return ~finite
    allowed = limit * np.abs(figures.value) if relative else np.full(figures.value.shape, limit)
    return ~(finite & (figures.standard_error <= allowed))


def _notes(
    judged: Mapping[str, JudgedTable], name: str, policy: Policy
) -> dict[Column, tuple[StatusArray, npt.NDArray[np.object_]]]:
    """For each column its statuses and notes, with "see parent" where a coarser table shows the figure."""
    own = judged[name]
    out = {column: (status.copy(), np.full(status.shape, "", object)) for column, status in own.statuses.items()}
    for parent in _coarser_tables(judged, name, policy):
        where = _parent_cells(own.figures.base, parent.figures.base, policy)
        texts = _cell_names(parent.figures, policy)
        for column in out.keys() & parent.statuses.keys():
            _point_to(out[column], parent.statuses[column][where] == 0, texts[where])
    return out


def _point_to(
    column: tuple[StatusArray, npt.NDArray[np.object_]], shown: npt.NDArray[np.bool_], texts: npt.NDArray[np.object_]
) -> None:
    status, notes = column
    for reason in _CAN_SEE_PARENT:
        here = shown & (status == _NUMBER[reason])
        notes[here] = [f"{reason}; see {text}" for text in texts[here]]
        status[here] = _NUMBER[Status.SEE_PARENT]


def _coarser_tables(judged: Mapping[str, JudgedTable], name: str, policy: Policy) -> list[JudgedTable]:
    """Tables of the same outcome over coarser levels, the finest first."""
    own, levels = policy.tables[name], dict(judged[name].figures.base)
    found = [
        table
        for other, table in judged.items()
        if other != name
        and policy.tables[other].of == own.of
        and table.figures.base != judged[name].figures.base
        and all(level <= levels.get(dimension, 0) for dimension, level in table.figures.base)
    ]
    return sorted(found, key=lambda table: (-len(table.figures.possible), table.figures.name))


def _parent_cells(base: Combination, parent: Combination, policy: Policy) -> npt.NDArray[np.int64]:
    """For each cell of the base, the flat index of the parent table's cell that holds it."""
    levels, shape = dict(parent), shape_of(parent, policy.attributes)
    axes = [
        policy.attributes[name].ancestors(level, levels[name]) if name in levels else np.zeros(size, np.int64)
        for (name, level), size in zip(base, shape_of(base, policy.attributes), strict=True)
    ]
    grid = dict(zip((name for name, _ in base), np.meshgrid(*axes, indexing="ij"), strict=True)) if axes else {}
    size = prod(shape_of(base, policy.attributes))
    if not parent:
        return np.zeros(size, np.int64)
    return np.ravel_multi_index(tuple(grid[name] for name, _ in parent), shape).reshape(-1).astype(np.int64)


def _cell_names(figures: TableFigures, policy: Policy) -> npt.NDArray[np.object_]:
    """ "activity-by-region: provider:region=06, cohort=2021" for each cell of a table."""
    levels = levels_of(figures.base, policy.attributes)
    parts = [
        [f"{name}={code}" if level.name == name else f"{name}:{level.name}={code}" for code in level.codes]
        for (name, _), level in zip(figures.base, levels, strict=True)
    ]
    return np.array([f"{figures.name}: {', '.join(cell) or 'everybody'}" for cell in product(*parts)], object)


def _safe_table(
    judged: JudgedTable, columns: Mapping[Column, tuple[StatusArray, npt.NDArray[np.object_]]], policy: Policy
) -> SafeTable:
    name, table = judged.figures.name, policy.tables[judged.figures.name]
    keys = tuple(_key_columns(judged.figures, policy))
    order = _column_order(judged.figures, policy)
    unit = policy.document.outcomes[policy.level_of(table.of)[0]].unit if table.of else None
    return SafeTable(
        name=name,
        title=texts_of(table.title) or {"en": name},
        keys=keys,
        statistics=tuple(dict.fromkeys(statistic for _, statistic in order)),
        covers=table.covers,
        unit=unit or "",
        cells=_cells(judged.figures, columns, keys, order),
        seal=safe._SEAL,
    )


def _key_columns(figures: TableFigures, policy: Policy) -> Iterator[KeyColumn]:
    document, table = policy.document, policy.tables[figures.name]
    for (name, _), level in zip(figures.base, levels_of(figures.base, policy.attributes), strict=True):
        yield KeyColumn(name, level.name, level.codes, level.labels, texts_of(document.dimensions[name].title))
    if table.of:
        name, number = policy.level_of(table.of)
        level = policy.attributes[name].levels[number]
        everybody = policy.attributes[name].levels[0].labels
        labels = {language: (everybody.get(language, (ALL,))[0], *texts) for language, texts in level.labels.items()}
        yield KeyColumn(name, level.name, (ALL, *level.codes), labels, texts_of(document.outcomes[name].title))


def _column_order(figures: TableFigures, policy: Policy) -> list[Column]:
    """All codes together first, then code by code; within a code the statistics in the order of the policy."""
    table = policy.tables[figures.name]
    codes = list(dict.fromkeys(code for code, _ in figures.columns))
    codes.sort(key=lambda code: code != ALL)
    return [(code, statistic) for code in codes for statistic in table.show if (code, statistic) in figures.columns]


def _cells(
    figures: TableFigures,
    columns: Mapping[Column, tuple[StatusArray, npt.NDArray[np.object_]]],
    keys: Sequence[KeyColumn],
    order: Sequence[Column],
) -> pd.DataFrame:
    cells, width = len(figures.possible), len(order)
    status = np.stack([columns[column][0] for column in order], axis=1).reshape(-1)
    out: dict[str, object] = dict(_key_values(figures, keys, order))
    statistics = list(dict.fromkeys(statistic for _, statistic in order))
    positions = np.tile([statistics.index(statistic) for _, statistic in order], cells)
    out["statistic"] = pd.Categorical.from_codes(positions, categories=pd.Index(statistics))
    for figure in safe.FIGURES:
        values = np.stack([getattr(figures.columns[column], figure) for column in order], axis=1).reshape(-1)
        out[figure] = np.where(status == 0, values, np.nan)
    out["status"] = pd.Categorical.from_codes(status, categories=pd.Index([str(s) for s in _STATUSES]))
    notes = np.stack([columns[column][1] for column in order], axis=1).reshape(-1)
    out["note"] = pd.Series(notes, dtype="str")
    return pd.DataFrame(out, index=pd.RangeIndex(cells * width))


def _key_values(
    figures: TableFigures, keys: Sequence[KeyColumn], order: Sequence[Column]
) -> Iterator[tuple[str, "pd.Categorical[str]"]]:
    cells, width = len(figures.possible), len(order)
    of_outcome = len(keys) > len(figures.base)
    shape = tuple(len(key.codes) for key in keys[: len(figures.base)])
    for key, nodes in zip(keys, np.unravel_index(np.arange(cells), shape) if shape else (), strict=False):
        yield key.name, pd.Categorical.from_codes(np.repeat(nodes, width), categories=pd.Index(key.codes))
    if of_outcome:
        codes = np.array([keys[-1].codes.index(code) for code, _ in order])
        yield keys[-1].name, pd.Categorical.from_codes(np.tile(codes, cells), categories=pd.Index(keys[-1].codes))
