"""Sums over the codes of a dimension: told in files, told by the published file itself, or guessed from the codes.

What is guessed here counts only after the published figures have confirmed it: see `release/attack/confirm.py`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from release.attack.published import Dimension
from release.attack.sheet import Edges, unreadable
from release.attack.text_file import decoded, read_csv
from release.codes import IntArray
from release.errors import UsageError

TOTALS = (
    "total totals totalt yhteensä yht kaikki all alla samtliga summa sum tot t _t ssz sss gesamt insgesamt ensemble "
    "koko maa hela landet whole country hela riket both sexes molemmat sukupuolet båda könen koko väestö i alt"
)
_TOTAL_WORDS = frozenset(TOTALS.split()) - {"koko", "maa", "hela", "landet", "whole", "country", "riket", "both"}
_TOTAL_PHRASES = (
    "båda könen",
    "koko väestö",
    "all persons",
    "koko maa",
    "hela landet",
    "whole country",
    "hela riket",
    "both sexes",
    "molemmat sukupuolet",
    "i alt",
)
_TOTAL_STARTS = ("total", "yhteensä", "totalt", "samtliga", "kaikki ", "all ", "alla ")
_INTERVAL = re.compile(r"[^\d]*?(\d{1,4})\s*(?:-|–|—|to|/)\s*(\d{1,4})[^\d]*|[^\d]*?(\d{1,4})[^\d]*")
_FIRST_YEAR, _LAST_YEAR = 1500, 2999
LANGUAGE = re.compile(r".*[_ -](?:en|fi|sv|se|label|name|text)$", re.IGNORECASE)


@dataclass(frozen=True)
class Sum:
    """One code is the sum of others. made: children that no file prints and that stand for what isn't told."""

    parent: str
    children: tuple[str, ...]
    made: tuple[str, ...] = ()


def parents_of(sums: Sequence[Sum], codes: Sequence[str]) -> tuple[IntArray, IntArray]:
    """The code above each, by the smallest sum that it is part of, and its depth below the tops, both [codes + 1].

    A place 0 stands above all tops, at depth 0 as they do; codes follow from 1 on.
    """
    place = {code: i for i, code in enumerate(codes, start=1)}
    parents = np.zeros(len(codes) + 1, dtype=np.int64)
    for one in sorted(sums, key=lambda one: -len(one.children)):
        for child in one.children:
            if child in place and one.parent in place:
                parents[place[child]] = place[one.parent]
    depth, at = np.zeros(len(parents), dtype=np.int64), parents
    for _ in codes:
        if not at.any():
            break
        depth, at = depth + (at > 0), parents[at]
    return (parents, depth) if not at.any() else (np.zeros_like(parents), np.zeros_like(depth))


def sums_of_edges(edges: Edges, codes: Sequence[str]) -> tuple[Sum, ...]:
    """Sums of a tree, reduced to the codes that are printed: a level that isn't printed gives way to the one below.

    A top that isn't printed stands for the printed total, whatever it is called.
    """
    children: dict[str, list[str]] = {}
    for parent, child in dict.fromkeys(edges):
        children.setdefault(parent, []).append(child)
    printed, below = set(codes), {child for _, child in edges}
    total = total_of(codes, {})
    sums = []
    for parent in children:
        name = total if parent not in below and parent not in printed else parent
        if name is not None and name in printed:
            found = tuple(dict.fromkeys(_printed_below(parent, children, printed)))
            sums += [Sum(name, found)] if found and name not in found else []
    return tuple(sums)


def _printed_below(parent: str, children: Mapping[str, Sequence[str]], printed: set[str]) -> Iterable[str]:
    for child in children.get(parent, ()):
        if child in printed:
            yield child
        elif child != parent:
            yield from _printed_below(child, children, printed)


def told_edges(path: Path) -> Edges:
    """A tree from a file: parent,child pairs (CSV), an indented list (.hrc), or a code list with a column per level.

    UsageError where there is no such file, DataError where it is none of these or runs in a circle.
    """
    try:
        content = path.read_bytes()
    except OSError:
        raise UsageError("the hierarchy can't be read", where=f'--hierarchy, file "{path.name}"') from None
    edges = _indented(path.name, content) if path.suffix.lower() == ".hrc" else _listed(path.name, content)
    if _runs_in_circle(edges):
        raise unreadable(path.name, "its codes run in a circle", "correct the parents")
    return edges


def _indented(name: str, content: bytes) -> Edges:
    from release.protected.exchange.hrc import edges_of_hrc

    return edges_of_hrc(decoded(name, content), root="")


def _listed(name: str, content: bytes) -> Edges:
    sheet = read_csv(name, content)[0]
    names = {column.casefold(): column for column in sheet.header}
    child = names.get("child") or names.get("code")
    if "parent" in names and child:
        pairs = zip(sheet.column(names["parent"]), sheet.column(child), strict=True)
        return [(parent, code) for parent, code in pairs if parent and parent != code]
    levels = [sheet.column(column) for column in sheet.header if not LANGUAGE.fullmatch(column)]
    above = [[""] * len(sheet), *levels]
    steps = [pair for upper, lower in zip(above, levels, strict=False) for pair in zip(upper, lower, strict=True)]
    return [(parent, code) for parent, code in dict.fromkeys(steps) if code and code != parent]


def _runs_in_circle(edges: Edges) -> bool:
    """Whether taking away codes without children again and again leaves some."""
    left = set(edges)
    while left:
        parents = {parent for parent, _ in left}
        kept = {(parent, child) for parent, child in left if child in parents}
        if len(kept) == len(left):
            return True
        left = kept
    return False


def total_of(codes: Sequence[str], labels: Mapping[str, str]) -> str | None:
    """The code that is called a total, by its text or by itself; None where there is none."""
    for code in codes:
        if _is_total(labels.get(code, code)) or _is_total(code):
            return code
    return None


def _is_total(text: str) -> bool:
    word = re.sub(r"[\s\u00a0]+", " ", text.strip().casefold()).strip("\"'()*.: ")
    return word in _TOTAL_WORDS or word in _TOTAL_PHRASES or word.startswith(_TOTAL_STARTS)


def guessed_sums(dimension: Dimension) -> tuple[Sum, ...]:
    """Sums that the codes suggest: intervals that hold others, codes that begin with another, all else in the total."""
    if dimension.edges:
        return sums_of_edges(dimension.edges, dimension.codes)
    total = total_of(dimension.codes, dimension.labels)
    others = [code for code in dimension.codes if code != total]
    return interval_sums(others, total) or _prefix_sums(others, total)


def _prefix_sums(codes: Sequence[str], total: str | None) -> tuple[Sum, ...]:
    """A code's parent is the longest other code that it begins with, else the total."""
    known = set(codes)
    children: dict[str, list[str]] = {}
    for code in codes:
        shorter = (code[:length] for length in range(len(code) - 1, 0, -1))
        parent = next((begin for begin in shorter if begin in known), total)
        if parent is not None:
            children.setdefault(parent, []).append(code)
    return tuple(Sum(parent, tuple(below)) for parent, below in children.items())


def interval_sums(codes: Sequence[str], total: str | None) -> tuple[Sum, ...]:
    """Sums of codes that are intervals, such as years 2019-2021 or ages 15-24; none unless one lies in another.

    The parts are the shortest intervals between all ends. Those that aren't printed are made up, unknown, for years;
    other intervals must be printed.
    """
    spans = {code: _span(code) for code in codes}
    known = {code: span for code, span in spans.items() if span is not None}
    if len(known) < len(codes) or not _overlap(list(known.values())):
        return ()
    years = all(_FIRST_YEAR <= end <= _LAST_YEAR for span in known.values() for end in span)
    cuts = sorted({end for low, high in known.values() for end in (low, high + 1)})
    names = {span: code for code, span in known.items()}
    pieces = [(low, high - 1) for low, high in pairwise(cuts)]
    inside = {c: [p for p in pieces if low <= p[0] and p[1] <= high] for c, (low, high) in known.items()}
    covered = [piece for piece in pieces if any(piece in parts for parts in inside.values())]
    label = {piece: names.get(piece, _unprinted(piece)) for piece in covered}
    if not years and any(piece not in names for piece in covered):
        return ()
    sums = [_sum_of_pieces(code, [label[p] for p in parts], names) for code, parts in inside.items() if len(parts) > 1]
    top = [_sum_of_pieces(total, list(label.values()), names)] if total is not None else []
    return (*top, *sums)


def _unprinted(piece: tuple[int, int]) -> str:
    low, high = piece
    return f"{low} (not printed)" if low == high else f"{low}-{high} (not printed)"


def _sum_of_pieces(parent: str, pieces: Sequence[str], names: Mapping[tuple[int, int], str]) -> Sum:
    printed = set(names.values())
    return Sum(parent, tuple(pieces), tuple(piece for piece in pieces if piece not in printed))


def _span(code: str) -> tuple[int, int] | None:
    found = _INTERVAL.fullmatch(code.strip())
    if not found:
        return None
    low, high = int(found[1] or found[3]), int(found[2] or found[3])
    return (low, high) if low <= high else None


def _overlap(spans: Sequence[tuple[int, int]]) -> bool:
    """Whether some interval shares a part with another one."""
    ordered = sorted(set(spans))
    return len(ordered) == len(spans) and any(b[0] <= a[1] for a, b in pairwise(ordered))
