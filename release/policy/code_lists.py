"""Attributes from the code lists, bins and scales of a policy."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

from release.codes import NO_ANSWER, NOT_APPLICABLE, NOT_FOUND, REPORTED, SPECIAL_CODES, Attribute, Labels, tree
from release.errors import Fault, PolicyError, nearest
from release.policy.bins import bin_codes, bin_edges, bin_texts
from release.policy.csv_text import CodeFile, CodeFiles
from release.policy.document import Dimension, Outcome
from release.policy.yaml_text import Place

LANGUAGES = ("en", "fi", "sv")
RESERVED = ("all", "refuse", *SPECIAL_CODES)
"""Words that no code list may use: the root, the rule for unknown codes, and the codes we add ourselves."""

MOST_CODES = 200_000
MOST_FAULTS = 10
"""Faults told of one file: they often have one cause."""

MOST_SCORES = 101

SPECIAL_TEXTS: Mapping[str, Mapping[str, str]] = {
    NOT_FOUND: {"en": "Not in the register", "fi": "Ei rekisterissä", "sv": "Finns inte i registret"},
    NO_ANSWER: {"en": "No answer", "fi": "Ei vastausta", "sv": "Inget svar"},
    NOT_APPLICABLE: {"en": "Not applicable", "fi": "Ei sovellu", "sv": "Ej tillämpligt"},
}

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_BAD_CODE = re.compile(r'["\x00-\x1f\x7f-\x9f\u2028\u2029]')
Texts = Mapping[str, str]


@dataclass(frozen=True)
class Leaf:
    """One leaf as it is declared: where, its codes below the root, and its texts per code (may be empty)."""

    where: str
    path: tuple[str, ...]
    texts: tuple[Texts, ...]


@dataclass(frozen=True)
class LeafList:
    """All leaves of one attribute, in the order of the list. `levels` runs from the root to the leaves."""

    levels: tuple[str, ...]
    leaves: tuple[Leaf, ...]
    edges: tuple[float, ...] | None = None
    scores: tuple[float, ...] | None = field(default=None)


def dimension_attribute(name: str, dimension: Dimension, *, files: CodeFiles, place: Place) -> Attribute:
    """The tree of a dimension; PolicyError with every fault of its code list."""
    return _attribute(name, _declared(name, dimension, files, place))


def outcome_attribute(
    name: str, outcome: Outcome, *, special: Sequence[str], files: CodeFiles, place: Place
) -> Attribute:
    """The tree of an outcome, special codes last; PolicyError with every fault of its code list."""
    return _attribute(name, _with_special(_declared(name, outcome, files, place), special))


def _attribute(name: str, found: LeafList) -> Attribute:
    labels = {level: _labels(found, depth) for depth, level in enumerate(found.levels[1:])}
    plain = tree(name, found.levels, [leaf.path for leaf in found.leaves], labels)
    return Attribute(name, plain.levels, found.edges, found.scores)


def _declared(name: str, words: Dimension | Outcome, files: CodeFiles, place: Place) -> LeafList:
    if isinstance(words, Outcome) and words.bins:
        return _binned(name, words, place / "bins")
    if isinstance(words, Outcome) and words.scale:
        return _scaled(name, words.scale, place / "scale")
    if isinstance(words, Outcome) and words.amount:
        return LeafList(("all", name), (Leaf("", (REPORTED,), (_REPORTED_TEXTS,)),))
    levels = tuple(words.levels or ("all", name))
    _check_levels(levels, place / "levels")
    if isinstance(words.codes, str):
        found = _from_file(name, levels, bool(words.levels), files.read(words.codes, place / "codes"))
    else:
        found = _inline(levels, words.codes or (), place / "codes")
    return _checked(found, place / "codes")


def _check_levels(levels: tuple[str, ...], place: Place) -> None:
    for position, level in enumerate(levels):
        if level in levels[:position]:
            place.refuse(f'the level "{level}" is here twice.', "give each level a name of its own")


def _from_file(name: str, levels: tuple[str, ...], named: bool, file: CodeFile) -> LeafList:
    below = levels[1:] if named or name in file.columns else ("code",)
    _check_columns(file, below, {f"{column}_{language}" for column in (*below, name) for language in LANGUAGES})
    leaves = (
        Leaf(row.where, tuple(row.cells[c] for c in below), _texts_of(row.cells, below, name)) for row in file.rows
    )
    return LeafList(levels, tuple(leaves))


def _check_columns(file: CodeFile, needed: Sequence[str], texts: set[str]) -> None:
    where = f"{file.name}, line 1"
    missing = [
        Fault(f'the column "{c}" is missing.', where, _renaming(c, file)) for c in needed if c not in file.columns
    ]
    if missing:
        raise PolicyError(missing)
    known = [*needed, *sorted(texts)]
    unknown = [
        Fault(f'there is no use for the column "{c}".', where, nearest(c, known))
        for c in file.columns
        if c not in known
    ]
    if unknown:
        raise PolicyError(unknown)


def _renaming(column: str, file: CodeFile) -> str:
    return f'add it, or rename the one that holds it; "{column}" was looked for; in the file: {", ".join(file.columns)}'


def _texts_of(cells: Mapping[str, str], below: Sequence[str], name: str) -> tuple[Texts, ...]:
    prefixes = [(column, name) if column == "code" else (column,) for column in below]
    return tuple(
        {lang: cells[f"{p}_{lang}"] for p in some for lang in LANGUAGES if cells.get(f"{p}_{lang}")}
        for some in prefixes
    )


def _inline(levels: tuple[str, ...], codes: Sequence[Any] | Mapping[Any, Any], place: Place) -> LeafList:
    if len(levels) > 2:
        place.refuse("a tree of codes can't be written inside the policy.", "give a CSV file, one column per level")
    leaves = []
    for position, code in enumerate(codes):
        text = codes[code] if isinstance(codes, Mapping) else {}
        here = place / (code if isinstance(codes, Mapping) else position)
        leaves.append(
            Leaf(place.text.where(here.path), (str(code),), ({"en": text} if isinstance(text, str) else text,))
        )
    return LeafList(levels, tuple(leaves))


def _binned(name: str, outcome: Outcome, place: Place) -> LeafList:
    if outcome.bins is None:
        place.refuse("bins are missing.")
    edges = bin_edges(outcome.bins, place)
    coded = zip(bin_codes(edges), bin_texts(edges), strict=True)
    leaves = tuple(Leaf("", (code,), (texts,)) for code, texts in coded)
    return LeafList(("all", name), leaves, edges=tuple(float(edge) for edge in edges))


_REPORTED_TEXTS = {"en": "Amount known", "fi": "Määrä tiedossa", "sv": "Belopp känt"}


def _scaled(name: str, scale: tuple[int, int], place: Place) -> LeafList:
    low, high = scale
    if not low < high < low + MOST_SCORES or abs(low) > 1000:
        place.refuse(f"{low} to {high} isn't a scale.", "write the lowest, then the highest score: [1, 5]")
    scores = range(low, high + 1)
    leaves = tuple(Leaf("", (str(score),), ({},)) for score in scores)
    return LeafList(("all", name), leaves, scores=tuple(float(score) for score in scores))


def _with_special(found: LeafList, special: Sequence[str]) -> LeafList:
    """The list with special codes at its end: each is its own node at every level."""
    deep = len(found.levels) - 1
    added = tuple(Leaf("", (code,) * deep, (SPECIAL_TEXTS[code],) * deep) for code in special)
    scores = found.scores and (*found.scores, *[float("nan")] * len(special))
    return LeafList(found.levels, found.leaves + added, found.edges, scores)


def _labels(found: LeafList, depth: int) -> Labels:
    """Texts of one level by language, in order of the codes' first appearance."""
    texts: dict[str, Texts] = {}
    for leaf in found.leaves:
        texts.setdefault(leaf.path[depth], leaf.texts[depth])
    spoken = [language for language in LANGUAGES if any(text.get(language) for text in texts.values())]
    return {language: tuple(text.get(language, "") for text in texts.values()) for language in spoken}


def _checked(found: LeafList, place: Place) -> LeafList:
    if not found.leaves:
        place.refuse("the code list is empty.", "write at least one code")
    if len(found.leaves) > MOST_CODES:
        place.refuse(f"the code list has more than {MOST_CODES:,} codes.", "publish coarser codes")
    every = chain(_word_faults(found), _duplicate_faults(found), _parent_faults(found), _text_faults(found))
    faults = list(islice(every, MOST_FAULTS))
    if faults:
        raise PolicyError(faults)
    return found


def _word_faults(found: LeafList) -> Iterator[Fault]:
    for leaf in found.leaves:
        if _has_control(leaf.texts):
            yield Fault("a text here holds a line break or a control character.", leaf.where, "remove it")
        for level, code in zip(found.levels[1:], leaf.path, strict=True):
            if not code or len(code) > 200 or _BAD_CODE.search(code):
                yield Fault(
                    f'a code of level "{level}" is empty, too long, or holds a quotation mark.',
                    leaf.where,
                    "correct it",
                )
            elif code in RESERVED:
                yield Fault(f'the code "{code}" is reserved.', leaf.where, "choose another word for it")


def _has_control(texts: Sequence[Texts]) -> bool:
    return any(_CONTROL.search(text) for of_code in texts for text in of_code.values())


def _duplicate_faults(found: LeafList) -> Iterator[Fault]:
    first: dict[str, str] = {}
    for leaf in found.leaves:
        if leaf.path[-1] in first:
            yield Fault(
                f'the code "{leaf.path[-1]}" is here twice, first at {first[leaf.path[-1]]}.', leaf.where, "keep one"
            )
        first.setdefault(leaf.path[-1], leaf.where)


def _parent_faults(found: LeafList) -> Iterator[Fault]:
    for depth in range(1, len(found.levels) - 2):
        parents: dict[str, str] = {}
        for leaf in found.leaves:
            code, parent = leaf.path[depth], leaf.path[depth - 1]
            if parents.setdefault(code, parent) != parent:
                level = found.levels[depth + 1]
                what = f'the {level} "{code}" stands under "{parent}" here, under "{parents[code]}" before.'
                yield Fault(what, leaf.where, "put it under one of them, or give it two codes")


def _text_faults(found: LeafList) -> Iterator[Fault]:
    for depth in range(len(found.levels) - 2):
        texts: dict[str, Texts] = {}
        for leaf in found.leaves:
            if texts.setdefault(leaf.path[depth], leaf.texts[depth]) != leaf.texts[depth]:
                what = f'the {found.levels[depth + 1]} "{leaf.path[depth]}" has another text here than before.'
                yield Fault(what, leaf.where, "write the same text on all its lines")
