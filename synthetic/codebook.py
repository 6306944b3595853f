"""The codebook of synthetic records: what each column holds, how often, and which relations mean something.

As JSON, and as a page in each language that needs nothing but itself: no script, no network.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from release import version
from release.codes import SPECIAL_CODES, Attribute, IntArray
from release.policy.document import Translated, texts_of
from release.policy.policy import Policy
from release.policy.synthetic_checks import MARK
from release.protected.words import translated
from release.tables import about, promise_of
from synthetic.codebook_words import LANGUAGES, LIMITS, USES, WORDS, in_all, in_language, page_name
from synthetic.columns import ID, Column, Kind
from synthetic.make import Release
from synthetic.numbers import NUMBER, NumberShape
from synthetic.records import Records
from synthetic.relations import Relations, relations
from synthetic.table import NOTE, Layout

FORMAT = "utfall-synthetic-codebook/1"
Json = dict[str, object]
Texts = Mapping[str, str]


@dataclass(frozen=True, eq=False)
class Tally:
    """How many records have each code of each column, by the column's name."""

    records: int = 0
    counts: Mapping[str, IntArray] = field(default_factory=dict, repr=False)

    def plus(self, records: Records, layout: Layout) -> "Tally":
        """The tally with some more records."""
        counts = {column.name: _counts(records, column, layout) for column in layout.columns}
        total = {name: counted + self.counts.get(name, 0) for name, counted in counts.items()}
        return Tally(self.records + len(records), total)


def _counts(records: Records, column: Column, layout: Layout) -> IntArray:
    size = len(layout.fit.policy.attributes[column.attribute].levels[column.level])
    return np.bincount(records.nodes(column.attribute, column.level), minlength=size).astype(np.int64)


@dataclass(frozen=True, eq=False)
class Codebook:
    """All that is said of some files of records with one layout. tally: of the first of them."""

    release: Release
    layout: Layout
    tally: Tally
    files: tuple[str, ...]

    @property
    def policy(self) -> Policy:
        return self.release.policy

    def as_json(self) -> str:
        """For programs: everything, every text in three languages."""
        return json.dumps(self.facts(), ensure_ascii=False, indent=1, allow_nan=False) + "\n"

    def facts(self) -> Json:
        """The same as plain values."""
        between = relations(self.policy)
        return {
            "format": FORMAT,
            "synthetic": True,
            "note": NOTE,
            "nobody": in_all("nobody"),
            "release": self.policy.document.release,
            "title": texts_of(self.policy.document.title),
            "request": self.release.measurements.request,
            "program": f"utfall {version()}",
            "files": list(self.files),
            "records": self.tally.records,
            "columns": [*_marks(), *(_column(column, self, between) for column in self.layout.columns)],
            "tables": dict(_measured_together(self.policy)),
            "never_together": [list(two) for two in between.no_pairs],
            "by_rule": [list(two) for two in between.by_rule],
            "uses": [_by_language(texts) for texts in USES],
            "limits": [_by_language(texts) for texts in LIMITS],
            "citation": citation(self.release),
            "promise": _promise(self.release),
            "contact": self.policy.document.contact,
        }


def write_codebook(book: Codebook, folder: Path, *, stem: str = "codebook") -> tuple[Path, ...]:
    """Write the JSON and a page for each language; their paths, the JSON first."""
    from synthetic.codebook_page import codebook_page

    paths = codebook_paths(folder, stem)
    facts = book.facts()
    paths[0].write_text(book.as_json(), encoding="utf-8")
    for language, path in zip(LANGUAGES, paths[1:], strict=True):
        others = {other: place.name for other, place in zip(LANGUAGES, paths[1:], strict=True)}
        path.write_text(codebook_page(facts, language, others), encoding="utf-8")
    return paths


def codebook_paths(folder: Path, stem: str = "codebook") -> tuple[Path, ...]:
    """Where a codebook lies: codebook.json, codebook.html, codebook.fi.html, codebook.sv.html."""
    return tuple(folder / name for name in (f"{stem}.json", *(page_name(stem, language) for language in LANGUAGES)))


def citation(release: Release) -> Json:
    """How to cite the records, by language."""
    told, request = about(release.policy), release.measurements.request[:12]
    return {
        language: text.format(
            office=translated(told.office, language, told.name),
            title=told.title_in(language),
            release=told.name,
            request=request,
        )
        for language, text in _by_language(WORDS["citation"]).items()
    }


def _promise(release: Release) -> Json:
    promise = promise_of(release.policy, release.measurements.rho)
    return {**promise.facts(), "delta": promise.delta_text}


def _by_language(texts: tuple[str, str, str]) -> dict[str, str]:
    return {language: in_language(texts, language) for language in LANGUAGES}


# ---- columns --------------------------------------------------------------------------------------------------------


def _marks() -> Iterator[Json]:
    for name, kind, meaning in ((ID, "text", "id_meaning"), (MARK, "truth", "mark_meaning")):
        yield {"name": name, "kind": "mark", "type": kind, "title": in_all(meaning), "notes": []}


def _column(column: Column, book: Codebook, between: Relations) -> Json:
    attribute = book.policy.attributes[column.attribute]
    number = column.kind is Kind.NUMBER
    return {
        "name": column.name,
        "kind": str(column.kind),
        "type": "number" if number else "text",
        "title": _title(column, attribute, book.policy),
        "about": column.attribute,
        "level": attribute.levels[column.level].name,
        "unit": _unit(book.policy, column) if number else None,
        "notes": list(_notes(column, attribute, book)),
        "codes": _codes(column, attribute, book.tally.counts[column.name]),
        **(_related(column.attribute, between) if column.kind in (Kind.CODE, Kind.NUMBER) else {}),
    }


def _title(column: Column, attribute: Attribute, policy: Policy) -> Texts:
    own = _own_title(column.attribute, policy)
    if column.kind is Kind.ABOVE:
        level = attribute.levels[column.level].name
        return _filled("above_meaning", {lang: {"attribute": text, "level": level} for lang, text in own.items()})
    if column.kind is Kind.STATUS:
        return in_all("status_meaning", attribute=column.attribute)
    return own


def _own_title(name: str, policy: Policy) -> dict[str, str]:
    document = policy.document
    words: Translated = (document.dimensions.get(name) or document.outcomes[name]).title
    return {language: translated(texts_of(words), language, name) for language in LANGUAGES}


def _filled(name: str, values: Mapping[str, Mapping[str, str]]) -> Texts:
    return {language: in_language(WORDS[name], language).format(**values[language]) for language in LANGUAGES}


def _unit(policy: Policy, column: Column) -> str | None:
    return policy.document.outcomes[column.attribute].unit


def _notes(column: Column, attribute: Attribute, book: Codebook) -> Iterator[Texts]:
    """What else must be known of a column."""
    if column.kind is Kind.CODE and column.level < attribute.depth:
        finest = attribute.leaves.name
        yield in_all("coarser", level=attribute.levels[column.level].name, finest=finest)
    if column.kind is Kind.NUMBER:
        yield from _assumptions(book.layout.shapes[column.attribute])


def _assumptions(shape: NumberShape) -> Iterator[Texts]:
    first, last = (f"{edge * shape.step:g}" for edge in (shape.edges[0], shape.edges[-1]))
    yield in_all("inside", step=f"{shape.step:g}")
    yield in_all("below", lowest=f"{shape.lowest:g}", first=first)
    yield in_all("above", last=last, tail=f"{shape.tails[1]:.0f}")


def _codes(column: Column, attribute: Attribute, counts: IntArray) -> list[Json]:
    """Each code with its parent's, its texts and its records; a number's bins and special codes."""
    if column.kind is Kind.STATUS and attribute.edges is not None:
        return _statuses(attribute, counts)
    level = attribute.levels[column.level]
    above = attribute.levels[column.level - 1]
    return [
        {
            "code": code,
            "parent": above.codes[level.parent[place]] if column.level > 1 else None,
            **_texts(attribute, column.level, code),
            "records": int(counts[place]),
            **_bin(column, attribute, place),
        }
        for place, code in enumerate(level.codes)
    ]


def _statuses(attribute: Attribute, counts: IntArray) -> list[Json]:
    """One code for all numbers, then the special codes."""
    numbers, level = len(attribute.edges or ()) + 1, attribute.depth
    found: list[Json] = [{"code": NUMBER, "parent": None, **in_all("number"), "records": int(counts[:numbers].sum())}]
    for code, records in zip(attribute.leaves.codes[numbers:], counts[numbers:], strict=True):
        found.append({"code": code, "parent": None, **_texts(attribute, level, code), "records": int(records)})
    return found


def _texts(attribute: Attribute, level: int, code: str) -> dict[str, str]:
    if code in SPECIAL_CODES:
        return in_all(code)
    return {language: attribute.levels[level].label(code, language) for language in LANGUAGES}


def _bin(column: Column, attribute: Attribute, place: int) -> Json:
    """The ends of a bin; none where it is open."""
    edges = attribute.edges
    if column.kind is not Kind.NUMBER or edges is None or place > len(edges):
        return {}
    return {"from": edges[place - 1] if place else None, "to": edges[place] if place < len(edges) else None}


# ---- relations ------------------------------------------------------------------------------------------------------


def _measured_together(policy: Policy) -> Iterator[tuple[str, list[str]]]:
    for name, table in policy.tables.items():
        yield name, [*table.by, *([table.of] if table.of else [])]


def _related(name: str, between: Relations) -> Json:
    """The columns that this one was measured with, at which levels; that a rule ties it to; and the rest."""
    together = {
        _other(pair.columns, name): [list(x) for x in pair.levels] for pair in between.pairs if name in pair.columns
    }
    ruled = [_other(two, name) for two in between.by_rule if name in two]
    apart = [_other(two, name) for two in between.no_pairs if name in two and two not in between.by_rule]
    return {"together": together, "by_rule": ruled, "apart": apart}


def _other(two: tuple[str, ...], name: str) -> str:
    return two[1] if two[0] == name else two[0]
