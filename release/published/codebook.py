"""`codebook.json`: codes with their parents and texts, statistics and statuses in words."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from release.codes import Attribute
from release.protected.reasons import REASONS, Status, statuses_of
from release.protected.safe import KeyColumn, SafeTable
from release.protected.words import (
    COVERS,
    EXACT,
    LANGUAGES,
    STATUS_MEANINGS,
    code_texts,
    key_title,
    statistic_meaning,
    statistic_text,
    status_text,
)
from release.published.layout import CODEBOOK, write_json

Json = dict[str, object]


def write_codebook(tables: Sequence[SafeTable], public: Path, attributes: Mapping[str, Attribute]) -> None:
    """Write the codebook of all tables. `attributes` (public code trees) give the parents and the levels above."""
    keys = _by_level(tables, attributes)
    statistics = dict.fromkeys(name for table in tables for name in table.statistics)
    book: Json = {
        "codebook": 1,
        "keys": [_key(key, attributes.get(key.name)) for key in keys],
        "statistics": {name: _statistic(name) for name in statistics},
        "statuses": {status.value: _status(status) for status in _statuses(tables)},
        "intervals": {name: dict(words) for name, words in COVERS.items()},
    }
    if exact := {table.covers: dict(EXACT[table.covers]) for table in tables if table.protection != "dp"}:
        book["protections"] = exact
    write_json(public / CODEBOOK, book)


def _statuses(tables: Sequence[SafeTable]) -> list[Status]:
    """Those that some of the tables may have, in the order of their numbers."""
    used = {status for table in tables for status in statuses_of(table.protection)} | set(statuses_of("dp"))
    return [status for status in Status if status in used]


def _by_level(tables: Sequence[SafeTable], attributes: Mapping[str, Attribute]) -> list[KeyColumn]:
    """Each level of each attribute once: those that the tables use, and those above them."""
    found: dict[tuple[str, str], KeyColumn] = {}
    for key in (key for table in tables for key in table.keys):
        for level in (*_above(key, attributes.get(key.name)), key):
            found.setdefault((level.name, level.level), level)
    return list(found.values())


def _above(key: KeyColumn, attribute: Attribute | None) -> Iterator[KeyColumn]:
    depth = _depth(key, attribute)
    if attribute and depth:
        for level in attribute.levels[1:depth]:
            yield KeyColumn(key.name, level.name, level.codes, level.labels, key.title)


def _depth(key: KeyColumn, attribute: Attribute | None) -> int | None:
    """The key's level in its tree; None where the tree isn't known."""
    names = [level.name for level in attribute.levels] if attribute else []
    return names.index(key.level) if key.level in names else None


def _key(key: KeyColumn, attribute: Attribute | None) -> Json:
    texts = {language: code_texts(key, key.codes, language) for language in LANGUAGES}
    parents = _parents(key, attribute)
    codes = [
        {"code": code, "parent": parents.get(code), **{language: texts[language][i] for language in LANGUAGES}}
        for i, code in enumerate(key.codes)
    ]
    title = {language: key_title(key, language) for language in LANGUAGES}
    return {"name": key.name, "level": key.level, "title": title, "codes": codes}


def _parents(key: KeyColumn, attribute: Attribute | None) -> Mapping[str, str]:
    if key.parents is not None:
        return {code: parent for code, parent in zip(key.codes, key.parents, strict=True) if parent is not None}
    depth = _depth(key, attribute)
    if not attribute or not depth:
        return {}
    level, above = attribute.levels[depth], attribute.levels[depth - 1]
    return {code: above.codes[level.parent[i]] for i, code in enumerate(level.codes)}


def _statistic(name: str) -> Json:
    called = {language: statistic_text(name, language) for language in LANGUAGES}
    return {"called": called, "meaning": {language: statistic_meaning(name, language) for language in LANGUAGES}}


def _status(status: Status) -> Json:
    reason = REASONS[status]
    return {
        "called": {language: status_text(status, language) for language in LANGUAGES},
        "meaning": dict(STATUS_MEANINGS[status]),
        "px": reason.px,
        "sdmx": {"OBS_STATUS": reason.sdmx_observation, "CONF_STATUS": reason.sdmx_confidentiality},
    }
