"""Safe tables as a reader of a notebook sees them: a preview, and a chart with intervals.

The charts are small SVG drawings from a template: importing a plotting library would cost seconds per notebook.
"""

import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import pandas as pd

from release.errors import UsageError, nearest
from release.protected.reasons import Status, statuses_of
from release.protected.safe import KeyColumn, SafeTable
from release.protected.words import (
    ALL_CODE,
    COVERS,
    EXACT,
    code_text,
    is_fraction,
    key_title,
    percentile_of,
    statistic_text,
    status_text,
    translated,
    written,
    written_figure,
)
from release.shown import Shown

if TYPE_CHECKING:
    from jinja2 import Environment

ROWS_SHOWN = 12
BARS_SHOWN = 40
_LABELS, _PLOT, _SPACE, _ROW = 230, 420, 90, 24


@dataclass(frozen=True, repr=False)
class Chart(Shown):
    """A drawing of published figures with their intervals."""

    title: str
    svg: str
    remark: str = ""

    def _plain(self) -> str:
        return f"<Chart: {self.title}>"

    def _repr_html_(self) -> str:
        return _render("chart.html.j2", title=self.title, svg=self.svg, remark=self.remark)


@dataclass(frozen=True)
class _Bar:
    label: str
    value: float
    lower: float
    upper: float
    text: str
    reason: str


# ---- preview --------------------------------------------------------------------------------------------------------


def table_html(table: SafeTable, language: str = "en") -> str:
    """The table's title, how much of it is shown, and its first rows with intervals or the reason for none."""
    _require_safe(table)
    cells = table.cells.head(ROWS_SHOWN * max(1, len(table.statistics)))
    rows = _preview_rows(table, cells, language)
    used = [name for name in table.statistics if any(name in figures for figures in rows.values())]
    return _render(
        "preview.html.j2",
        title=translated(table.title, language, table.name),
        summary=summary(table, language),
        head=[*(key_title(key, language) for key in table.keys), *(_in_unit(table, name, language) for name in used)],
        rows=[_preview_row(table, codes, figures, used, language) for codes, figures in rows.items()],
        more=_whole(len(table.cells) - sum(len(figures) for figures in rows.values())),
        covers=translated(COVERS.get(table.covers, {}), language, table.covers),
        exact=translated(EXACT.get(table.covers, {}), language),
    )


def summary(table: SafeTable, language: str = "en") -> str:
    """How many figures the table has, and how many are shown or withheld for each reason."""
    counts = table.cells["status"].value_counts(sort=False)
    numbers = {status: int(counts.get(status.value, 0)) for status in statuses_of(table.protection)}
    told = [f"{status_text(status, language)}: {written(number, 0)}" for status, number in numbers.items() if number]
    return ", ".join(told) or "no figures"


_Rows = dict[tuple[str, ...], dict[str, str]]


def _preview_rows(table: SafeTable, cells: pd.DataFrame, language: str) -> _Rows:
    """The first rows of the table: codes -> statistic -> text."""
    names = [key.name for key in table.keys]
    rows: _Rows = {}
    for cell in cells.to_dict("records"):
        codes = tuple(str(cell[name]) for name in names)
        if codes in rows or len(rows) < ROWS_SHOWN:
            rows.setdefault(codes, {})[str(cell["statistic"])] = _cell_text(cell, language)
    return rows


def _preview_row(
    table: SafeTable, codes: tuple[str, ...], figures: Mapping[str, str], used: list[str], language: str
) -> dict[str, list[str]]:
    keys = [code_text(key, code, language) for key, code in zip(table.keys, codes, strict=True)]
    return {"texts": keys, "figures": [figures.get(name, "") for name in used]}


def _cell_text(cell: Mapping[Hashable, Any], language: str) -> str:
    """The figure and its interval, or why it isn't shown; the note after a dash."""
    status, note = str(cell["status"]), str(cell["note"] or "")
    if status == Status.SHOWN:
        value, lower, upper = (float(cell[name]) for name in ("value", "lower", "upper"))
        text = written_figure(str(cell["statistic"]), value, lower, upper)
    else:
        text = status_text(status, language)
    return f"{text} – {note}" if note else text


# ---- chart ----------------------------------------------------------------------------------------------------------


def interval_chart(
    table: SafeTable,
    *,
    statistic: str,
    along: str | None = None,
    where: Mapping[str, str] | None = None,
    language: str = "en",
) -> Chart:
    """Bars of one statistic along one key, with 95 % intervals; withheld figures show their reason.

    along: the key whose codes are the bars, by default the last one with several. where: the codes of other keys, by
    default "all" or else the first. UsageError for a statistic, key or code that the table doesn't have.
    """
    _require_safe(table)
    cells = _of_statistic(table, statistic)
    key = _along(table, cells, along)
    fixed = _fixed(table, cells, key, where or {})
    for name, code in fixed.items():
        cells = cells[cells[name] == code]
    bars = list(_bars(cells, key, language))
    chosen = [code_text(other, fixed[other.name], language) for other in table.keys if other.name in fixed]
    title = (
        f"{translated(table.title, language, table.name)}: {', '.join([_in_unit(table, statistic, language), *chosen])}"
    )
    remark = f"The first {BARS_SHOWN} of {len(bars)} are drawn." if len(bars) > BARS_SHOWN else ""
    return Chart(title, _drawing(bars[:BARS_SHOWN], statistic, title), remark)


def bar_chart(title: str, bars: Iterable[tuple[str, float, str]]) -> Chart:
    """Bars of shares without intervals: (label, fraction of one, text)."""
    drawn = [_Bar(_short(label), share, share, share, text, "") for label, share, text in bars]
    remark = f"The first {BARS_SHOWN} of {len(drawn)} are drawn." if len(drawn) > BARS_SHOWN else ""
    return Chart(title, _drawing(drawn[:BARS_SHOWN], "share", title), remark)


def _of_statistic(table: SafeTable, statistic: str) -> pd.DataFrame:
    _require_known(statistic, table.statistics, f'table "{table.name}" has no statistic "{statistic}"')
    return table.cells[table.cells["statistic"] == statistic]


def _along(table: SafeTable, cells: pd.DataFrame, along: str | None) -> KeyColumn | None:
    keys = {key.name: key for key in table.keys}
    if along is not None:
        _require_known(along, keys, f'table "{table.name}" has no key "{along}"')
        return keys[along]
    several = [key for key in table.keys if cells[key.name].nunique() > 1]
    return several[-1] if several else None


def _fixed(table: SafeTable, cells: pd.DataFrame, key: KeyColumn | None, where: Mapping[str, str]) -> dict[str, str]:
    """The code of every key but the one along which bars are drawn."""
    others = [other.name for other in table.keys if other is not key]
    for name in where:
        _require_known(name, others, f'"{name}" can\'t be fixed in this chart')
    return {name: _code(cells, name, where.get(name)) for name in others}


def _code(cells: pd.DataFrame, name: str, wanted: str | None) -> str:
    codes = [str(code) for code in cells[name].unique()]
    if wanted is None:
        return ALL_CODE if ALL_CODE in codes else codes[0]
    _require_known(wanted, codes, f'key "{name}" has no code "{wanted}" with this statistic')
    return wanted


def _bars(cells: pd.DataFrame, key: KeyColumn | None, language: str) -> Iterator[_Bar]:
    for cell in cells.to_dict("records"):
        label = code_text(key, str(cell[key.name]), language) if key else ""
        short = _short(label)
        value, lower, upper = (float(cell[name]) for name in ("value", "lower", "upper"))
        shown = cell["status"] == Status.SHOWN
        text = written_figure(str(cell["statistic"]), value, lower, upper).split(" (")[0] if shown else ""
        yield _Bar(short, value, lower, upper, text, "" if shown else status_text(str(cell["status"]), language))


def _short(label: str) -> str:
    return label if len(label) <= 32 else f"{label[:31]}…"


def _drawing(bars: list[_Bar], statistic: str, title: str) -> str:
    numbers = [n for bar in bars for n in (bar.value, bar.lower, bar.upper) if math.isfinite(n)]
    low, high = min([0.0, *numbers]), max([0.0, *numbers])
    width = (high - low) or 1.0

    def place(number: float) -> float:
        return round(_LABELS + (number - low) / width * _PLOT, 1)

    return _render(
        "chart.svg.j2",
        title=title,
        width=_LABELS + _PLOT + _SPACE,
        height=len(bars) * _ROW + 26,
        zero=place(0),
        zero_label=_LABELS - 8,
        ticks=[{"x": place(tick), "text": text} for tick, text in _ticks(low, low + width, statistic)],
        bars=[_shape(bar, i, place(0), place) for i, bar in enumerate(bars)],
    )


def _shape(bar: _Bar, row: int, zero: float, place: Callable[[float], float]) -> dict[str, object]:
    """Where a bar, its interval and its text stand."""
    shape: dict[str, object] = {"label": bar.label, "text": bar.text, "reason": bar.reason, "y": row * _ROW + 4}
    if bar.reason:
        return shape
    bounded = math.isfinite(bar.lower) and math.isfinite(bar.upper)
    end, lower, upper = place(bar.value), place(bar.lower) if bounded else None, place(bar.upper) if bounded else None
    start = min(zero, end)
    shape |= {"start": start, "width": round(abs(end - zero), 1), "lower": lower, "upper": upper}
    return shape | {"end": max(zero, end, upper or 0)}


def _ticks(low: float, high: float, statistic: str) -> Iterator[tuple[float, str]]:
    """Round numbers along the axis, with their text."""
    power = 10 ** math.floor(math.log10((high - low) / 5))
    step = next(m * power for m in (1, 2, 5, 10) if m * power * 5 >= (high - low) * (1 - 1e-9))
    scale, mark = (100, "\u00a0%") if is_fraction(statistic) else (1, "")
    decimals = max(0, -math.floor(math.log10(step * scale * 1.0001)))
    for i in range(math.ceil(low / step), math.floor(high / step * 1.0001) + 1):
        yield i * step, written(i * step * scale, decimals) + mark


# ---- shared ---------------------------------------------------------------------------------------------------------


def _in_unit(table: SafeTable, statistic: str, language: str) -> str:
    called = statistic_text(statistic, language)
    with_unit = table.unit and (statistic in ("sum", "mean") or percentile_of(statistic))
    return f"{called}, {table.unit}" if with_unit else called


def _whole(number: int) -> str:
    return written(number, 0) if number else ""


def _require_safe(table: object) -> None:
    if not isinstance(table, SafeTable):
        raise TypeError("only safe tables are displayed")


def _require_known(word: str, known: Iterable[str], what: str) -> None:
    words = list(known)
    if word not in words:
        raise UsageError(what, now=nearest(word, words))


def _render(template: str, **content: object) -> str:
    return _templates().get_template(template).render(**content)


@cache
def _templates() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("release.protected"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
