"""What the words of a policy refer to: sources of outcomes, codes of `only_if`, the calendar, special codes."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from release.codes import NO_ANSWER, NOT_APPLICABLE, NOT_FOUND, Attribute
from release.policy.document import PolicyDocument

OUTCOME_KINDS = ("codes", "bins", "scale", "amount")
"""What an outcome has exactly one of."""


def sources_of(document: PolicyDocument, outcome: str) -> list[tuple[str, str]]:
    """(input, role) pairs that an outcome may be read from; exactly one in a checked policy."""
    declared = document.outcomes[outcome].from_
    if declared is None:
        return [(name, outcome) for name, words in document.inputs.items() if outcome in words.columns]
    name, _, role = declared.partition(".")
    known = name in document.inputs and role in document.inputs[name].columns
    return [(name, role)] if known else []


def time_dimension(document: PolicyDocument) -> str | None:
    """The first dimension that is read from the base input's `time` role."""
    base = document.inputs.get(document.link.base)
    if base is None or base.time is None:
        return None
    return next((name for name, words in document.dimensions.items() if (words.from_ or name) == base.time), None)


def periods_followed(document: PolicyDocument, outcome: str, codes: Sequence[str]) -> npt.NDArray[np.bool_] | None:
    """For each code of the time dimension, whether its period + `after` lies in the input's periods.

    None if the outcome has no `after` or its input no `periods`. ValueError if a code isn't a whole number.
    """
    after, sources = document.outcomes[outcome].after, sources_of(document, outcome)
    periods = document.inputs[sources[0][0]].periods if sources else None
    if after is None or periods is None:
        return None
    return np.array([periods.first <= int(code) + after <= periods.last for code in codes], np.bool_)


def special_codes(document: PolicyDocument, outcome: str, time_codes: Sequence[str] | None) -> tuple[str, ...]:
    """The codes we add to an outcome's list; `time_codes` are the time dimension's, None if there is none."""
    words = document.outcomes[outcome]
    followed = None if time_codes is None else periods_followed(document, outcome, time_codes)
    outside = followed is not None and not followed.all()
    first = NO_ANSWER if words.no_answer else NOT_FOUND
    return (first, NOT_APPLICABLE) if words.only_if or outside else (first,)


def leaves_of(attribute: Attribute, codes: Iterable[str]) -> frozenset[int]:
    """Indices of the leaves under some codes, each "code" (finest level first) or "level:code"; KeyError if unknown."""
    return frozenset(leaf for code in codes for leaf in leaves_under(attribute, code))


def leaves_under(attribute: Attribute, code: str) -> list[int]:
    """Indices of the leaves under one code; KeyError if it is unknown."""
    for depth in range(attribute.depth, 0, -1):
        if code in attribute.levels[depth].index:
            return _below(attribute, depth, code)
    level, _, plain = code.partition(":")
    return _below(attribute, attribute.level_number(level), plain)


def _below(attribute: Attribute, depth: int, code: str) -> list[int]:
    node = attribute.levels[depth].index[code]
    return np.flatnonzero(attribute.ancestors(attribute.depth, depth) == node).tolist()
