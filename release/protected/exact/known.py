"""What every reader knows of a hidden figure before he looks at its table: by the policy, and by other figures."""

from collections.abc import Sequence

import numpy as np

from release.codes import REPORTED, IntArray
from release.policy.exact_checks import WITH_EMPTY
from release.policy.policy import Policy
from release.protected.exact.protected import Protected, system_of
from release.protected.exact.sets import TableSet
from release.protected.suppression.structure import System
from release.protected.suppression.view import NO_BOUND, BoolArray


def known_of_hidden(tables: TableSet) -> int:
    """What readers know of a hidden count: at least 1 where zeros are printed, else 0."""
    rules = [said.suppression.rules for said in tables.protections.values() if said.suppression]
    return int(not any(getattr(rule, key) not in (None, False) for rule in rules for key in WITH_EMPTY))


def known_of_sums(
    tables: TableSet, system: System, policy: Policy, counts: Sequence[Protected]
) -> tuple[IntArray, IntArray]:
    """Least and largest that each sum can be, int64 [n] each: by the range declared of amounts and the counts shown.

    counts: the sets of counts published with it. Sums of nobody are printed, so a hidden one has a contributor at
    least. A function of the policy and of published figures alone.
    """
    least, most = policy.amount_range(tables.summed)
    number, shown = persons_shown(tables, system, [one for one in counts if one.proof is not None])
    at_least = np.where(shown, number, 1)
    lower = np.full(len(system), -NO_BOUND, np.int64)
    upper = np.full(len(system), NO_BOUND, np.int64)
    if least is not None:
        lower = least * (at_least if least >= 0 else np.where(shown, number, 0)).astype(np.int64)
        lower = np.where(shown | (least >= 0), lower, -NO_BOUND)
    if most is not None:
        upper = np.where(shown, most * number, NO_BOUND if most > 0 else most)
    return lower.astype(np.int64), upper.astype(np.int64)


def persons_shown(tables: TableSet, system: System, counts: Sequence[Protected]) -> tuple[IntArray, BoolArray]:
    """How many persons with a known amount each sum's cell has, int64 [n], and where that is shown, bool [n].

    Cells that aren't listed there, of nobody or with a figure that became 0, aren't shown here.
    """
    number, shown = np.zeros(len(system), np.int64), np.zeros(len(system), bool)
    for one in counts:
        if not one.tables.summed and tables.summed in one.tables.finest:
            codes, inside = _codes_in(one.tables, system)
            places = system_of(one).places({**codes, tables.summed: [REPORTED] * len(system)})
            mine = inside & (places >= 0) & ~one.hidden[places]
            number[mine], shown[mine] = one.values[places[mine]], True
    return number, shown


def _codes_in(counted: TableSet, system: System) -> tuple[dict[str, list[str]], BoolArray]:
    """The codes of a system's cells along the dimensions of a set of counts, and which cells that set can tell of."""
    codes: dict[str, list[str]] = {}
    inside = np.ones(len(system), bool)
    for d, name in enumerate(system.dimensions):
        if name not in counted.hierarchies:
            inside &= system.cells[:, d] == 0
            continue
        root, known = counted.hierarchies[name][0].root, set(counted.hierarchies[name][0].codes)
        inside &= np.array([code in known for code in system.codes[d]])[system.cells[:, d]]
        named = np.array([code if code in known else root for code in system.codes[d]], dtype=object)
        codes[name] = named[system.cells[:, d]].tolist()
    return codes, inside
