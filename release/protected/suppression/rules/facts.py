"""What rules look at: numbers per cell that the confidential side has prepared. No row, no identifier of a person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields

import numpy as np
import numpy.typing as npt

from release.codes import IntArray
from release.errors import DataError, Fault, PolicyError
from release.shown import Closed

BoolArray = npt.NDArray[np.bool_]
NOBODY = -1
"""No sole contributor; no group."""


def any_of(answers: Sequence[BoolArray]) -> BoolArray:
    """Where any of several answers is yes, [n]."""
    return np.asarray(np.stack(answers).any(axis=0), bool)


@dataclass(frozen=True, eq=False, repr=False)
class CellFacts(Closed):
    """True figures of n cells, whole numbers, one entry per cell (`largest`: one row). What isn't given is None.

    counts: persons, as they would be published; with sampling weights the weighted count.
    respondents: persons who answered, each counted once (absent: nobody is weighted, `counts` is that number).
    asked: persons who were asked.
    sums: the published magnitude, in its smallest unit (cents).
    absolute: sum of the contributions' absolute values; needed only where contributions may be negative.
    largest: [n, t], the t largest contributions, absolute values, the largest first, filled up with 0; contributors
        of one holding are added up first. With sampling weights: as `largest_with_weights` gives them.
    contributors: distinct contributors (holdings) with a contribution that isn't 0.
    holders: kind of holder ("provider", "owner") -> number of distinct ones in the cell.
    groups: group's name -> number of persons in the group that the cell is one answer of; NOBODY where it is none.
    sole: number of the only contributor (holding); the same in all cells he is alone in; NOBODY elsewhere.
    scale: `sums`, `absolute` and `largest` are told in 1/scale of the smallest unit (weights with decimals).
    """

    counts: IntArray
    respondents: IntArray | None = None
    asked: IntArray | None = None
    sums: IntArray | None = None
    absolute: IntArray | None = None
    largest: IntArray | None = None
    contributors: IntArray | None = None
    holders: Mapping[str, IntArray] = field(default_factory=dict)
    groups: Mapping[str, IntArray] = field(default_factory=dict)
    sole: IntArray | None = None
    scale: int = 1

    def __post_init__(self) -> None:
        faults = tuple(_faults(self))
        if faults:
            raise DataError(faults) from None

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def persons(self) -> IntArray:
        """Persons, each counted once."""
        return self.counts if self.respondents is None else self.respondents

    def need(self, what: str, rule: str) -> IntArray:
        """A column that a rule can't do without; PolicyError names both."""
        found: IntArray | None = getattr(self, what)
        if found is None:
            raise _missing(what, rule)
        return found

    def holders_of(self, kind: str, rule: str) -> IntArray:
        """Number of distinct holders of a kind in each cell."""
        if kind not in self.holders:
            raise _missing(f"holders of kind {kind}", rule)
        return self.holders[kind]

    def group(self, name: str, rule: str) -> IntArray:
        """Size of the group that each cell is one answer of, NOBODY where it is none."""
        if name not in self.groups:
            raise _missing(f"group {name}", rule)
        return self.groups[name]


def _missing(what: str, rule: str) -> PolicyError:
    """A rule is asked for that the delivery has no figures for."""
    return PolicyError(
        f'the rule "{rule}" needs {what}, and none are counted for this table',
        where="the table's protection in the policy",
        now="declare the columns they come from, or leave the rule out",
    )


def _columns(facts: CellFacts) -> dict[str, IntArray]:
    """All columns by name."""
    single = {f.name: getattr(facts, f.name) for f in fields(facts) if f.name not in ("holders", "groups", "scale")}
    many = {f"holders of kind {k}": v for k, v in facts.holders.items()} | {
        f"group {k}": v for k, v in facts.groups.items()
    }
    return {name: column for name, column in (single | many).items() if column is not None}


def _faults(facts: CellFacts) -> list[Fault]:
    """What doesn't fit together, in words that tell no figure."""
    columns = _columns(facts)
    faults = [Fault(f"{name}: not whole numbers") for name, c in columns.items() if c.dtype != np.int64]
    faults += [Fault(f"{name}: other cells than the counts") for name, c in columns.items() if len(c) != len(facts)]
    if faults:
        return faults
    signed = ("sums", "sole", *(f"group {name}" for name in facts.groups))
    faults = [Fault(f"{name}: below zero") for name, c in columns.items() if name not in signed and (c < 0).any()]
    if facts.largest is not None and (np.diff(facts.largest, axis=1) > 0).any():
        faults.append(Fault("largest: not sorted, the largest first"))
    return faults
