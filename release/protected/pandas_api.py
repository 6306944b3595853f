"""Cell suppression for a data frame: pandas in, pandas out. The page docs/suppress-table.md tells how to use it.

frame + hierarchies -> system of cells and sums -> primary rules -> engine -> certificate -> verified -> frames
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from release.codes import IntArray
from release.errors import DataError, PolicyError, UsageError, VerificationError, nearest, roughly
from release.protected.pandas_facts import cell_facts, contributions_of, group_totals, pairs
from release.protected.pandas_usage import Columns, How, Where, refuse_what_cant_be_meant
from release.protected.suppression.boxes import branches_of
from release.protected.suppression.certificate import Certificate, certify_as_wide
from release.protected.suppression.inner import faults_inside, highest_found, protect_upwards, too_low
from release.protected.suppression.judged_unions import (
    Behind,
    Task,
    UnsafeUnions,
    no_unions,
    unsafe_unions,
    until_no_union_is_unsafe,
)
from release.protected.suppression.primary import Primary, judge, not_far_enough
from release.protected.suppression.question import BoolArray, Pattern, Question, cost_of
from release.protected.suppression.rules import CellFacts, KDisclosure, Rule
from release.protected.suppression.rules.groups import with_complements
from release.protected.suppression.structure import Hierarchy, System, Table, crossed
from release.protected.suppression.verify import verify
from release.protected.suppression.view import NO_BOUND, View, outsider

if TYPE_CHECKING:
    import pandas as pd

Edges = Mapping[str, str] | Sequence[tuple[str, str]]
Tree = Hierarchy | Edges
"""A tree as {child: parent}, as (parent, child) pairs, or as a Hierarchy."""
Dimensions = Sequence[str] | Mapping[str, Tree | Sequence[Tree] | None]
TOTAL = "Total"
PROTECTS_OTHERS = "hidden to protect other cells"


@dataclass(frozen=True)
class InformationLoss:
    """What hiding costs. Cells are those with persons; values of totals are counted too, as published.

    bound: proven least cost of any safe pattern in the cost asked, where there is one; gap: how far above this is.
    """

    cells: int
    primary: int
    secondary: int
    hidden_value: float
    value_share: float
    bound: float | None
    gap: float | None


@dataclass(frozen=True, eq=False, repr=False)
class Suppressed:
    """The protected table. `table` and `certificate` may be published; `reasons` and `loss` stay in the office.

    table: one row per cell: dimensions, value (missing where hidden), status ("shown" or "hidden"). All hidden cells
    look alike. reasons: dimensions and the reason of each hidden cell. certificate: the proof that nobody can work out
    a hidden figure; the verifier has checked it against `view`, which is what an outsider has, and `width`, the
    difference that it shows at each hidden cell.
    """

    table: "pd.DataFrame"
    reasons: "pd.DataFrame"
    loss: InformationLoss
    certificate: Certificate
    view: View
    width: IntArray

    def __repr__(self) -> str:
        return f"<Suppressed: {len(self.table):,} cells, {int((self.table['status'] == 'hidden').sum()):,} hidden>"


def suppress_table(
    cells: "pd.DataFrame",
    dimensions: Dimensions,
    *,
    rules: Sequence[Rule],
    columns: Columns | None = None,
    tables: Sequence[Table] | None = None,
    how: How | None = None,
) -> Suppressed:
    """Hide cells so that nobody can work out a figure that a rule hides, and prove it.

    cells: inner cells with a count, or one row per person or contribution (see `Columns`). dimensions: their columns;
    as a mapping, with a tree or several overlapping ones each; a flat dimension gets the total "Total". tables: linked
    tables, each a list of dimensions; one table of all when not given. PolicyError: rules or trees that don't go
    together; DataError: figures that don't; Unprotectable: nothing is left to hide; Uncertified: no proof was found.
    """
    columns, how = columns or Columns(), how or How()
    frame = _prepared(cells, dimensions, columns, rules)
    system = _system(frame, dimensions, tables)
    facts = cell_facts(frame, system, columns, rules)
    primary = judge(facts, rules)
    values = facts.counts if facts.sums is None else facts.sums
    asked = Task(_question(system, values, primary, how), primary.upward)
    _refuse_all_primary(asked.question)
    unsafe = _judge_of_unions(frame, system, columns=columns, facts=facts, rules=rules)
    task, pattern = until_no_union_is_unsafe(
        asked,
        lambda task: protect_upwards(task.question, task.upward, effort=how.effort),
        lambda pattern: unsafe(_view(system, values, pattern.hidden, asked.question)),
    )
    question, hidden = task.question, pattern.hidden[: len(system)]
    view = _view(system, values, hidden, question)
    certificate, width = _proven(view, np.maximum(primary.stated, how.width * question.primary[: len(system)]))
    _refuse_unless_safe_inside(question, pattern, view, primary)
    loss = _loss(question, pattern, primary, scale=10**columns.decimals)
    return Suppressed(
        _table(system, view, columns), _reasons(system, hidden, question, primary), loss, certificate, view, width
    )


def _prepared(cells: "pd.DataFrame", dimensions: Dimensions, columns: Columns, rules: Sequence[Rule]) -> "pd.DataFrame":
    """The rows that count, with codes as text. Empty cells are left out unless a rule hides them."""
    refuse_what_cant_be_meant(cells, dimensions, columns, rules)
    frame = cells.copy()
    for name in dimensions:
        frame[name] = frame[name].astype(str)
    hides_zeros = any(getattr(rule, "zeros", False) or isinstance(rule, KDisclosure) for rule in rules)
    if columns.count is not None and not hides_zeros:
        frame = frame[frame[columns.count] != 0]
    if frame.empty:
        raise UsageError("the data frame has no rows with anything in them")
    return frame.reset_index(drop=True)


def _system(frame: "pd.DataFrame", dimensions: Dimensions, tables: Sequence[Table] | None) -> System:
    given = dimensions if isinstance(dimensions, Mapping) else dict.fromkeys(dimensions)
    trees = {name: _trees(name, tree, frame[name].unique().tolist()) for name, tree in given.items()}
    return crossed(trees, leaves={name: frame[name].tolist() for name in trees}, tables=tables)


def _trees(name: str, tree: Tree | Sequence[Tree] | None, codes: Sequence[str]) -> list[Hierarchy]:
    """One tree or several; without any, all codes below the total."""
    if tree is None:
        return [_flat(name, codes)]
    if isinstance(tree, Hierarchy):
        return [tree]
    if isinstance(tree, Mapping):
        return [Hierarchy.from_edges(name, [(str(parent), str(child)) for child, parent in tree.items()])]
    if all(isinstance(part, tuple) for part in tree):
        return [Hierarchy.from_edges(name, [(str(pair[0]), str(pair[1])) for pair in tree])]  # type: ignore[index]
    return [found for part in tree for found in _trees(name, part, codes)]  # type: ignore[arg-type]


def _flat(name: str, codes: Sequence[str]) -> Hierarchy:
    if TOTAL in codes:
        raise DataError(
            f'the column "{name}" holds the code "{TOTAL}", which its total is called',
            now="leave rows with totals out, they are added up here; or give a tree with another name for the total",
        )
    return Hierarchy.flat(name, sorted(codes), root=TOTAL)


def _question(system: System, values: IntArray, primary: Primary, how: How) -> Question:
    """All that the engine needs; complements of group rules are cells of their own at the end, never published."""
    flags = primary.flags | _where(system, how.hide)
    places = primary.complements()
    relations, all_values = with_complements(system.relations, values, places, totals=_totals(system, primary, places))
    more = len(all_values) - len(values)
    width = np.where(flags, np.maximum(primary.width, how.width), 0)
    lowest = primary.lower if (values >= 0).all() else -(2**50)
    alone = np.concatenate([primary.alone, np.full(more, -1)]).astype(np.int64)
    return Question(
        relations=relations,
        values=all_values,
        primary=np.concatenate([flags, np.ones(more, bool)]),
        width=np.concatenate([width, primary.complement_width()]).astype(np.int64),
        cost=np.concatenate([cost_of(how.cost, values), np.zeros(more)]),
        publish=np.concatenate([_where(system, how.publish), np.zeros(more, bool)]),
        lower=np.concatenate([np.full(len(values), lowest), np.zeros(more)]).astype(np.int64),
        alone=alone,
        insiders=how.insiders,
        system=None if more else system,
    )


def _refuse_all_primary(question: Question) -> None:
    if question.primary.all():
        raise PolicyError(
            "every cell must be hidden by the rules: nothing would be left of the table",
            now="use coarser codes, or lower limits",
        )


def _totals(system: System, primary: Primary, places: IntArray) -> IntArray:
    """Position of the group's total of each unsafe cell of a group rule."""
    group = next((rule.group for rule in primary.rules if isinstance(rule, KDisclosure)), None)
    if group is None:
        return np.empty(0, np.int64)
    return group_totals(system, system.dimensions.index(group))[places]


def _where(system: System, wanted: Where) -> BoolArray:
    """Cells that have all the codes of one of the mappings."""
    found = np.zeros(len(system), bool)
    for codes in wanted:
        mine = np.ones(len(system), bool)
        for name, code in codes.items():
            if name not in system.dimensions:
                raise UsageError(f'there is no dimension "{name}"', now=nearest(name, system.dimensions))
            d = system.dimensions.index(name)
            if code not in system.codes[d]:
                raise UsageError(f'dimension "{name}" has no code "{code}"', now=nearest(code, system.codes[d]))
            mine &= system.cells[:, d] == system.codes[d].index(code)
        found |= mine
    return found


def _judge_of_unions(
    frame: "pd.DataFrame", system: System, *, columns: Columns, facts: CellFacts, rules: Sequence[Rule]
) -> Callable[[View], UnsafeUnions]:
    """What finds sums of hidden sums that a rule objects to; of counts it looks at none."""
    if columns.value is None:
        return lambda _: no_unions()
    behind = Behind(pairs(system), contributions_of(frame, columns))
    return lambda view: unsafe_unions(facts, behind, [rules], view)


def _view(system: System, values: IntArray, hidden: BoolArray, question: Question) -> View:
    """What an outsider has of the published table."""
    lower = question.lower[: len(system)]
    known = np.where(lower < 0, -NO_BOUND, lower).astype(np.int64)
    return outsider(system.relations, values, hidden[: len(system)], lower=known, branches=branches_of(system))


def _proven(view: View, asked: IntArray) -> tuple[Certificate, IntArray]:
    """The certificate, from the view alone, found good by the separate verifier, and as wide as the rules state.

    asked: without what hangs on true figures: from the largest of these widths a reader could work out a contribution.
    """
    certificate, width = certify_as_wide(view, int(asked.max(initial=1)))
    faults = list(verify(view, certificate, width))
    if (width < asked).any():
        faults.append(f"{roughly(int((width < asked).sum()))} cells don't get the width that a rule asks for")
    _refuse(faults, "the table's certificate", "ask for less width, or for coarser codes")
    return certificate, width


def _refuse_unless_safe_inside(question: Question, pattern: Pattern, view: View, primary: Primary) -> None:
    """The office's inner check, with the true rules: what the public certificate can't show."""
    true = question.values[: len(view.values)]
    highest = highest_found(view, true, primary.upward, moves=pattern.moves)
    faults = [*too_low(not_far_enough(primary, true, highest))]
    if len(question) > len(true):
        faults += faults_inside(question, pattern.hidden)
    _refuse(faults, "the office's inner check of the table", "use coarser codes, or looser rules")


def _refuse(faults: Sequence[str], where: str, now: str) -> None:
    if faults:
        raise VerificationError("; ".join(faults[:3]), where=where, now=now)


def _table(system: System, view: View, columns: Columns) -> "pd.DataFrame":
    import pandas as pd

    table = _codes(system, np.arange(len(system)))
    values = pd.array(view.values, dtype="Int64")
    if columns.value is not None and columns.decimals:
        values = pd.array(view.values / 10**columns.decimals, dtype="Float64")
    values[~view.published] = pd.NA
    table["value"] = values
    table["status"] = np.where(view.published, "shown", "hidden")
    return table


def _reasons(system: System, hidden: BoolArray, question: Question, primary: Primary) -> "pd.DataFrame":
    """Why each hidden cell is hidden, in plain words; for the office."""
    places = np.flatnonzero(hidden)
    table = _codes(system, places)
    table["reason"] = [_reason(primary, question, int(cell)) for cell in places]
    return table


def _reason(primary: Primary, question: Question, cell: int) -> str:
    told = "; ".join(primary.reasons(cell))
    return told or ("asked for by name" if question.primary[cell] else PROTECTS_OTHERS)


def _codes(system: System, places: "np.ndarray[tuple[int, ...], np.dtype[np.int64]]") -> "pd.DataFrame":
    import pandas as pd

    names = [np.asarray(codes, dtype=object) for codes in system.codes]
    return pd.DataFrame({name: names[d][system.cells[places, d]] for d, name in enumerate(system.dimensions)})


def _loss(question: Question, pattern: Pattern, primary: Primary, *, scale: int) -> InformationLoss:
    count = len(primary.flags)
    hidden, values = pattern.hidden[:count], np.abs(question.values[:count])
    asked = question.primary[:count]
    whole = int(values.sum())
    return InformationLoss(
        cells=count,
        primary=int(asked.sum()),
        secondary=int((hidden & ~asked).sum()),
        hidden_value=int(values[hidden].sum()) / scale,
        value_share=int(values[hidden].sum()) / whole if whole else 0.0,
        bound=pattern.bound,
        gap=pattern.gap,
    )


__all__ = ["CellFacts", "Columns", "How", "InformationLoss", "Suppressed", "suppress_table"]
