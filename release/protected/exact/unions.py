"""Sums of hidden sums that anybody can work out, judged by the rules of the tables of a set."""

from collections.abc import Callable, Mapping, Sequence

from release.errors import UtfallError
from release.policy.document import Table
from release.protected.exact.cells import TrueCells
from release.protected.exact.judged import sum_rules
from release.protected.pandas_facts import pairs
from release.protected.suppression.judged_unions import Behind, UnsafeUnions, unsafe_unions
from release.protected.suppression.rules import CellFacts, Rule
from release.protected.suppression.view import View


def judge_of_unions(cells: TrueCells, tables: Mapping[str, Table]) -> Callable[[View], UnsafeUnions]:
    """What finds, for a view of some summed cells, the unions that a rule of some table of the set would hide."""
    amounts = cells.counts.amounts
    if amounts is None:
        raise UtfallError("the contributions weren't counted; nothing was published")
    facts = CellFacts(counts=cells.persons, sums=amounts.sums, absolute=amounts.absolute)
    behind = Behind(pairs(cells.system), amounts.contributions)
    rules = [_rules(tables[name]) for name in cells.tables.tables]
    return lambda view: unsafe_unions(facts, behind, rules, view)


def _rules(table: Table) -> Sequence[Rule]:
    said = table.exact.suppression if table.exact else None
    return [] if said is None else list(sum_rules(said))
