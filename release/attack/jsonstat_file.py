"""JSON-stat 2.0 datasets and collections that hold their datasets; the 1.x bundles of single datasets too."""

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Any

from release.attack.sheet import Sheet, unreadable
from release.attack.text_file import decoded

MOST_CELLS = 50_000_000


def read_jsonstat(name: str, content: bytes) -> list[Sheet]:
    """Every dataset in the file, long. DataError where the file isn't JSON-stat or contradicts itself."""
    try:
        document = json.loads(decoded(name, content))
    except (ValueError, RecursionError):
        raise unreadable(name, "it isn't valid JSON") from None
    found = list(_datasets(document))
    if not found:
        raise unreadable(name, "it holds no JSON-stat dataset")
    return [_sheet(name if len(found) == 1 else f"{name}, {number}", one) for number, one in enumerate(found, 1)]


def _datasets(document: Any) -> Iterator[Mapping[str, Any]]:
    if not isinstance(document, dict):
        return
    if "dimension" in document and "value" in document:
        yield document
        return
    link = document.get("link")
    items = link.get("item", []) if isinstance(link, dict) else document.values()
    for item in items if isinstance(items, list) or not isinstance(items, dict) else items.values():
        if isinstance(item, dict) and "dimension" in item and "value" in item:
            yield item


def _sheet(name: str, dataset: Mapping[str, Any]) -> Sheet:
    try:
        keys, codes = _keys(dataset)
        count = _cells(codes)
        figures = _figures(dataset, count)
        labels = {key: _labels(dataset["dimension"][key]) for key in keys}
        edges = {key: _edges(dataset["dimension"][key]) for key in keys}
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        raise unreadable(name, "its dimensions, sizes and values don't fit together") from None
    lines = list(zip(*itertools.product(*codes), strict=True))
    return Sheet(name, (*keys, "value"), (*lines, figures), keys=keys, edges=edges, labels=labels)


def _keys(dataset: Mapping[str, Any]) -> tuple[tuple[str, ...], list[list[str]]]:
    """Dimensions and the codes of each, in order; ValueError where the sizes told aren't those."""
    dimension = dataset["dimension"]
    keys = tuple(str(key) for key in dataset.get("id") or dimension["id"])
    sizes = list(dataset.get("size") or dimension["size"])
    codes = [_codes(dimension[key]["category"]) for key in keys]
    if [len(values) for values in codes] != sizes:
        raise ValueError("sizes")
    return keys, codes


def _cells(codes: list[list[str]]) -> int:
    """Number of cells; ValueError where no table is that large."""
    count = prod(len(values) for values in codes)
    if count > MOST_CELLS:
        raise ValueError("size")
    return count


def _codes(category: Mapping[str, Any]) -> list[str]:
    index = category.get("index", category.get("label"))
    if isinstance(index, list):
        return [str(code) for code in index]
    if "index" not in category:
        return [str(code) for code in index or ()]
    return [str(code) for code, _ in sorted(dict(index or {}).items(), key=lambda pair: pair[1])]


def _figures(dataset: Mapping[str, Any], count: int) -> list[str]:
    """The text of each figure: its number, else the mark of its status, else nothing."""
    values = _list_of(dataset["value"], count)
    marks = _list_of(dataset.get("status"), count)
    return [_text(value, mark) for value, mark in zip(values, marks, strict=True)]


def _list_of(found: Any, count: int) -> Sequence[Any]:
    if isinstance(found, list):
        return found if len(found) != 1 or count == 1 else found * count
    if isinstance(found, dict):
        return [found.get(str(i)) for i in range(count)]
    return [found] * count


def _text(value: Any, mark: Any) -> str:
    if value is None:
        return "" if mark is None else str(mark)
    return repr(value) if isinstance(value, float) and not value.is_integer() else str(_whole(value))


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) else value


def _labels(dimension: Mapping[str, Any]) -> dict[str, str]:
    return {str(code): str(text) for code, text in dict(dimension["category"].get("label") or {}).items()}


def _edges(dimension: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The tree that JSON-stat tells by `child`."""
    children = dict(dimension["category"].get("child") or {})
    return [(str(parent), str(child)) for parent, below in children.items() for child in below]
