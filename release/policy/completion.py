"""Completes a policy with its code lists: attributes, successors of old codes, possible combinations."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from math import prod

import numpy as np

from release.codes import Attribute
from release.errors import Fault, PolicyError, nearest
from release.policy.code_lists import MOST_FAULTS, dimension_attribute, outcome_attribute
from release.policy.csv_text import CodeFile, CodeFiles
from release.policy.document import Dimension, Outcome, PolicyDocument, Possible
from release.policy.meaning import OUTCOME_KINDS, periods_followed, special_codes, time_dimension
from release.policy.policy import PossibleCombinations
from release.policy.table_checks import MOST_CELLS, reference_faults, spaced
from release.policy.yaml_text import Place


@dataclass
class Completion:
    """What the code lists add to a policy, and the faults met on the way; what was refused is absent."""

    attributes: dict[str, Attribute] = field(default_factory=dict)
    replace: dict[str, Mapping[str, str]] = field(default_factory=dict)
    possible: list[PossibleCombinations] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """Keeps the faults of what is refused inside."""
        try:
            yield
        except PolicyError as refusal:
            self.faults.extend(refusal.faults)


def complete(document: PolicyDocument, files: CodeFiles, place: Place) -> Completion:
    """Read every code list of a policy; all faults are collected, none is raised."""
    done = Completion()
    _add_dimensions(done, document, files, place / "dimensions")
    _add_outcomes(done, document, files, place / "outcomes")
    _add_successors(done, document, files, place)
    _add_possible(done, document, files, place / "possible")
    return done


def _add_dimensions(done: Completion, document: PolicyDocument, files: CodeFiles, place: Place) -> None:
    for name, words in document.dimensions.items():
        with done.keeping():
            done.attributes[name] = dimension_attribute(name, words, files=files, place=place / name)


def _add_outcomes(done: Completion, document: PolicyDocument, files: CodeFiles, place: Place) -> None:
    time_codes = _time_codes(done, document, place)
    for name, words in document.outcomes.items():
        if name in document.dimensions or all(getattr(words, kind) is None for kind in OUTCOME_KINDS):
            continue
        special = special_codes(document, name, time_codes)
        with done.keeping():
            done.attributes[name] = outcome_attribute(name, words, special=special, files=files, place=place / name)


def _time_codes(done: Completion, document: PolicyDocument, place: Place) -> tuple[str, ...] | None:
    """The time dimension's codes, if any outcome needs them as whole numbers and they are."""
    name = time_dimension(document)
    if name is None or name not in done.attributes:
        return None
    if all(periods_followed(document, outcome, ()) is None for outcome in document.outcomes):
        return None
    codes = done.attributes[name].leaves.codes
    odd = next((code for code in codes if not re.fullmatch(r"-?[0-9]{1,6}", code)), None)
    if odd is None:
        return codes
    here = Place(place.text, ("dimensions", name, "codes"))
    advice = "outcomes `after` some periods are dated by it: write years or other whole numbers"
    done.faults.append(here.fault(f'the code "{odd}" of "{name}" isn\'t a whole number.', advice))
    return None


def _add_successors(done: Completion, document: PolicyDocument, files: CodeFiles, place: Place) -> None:
    parts: list[tuple[str, Mapping[str, Dimension | Outcome]]] = [
        ("dimensions", document.dimensions),
        ("outcomes", document.outcomes),
    ]
    for part, declared in parts:
        for name, words in declared.items():
            if words.replace is not None and name in done.attributes:
                with done.keeping():
                    file = files.read(words.replace, place / part / name / "replace")
                    done.replace[name] = successors(file, done.attributes[name])


def successors(file: CodeFile, attribute: Attribute) -> Mapping[str, str]:
    """Old code -> its successor among the leaves; PolicyError with every fault of the file."""
    _check_exact_columns(file, ["from", "to"])
    faults = list(islice(_successor_faults(file, attribute), MOST_FAULTS))
    if faults:
        raise PolicyError(faults)
    return {row.cells["from"]: row.cells["to"] for row in file.rows}


def _successor_faults(file: CodeFile, attribute: Attribute) -> Iterator[Fault]:
    known, old = attribute.leaves.index, {row.cells["from"] for row in file.rows}
    seen: set[str] = set()
    for row in file.rows:
        former, successor = row.cells["from"], row.cells["to"]
        if not former or former in seen:
            yield Fault(f'the old code "{former}" is empty or here twice.', row.where, "keep one line per old code")
        elif former in known:
            yield Fault(
                f'"{former}" is still a code of "{attribute.name}".', row.where, "remove it here or in the code list"
            )
        if successor in old:
            yield Fault(f'"{successor}" is replaced itself.', row.where, "write the last successor")
        elif successor not in known:
            yield Fault(f'"{attribute.name}" has no code "{successor}".', row.where, nearest(successor, known))
        seen.add(former)


def _check_exact_columns(file: CodeFile, columns: list[str]) -> None:
    where = f"{file.name}, line 1"
    faults = [
        Fault(f'the column "{c}" is missing.', where, nearest(c, file.columns))
        for c in columns
        if c not in file.columns
    ]
    faults += [
        Fault(f'there is no use for the column "{c}".', where, nearest(c, columns))
        for c in file.columns
        if c not in columns
    ]
    if faults:
        raise PolicyError(faults)


def _add_possible(done: Completion, document: PolicyDocument, files: CodeFiles, place: Place) -> None:
    for position, words in enumerate(document.possible):
        here = place / position
        found = list(
            reference_faults(
                words.over, document.dimensions, attributes=done.attributes, place=here / "over", kind="dimension"
            )
        )
        done.faults.extend(found)
        if found or any(reference.partition(":")[0] not in done.attributes for reference in words.over):
            continue
        with done.keeping():
            done.possible.append(_possible(words, done.attributes, files=files, place=here))


def _possible(
    words: Possible, attributes: Mapping[str, Attribute], *, files: CodeFiles, place: Place
) -> PossibleCombinations:
    """The allowed combinations as a boolean array, in the policy's order of attributes."""
    over = sorted(
        (_level_of(reference, attributes) for reference in words.over), key=lambda pair: list(attributes).index(pair[0])
    )
    levels = [attributes[name].levels[level] for name, level in over]
    columns = [level.name for level in levels]
    if len(set(columns)) < len(columns):
        (place / "over").refuse("two of the levels have the same name.", "rename one: its name is a column of the file")
    if prod(map(len, levels)) > MOST_CELLS:
        (place / "over").refuse(f"the list spans more than {spaced(MOST_CELLS)} combinations.", "choose coarser levels")
    file = files.read(words.codes, place / "codes")
    _check_exact_columns(file, columns)
    known = dict(zip(columns, (level.index for level in levels), strict=True))
    faults = list(islice(_combination_faults(file, known), MOST_FAULTS))
    if faults or not file.rows:
        raise PolicyError(faults or [Fault("no combination is listed.", file.name, "write one line for each")])
    allowed = np.zeros([len(level) for level in levels], np.bool_)
    allowed[tuple(np.array([[level.index[row.cells[level.name]] for level in levels] for row in file.rows]).T)] = True
    return PossibleCombinations(tuple(over), allowed, words.source)


def _combination_faults(file: CodeFile, known: Mapping[str, Mapping[str, int]]) -> Iterator[Fault]:
    seen: dict[tuple[str, ...], str] = {}
    for row in file.rows:
        for column, index in known.items():
            if row.cells[column] not in index:
                what = f'the {column} "{row.cells[column]}" isn\'t in its code list.'
                yield Fault(what, row.where, nearest(row.cells[column], index))
        codes = tuple(row.cells[column] for column in known)
        if codes in seen:
            yield Fault(f"this combination is listed already, at {seen[codes]}.", row.where, "keep one")
        seen.setdefault(codes, row.where)


def _level_of(reference: str, attributes: Mapping[str, Attribute]) -> tuple[str, int]:
    name, _, level = reference.partition(":")
    return name, attributes[name].level_number(level) if level else attributes[name].depth
