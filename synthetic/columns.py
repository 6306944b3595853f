"""Which columns synthetic records have: named and coded as in the linked file, at the finest measured level."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from release.codes import Attribute
from release.policy.policy import Policy
from release.policy.synthetic_checks import MARK, STATUS, record_columns

ID = "synthetic_id"


class Kind(StrEnum):
    """What a column holds."""

    CODE = "code"
    ABOVE = "level-above"
    NUMBER = "number"
    STATUS = "status"


@dataclass(frozen=True)
class Column:
    """A column about an attribute at one level: its code, the code of a level above, a number, or a number's status."""

    name: str
    attribute: str
    level: int
    kind: Kind


def columns_of(policy: Policy, names: Sequence[str] | None = None) -> tuple[Column, ...]:
    """Columns of the records, besides `synthetic_id` and `synthetic`. names: by default those the policy asks for."""
    chosen = record_columns(policy.document) if names is None else tuple(names)
    measured = measured_levels(policy)
    above = {
        name: _names_above(policy.attributes[name], measured[name], taken={MARK, *policy.attributes})
        for name in chosen
        if name in policy.document.dimensions
    }
    double = _double([name for names_above in above.values() for name in names_above])
    return tuple(
        column
        for name in chosen
        for column in _columns(policy.attributes[name], measured[name], above.get(name, {}), double)
    )


def measured_levels(policy: Policy) -> dict[str, int]:
    """The finest level at which any table measures each attribute."""
    found: dict[str, int] = {}
    for table in policy.tables.values():
        for name, level in policy.measured(table):
            found[name] = max(level, found.get(name, 0))
    return found


def _names_above(attribute: Attribute, measured: int, taken: set[str]) -> dict[str, int]:
    """Names of the levels between the root and the measured one; with the dimension's name where they are taken."""
    names = [level.name for level in attribute.levels[:measured]]
    return {
        (f"{attribute.name}-{name}" if name in taken else name): level for level, name in enumerate(names) if level > 0
    }


def _double(names: list[str]) -> set[str]:
    return {name for name in names if names.count(name) > 1}


def _columns(attribute: Attribute, level: int, above: Mapping[str, int], double: set[str]) -> Iterator[Column]:
    for name, upper in above.items():
        yield Column(f"{attribute.name}-{name}" if name in double else name, attribute.name, upper, Kind.ABOVE)
    if attribute.edges is None:
        yield Column(attribute.name, attribute.name, level, Kind.CODE)
    else:
        yield Column(attribute.name, attribute.name, level, Kind.NUMBER)
        yield Column(f"{attribute.name}{STATUS}", attribute.name, level, Kind.STATUS)
