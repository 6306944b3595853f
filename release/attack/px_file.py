"""PX files (PC-Axis): keywords with quoted values, and a matrix of data, STUB then HEADING, row by row.

A careful small reader: what it doesn't know it leaves aside, what contradicts itself it refuses.
"""

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from release.attack.sheet import Sheet, unreadable
from release.attack.text_file import decoded

_DATA = re.compile(r"(?:^|;)\s*DATA\s*=", re.IGNORECASE)
_QUOTED_ENCODING = re.compile(rb'CODEPAGE\s*=\s*"([^"]{2,40})"', re.IGNORECASE)
_TOKEN = re.compile(r'"((?:[^"])*)"|([^\s,;"]+)')
_KEY = re.compile(r"\s*([A-Za-z][\w-]*)\s*(?:\[([^\]]*)\])?\s*(?:\(([^)]*(?:\"[^\"]*\"[^)]*)*)\))?\s*$", re.DOTALL)


@dataclass(frozen=True)
class _Entry:
    """One keyword: its language ("" where none), what it is about, its values."""

    keyword: str
    language: str
    about: tuple[str, ...]
    values: tuple[str, ...]


def read_px(name: str, content: bytes) -> list[Sheet]:
    """The one table of a PX file, long, in the file's main language. DataError where it contradicts itself."""
    text = _text(name, content)
    found = _DATA.search(text)
    if not found:
        raise unreadable(name, "it has no DATA part, so it isn't a whole PX file")
    entries = [entry for entry in _entries(text[: found.start() + 1]) if not entry.language]
    dimensions = [*_values(entries, "STUB"), *_values(entries, "HEADING")]
    texts = {dimension: _values(entries, "VALUES", dimension) for dimension in dimensions}
    codes = {dimension: _values(entries, "CODES", dimension) or texts[dimension] for dimension in dimensions}
    _refuse_contradictions(name, dimensions, texts, codes)
    return [_sheet(name, codes, texts, _data(name, text[found.end() :], codes))]


def _text(name: str, content: bytes) -> str:
    """The file's text in the encoding that it names itself, else as any other text."""
    named = _QUOTED_ENCODING.search(content[:20_000])
    if named and not content.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        try:
            return content.decode(named[1].decode("ascii"))
        except (LookupError, UnicodeDecodeError):
            pass
    return decoded(name, content)


def _entries(text: str) -> Iterator[_Entry]:
    """The keywords before DATA; a line that is none is left aside."""
    for statement in _statements(text):
        key, found, rest = _split_key(statement)
        matched = _KEY.match(key) if found else None
        if matched:
            about = tuple(_texts(matched[3] or ""))
            yield _Entry(matched[1].upper(), matched[2] or "", about, tuple(_texts(rest)))


def _statements(text: str) -> Iterator[str]:
    """The parts between semicolons that stand outside of quotation marks."""
    quoted, start = False, 0
    for i, mark in enumerate(text):
        if mark == '"':
            quoted = not quoted
        elif mark == ";" and not quoted:
            yield text[start:i]
            start = i + 1


def _split_key(statement: str) -> tuple[str, bool, str]:
    """A statement before and after the first equals sign outside of quotation marks."""
    for i in (i for i, mark in enumerate(statement) if mark == "="):
        if statement[:i].count('"') % 2 == 0:
            return statement[:i], True, statement[i + 1 :]
    return statement, False, ""


def _texts(part: str) -> list[str]:
    """Quoted or bare values between commas; long texts broken over several quotations are joined."""
    values: list[str] = []
    for piece in _split_commas(part):
        tokens = [quoted or bare for quoted, bare in _TOKEN.findall(piece)]
        if tokens:
            values.append("".join(tokens))
    return values


def _split_commas(part: str) -> list[str]:
    pieces, quoted, start = [], False, 0
    for i, mark in enumerate(part):
        if mark == '"':
            quoted = not quoted
        elif mark == "," and not quoted:
            pieces.append(part[start:i])
            start = i + 1
    return [*pieces, part[start:]]


def _values(entries: list[_Entry], keyword: str, about: str | None = None) -> list[str]:
    wanted = () if about is None else (about,)
    return next((list(e.values) for e in entries if e.keyword == keyword and e.about[:1] == wanted), [])


def _refuse_contradictions(
    name: str, dimensions: list[str], texts: Mapping[str, list[str]], codes: Mapping[str, list[str]]
) -> None:
    if not dimensions:
        raise unreadable(name, "neither STUB nor HEADING names a dimension")
    for dimension in dimensions:
        if not texts[dimension]:
            raise unreadable(name, f'no VALUES are given for the dimension "{dimension}"')
        if len(texts[dimension]) != len(codes[dimension]):
            raise unreadable(name, f'the dimension "{dimension}" has not as many CODES as VALUES')


def _data(name: str, part: str, codes: Mapping[str, list[str]]) -> list[str]:
    figures = [quoted or bare for quoted, bare in _TOKEN.findall(part)]
    expected = 1
    for values in codes.values():
        expected *= len(values)
    if len(figures) != expected:
        raise unreadable(name, f"DATA holds {len(figures):,} figures where the dimensions ask for {expected:,}")
    return figures


def _sheet(name: str, codes: Mapping[str, list[str]], texts: Mapping[str, list[str]], figures: list[str]) -> Sheet:
    """The matrix as lines: one column per dimension, then the value."""
    keys = tuple(codes)
    lines = list(zip(*itertools.product(*codes.values()), strict=True))
    labels = {key: dict(zip(codes[key], texts[key], strict=True)) for key in keys}
    return Sheet(name, (*keys, "value"), (*lines, figures), keys=keys, labels=labels)
