"""Pages refer to what exists, and hold nothing that belongs to one workplace."""

import re
from functools import cache
from pathlib import Path

import pytest
from helpers.pages import PAGES, ROOT, named, prose

LINK = re.compile(r"\]\(([^)\s]+)\)")
FILE = re.compile(
    r"`((?:release|docs|tests|policies|notebooks|benchmarks|synthetic)/[\w./-]*[\w/]|Makefile|pyproject\.toml|\.ci/run)`"
)
IDENTIFIER = re.compile(r"`((?:[A-Z]\w+\.)?_?[a-z][a-z0-9]*(?:_[a-z0-9]+)+|[A-Z][a-z]+\w*\.\w+|_[a-z_]+)`")
NOT_OURS = re.compile(
    r"(?<![\w.])/(?:wo" + r"rk|tmp|home|root|Users)\b|[A-Z]:\\|\bagents?\b|\bsessions?\b|"
    r"https?://(?!example\.|json-schema\.)|\bproxy\b|localhost|\d+\.\d+\.\d+\.\d+",
    re.IGNORECASE,
)
OURS = [page for page in PAGES if "proofs" in page.parts or re.match(r"03\d-", page.name)]


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@cache
def source() -> str:
    return "\n".join(p.read_text(encoding="utf-8") for p in sorted((ROOT / "release").rglob("*.py")))


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page):
    for target in LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        place = (page.parent / path).resolve() if path else page
        assert place.exists(), target
        assert not anchor or anchor in anchors(place), target


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_named_files_exist(page):
    for name in FILE.findall(prose(page)):
        assert (ROOT / name).exists(), name


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_nothing_belongs_to_one_workplace(page):
    assert not NOT_OURS.search(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", OURS, ids=named)
def test_proofs_and_decisions_name_functions_that_exist(page):
    for name in IDENTIFIER.findall(prose(page)):
        assert re.search(rf"\b{re.escape(name.split('.')[-1])}\b", source()), name


def test_the_index_lists_every_page_but_the_decisions():
    index = ROOT / "docs" / "index.md"
    listed = {(index.parent / target).resolve() for target in LINK.findall(prose(index))}
    pages = {page for page in PAGES if "decisions" not in page.parts and page != index}
    assert pages <= listed


def test_decisions_have_numbers_of_their_own():
    numbers = [page.name[:3] for page in PAGES if "decisions" in page.parts]
    assert len(numbers) == len(set(numbers))


def test_the_forbidden_words_would_be_found():
    for text in ("see /tmp/shared", "an agent did it", "from https://host.invalid/simple", "at 10.0.0.1"):
        assert NOT_OURS.search(text)
