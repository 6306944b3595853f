"""How each attribute of the policy comes out of the delivery: from which input and role, and what missing means."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from release.codes import NO_ANSWER, NOT_FOUND, SPECIAL_CODES, Attribute
from release.policy.document import Amount, Dimension, Outcome
from release.policy.policy import Policy

if TYPE_CHECKING:
    import ibis.expr.types as ir


@dataclass(frozen=True, eq=False)
class Use:
    """One attribute. `missing` and `unknown` are the leaf codes such values count under; None: they are refused.

    only_if: other outcome -> its leaves for which this one arises. followed: leaves of the time dimension whose
    persons the register follows for so long; None: all. amount: of outcomes that are added up; summed: some table
    shows their sums, so that amounts are kept.
    """

    attribute: Attribute
    input: str
    role: str
    after: int | None
    missing: str | None
    unknown: str | None
    replace: Mapping[str, str]
    only_if: Mapping[str, frozenset[int]]
    followed: frozenset[int] | None
    amount: Amount | None = None
    summed: bool = False

    @property
    def name(self) -> str:
        return self.attribute.name

    @cached_property
    def known(self) -> dict[str, int]:
        """Leaf index of each code that may stand in the delivery: the list's own, and those replaced."""
        index = self.attribute.leaves.index
        own = {code: i for code, i in index.items() if code not in SPECIAL_CODES}
        return own | {old: index[new] for old, new in self.replace.items()}

    def leaf(self, code: str) -> int:
        """Index of a leaf code of the list, special codes included."""
        return self.attribute.leaves.index[code]

    def leaf_of(self, delivered: str | None) -> int:
        """Leaf index of a value as it stands in the delivery; KeyError where such a value is refused."""
        if delivered is None:
            return self.leaf(str(self.missing))
        return self.known[delivered] if delivered in self.known else self.leaf(str(self.unknown))


def uses(policy: Policy) -> dict[str, Use]:
    """Every dimension and outcome of the policy, in its order."""
    document = policy.document
    dimensions = {name: _dimension(policy, name, said) for name, said in document.dimensions.items()}
    return dimensions | {name: _outcome(policy, name, said) for name, said in document.outcomes.items()}


def _dimension(policy: Policy, name: str, said: Dimension) -> Use:
    unknown = None if said.unknown == "refuse" else said.unknown
    return Use(
        attribute=policy.attributes[name],
        input=policy.document.link.base,
        role=policy.role(name),
        after=None,
        missing=unknown,
        unknown=unknown,
        replace=policy.replace.get(name, {}),
        only_if={},
        followed=None,
    )


def _outcome(policy: Policy, name: str, said: Outcome) -> Use:
    input_name, role = policy.source(name)
    followed = policy.followed(name)
    return Use(
        attribute=policy.attributes[name],
        input=input_name,
        role=role,
        after=said.after,
        missing=NO_ANSWER if said.no_answer else NOT_FOUND,
        unknown=None if said.unknown == "refuse" else said.unknown,
        replace=policy.replace.get(name, {}),
        only_if=policy.applicable[name],
        followed=None if followed is None or followed.all() else frozenset(np.flatnonzero(followed).tolist()),
        amount=said.amount,
        summed=name in policy.summed,
    )


def code_text(column: "ir.Column") -> "ir.Column":
    """A role's values as the texts that code lists hold: whole numbers as their digits."""
    if column.type().is_string():
        return column
    if column.type().is_floating():
        import ibis

        return ibis.ifelse(column.floor() == column, column.cast("int64").cast("string"), "a fraction")
    return column.cast("string")
