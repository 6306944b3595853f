"""`site/`: plain pages that list and show the tables, in three languages, from a file and without network.

Each page exists once per language (index.html, index.fi.html, index.sv.html), so the list of tables and all
downloads work without scripts. The figures come as scripts (`site_data.py`) that the table pages load.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from release.protected.reasons import STRUCTURAL, Status
from release.protected.safe import SafeTable
from release.protected.words import COVERS, EXACT, LANGUAGES, status_text, translated, written
from release.published.about import About
from release.published.columns import columns_of
from release.published.layout import SITE, SITE_DATA, csv_path, parquet_path, write_file, write_text
from release.published.pages import render, template_text
from release.published.site_data import scripts
from release.published.site_words import LANGUAGE_NAMES, WORDS

ASSETS = ("site.css", "site.js")


@dataclass(frozen=True)
class Entry:
    """What the site says of a table, in one language."""

    name: str
    title: str
    page: str
    figures: str
    shown: str
    covers: str
    unit: str
    withheld: tuple[tuple[str, str], ...]
    downloads: tuple[tuple[str, str], ...]
    exact: str = ""


def write_site(tables: Sequence[SafeTable], public: Path, about: About) -> None:
    """Write the pages, the style sheet, the script and the figures."""
    for asset in ASSETS:
        write_text(public / SITE / asset, template_text(asset))
    for language in LANGUAGES:
        _write_pages([entry_of(table, language) for table in tables], public / SITE, about, language)
    for table in tables:
        for name, content in scripts(table):
            write_file(public / SITE_DATA / name, content)


def entry_of(table: SafeTable, language: str) -> Entry:
    """A table's facts in one language: how many figures can exist, how many are shown, what is withheld and why."""
    status = columns_of(table).status
    counts = [int((status.index == i).sum()) for i in range(len(status.codes))]
    numbers = dict(zip(map(Status, status.codes), counts, strict=True))
    possible = len(status.index) - sum(numbers[structural] for structural in STRUCTURAL)
    withheld = [(status_text(s, language), _whole(n, language)) for s, n in numbers.items() if n and s != Status.SHOWN]
    return Entry(
        name=table.name,
        title=translated(table.title, language, table.name),
        page=page_name(f"table-{table.name}", language),
        figures=_whole(possible, language),
        shown=_percent(numbers[Status.SHOWN] / max(1, possible), language),
        covers=translated(COVERS.get(table.covers, {}), language, table.covers),
        unit=table.unit,
        withheld=tuple(withheld),
        downloads=(("CSV", f"../{csv_path(table.name)}"), ("Parquet", f"../{parquet_path(table.name)}")),
        exact=translated(EXACT.get(table.covers, {}), language),
    )


def _whole(number: int, language: str) -> str:
    return f"{number:,}" if language == "en" else written(number, 0)


def _percent(share: float, language: str) -> str:
    """Whole per cent; 100 only when nothing is left out."""
    percent = 100 if share == 1 else min(99, round(100 * share))
    return f"{percent}%" if language == "en" else f"{percent}\u00a0%"


def page_name(page: str, language: str) -> str:
    """File name of a page: English has no mark."""
    return f"{page}.html" if language == "en" else f"{page}.{language}.html"


def _write_pages(entries: Sequence[Entry], site: Path, about: About, language: str) -> None:
    synthetic = {page: page_name(page, language) for page in ("codebook", "certificate")}
    common = {"language": language, "about": about, "release": about.title_in(language), "words": WORDS[language]}
    languages = _languages("index")
    index = render("index.html.j2", **common, entries=entries, languages=languages, home="", synthetic_pages=synthetic)
    write_text(site / page_name("index", language), index)
    for entry in entries:
        links = _languages(f"table-{entry.name}")
        page = render("table.html.j2", **common, entry=entry, languages=links, home=page_name("index", language))
        write_text(site / entry.page, page)


def _languages(page: str) -> list[tuple[str, str, str]]:
    return [(language, LANGUAGE_NAMES[language], page_name(page, language)) for language in LANGUAGES]
