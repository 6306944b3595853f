"""Exact tables as safe tables: every code of every level, hidden cells without figures, shares only of shown counts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt
import pandas as pd

from release.codes import NO_ANSWER, NOT_APPLICABLE, REPORTED, SPECIAL_CODES, Attribute
from release.policy.document import Table, texts_of
from release.policy.policy import Policy
from release.possible import BoolArray
from release.protected import safe
from release.protected.exact.empty import possible_cells
from release.protected.exact.protected import Protected
from release.protected.exact.sets import TableSet
from release.protected.reasons import Status
from release.protected.safe import KeyColumn, SafeTable
from release.residuals import FloatArray

_STATUSES = tuple(Status)
_SHOWN, _HIDDEN, _ABSENT, _SILENT = (
    _STATUSES.index(s) for s in (Status.SHOWN, Status.SUPPRESSED, Status.NOT_APPLICABLE, Status.NOT_IN_FRAME)
)
StatusArray = npt.NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Grid:
    """A table's counts over all codes of all levels, one axis per key: value, status, how far off at most, and usually.

    bound, error: persons; NaN where the method doesn't say.
    """

    keys: tuple[KeyColumn, ...]
    values: FloatArray
    status: StatusArray
    bound: float
    error: float


def exact_tables(protected: Sequence[Protected], policy: Policy) -> dict[str, SafeTable]:
    """Every exact table of the policy by name."""
    sums = {name: one for one in protected if one.tables.summed for name in one.tables.tables}
    return {
        name: _safe_table(grid_of(one, policy, name), policy, name, sums=sums.get(name))
        for one in protected
        if not one.tables.summed
        for name in one.tables.tables
    }


# Counts ------------------------------------------------------------------------------------------------------------


def grid_of(protected: Protected, policy: Policy, name: str) -> Grid:
    """One table's counts, zeros included: cells that aren't listed hold nobody."""
    levels = protected.tables.tables[name]
    keys, values, status, unlisted = _spread(protected, policy, levels)
    _mark_impossible(status, unlisted, policy, policy.exact[name], levels)
    return Grid(keys, values, status, *_off(protected))


def _spread(
    protected: Protected, policy: Policy, levels: Mapping[str, int]
) -> tuple[tuple[KeyColumn, ...], FloatArray, StatusArray, BoolArray]:
    """A table's keys, its figures over all their codes, which are hidden, and which cells aren't listed at all."""
    keys = tuple(_key(protected.tables, attribute, level, policy) for attribute, level in levels.items())
    shape = tuple(len(key.codes) for key in keys)
    places, mine = _places(protected, levels, keys)
    values, status = np.zeros(shape), np.zeros(shape, np.int8)
    values.reshape(-1)[places] = protected.values[mine]
    status.reshape(-1)[places] = np.where(protected.hidden[mine], _HIDDEN, _SHOWN)
    unlisted = np.ones(shape, bool)
    unlisted.reshape(-1)[places] = False
    return keys, values, status, unlisted


def _places(
    protected: Protected, levels: Mapping[str, int], keys: Sequence[KeyColumn]
) -> tuple[npt.NDArray[np.int64], BoolArray]:
    """Where the set's cells stand in the table's grid, and which of the set's cells are the table's."""
    tables = protected.tables
    mine = np.ones(len(protected.values), bool)
    columns = []
    for d, (attribute, trees) in enumerate(tables.hierarchies.items()):
        index = protected.cells[:, d]
        key = next((key for key in keys if key.name == attribute), None)
        where = {code: i for i, code in enumerate(key.codes)} if key else {trees[0].root: 0}
        lookup = np.array([where.get(code, -1) for code in trees[0].codes], np.int64)
        mine &= lookup[index] >= 0
        if key is not None:
            columns.append((list(levels).index(attribute), lookup[index]))
    axes = [column for _, column in sorted(columns, key=lambda pair: pair[0])]
    shape = tuple(len(key.codes) for key in keys)
    return np.ravel_multi_index(tuple(axis[mine] for axis in axes), shape).astype(np.int64), mine


def _key(tables: TableSet, attribute: str, level: int, policy: Policy) -> KeyColumn:
    """A key column with the codes of every level down to the table's, level by level, the root first."""
    levels = tables.attributes[attribute].levels[: level + 1]
    codes = tables.codes[attribute][: level + 1]
    document = policy.document
    words = document.dimensions.get(attribute) or document.outcomes[attribute]
    return KeyColumn(
        attribute,
        "/".join(one.name for one in levels),
        tuple(code for part in codes for code in part),
        {language: _texts(tables.attributes[attribute], level, language) for language in ("en", "fi", "sv")},
        texts_of(words.title),
        tuple(_parents(tables.attributes[attribute], codes)),
    )


def _texts(attribute: Attribute, level: int, language: str) -> tuple[str, ...]:
    """Texts of the nodes of every level, "" where there is none in the language."""
    return tuple(
        text
        for one in attribute.levels[: level + 1]
        for text in (one.labels.get(language) or one.labels.get("en") or ("",) * len(one))
    )


def _parents(attribute: Attribute, codes: Sequence[Sequence[str]]) -> Iterator[str | None]:
    yield None
    for above, below, level in zip(codes[:-1], codes[1:], attribute.levels[1:], strict=False):
        yield from (above[parent] for parent, _ in zip(level.parent.tolist(), below, strict=True))


def _mark_impossible(
    status: StatusArray, unlisted: BoolArray, policy: Policy, table: Table, levels: Mapping[str, int]
) -> None:
    """Cells of nobody that can't occur, by public lists and the calendar, aren't zeros: they don't apply."""
    possible = possible_cells(policy, table)
    order = [name for name, _ in policy.measured(table)]
    possible = np.transpose(possible, [order.index(name) for name in levels])
    for axis, (name, level) in enumerate(levels.items()):
        attribute = policy.attributes[name]
        parts = [possible]
        for number in range(level, 0, -1):
            up = np.zeros((len(attribute.levels[number - 1]), *np.moveaxis(parts[0], axis, 0).shape[1:]), bool)
            np.logical_or.at(up, attribute.levels[number].parent, np.moveaxis(parts[0], axis, 0))
            parts.insert(0, np.moveaxis(up, 0, axis))
        possible = np.concatenate(parts, axis=axis)
    status[unlisted & ~possible] = _ABSENT


def _off(protected: Protected) -> tuple[float, float]:
    """How far a figure is off at most, and its standard error; zero where exact, NaN where the method doesn't say."""
    said = protected.tables.protection
    if said.cell_key is not None:
        return float(said.cell_key.largest), sqrt(said.cell_key.variance)
    if said.rounding is not None:
        base = said.rounding.base
        nearest = said.rounding.method == "random" or "two nearest" in protected.how
        return (float(base - 1), sqrt((base**2 - 1) / 6)) if nearest else (np.nan, np.nan)
    return 0.0, 0.0


# Statistics --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Figures:
    """One statistic over the grid; rows: where it exists at all."""

    value: FloatArray
    lower: FloatArray
    upper: FloatArray
    error: FloatArray
    status: StatusArray
    rows: BoolArray


def _safe_table(grid: Grid, policy: Policy, name: str, *, sums: Protected | None) -> SafeTable:
    table = policy.exact[name]
    added = None if sums is None else _Sums(grid, sums, policy, name)
    figures = {
        statistic: added.figures(statistic)
        if added and statistic in _OF_SUMS
        else _figures(grid, policy, table, statistic)
        for statistic in table.show
    }
    said = table.exact
    unit = policy.document.outcomes[policy.level_of(table.of)[0]].unit if table.of else None
    return SafeTable(
        name=name,
        title=texts_of(table.title) or {"en": name},
        keys=grid.keys,
        statistics=tuple(table.show),
        covers=said.kinds[0] if said else "",
        unit=unit or "",
        cells=_cells(grid, figures),
        seal=safe._SEAL,
        protection=said.kinds[0] if said else "dp",
    )


_OF_SUMS = ("sum", "mean")


class _Sums:
    """Sums of an amount, and means: sum / persons whose amount is known, shown only where both are shown.

    Both stand in the row of all codes of the outcome, the last axis of the grid.
    """

    def __init__(self, grid: Grid, sums: Protected, policy: Policy, name: str) -> None:
        self.grid = grid
        self.exact = sums.proof is not None
        _, values, self.status, _ = _spread(sums, policy, sums.tables.tables[name])
        self.sums = values / 10 ** policy.amount(sums.tables.summed).decimals
        place = grid.keys[-1].codes.index(REPORTED)
        self.persons, self.of_persons = grid.values[..., place], grid.status[..., place]
        self.status = np.where(self.of_persons == _ABSENT, _ABSENT, self.status).astype(np.int8)

    def figures(self, statistic: str) -> _Figures:
        """The sum, or the mean."""
        if statistic == "sum":
            return self._at_all(self.sums, self.status, np.ones(self.sums.shape, bool))
        hidden = (self.status == _HIDDEN) | (self.of_persons == _HIDDEN)
        with np.errstate(divide="ignore", invalid="ignore"):
            means = np.where(self.persons > 0, self.sums / self.persons, np.nan)
        status = np.where(hidden, _HIDDEN, self.status).astype(np.int8)
        return self._at_all(means, status, hidden | (self.persons > 0) | (self.status == _ABSENT))

    def _at_all(self, values: FloatArray, status: StatusArray, there: BoolArray) -> _Figures:
        shape = self.grid.values.shape
        wide, told, rows = np.zeros(shape), np.zeros(shape, np.int8), np.zeros(shape, bool)
        wide[..., 0], told[..., 0], rows[..., 0] = values, status, there
        if self.exact:
            return _Figures(wide, wide, wide, np.zeros(shape), told, rows)
        unknown = np.full(shape, np.nan)
        return _Figures(wide, unknown, unknown, unknown, told, rows)


def _figures(grid: Grid, policy: Policy, table: Table, statistic: str) -> _Figures:
    if statistic == "count":
        return _counts(grid)
    name, level = policy.level_of(str(table.of))
    ratio = _Ratio(grid, policy.attributes[name], level)
    return {"share": ratio.shares, "mean": ratio.means, "response-rate": ratio.response}[statistic]()


def _counts(grid: Grid) -> _Figures:
    lower = np.maximum(grid.values - grid.bound, 0.0)
    error = np.full(grid.values.shape, grid.error)
    upper = grid.values + grid.bound
    zero = (grid.values == 0) & (grid.bound == 0)
    rows = np.ones(grid.values.shape, bool)
    return _Figures(grid.values, np.where(zero, 0.0, lower), upper, error, grid.status, rows)


class _Ratio:
    """Ratios of counts along the outcome's axis, the last one: shown only where all counts they tell of are shown."""

    def __init__(self, grid: Grid, attribute: Attribute, level: int) -> None:
        self.grid, self.attribute = grid, attribute
        first = len(grid.keys[-1].codes) - len(attribute.levels[level])
        coded = attribute.edges is None and attribute.scores is None
        silent = {NOT_APPLICABLE, NO_ANSWER} if coded else set(SPECIAL_CODES)
        leaves = attribute.levels[level].codes
        self.leaves = first + np.arange(len(leaves))
        self.silent = np.array([code in silent for code in leaves])
        self.absent = np.array([code == NOT_APPLICABLE for code in leaves])
        self.answers = np.concatenate([_any_below(~self.silent, attribute, level, up) for up in range(level + 1)])

    def _sum(self, of: BoolArray) -> tuple[FloatArray, BoolArray]:
        """Sum over some leaves of the outcome, and whether all of those leaves are shown."""
        places = self.leaves[of]
        hidden = self.grid.status[..., places] == _HIDDEN
        return self.grid.values[..., places].sum(axis=-1), ~hidden.any(axis=-1)

    def _base(self, without: BoolArray) -> tuple[FloatArray, BoolArray]:
        """All persons but those of some leaves; known where the total and these leaves are shown."""
        silent, known = self._sum(without)
        return self.grid.values[..., 0] - silent, known & (self.grid.status[..., 0] != _HIDDEN)

    def shares(self) -> _Figures:
        base, known = self._base(self.silent)
        hidden = ~known[..., None] | (self.grid.status == _HIDDEN)
        rows = np.broadcast_to((np.arange(len(self.answers)) > 0) & self.answers, self.grid.values.shape)
        return self._ratio(self.grid.values, base[..., None], hidden, rows)

    def means(self) -> _Figures:
        scores = np.nan_to_num(np.array(self.attribute.scores or ()))
        base, known = self._sum(~self.silent)
        total = (self.grid.values[..., self.leaves] * np.where(self.silent, 0.0, scores)).sum(axis=-1)
        return self._at_all(total, base, known)

    def response(self) -> _Figures:
        answered, one = self._base(self.silent)
        asked, other = self._base(self.absent)
        return self._at_all(answered, asked, one & other)

    def _at_all(self, part: FloatArray, base: FloatArray, known: BoolArray) -> _Figures:
        """A figure about all codes together: a row at the outcome's root."""
        shape = self.grid.values.shape
        wide = np.zeros(shape)
        wide[..., 0] = part
        rows = np.broadcast_to(np.arange(shape[-1]) == 0, shape)
        return self._ratio(wide, base[..., None], np.broadcast_to(~known[..., None], shape), rows)

    def _ratio(self, part: FloatArray, base: FloatArray, hidden: BoolArray, rows: BoolArray) -> _Figures:
        """part / base where neither is hidden; no row where nobody is counted. Error: of both, to first order."""
        known_empty = (base <= 0) & ~hidden
        with np.errstate(divide="ignore", invalid="ignore"):
            value = np.where(base > 0, part / base, np.nan)
            error = self.grid.error * np.sqrt(1 + value**2) / base
            spread = self.grid.bound * (1 + np.abs(value)) / np.maximum(base - self.grid.bound, 1e-9)
        absent = self.grid.status == _ABSENT
        status = np.where(hidden, _HIDDEN, np.where(absent, _ABSENT, _SHOWN)).astype(np.int8)
        exact = self.grid.bound == 0
        lower = value if exact else np.maximum(value - spread, 0.0)
        upper = value if exact else value + spread
        return _Figures(value, lower, upper, np.abs(error), status, rows & ~known_empty)


def _any_below(leaves: BoolArray, attribute: Attribute, level: int, up: int) -> BoolArray:
    """Nodes of a level above with one of the leaves below them."""
    found = np.zeros(len(attribute.levels[up]), bool)
    np.logical_or.at(found, attribute.ancestors(level, up), leaves)
    return found


# Rows --------------------------------------------------------------------------------------------------------------


def _cells(grid: Grid, figures: Mapping[str, _Figures]) -> pd.DataFrame:
    """One row per key and statistic, in key order."""
    kept = np.stack([one.rows.reshape(-1) for one in figures.values()], axis=1).reshape(-1)
    shape = grid.values.shape
    nodes = np.unravel_index(np.arange(grid.values.size), shape)
    width = len(figures)
    out: dict[str, object] = {
        key.name: pd.Categorical.from_codes(np.repeat(index, width)[kept], categories=pd.Index(key.codes))
        for key, index in zip(grid.keys, nodes, strict=True)
    }
    positions = np.tile(np.arange(width), grid.values.size)[kept]
    out["statistic"] = pd.Categorical.from_codes(positions, categories=pd.Index(list(figures)))
    status = np.stack([one.status.reshape(-1) for one in figures.values()], axis=1).reshape(-1)[kept]
    for column, name in zip(safe.FIGURES, ("value", "lower", "upper", "error"), strict=True):
        values = np.stack([getattr(one, name).reshape(-1) for one in figures.values()], axis=1).reshape(-1)[kept]
        out[column] = np.where(status == _SHOWN, values, np.nan)
    out["status"] = pd.Categorical.from_codes(status, categories=pd.Index([str(s) for s in _STATUSES]))
    out["note"] = pd.Series(np.full(len(status), "", object), dtype="str")
    return pd.DataFrame(out, index=pd.RangeIndex(len(status)))
