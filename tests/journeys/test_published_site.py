"""The whole publication: same bytes twice, no time, no path, a site that works from a file and without network."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from urllib.parse import quote

import numpy as np
import pytest
from helpers.safe_tables import national, outcome_table

from release.errors import VerificationError
from release.protected.reasons import Status
from release.protected.words import LANGUAGES
from release.published.about import About
from release.published.columns import columns_of
from release.published.publish import publish
from release.published.site_data import FIGURES_SHOWN, grid_of, scripts
from release.published.site_words import WORDS

ABOUT = About(
    "graduates-2026", {"en": "Graduates' <outcomes>", "fi": "Valmistuneet"}, {"en": "Office"}, "info@example.org"
)
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--virtual-time-budget=5000",
)


def tables():
    return [outcome_table(number_of_providers=3), outcome_table(number_of_providers=36, name="many"), national()]


@pytest.fixture(scope="module")
def public(tmp_path_factory):
    folder = tmp_path_factory.mktemp("public")
    publish(tables(), folder, about=ABOUT)
    return folder


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class Page(HTMLParser):
    """What a test asks of a page: open tags, links, ids, labels."""

    VOID = ("meta", "link", "br", "input")

    def __init__(self, text):
        super().__init__()
        self.open, self.attributes, self.stack_faults = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.attributes.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.stack_faults.append(tag)

    def all(self, attribute):
        return [values[attribute] for _, values in self.attributes if attribute in values]


def pages(public):
    return sorted((public / "site").glob("*.html"))


def test_same_bytes_twice(public, tmp_path):
    publish(tables(), tmp_path, about=ABOUT)
    assert contents(tmp_path) == contents(public)


def test_no_time_no_path_no_pandas_in_any_file(public):
    forbidden = [
        str(date.today().year + 1).encode() + b"-",
        date.today().isoformat().encode(),
        os.fsencode(public),
        b"/tmp/",
        b"/home/",
        b"/work",
        b"pandas",
    ]
    for name, content in contents(public).items():
        assert not [word for word in forbidden if word in content], name


def test_publication_counts_figures_and_shows_no_path(public, tmp_path):
    publication = publish(tables(), tmp_path, about=ABOUT)
    assert publication.tables[2].figures == publication.tables[2].shown == 1
    assert publication.tables[0].shown == int((tables()[0].cells["status"] == "shown").sum())
    assert str(tmp_path) not in publication._repr_html_() + repr(publication)


def test_two_tables_with_one_name_are_refused(tmp_path):
    with pytest.raises(VerificationError, match="national"):
        publish([national(), national()], tmp_path, about=ABOUT)
    assert not contents(tmp_path)


def test_pages_are_well_formed_and_load_nothing_from_elsewhere(public):
    assert len(pages(public)) == 3 * (1 + len(tables()))
    for path in pages(public):
        text = path.read_text("utf-8")
        page = Page(text)
        assert page.open == []
        assert page.stack_faults == []
        assert not re.search(r"(https?:)?//[a-z]", text)
        assert "default-src 'none'" in text
        assert "<outcomes>" not in text
        assert len(page.all("id")) == len(set(page.all("id")))
        assert set(page.all("for")) | set(page.all("aria-labelledby")) <= set(page.all("id"))
    for asset in ("site.js", "site.css"):
        text = (public / "site" / asset).read_text("utf-8")
        assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", text)
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|@import|url\(", text)


def test_links_lead_to_files_of_the_release(public):
    elsewhere = {"../promise.md", "../policy.yaml", "../measurements/", "../manifest.json"}  # written by others
    for path in pages(public):
        page = Page(path.read_text("utf-8"))
        links = {*page.all("href"), *page.all("src")}
        for link in links - elsewhere:
            assert link == "#content" or (path.parent / link).is_file(), link


@pytest.mark.parametrize("language", LANGUAGES)
def test_index_lists_the_tables_without_scripts(public, language):
    name = "index.html" if language == "en" else f"index.{language}.html"
    text = (public / "site" / name).read_text("utf-8")
    assert f'<html lang="{language}">' in text
    assert "<script" not in text
    for table in tables():
        assert f'href="../tables/{table.name}.csv"' in text
        assert f'href="../tables/{table.name}.parquet"' in text
    assert WORDS[language]["covers"] in text


def test_every_language_has_every_word():
    assert {frozenset(words) for words in WORDS.values()} == {frozenset(WORDS["en"])}
    assert set(WORDS) == set(LANGUAGES)


def unpacked(table):
    """The site's figures read back: place -> (status, value, lower, upper, note)."""
    files = {name: content.decode() for name, content in scripts(table)}
    description = json.loads(files.pop(f"{table.name}.js")[len("utfall.table(") : -3])
    found = {}
    for content in files.values():
        body = re.fullmatch(
            r'utfall\.part\("[a-z-]+",\d+,\{at:(.*),status:"(\d*)",value:(.*),lower:(.*),upper:(.*),note:(.*)\}\);\n',
            content,
        )
        at, *figures, notes = (json.loads(body[i]) for i in (1, 3, 4, 5, 6))
        places = [start + i for start, n in zip(at[::2], at[1::2], strict=True) for i in range(n)]
        noted = dict(zip(notes[::2], notes[1::2], strict=True))
        numbers = zip(*figures, strict=True)
        for row, (place, status) in enumerate(zip(places, body[2], strict=True)):
            shown = next(numbers) if status == "0" else ()
            found[place] = (list(Status)[int(status)], shown, description["notes"][noted[row]] if row in noted else "")
    return found, len(files)


@pytest.mark.parametrize("table", tables(), ids=lambda t: t.name)
def test_site_data_holds_every_figure_to_four_figures_of_its_error(table):
    found, parts = unpacked(table)
    assert parts == (36 if table.name == "many" else 1)
    assert len(found) == len(table.cells)
    grid, columns = grid_of(table), columns_of(table)
    for row, place in zip(grid.order.tolist(), grid.places.tolist(), strict=True):
        status, numbers, note = found[place]
        assert status == table.cells["status"].iloc[row]
        assert note == table.cells["note"].iloc[row]
        for name, number in zip(FIGURES_SHOWN, numbers, strict=False):
            assert abs(number - columns.figures[name][row]) <= columns.figures["standard_error"][row] / 1500


def test_rows_may_come_in_any_order_and_with_gaps():
    table = outcome_table(number_of_providers=3)
    mixed = table.cells.sample(frac=0.7, random_state=3)
    whole, _ = unpacked(table)
    partial, _ = unpacked(replace(table, cells=mixed))
    assert len(partial) == len(mixed)
    assert all(whole[place] == content for place, content in partial.items())


def test_scripts_are_valid(public, tmp_path):
    if not shutil.which("node"):
        pytest.skip("node isn't installed")
    some = [public / "site/site.js", public / "site/data/many.js", public / "site/data/many.7.js"]
    for script in some:
        subprocess.run(["node", "--check", script], check=True, capture_output=True, timeout=30)
    broken = tmp_path / "broken.js"
    broken.write_text(some[0].read_text() + "}")
    assert subprocess.run(["node", "--check", broken], check=False, capture_output=True, timeout=30).returncode != 0


def dom(address, folder):
    """The page as a browser shows it, after its scripts have run."""
    command = [BROWSER, *QUIET, f"--user-data-dir={folder}", "--dump-dom", address]
    return subprocess.run(command, check=True, capture_output=True, timeout=60).stdout.decode("utf-8")


def test_a_browser_shows_figures_with_intervals_and_reasons(public, tmp_path):
    if not BROWSER:
        assert os.environ.get("UTFALL_EXPECT_BROWSER") != "1", "a browser is expected, and there is none"
        pytest.skip("chromium isn't installed")
    table = tables()[1]
    cells = table.cells[
        (table.cells["provider"] == "10007") & (table.cells["field"] == "arts") & (table.cells["cohort"] == "2022")
    ]
    address = f"file://{quote(str(public))}/site/table-many.fi.html#provider=10007&field=arts&cohort=2022"
    text = dom(address, tmp_path / "profile").replace("\u00a0", " ").replace("&nbsp;", " ")
    body = text[text.index('<tbody id="body">') : text.index("</tbody>")]
    counts = cells[cells["statistic"] == "count"]
    assert body.count("<tr>") == len(counts)
    for value in counts.loc[counts["status"] == "shown", "value"]:
        assert f"<span>{np.floor(value + 0.5):.0f}</span>" in body
    assert body.count("liian vähän henkilöitä") == int((cells["status"] == "too-few").sum())
    assert body.count("Uusimaa") == int((cells["status"] == "see-parent").sum())
    assert '<svg width="' in text
    assert " %</span>" in body
    assert re.search(r"<span>\d,\d\d</span>", body)  # a mean, with the Finnish decimal comma
