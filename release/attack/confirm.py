"""Which of the sums that codes suggest do the published figures bear out? Those that they contradict are let go."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from release.attack.assign import assigned
from release.attack.cube import Cube
from release.attack.sums import rows_of, tally
from release.attack.trees import Sum, guessed_sums, total_of

ALLOWED_BROKEN = 0.02
COVERED = 0.8
SURE_BITS = 10
_SHAPE = re.compile(r"^([^\d]*)(\d*)")


@dataclass(frozen=True)
class Verdict:
    """A sum's fate: rows that hold exactly, rows that don't, and whether absent cells are other than zero.

    telling: rows that hold or may hold, and hardly by chance; bits: how telling these are together; covered: the
    largest part of a total that its shown children make up.
    """

    held: int
    broken: int
    partial: bool
    telling: int
    bits: float
    covered: float

    @property
    def good(self) -> bool:
        """Nothing speaks against it but a slip here and there."""
        return self.broken <= ALLOWED_BROKEN * max(self.held, self.telling)

    @property
    def sure(self) -> bool:
        """Chance alone hardly makes so many figures add up."""
        return self.good and self.bits >= SURE_BITS

    @property
    def likely(self) -> bool:
        """Confirmed, or never contradicted while the shown children make up nearly all of a total."""
        return self.sure or (self.broken == 0 and COVERED <= self.covered <= 1)


def judged(cube: Cube, d: int, one: Sum) -> Verdict:
    """How a sum along dimension d fares against the published figures."""
    found = tally(cube, rows_of(cube, d, one), unknown=bool(one.made))
    partial = bool(found.short.any()) and found.held_with_absent == 0
    broken = len(found.broken) - (int(found.short.sum()) if partial else 0)
    return Verdict(found.held, broken, partial, found.telling, found.bits, found.covered)


def confirmed_sums(cube: Cube, d: int) -> tuple[Sum, ...]:
    """The sums of a dimension that its codes suggest and its figures bear out; none where nothing adds up."""
    dimension = cube.dimensions[d]
    total = total_of(dimension.printed, dimension.labels) or _total_by_figures(cube, d)
    guessed = guessed_sums(replace(dimension, codes=_first(total, dimension.printed), made=()))
    if total is not None and not guessed:
        guessed = (Sum(total, tuple(code for code in dimension.printed if code != total)),)
    kept = _borne_out(cube, d, guessed, total)
    top = next((one for one in kept if one.parent == total), None)
    if total is None or top is None or _stands(cube, d, top, one_level=len(kept) == len(guessed)):
        return kept
    return (*(one for one in kept if one is not top), *_by_groups(cube, d, top))


def _stands(cube: Cube, d: int, top: Sum, *, one_level: bool) -> bool:
    """Whether a total is the sum of its parts: by the figures, or as nothing speaks against it and they look alike."""
    verdict = judged(cube, d, top)
    forms = {_form(code) for code in top.children}
    return verdict.likely or (verdict.good and one_level and len(forms) <= 1)


def _first(total: str | None, codes: Sequence[str]) -> tuple[str, ...]:
    return tuple(codes) if total is None else (total, *(code for code in codes if code != total))


def _borne_out(cube: Cube, d: int, sums: Sequence[Sum], total: str | None) -> tuple[Sum, ...]:
    """Sums below the total that the figures don't bear out give their children to the parent above.

    Where no figure speaks against any, and together they are sure, all are taken for sums.
    """
    below = [one for one in sums if one.parent != total]
    verdicts = [judged(cube, d, one) for one in below]
    one_kind = sum(verdict.bits for verdict in verdicts) >= SURE_BITS and all(verdict.good for verdict in verdicts)
    kept = list(sums)
    for one in below:
        current = next(s for s in kept if s.parent == one.parent)
        verdict = judged(cube, d, current)
        told = bool(cube.dimensions[d].edges) or bool(one.made)
        if not (verdict.likely or (verdict.good and (one_kind or told))):
            kept.remove(current)
            kept = [_handed_up(s, current) for s in kept]
    return tuple(kept)


def _handed_up(above: Sum, gone: Sum) -> Sum:
    if gone.parent not in above.children:
        return above
    return replace(above, children=(*above.children, *gone.children))


def _total_by_figures(cube: Cube, d: int) -> str | None:
    """The first, last or largest code, if it is the sum of all others wherever the figures tell."""
    codes = cube.dimensions[d].printed
    if len(codes) < 3:
        return None
    digit = cube.digit(d)
    sizes = np.bincount(digit, weights=np.where(cube.known, cube.lower, 0), minlength=len(codes))[: len(codes)]
    for code in dict.fromkeys((codes[0], codes[-1], codes[int(sizes.argmax())])):
        others = tuple(other for other in codes if other != code)
        if judged(cube, d, Sum(code, others)).sure:
            return code
    return None


def _by_groups(cube: Cube, d: int, top: Sum) -> tuple[Sum, ...]:
    """Codes of several levels mixed under the total: each level that adds up to it, and which code is in which.

    A level is told by the form of its codes: the letters they begin with and their length.
    """
    groups: dict[tuple[str, int], list[str]] = {}
    for code in top.children:
        groups.setdefault(_form(code), []).append(code)
    whole = [Sum(top.parent, tuple(codes)) for codes in groups.values() if len(groups) > 1]
    levels = sorted((one for one in whole if judged(cube, d, one).likely), key=lambda one: len(one.children))
    below = [found for upper, lower in pairwise(levels) for found in _nested(cube, d, upper, lower)]
    return (*levels, *below)


def _form(code: str) -> tuple[str, int]:
    """The letters that a code begins with, and its length; codes without digits are all of one form."""
    found = _SHAPE.match(code)
    return (found[1], len(code)) if found and found[2] else ("", 0)


def _nested(cube: Cube, d: int, upper: Sum, lower: Sum) -> tuple[Sum, ...]:
    """Which codes of the lower level make up each of the upper: as they stand in the file, else as the figures fit."""
    listed = _as_listed(cube.dimensions[d].codes, upper, lower)
    if listed and all(judged(cube, d, one).likely for one in listed):
        return listed
    return assigned(cube, d, upper.children, lower.children)


def _as_listed(codes: Sequence[str], upper: Sum, lower: Sum) -> tuple[Sum, ...]:
    """Each upper code with the lower codes that follow it; none where some upper code has no followers."""
    runs: dict[str, list[str]] = {}
    current = None
    for code in codes:
        if code in upper.children:
            current = code
            runs[code] = []
        elif code in lower.children and current is not None:
            runs[current].append(code)
    return tuple(Sum(code, tuple(run)) for code, run in runs.items()) if all(runs.values()) else ()
