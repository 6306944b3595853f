"""What a published text means: a figure, a figure that is hidden, a range that holds it, or nothing at all.

Marks follow the usual conventions of statistics offices (PX, SDMX, Eurostat); `--mark TEXT=MEANING` tells others.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from release.errors import UsageError

Kind = Literal["figure", "hidden", "absent"]


@dataclass(frozen=True)
class Meaning:
    """figure: the value is known. hidden: it lies in lower … upper, None where nothing is known. absent: no cell."""

    kind: Kind
    lower: Fraction | None = None
    upper: Fraction | None = None


HIDDEN, ABSENT, ZERO = Meaning("hidden"), Meaning("absent"), Meaning("figure", Fraction(0), Fraction(0))

HIDDEN_MARKS = (
    *("..", "...", "....", ".....", "......", "x", "xx", "(x)", "c", "(c)", "*", "**", "***", "s", "(s)"),
    *(":", ":c", ":x", "#", "/", "n.s.", "ns", "nd", "n.d.", "na", "n/a", "nan", "null"),
    *("suppressed", "confidential", "hidden", "too-few"),
)
ABSENT_MARKS = (".", "z", ":z", "nap")
ZERO_MARKS = ("-", "–", "—", "−")
WORDS: Mapping[str, Meaning] = {
    **dict.fromkeys(HIDDEN_MARKS, HIDDEN),
    **dict.fromkeys(ABSENT_MARKS, ABSENT),
    **dict.fromkeys(ZERO_MARKS, ZERO),
}
_SPACES = re.compile(r"[\s\u00a0\u2009\u202f']+")
_NUMBER = re.compile(r"[-+−]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_COMMA = re.compile(r"[-+−]?\d[\d \u00a0\u202f.]*,\d+")
_GROUPS = re.compile(r"[-+−]?[1-9]\d{0,2}(?:,\d{3})+")
_RANGE = re.compile(r"(\d+(?:\.\d+)?)(?:-|–|—|to|\.\.)(\d+(?:\.\d+)?)")
_BELOW = re.compile(r"(?:<|under|below|lessthan|alle|under)(\d+(?:\.\d+)?)")
_AT_MOST = re.compile(r"(?:<=|≤|atmost)(\d+(?:\.\d+)?)")
_AT_LEAST = re.compile(r"(?:>=|≥|atleast)(\d+(?:\.\d+)?)|(\d+(?:\.\d+)?)\+")
_FLAGGED = re.compile(r"(.*\d)\s*(?:\(?[a-zA-Z]{1,2}\)?|\*{1,3})")


def meaning(text: str, *, comma: bool, told: Mapping[str, Meaning]) -> Meaning | None:
    """What a text of a published table means; None where it isn't a figure or a known mark.

    comma: the decimal mark is a comma. told: meanings given by the user, by text ("" for an empty cell).
    """
    plain = text.strip()
    if plain in told:
        return told[plain]
    if not plain:
        return HIDDEN
    known = WORDS.get(_SPACES.sub("", plain).casefold())
    return known or _of_number(plain, comma) or _of_range(plain, comma) or _of_flagged(plain, comma)


def told_meaning(option: str) -> tuple[str, Meaning]:
    """`--mark TEXT=MEANING`: zero, hidden, absent, a number or a range such as 1-4. UsageError for anything else."""
    text, found, word = option.partition("=")
    words = {"zero": ZERO, "hidden": HIDDEN, "absent": ABSENT}
    meant = words.get(word.strip().casefold()) or _of_number(word, False) or _of_range(word, False)
    if not found or meant is None:
        raise UsageError(
            "a mark is told as TEXT=MEANING",
            where=f"--mark {option}",
            now='for instance --mark "x=1-4" or --mark "=zero"',
        )
    return text.strip(), meant


def has_decimal_comma(texts: Iterable[str]) -> bool:
    """Whether some text can only be a number with a decimal comma: "12,5", but not "1,234"."""
    return any(_COMMA.fullmatch(text.strip()) and not _GROUPS.fullmatch(text.strip()) for text in texts)


def _of_number(text: str, comma: bool) -> Meaning | None:
    plain = _plain_number(text, comma)
    if not _NUMBER.fullmatch(plain):
        return None
    value = Fraction(plain)
    return Meaning("figure", value, value)


def _plain_number(text: str, comma: bool) -> str:
    """Digits with a point as decimal mark and no separators of thousands."""
    plain = _SPACES.sub("", text).replace("−", "-")
    if comma:
        return plain.replace(".", "").replace(",", ".") if "," in plain else _ungrouped(plain, r"\.")
    return _ungrouped(plain, ",")


def _ungrouped(text: str, mark: str) -> str:
    """Without separators of thousands, where every group has three digits."""
    if re.fullmatch(rf"[-+]?[1-9]\d{{0,2}}(?:{mark}\d{{3}})+(?:\.\d+)?", text):
        return re.sub(mark, "", text)
    return text


def _of_range(text: str, comma: bool) -> Meaning | None:
    plain = _SPACES.sub("", text).casefold()
    plain = plain.replace(",", ".") if comma else plain
    if found := _RANGE.fullmatch(plain):
        return Meaning("hidden", Fraction(found[1]), Fraction(found[2]))
    if found := _BELOW.fullmatch(plain):
        return Meaning("hidden", None, Fraction(found[1]) - 1)
    if found := _AT_MOST.fullmatch(plain):
        return Meaning("hidden", None, Fraction(found[1]))
    if found := _AT_LEAST.fullmatch(plain):
        return Meaning("hidden", Fraction(found[1] or found[2]), None)
    return None


def _of_flagged(text: str, comma: bool) -> Meaning | None:
    """A figure or a colon with an observation flag behind it: "12 p", "7*", ": c"."""
    if text.startswith(":"):
        return WORDS.get(_SPACES.sub("", text).casefold(), HIDDEN)
    found = _FLAGGED.fullmatch(text)
    return _of_number(found[1], comma) if found else None
