"""Turns pydantic's objections into our small letters: the line, the key, the nearest known word, what to write."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from release.errors import Fault, PolicyError, nearest
from release.policy.document import schema_of
from release.policy.yaml_text import KeyPath, Place, PolicyText

Model = TypeVar("Model", bound=BaseModel)
Objection = Mapping[str, Any]

MOST_FAULTS = 25
_TYPES = {"string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false",
          "array": "a list in [ ]", "object": "a mapping of keys", "null": "nothing"}  # fmt: skip


def read_model(model: type[Model], text: PolicyText) -> Model:
    """The policy text as a model; PolicyError with all that doesn't fit."""
    try:
        return model.model_validate(text.data)
    except ValidationError as refusal:
        objections = refusal.errors(include_url=False, include_input=False)
    spec, places = _Spec(schema_of(model), text.data), list(_by_place(objections, text))
    faults = [_fault(path, found, spec, text) for path, found in places[: MOST_FAULTS + 1]]
    raise PolicyError(capped(faults, len(places)))


def capped(faults: Sequence[Fault], number: int) -> list[Fault]:
    """The first of `number` faults, and how many more there are."""
    if number <= MOST_FAULTS:
        return list(faults)
    return [*faults[:MOST_FAULTS], Fault(f"and {number - MOST_FAULTS} more faults.", now="correct these first")]


def _by_place(objections: Sequence[Any], text: PolicyText) -> Iterator[tuple[KeyPath, list[Objection]]]:
    """Objections by the value they are about; those of a union's other arms are dropped."""
    places: dict[KeyPath, list[Objection]] = {}
    for objection in objections:
        places.setdefault(_path(objection, text.data), []).append(objection)
    around = {path[:length] for path in places for length in range(len(path))}
    for path, found in sorted(places.items(), key=lambda item: text.line(item[0])):
        if not (path in around and all(_is_about_type(objection) for objection in found)):
            yield path, found


def _path(objection: Objection, data: Any) -> KeyPath:
    """The keys of the policy among pydantic's location, which also names models and arms of unions."""
    path: list[str | int] = []
    location = objection["loc"]
    for part in location:
        if (isinstance(data, dict) and part in data) or (isinstance(data, list) and _is_position(part, data)):
            path.append(part)
            data = data[part]
    if objection["type"] == "missing":
        path.append(location[-1])
    return tuple(path)


def _is_position(part: object, data: list[Any]) -> bool:
    return type(part) is int and part < len(data)


def _is_about_type(objection: Objection) -> bool:
    return str(objection["type"]).endswith("_type")


def _fault(path: KeyPath, found: list[Objection], spec: "_Spec", text: PolicyText) -> Fault:
    first = next((objection for objection in found if not _is_about_type(objection)), found[0])
    if first["type"] in ("missing", "extra_forbidden") or first["loc"][-1] == "[key]":
        return _key_fault(first, path, Place(text, path), spec)
    return _value_fault(first, path, Place(text, path), spec)


def _key_fault(objection: Objection, path: KeyPath, place: Place, spec: "_Spec") -> Fault:
    key = path[-1]
    if objection["type"] == "missing":
        return place.fault(f'the key "{key}" is missing.', f"add `{key}: …`{spec.told(path)}")
    if objection["type"] == "string_pattern_mismatch":
        return place.fault(f'"{_short(key)}" isn\'t accepted as a name.', _NAME_ADVICE)
    return place.fault(f'there is no key "{_short(key)}" here.', nearest(str(key), spec.keys(path[:-1])))


def _value_fault(objection: Objection, path: KeyPath, place: Place, spec: "_Spec") -> Fault:
    value = _value(place.text.data, path)
    if _is_about_type(objection):
        return place.fault(f"{_short(value)} doesn't fit here.", _how_to_type(value, spec.types(path)))
    if objection["type"] == "literal_error":
        return place.fault(f'there is no choice "{_short(value)}" here.', nearest(str(value), spec.choices(path)))
    advice = (
        str(objection["ctx"]["error"]) if objection["type"] == "value_error" else _advice(objection, value, path, spec)
    )
    return place.fault(f'"{_short(value)}" isn\'t accepted here.', advice)


def _advice(objection: Objection, value: object, path: KeyPath, spec: "_Spec") -> str:
    if objection["type"] == "string_pattern_mismatch":
        return (
            _PATTERN_ADVICE.get(_last_word(path), _NAME_ADVICE) if "show" not in path else nearest(str(value), _SHOWN)
        )
    return str(objection["msg"]).replace("Input should be", "write a value") + spec.told(path)


_SHOWN = ("count", "share", "mean", "response-rate", "p25", "p50", "p75", "p10", "p90")
_NAME_ADVICE = "names are lower-case letters, digits and hyphens, and start with a letter: pay-by-field"
_PATTERN_ADVICE = {
    "repeated": "write refuse, or highest ROLE, or lowest ROLE, such as `highest pay`",
    "from": "write input.role, such as `earnings.pay`; in dimensions the role alone",
}


def _how_to_type(value: object, types: list[str]) -> str:
    written = "write " + " or ".join(_TYPES.get(name, name) for name in types) if types else "see docs/policy.md"
    if isinstance(value, int | float) and "string" in types:
        return f"{written}; put quotes around it, as it is written here, if it is a text or a code"
    return written


def _last_word(path: KeyPath) -> str:
    return next((key for key in reversed(path) if isinstance(key, str)), "")


def _value(data: Any, path: KeyPath) -> Any:
    for key in path:
        data = data[key]
    return data


def _short(value: object) -> str:
    if isinstance(value, dict | list):
        return "a mapping of keys" if isinstance(value, dict) else "a list"
    if value is None:
        return "nothing"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= 60 else text[:57] + "…"


class _Spec:
    """A model's JSON Schema, to ask what may stand at a path of the data."""

    def __init__(self, schema: dict[str, Any], data: Any) -> None:
        self.schema = schema
        self.data = data

    def at(self, path: KeyPath) -> list[dict[str, Any]]:
        """All schemas that may apply at a path."""
        found = list(self._arms(self.schema))
        for depth, key in enumerate(path):
            inside = _of_list if isinstance(_value(self.data, path[:depth]), list) else _of_mapping
            found = [arm for schema in found for below in inside(schema, key) for arm in self._arms(below)]
        return found

    def _arms(self, schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
        if "$ref" in schema:
            schema = {**self.schema["$defs"][schema["$ref"].rpartition("/")[2]], **schema}
        if "anyOf" not in schema:
            yield schema
        for arm in schema.get("anyOf", ()):
            yield from self._arms({**arm, **{k: v for k, v in schema.items() if k == "description"}})

    def keys(self, path: KeyPath) -> list[str]:
        """Keys that may stand in the mapping at a path."""
        named = [key for schema in self.at(path) for key in schema.get("properties", ())]
        return named + [key for schema in self.at(path) for key in schema.get("propertyNames", {}).get("enum", ())]

    def choices(self, path: KeyPath) -> list[str]:
        """Words that may stand at a path."""
        return [str(word) for schema in self.at(path) for word in schema.get("enum", [schema.get("const", "")]) if word]

    def types(self, path: KeyPath) -> list[str]:
        """Types that may stand at a path."""
        return list(dict.fromkeys(s["type"] for s in self.at(path) if "type" in s and s["type"] != "null"))

    def told(self, path: KeyPath) -> str:
        """The description of a key, in brackets."""
        return next((f" ({s['description']})" for s in self.at(path) if "description" in s), "")


def _of_mapping(schema: dict[str, Any], key: str | int) -> Iterator[dict[str, Any]]:
    if key in schema.get("properties", ()):
        yield schema["properties"][key]
    elif isinstance(schema.get("additionalProperties"), dict):
        yield schema["additionalProperties"]
    yield from schema.get("patternProperties", {}).values()


def _of_list(schema: dict[str, Any], key: str | int) -> Iterator[dict[str, Any]]:
    if isinstance(key, int):
        yield from schema.get("prefixItems", ())[key : key + 1]
    if isinstance(schema.get("items"), dict):
        yield schema["items"]
