"""What notebooks show of safe tables."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from helpers.safe_tables import national, outcome_table, with_cells

from release.errors import UsageError
from release.protected.display import BARS_SHOWN, interval_chart, table_html
from release.protected.safe import FIGURES
from release.protected.words import decimals_for, written, written_figure
from release.shown import SHOWN_TYPE


@pytest.mark.parametrize(
    ("statistic", "figures", "text"),
    [
        ("count", (1234.4, 1180.2, 1288.4), "1\u00a0234 (1\u00a0180–1\u00a0288)"),
        ("count", (-0.3, -9.6, 9.6), "0 (−10–10)"),
        ("share", (0.625, 0.6101, 0.6412), "62.5\u00a0% (61.0–64.1)"),
        ("share", (0.62, 0.55, 0.69), "62\u00a0% (55–69)"),
        ("mean", (4.126, 4.06, 4.19), "4.13 (4.06–4.19)"),
        ("p50", (2703.4, 2640.0, 2790.0), "2\u00a0703 (2\u00a0640–2\u00a0790)"),
        ("count", (5.0, np.nan, np.nan), "5"),
    ],
)
def test_figures_are_written_by_the_size_of_their_error(statistic, figures, text):
    assert written_figure(statistic, *figures) == text


def test_numbers_for_people():
    assert written(-1234567.8, 1) == "−1\u00a0234\u00a0567.8"
    assert written(-0.04, 1) == "0.0"
    assert decimals_for("mean", 1e-9) == 3


def test_preview_shows_rows_intervals_reasons_and_numbers():
    table = outcome_table()
    html = table._repr_html_()
    assert html == table_html(table)
    assert html.count("<tr>") == 13
    assert "Provider no. 1 &amp; sons" in html
    assert "too few persons" in html
    first = table.cells.iloc[0]
    assert written_figure("count", first["value"], first["lower"], first["upper"]) in html
    assert f"shown: {written(int((table.cells['status'] == 'shown').sum()), 0)}" in html


def test_preview_of_the_smallest_table():
    assert "28\u00a0000 (27\u00a0990–28\u00a0010)" in table_html(national())


def test_chart_draws_one_bar_per_code_with_its_interval():
    table = outcome_table(number_of_providers=50)
    chart = interval_chart(table, statistic="count", along="provider", where={"field": "arts", "activity": "10"})
    drawing = ET.fromstring(chart.svg)  # noqa: S314
    cells = table.cells.query("field == 'arts' and activity == '10' and cohort == '2019' and statistic == 'count'")
    shown = int((cells["status"] == "shown")[:BARS_SHOWN].sum())
    space = "{http://www.w3.org/2000/svg}"
    assert len(drawing.findall(f"{space}rect")) == len(drawing.findall(f"{space}path")) == shown
    assert "first 40 of 50" in chart.remark
    assert chart._repr_mimebundle_()[SHOWN_TYPE] == {"kind": "Chart"}
    assert "Employed" in chart.title


def test_chart_places_interval_and_bar_on_one_scale():
    chart = interval_chart(national(), statistic="count")
    bar = ET.fromstring(chart.svg).find("{http://www.w3.org/2000/svg}rect")  # noqa: S314
    assert float(bar.get("x")) == 230
    assert float(bar.get("width")) == pytest.approx(420 * 28_000 / 28_010, abs=0.1)


def test_chart_of_withheld_figures_only():
    table = national()
    nothing = with_cells(table, status="too-few", **dict.fromkeys(FIGURES, np.nan))
    assert "too few persons" in interval_chart(nothing, statistic="count").svg


@pytest.mark.parametrize(
    "asked",
    [
        {"statistic": "cuont"},
        {"statistic": "count", "along": "provder"},
        {"statistic": "count", "where": {"cohort": "1999"}},
        {"statistic": "count", "along": "cohort", "where": {"cohort": "2019"}},
    ],
)
def test_unknown_words_are_refused_with_the_nearest(asked):
    with pytest.raises(UsageError) as fault:
        interval_chart(outcome_table(), **asked)
    assert fault.value.faults[0].now


def test_only_safe_tables_are_displayed():
    with pytest.raises(TypeError):
        table_html(outcome_table().cells)
