"""From columns of text to published tables: which columns are dimensions, which hold figures, what the marks mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np

from release.attack.marks import ABSENT, HIDDEN, WORDS, ZERO, Meaning, has_decimal_comma, meaning
from release.attack.published import NO_BOUND, UNTOLD, BoolArray, Dimension, Published
from release.attack.shares import with_shares
from release.attack.sheet import Sheet, unreadable
from release.codes import IntArray
from release.errors import UsageError, nearest

COUNTS = (
    *("value", "n", "count", "counts", "number", "persons", "freq", "frequency", "obs_value", "obsvalue"),
    *("antal", "personer", "lukumäärä", "määrä", "henkilöt", "anzahl", "effectif"),
)
"""Names of columns that hold the figures of a long table."""
STATUS = ("status", "conf_status", "obs_status", "flag", "flags", "conf_flag", "obs_flag")
BESIDE = (*STATUS, "note", "notes", "lower", "upper", "standard_error")
"""Names of columns that tell of the figure beside them, not of the cell's place."""
SHARES = ("share", "percent", "per-cent", "pct", "%", "osuus", "prosentti", "andel", "procent", "anteil")
"""Names of columns and statistics that are a part of a total, as a fraction or in per cent."""
NOT_ADDITIVE = (
    *SHARES,
    *("mean", "average", "median", "minimum", "maximum", "response-rate"),
    *("sd", "standard-deviation", "quantile"),
)
ABSENT_STATUS = ("not-applicable", "not-in-frame")
MOST_DECIMALS = 9


@dataclass(frozen=True)
class Reading:
    """How to read what the files don't tell themselves."""

    marks: Mapping[str, Meaning] = field(default_factory=dict)
    values: tuple[str, ...] = ()


def tables_of(sheet: Sheet, reading: Reading) -> list[Published]:
    """All tables of additive figures that a sheet holds, one per statistic. DataError where there is none."""
    names = {name.casefold(): name for name in sheet.header}
    if "statistic" in names and "value" in names:
        return _by_statistic(sheet, names, reading)
    figures = _figure_columns(sheet, names, reading)
    shares = [names[word] for word in SHARES if word in names and names[word] not in figures]
    keys = tuple(key for key in _key_columns(sheet, names, figures) if key.casefold() not in NOT_ADDITIVE)
    if len(figures) > 1:
        return [_wide(sheet, keys, figures, reading)]
    table = _table(sheet, keys, figures[0], _statistic(figures[0]), reading)
    return [with_shares(table, _table(sheet, keys, shares[0], "share", reading)) if shares else table]


def _by_statistic(sheet: Sheet, names: Mapping[str, str], reading: Reading) -> list[Published]:
    """Long tables with a column that names the statistic: one table for each that adds up."""
    statistic = sheet.column(names["statistic"])
    keys = _key_columns(sheet, names, (names["value"],))
    kept = tuple(key for key in keys if key != names["statistic"])
    parts = {word: _rows_with(sheet, statistic, word) for word in dict.fromkeys(statistic)}
    tables = {word: _table(part, kept, names["value"], _statistic(word), reading) for word, part in parts.items()}
    share = next((table for word, table in tables.items() if word.casefold() in SHARES), None)
    adding = [table for word, table in tables.items() if _adds_up(word)]
    return [with_shares(table, share) if share and table.statistic == "count" else table for table in adding]


def _rows_with(sheet: Sheet, column: Sequence[str], word: str) -> Sheet:
    rows = [i for i, text in enumerate(column) if text == word]
    return replace(sheet, columns=tuple([texts[i] for i in rows] for texts in sheet.columns))


def _adds_up(statistic: str) -> bool:
    word = statistic.casefold()
    return word not in NOT_ADDITIVE and not (word[:1] == "p" and word[1:].isdigit())


def _statistic(column: str) -> str:
    return "count" if column.casefold() in COUNTS else column


def _figure_columns(sheet: Sheet, names: Mapping[str, str], reading: Reading) -> tuple[str, ...]:
    """Columns of figures: those named, those the format tells, one of a well-known name, else found by content."""
    if reading.values:
        return _named(sheet, reading.values)
    if sheet.keys is not None:
        return tuple(name for name in sheet.header if name not in sheet.keys)
    known = [names[word] for word in COUNTS if word in names]
    if known:
        return (known[0],)
    found = _after_the_keys(sheet, reading)
    if not found:
        raise unreadable(sheet.name, "no column of figures is found", "name it with --values COLUMN")
    return found


def _named(sheet: Sheet, wanted: Sequence[str]) -> tuple[str, ...]:
    for name in wanted:
        if name not in sheet.header:
            raise UsageError(
                f'there is no column "{name}"',
                where=f'--values, file "{sheet.name}"',
                now=nearest(name, sheet.header),
            )
    return tuple(wanted)


def _after_the_keys(sheet: Sheet, reading: Reading) -> tuple[str, ...]:
    """The columns behind the fewest leading ones that tell all rows apart, where those hold figures and marks only."""
    figures = [_holds_figures(column, reading) for column in sheet.columns]
    least = max((i + 1 for i, yes in enumerate(figures) if not yes), default=1)
    for number in range(least, len(sheet.header)):
        if len(set(zip(*sheet.columns[:number], strict=True))) == len(sheet):
            return sheet.header[number:]
    return sheet.header[max(least, len(sheet.header) - 1) :]


def _holds_figures(column: Sequence[str], reading: Reading) -> bool:
    texts = set(column)
    comma = has_decimal_comma(texts)
    meant = [meaning(text, comma=comma, told=reading.marks) for text in texts]
    return None not in meant and any(m is not None and m.kind == "figure" for m in meant)


def _key_columns(sheet: Sheet, names: Mapping[str, str], figures: Sequence[str]) -> tuple[str, ...]:
    """Dimensions: all other columns, but those that only repeat another one in other words (labels)."""
    beside = {names[word] for word in BESIDE if word in names}
    candidates = [name for name in sheet.header if name not in figures and name not in beside]
    keys: list[str] = []
    for name in candidates if sheet.keys is None else sheet.keys:
        if not any(_same_partition(sheet.column(name), sheet.column(key)) for key in keys):
            keys.append(name)
    if not keys:
        raise unreadable(sheet.name, "no column tells what the figures are about")
    return tuple(keys)


def _same_partition(one: Sequence[str], other: Sequence[str]) -> bool:
    pairs = len(set(zip(one, other, strict=True)))
    return pairs > 1 and pairs == len(set(one)) == len(set(other))


def _wide(sheet: Sheet, keys: tuple[str, ...], figures: tuple[str, ...], reading: Reading) -> Published:
    """Several columns of figures: their names are the codes of one more dimension."""
    rows = len(sheet)
    columns = [list(sheet.column(key)) * len(figures) for key in keys]
    heads = [name for name in figures for _ in range(rows)]
    texts = [text for name in figures for text in sheet.column(name)]
    long = Sheet(sheet.name, (*keys, "column", "value"), (*columns, heads, texts), (*keys, "column"))
    return _table(long, (*keys, "column"), "value", "count", reading)


def _table(sheet: Sheet, keys: tuple[str, ...], value: str, statistic: str, reading: Reading) -> Published:
    dimensions, cells = _cells(sheet, keys)
    meant = _meanings(sheet, value, reading)
    kept = np.array([m.kind != "absent" for m in meant], bool)
    _refuse_repeated(sheet, cells[kept])
    lower, upper, hidden, decimals = _bounds([m for m in meant if m.kind != "absent"])
    noisy = "standard_error" in sheet.header and any(text.strip("0.") for text in sheet.column("standard_error"))
    return Published(sheet.name, statistic, dimensions, cells[kept], hidden, lower, upper, decimals, noisy)


def _cells(
    sheet: Sheet, keys: tuple[str, ...]
) -> tuple[tuple[Dimension, ...], "np.ndarray[tuple[int, ...], np.dtype[np.int32]]"]:
    dimensions, columns = [], []
    for key in keys:
        place: dict[str, int] = {}
        columns.append([place.setdefault(text, len(place)) for text in sheet.column(key)])
        codes = tuple(place)
        dimensions.append(Dimension(key, codes, sheet.edges.get(key, ()), sheet.labels.get(key, {})))
    return tuple(dimensions), np.array(columns, np.int32).T.reshape(len(sheet), len(keys))


def _refuse_repeated(sheet: Sheet, cells: "np.ndarray[tuple[int, ...], np.dtype[np.int32]]") -> None:
    if len(np.unique(cells, axis=0)) < len(cells):
        raise unreadable(
            sheet.name, "several lines are about the same cell", "name the columns of figures with --values COLUMN"
        )


def _meanings(sheet: Sheet, value: str, reading: Reading) -> list[Meaning]:
    """What each text of the column of figures means; DataError with an unknown mark."""
    column = sheet.column(value)
    texts = set(column)
    comma = has_decimal_comma(texts)
    known = {text: meaning(text, comma=comma, told=reading.marks) for text in texts}
    for text, meant in known.items():
        if meant is None:
            raise unreadable(
                sheet.name,
                f'"{text[:40]}" in column "{value}" is neither a figure nor a known mark',
                f'say what it means, for instance --mark "{text[:40]}=hidden"',
            )
    known[""] = reading.marks.get("", _empty_means(texts))
    told = _told_beside(sheet)
    return [_judged(known[text], about) for text, about in zip(column, told, strict=True)]  # type: ignore[arg-type]


def _empty_means(texts: set[str]) -> Meaning:
    """An empty cell is zero where hidden ones are marked otherwise and no zero is printed; else it is hidden."""
    marked = any(WORDS.get(text.casefold()) == HIDDEN or "-" in text[1:-1] or text[:1] == "<" for text in texts if text)
    return ZERO if marked and "0" not in texts else HIDDEN


def _told_beside(sheet: Sheet) -> Sequence[str]:
    """The text of a status column for each row, "" where there is none."""
    names = {name.casefold(): name for name in sheet.header}
    for word in STATUS:
        if word in names and names[word] not in (sheet.keys or ()):
            return [text.strip().casefold() for text in sheet.column(names[word])]
    return [""] * len(sheet)


def _judged(meant: Meaning, status: str) -> Meaning:
    """A figure's meaning in the light of the status beside it; a figure that is printed is known, whatever it says."""
    if status in ABSENT_STATUS and meant.lower is None:
        return ABSENT
    return HIDDEN if meant == ZERO and status == "too-few" else meant


def _bounds(meant: Sequence[Meaning]) -> tuple[IntArray, IntArray, BoolArray, int]:
    """(lower, upper, hidden, decimals): whole numbers of the smallest unit that any figure has."""
    bounds = {bound for m in meant for bound in (m.lower, m.upper) if bound is not None}
    decimals = max((_decimals(bound) for bound in bounds), default=0)
    scale = 10**decimals
    lower = np.array([UNTOLD if m.lower is None else int(m.lower * scale) for m in meant], np.int64)
    upper = np.array([NO_BOUND if m.upper is None else int(m.upper * scale) for m in meant], np.int64)
    return lower, upper, np.array([m.kind == "hidden" for m in meant], bool), decimals


def _decimals(number: Fraction) -> int:
    for decimals in range(MOST_DECIMALS):
        if (number * 10**decimals).denominator == 1:
            return decimals
    return MOST_DECIMALS
