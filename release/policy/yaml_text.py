"""Safe reading of policy text: plain data, and the line on which each key stands.

Size, depth, anchors, aliases, tags and the number of values are checked on the stream of parsing events, before
anything is built. Plain scalars are resolved by our own short list, so `no`, `010`, `01`, `12:30` and `2024-05-31`
stay text.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import yaml

from release.errors import Fault, PolicyError

KeyPath = tuple[str | int, ...]
"""Keys and positions (from 0) from the top of the file down to a value."""

LARGEST_SIZE = 256 * 1024
LARGEST_DEPTH = 20
MOST_VALUES = 50_000

_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,17}")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,17})(?=[.eE])(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]")


@dataclass(frozen=True)
class PolicyText:
    """A policy file as plain data. `lines` holds the line (from 1) of every key and list item."""

    name: str
    raw: bytes = field(repr=False)
    data: dict[str | int, Any] = field(repr=False)
    lines: Mapping[KeyPath, int] = field(repr=False)

    def line(self, path: KeyPath) -> int:
        """Line of the key, or of the nearest key around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def where(self, path: KeyPath) -> str:
        """ "graduates.yaml, line 41, tables.pay-by-field.by" """
        keys = _dotted(path)
        return f"{self.name}, line {self.line(path)}" + (f", {keys}" if keys else "")


@dataclass(frozen=True)
class Place:
    """A place in a policy file, to make faults about it."""

    text: PolicyText
    path: KeyPath = ()

    def __truediv__(self, key: str | int) -> "Place":
        return Place(self.text, (*self.path, key))

    def fault(self, what: str, now: str = "") -> Fault:
        """A fault at this place."""
        return Fault(what, self.text.where(self.path), now)

    def refuse(self, what: str, now: str = "") -> NoReturn:
        """Refuse the policy for a fault at this place."""
        raise PolicyError([self.fault(what, now)])


def read_policy_text(path: Path) -> PolicyText:
    """Read a policy file; PolicyError if it can't be read or isn't plain, small YAML in UTF-8."""
    if not path.is_file():
        raise PolicyError("there is no such policy file.", where=path.name, now="check its name and folder")
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_SIZE + 1)
    except OSError:
        raise PolicyError("the policy file can't be opened.", where=path.name, now="check who may read it") from None
    return parse_policy_text(raw, path.name)


def parse_policy_text(raw: bytes, name: str) -> PolicyText:
    """Plain data and line numbers from the bytes of a policy; PolicyError if they aren't plain, small YAML."""
    text = _decoded(raw, name)
    events = checked_events(_events(text, name), name)
    builder = _Builder(iter(events), name)
    data = builder.value(())
    if builder.faults:
        raise PolicyError(builder.faults)
    if not isinstance(data, dict):
        _refuse(name, 1, "the file doesn't hold a mapping.", "write one `key: value` per line, as in docs/policy.md")
    return PolicyText(name, raw, data, builder.lines)


def checked_events(events: Iterable[yaml.Event], name: str) -> list[yaml.Event]:
    """The events of one document, root value only; stops at the first that is too deep, too many, or not plain."""
    depth = 0
    kept: list[yaml.Event] = []
    for event in events:
        depth += _step(event)
        _check_depth(event, depth, name)
        _check_plain(event, name)
        if isinstance(event, yaml.NodeEvent):
            _check_number(event, len(kept), name)
        if isinstance(event, yaml.DocumentStartEvent) and kept:
            _refuse(name, _line(event), "a second document starts here.", "one file holds one policy: remove the `---`")
        if isinstance(event, yaml.NodeEvent | yaml.CollectionEndEvent):
            kept.append(event)
    if not kept:
        _refuse(name, 1, "the file is empty.", "start from docs/policy.md or a shipped policy")
    return kept


def _decoded(raw: bytes, name: str) -> str:
    if len(raw) > LARGEST_SIZE:
        _refuse(name, 1, "the file is larger than 256 KB.", "move long code lists into CSV files beside the policy")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        _refuse(name, line, "this line isn't UTF-8 text.", "save the file as UTF-8")


def _events(text: str, name: str) -> Iterator[yaml.Event]:
    try:
        yield from yaml.parse(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        _refuse(name, mark.line + 1 if mark else 1, f"this isn't readable as YAML: {error.problem}.", _YAML_ADVICE)
    except (yaml.YAMLError, ValueError):
        _refuse(name, 1, "the file holds a character that YAML doesn't allow.", "remove control characters")


_YAML_ADVICE = (
    "check the indentation (spaces, no tabs), closing brackets and quotes; quote texts that hold ': ' or ' #'"
)


def _step(event: yaml.Event) -> int:
    if isinstance(event, yaml.CollectionStartEvent):
        return 1
    return -1 if isinstance(event, yaml.CollectionEndEvent) else 0


def _check_depth(event: yaml.Event, depth: int, name: str) -> None:
    if depth > LARGEST_DEPTH:
        _refuse(name, _line(event), f"more than {LARGEST_DEPTH} levels are nested here.", "a policy needs five or so")


def _check_number(event: yaml.Event, kept: int, name: str) -> None:
    if kept > MOST_VALUES:
        _refuse(name, _line(event), f"the file holds more than {MOST_VALUES} values.", "move code lists into CSV files")


def _check_plain(event: yaml.Event, name: str) -> None:
    if isinstance(event, yaml.AliasEvent):
        _refuse(
            name, _line(event), f"the alias *{event.anchor} isn't allowed.", "write the value out where it is needed"
        )
    if isinstance(event, yaml.NodeEvent) and event.anchor:
        _refuse(name, _line(event), f"the anchor &{event.anchor} isn't allowed.", "remove it")
    tag = getattr(event, "tag", None)
    if tag is not None or getattr(event, "tags", None):
        _refuse(name, _line(event), "tags (words that start with !) aren't allowed.", "remove it, or quote the text")


class _Builder:
    """Builds plain data from checked events; remembers lines; collects faults of keys and scalars."""

    def __init__(self, events: Iterator[yaml.Event], name: str) -> None:
        self.events = events
        self.name = name
        self.lines: dict[KeyPath, int] = {}
        self.faults: list[Fault] = []

    def value(self, path: KeyPath) -> Any:
        """The next value of the stream."""
        return self._from(next(self.events), path)

    def _from(self, event: yaml.Event, path: KeyPath) -> Any:
        self.lines.setdefault(path, _line(event))
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path)
        return self._scalar(event)

    def _mapping(self, path: KeyPath) -> dict[str | int, Any]:
        found: dict[str | int, Any] = {}
        spelled: dict[str, int] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self._key(event, path)
            self._check_new(key, spelled, _line(event), path)
            self.lines.setdefault((*path, key), _line(event))
            found[key] = self.value((*path, key))
        return found

    def _key(self, event: yaml.Event, path: KeyPath) -> str | int:
        if not isinstance(event, yaml.ScalarEvent):
            _refuse(self.name, _line(event), "a key can't be a list or a mapping.", "write a word before the colon")
        key = self._scalar(event)
        if isinstance(key, str) or type(key) is int:
            return key
        self._fault(_line(event), path, f"{event.value or 'nothing'} isn't read as text here.", "quote the key")
        return str(event.value)

    def _check_new(self, key: str | int, spelled: dict[str, int], line: int, path: KeyPath) -> None:
        if str(key) in spelled:
            what = f'the key "{key}" is here twice, first on line {spelled[str(key)]}.'
            self._fault(line, (*path, key), what, "keep one of them")
        spelled.setdefault(str(key), line)

    def _sequence(self, path: KeyPath) -> list[Any]:
        found: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            found.append(self._from(event, (*path, len(found))))
        return found

    def _scalar(self, event: Any) -> str | int | float | bool | None:
        if _CONTROL.search(event.value):
            self._fault(_line(event), (), "this text holds a control character.", "remove it")
        return resolve(event.value) if event.implicit[0] and event.style in (None, "") else str(event.value)

    def _fault(self, line: int, path: KeyPath, what: str, now: str) -> None:
        keys = _dotted(path)
        self.faults.append(Fault(what, f"{self.name}, line {line}" + (f", {keys}" if keys else ""), now))


def resolve(plain: str) -> str | int | float | bool | None:
    """What an unquoted scalar means: a number without leading zeros, true, false, null, or else text."""
    if plain in _WORDS:
        return _WORDS[plain]
    if _WHOLE.fullmatch(plain):
        return int(plain)
    if _DECIMAL.fullmatch(plain) and math.isfinite(float(plain)):
        return float(plain)
    return plain


def _dotted(path: KeyPath) -> str:
    """tables.pay.by, possible[0].over; the position inside a closing list is told by the line."""
    kept = path[:-1] if len(path) > 1 and isinstance(path[-1], int) else path
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in kept).removeprefix(".")


def _line(event: yaml.Event) -> int:
    return int(event.start_mark.line) + 1 if event.start_mark else 1


def _refuse(name: str, line: int, what: str, now: str) -> NoReturn:
    raise PolicyError(what, where=f"{name}, line {line}", now=now)
