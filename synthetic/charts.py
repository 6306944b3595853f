"""A chart per question about synthetic records: small SVG drawings from a template, of public figures only."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from release.protected.display import Chart
from release.protected.words import percentile_of, written
from synthetic.agreement import Differences, TableAgreement
from synthetic.certificate import Certificate
from synthetic.certificate_page import render
from synthetic.score import Score

LABELS, PLOT, SPACE, ROW = 300, 380, 130, 24
INSIDE = 0.95
EXPECTED_IN_ERRORS = 0.798
"""Mean absolute value of a standard normal variable: how far the truth itself is from noisy figures."""


@dataclass(frozen=True)
class Bar:
    """One bar: its length, the length of a thin line over it (for a largest value), and what is written beside it."""

    label: str
    value: float | None
    text: str
    tip: float | None = None
    beyond: bool = False


def question_charts(certificate: Certificate, score: Score) -> tuple[Chart, ...]:
    """The charts of notebook 4, one per question, in the order in which they are asked."""
    return (
        tables_chart(certificate),
        counts_chart(certificate),
        shares_chart(certificate),
        numbers_chart(certificate),
        fit_chart(certificate),
        relations_chart(certificate),
        distances_chart(score),
    )


def tables_chart(certificate: Certificate) -> Chart:
    """Do the tables agree? Share of each table's shown figures whose interval holds the records' figure."""
    bars = [_inside_bar(table) for table in certificate.tables]
    remark = "Brown: fewer than 95 %. Figures that the release withholds aren't counted."
    return _chart(
        "Do the tables agree? Published figures that hold the records' own in their interval",
        bars,
        remark,
        (INSIDE, "95 %"),
    )


def counts_chart(certificate: Certificate) -> Chart:
    """How far are counts off? Mean difference from the noisy counts of all possible cells, in standard errors."""
    bars = [_errors_bar(t.name, None if t.measured is None else t.measured.differences) for t in certificate.tables]
    remark = "The truth itself is 0.8 standard errors off on average: that is the noise."
    mark = (EXPECTED_IN_ERRORS, "0.8")
    return _chart("How far are counts from the measured ones? Mean difference in standard errors", bars, remark, mark)


def shares_chart(certificate: Certificate) -> Chart:
    """Are shares right? Mean difference from the published shares, in percentage points."""
    bars = list(_statistic_bars(certificate, lambda statistic: statistic in ("share", "response-rate")))
    return _chart("Are shares right? Mean difference from the published shares, percentage points", bars)


def numbers_chart(certificate: Certificate) -> Chart:
    """Are means and percentiles right? Mean difference from the published ones, in standard errors."""
    bars = list(_number_bars(certificate))
    mark = (EXPECTED_IN_ERRORS, "0.8")
    return _chart("Are means and percentiles right? Mean difference in standard errors", bars, "", mark)


def fit_chart(certificate: Certificate) -> Chart:
    """Is anything lost by whole records? Mean (thin line: largest) difference from the fit, in records."""
    bars = [_fit_bar(table) for table in certificate.tables if table.fit is not None]
    remark = "The thin line ends at the largest difference. A file of records alone doesn't tell its fit."
    return _chart("What is lost by drawing whole records? Mean difference from the fit, records", bars, remark)


def relations_chart(certificate: Certificate) -> Chart:
    """Which relations are in the records? With how many of the other columns each was measured together."""
    known = certificate.relations
    names = [name for name, _ in known.columns]
    others = max(len(names) - 1, 1)
    bars = []
    for name in names:
        together = sum(name in pair.columns for pair in known.pairs)
        bars.append(Bar(name, together / others, f"{together} of {others}"))
    remark = "Relations that weren't measured mean nothing; the certificate lists them."
    return _chart("Which relations do the records hold? Other columns that each was measured with", bars, remark)


def distances_chart(score: Score) -> Chart:
    """How close are whole tables? Total-variation distance from the noisy tables; thin line: that of noise alone."""
    bars = [Bar(t.name, t.distance, written(t.distance * 100, 2) + "\u00a0%", tip=t.noise) for t in score.tables]
    remark = f"The thin line ends at the distance that noise alone makes. Score: {score.k_marginal:.0f} of 1000."
    return _chart("How close are whole tables? Persons that would have to be moved, per cent", bars, remark)


# ---- bars -----------------------------------------------------------------------------------------------------------


def _inside_bar(table: TableAgreement) -> Bar:
    share = table.share_inside
    if share is None:
        return Bar(table.name, None, "not checked" if table.unchecked else "nothing is shown")
    return Bar(
        table.name, share, f"{written(share * 100, 1)}\u00a0% of {written(table.shown, 0)}", beyond=share < INSIDE
    )


def _errors_bar(label: str, apart: Differences | None) -> Bar:
    if apart is None or apart.mean_in_errors is None:
        return Bar(label, None, "not checked")
    text = f"{written(apart.mean_in_errors, 2)}, at most {written(apart.largest_in_errors or 0.0, 1)}"
    return Bar(label, apart.mean_in_errors, text, beyond=apart.mean_in_errors > EXPECTED_IN_ERRORS)


def _statistic_bars(certificate: Certificate, wanted: Callable[[str], bool]) -> Iterator[Bar]:
    for table in certificate.tables:
        for one in table.published:
            apart = one.differences
            if wanted(one.statistic) and apart.mean is not None and apart.largest is not None:
                text = f"{written(apart.mean * 100, 2)}, at most {written(apart.largest * 100, 1)}"
                yield Bar(f"{table.name}: {one.statistic}", apart.mean, text)


def _number_bars(certificate: Certificate) -> Iterator[Bar]:
    for table in certificate.tables:
        for one in table.published:
            if (one.statistic == "mean" or percentile_of(one.statistic)) and one.differences.cells:
                yield _errors_bar(f"{table.name}: {one.statistic}", one.differences)


def _fit_bar(table: TableAgreement) -> Bar:
    apart = table.fit
    if apart is None or apart.mean is None or apart.largest is None:
        return Bar(table.name, None, "not checked")
    return Bar(
        table.name, apart.mean, f"{written(apart.mean, 2)}, at most {written(apart.largest, 1)}", tip=apart.largest
    )


# ---- drawing --------------------------------------------------------------------------------------------------------


def _chart(title: str, bars: Sequence[Bar], remark: str = "", mark: tuple[float, str] | None = None) -> Chart:
    """Bars from zero, with a dashed line at a value that they are compared with."""
    if not bars:
        return Chart(title, "", "There is nothing to show.")
    lengths = [number for bar in bars for number in (bar.value, bar.tip) if number is not None]
    longest = max([*lengths, mark[0] if mark else 0.0, 1e-12])
    svg = render(
        "bars.svg.j2",
        title=title,
        width=LABELS + PLOT + SPACE,
        height=len(bars) * ROW + 26,
        start=LABELS,
        mark=None if mark is None else round(LABELS + mark[0] / longest * PLOT, 1),
        mark_text=mark[1] if mark else "",
        bars=[_shape(bar, row, longest) for row, bar in enumerate(bars)],
    )
    return Chart(title, svg, remark)


def _shape(bar: Bar, row: int, longest: float) -> dict[str, object]:
    """Where a bar, its thin line and its texts stand."""
    width, tip = (None if v is None else round(v / longest * PLOT, 1) for v in (bar.value, bar.tip))
    label = bar.label if len(bar.label) <= 42 else f"{bar.label[:41]}…"
    ends = [LABELS + number for number in (width, tip) if number is not None]
    return {
        "label": label,
        "text": bar.text,
        "beyond": bar.beyond,
        "y": row * ROW + 4,
        "width": width,
        "tip": None if tip is None else LABELS + tip,
        "end": max([LABELS, *ends]),
    }
