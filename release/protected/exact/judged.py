"""The policy's rules for exact tables, applied to their cells: what is hidden, how well, and what must be shown."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from release.codes import NO_ANSWER, NOT_APPLICABLE, IntArray
from release.errors import Fault, PolicyError, UtfallError, roughly
from release.policy.document import CellChoice, PrimaryRules, Suppression, Table
from release.policy.exact_checks import EVERY
from release.protected.exact.cells import TrueCells, holders_in_cells, sole_persons
from release.protected.exact.earlier import Before
from release.protected.suppression.primary import Primary, judge
from release.protected.suppression.question import BoolArray, Effort, FloatArray, Insiders, cost_of
from release.protected.suppression.rules import (
    CellFacts,
    Dominance,
    KDisclosure,
    MinimumContributors,
    MinimumFrequency,
    MinimumHolders,
    MinimumRespondents,
    PPercent,
    PriorPosterior,
    ResponseRate,
    Rule,
)
from release.protected.suppression.rules.facts import NOBODY
from release.shown import Closed

_GROUP = "outcome"
Complements = tuple[IntArray, IntArray, IntArray, IntArray]


@dataclass(frozen=True, repr=False, eq=False)
class Judged(Closed):
    """What one set of tables asks of its protection. Stays in the office. All arrays have one entry per cell.

    primary: hidden by a rule or by the policy's choice. width: how far two possible tables must differ there. stated:
    the same without demands that hang on true figures. cost: of hiding. publish: must be shown. reasons: rule in plain
    words -> cells it hides. verdicts: of the rules, table by table. complements: (cells, totals, cells besides, widths)
    of group disclosure. lower: what readers know of a hidden cell. alone: the person alone in each cell, -1 elsewhere.
    insiders: which other cells such a person may not learn. effort: of the engine.
    """

    primary: BoolArray
    width: IntArray
    stated: IntArray
    cost: FloatArray
    publish: BoolArray
    reasons: dict[str, BoolArray]
    verdicts: tuple[Primary, ...]
    complements: Complements
    lower: int
    alone: IntArray
    insiders: Insiders
    effort: Effort

    @property
    def upward(self) -> IntArray:
        """How far above the truth readers must think each cell possible, by rules of concentration; 0: no demand."""
        none = np.zeros(len(self.primary), np.int64)
        return np.asarray(np.max([none, *(verdict.upward for verdict in self.verdicts)], axis=0), np.int64)


SHOWN_BEFORE = "an earlier release shows it"
HIDDEN_BEFORE = "an earlier release hides it"


def judged(cells: TrueCells, tables: Mapping[str, Table], earlier: Before) -> Judged:
    """Judge every table of a set by its own rules; a cell that two tables share is hidden if either asks for it.

    What an earlier release showed must be shown, what it hid must be hidden.
    """
    n = len(cells.values)
    parts = [_judged_table(cells, name, tables[name]) for name in cells.tables.tables]
    reasons: dict[str, BoolArray] = {}
    for part in parts:
        for reason, where in part.reasons.items():
            reasons[reason] = reasons.get(reason, np.zeros(n, bool)) | where
    if earlier.hidden.any():
        reasons[HIDDEN_BEFORE] = earlier.hidden
    primary = np.any([part.primary for part in parts], axis=0) | earlier.hidden
    width, stated = (np.max([getattr(part, key) for part in parts], axis=0) for key in ("width", "stated"))
    together = Judged(
        primary=primary,
        width=np.where(primary, np.maximum(width, 1), 0).astype(np.int64),
        stated=np.where(primary, np.maximum(stated, 1), 0).astype(np.int64),
        cost=np.max([part.cost for part in parts], axis=0),
        publish=np.any([part.publish for part in parts], axis=0) | earlier.shown | _always_shown(cells),
        reasons=reasons,
        verdicts=tuple(verdict for part in parts for verdict in part.verdicts),
        complements=_joined([part.complements for part in parts]),
        lower=min(earlier.lower, *(part.lower for part in parts)),
        alone=parts[0].alone,
        insiders=max((part.insiders for part in parts), key=("nobody", "primary", "hidden").index),
        effort=parts[0].effort,
    )
    _refuse_all_primary(cells, together)
    _refuse_contradiction(together, earlier)
    return together


def _always_shown(cells: TrueCells) -> BoolArray:
    """The number of all persons; no sum: all sums of an outcome are one set, so none is hidden for another's sake."""
    return np.zeros(len(cells.values), bool) if cells.tables.summed else everybody(cells)


def everybody(cells: TrueCells) -> BoolArray:
    """The cell of all persons: every set shows it, and what one set shows another can't hide."""
    return all_of([cells.depths(d) == 0 for d in cells.system.dimensions])


def _refuse_all_primary(cells: TrueCells, asked: Judged) -> None:
    if asked.primary.all():
        rules = "; ".join(asked.reasons)
        raise PolicyError(
            f"every cell must be hidden by the rules ({rules}): nothing would be left of the tables",
            where=f"tables: {', '.join(cells.tables.tables)}",
            now="use coarser levels, or lower limits",
        )


def _joined(parts: Sequence[Complements]) -> Complements:
    return tuple(np.concatenate(column).astype(np.int64) for column in zip(*parts, strict=True))  # type: ignore[return-value]


def _judged_table(cells: TrueCells, name: str, table: Table) -> Judged:
    said = _suppression(table)
    inside = cells_of_table(cells, name)
    verdicts = [_inside(judge(facts, rules), inside) for facts, rules in _verdicts(cells, table, said)]
    hide = _chosen(cells, name, said.hide)
    reasons = {reason: where for verdict in verdicts for reason, where in _by_reason(verdict)}
    if said.hide:
        reasons["hidden by the policy's choice"] = hide
    primary = np.any([hide, *(verdict.flags for verdict in verdicts)], axis=0)
    least = primary * (_width(said) if cells.tables.summed else 1)
    return Judged(
        primary=primary,
        width=np.max([least, *(verdict.width for verdict in verdicts)], axis=0).astype(np.int64),
        stated=np.max([least, *(verdict.stated for verdict in verdicts)], axis=0).astype(np.int64),
        cost=np.where(inside, _cost(cells, name, said), 0.0),
        publish=_chosen(cells, name, said.publish),
        reasons=reasons,
        verdicts=tuple(verdicts),
        complements=_complements(cells, table, verdicts),
        lower=min((verdict.lower for verdict in verdicts), default=1),
        alone=sole_persons(cells),
        insiders=said.insiders,
        effort=said.effort,
    )


def _inside(verdict: Primary, inside: BoolArray) -> Primary:
    """The verdict on the cells of one table; those of others aren't judged by its rules."""
    return replace(
        verdict,
        flags=verdict.flags & inside,
        broken=verdict.broken & inside[:, None],
        width=np.where(inside, verdict.width, 0),
        stated=np.where(inside, verdict.stated, 0),
        upward=np.where(inside, verdict.upward, 0),
    )


def _suppression(table: Table) -> Suppression:
    if table.exact is None or table.exact.suppression is None:
        raise PolicyError("a table that isn't protected by suppression was judged for it")
    return table.exact.suppression


def _by_reason(verdict: Primary) -> Iterator[tuple[str, BoolArray]]:
    for number, rule in enumerate(verdict.rules):
        yield rule.reason, verdict.broken[:, number]


def _refuse_contradiction(found: Judged, earlier: Before) -> None:
    """Cells that must be shown and must be hidden: which rule says so."""
    both = found.primary & found.publish
    if both.any():
        faults = [
            Fault(
                f"{roughly(int((where & both).sum())).capitalize()} of the cells that must be shown must be hidden: "
                f"{reason}.",
                *(
                    ("earlier", "an earlier release shows them; loosen the rule, or publish another breakdown")
                    if (where & both & earlier.shown).any()
                    else ("protection.suppression.publish", "take them out of `publish`, or change the rule")
                ),
            )
            for reason, where in found.reasons.items()
            if (where & both).any()
        ]
        raise PolicyError(faults)


# Rules -------------------------------------------------------------------------------------------------------------


def _verdicts(cells: TrueCells, table: Table, said: Suppression) -> Iterator[tuple[CellFacts, list[Rule]]]:
    """Facts with the rules that look at them: numbers of persons, and numbers of answers."""
    if cells.tables.summed:
        yield _sum_facts(cells, said.rules), list(sum_rules(said))
        return
    persons = list(_person_rules(said))
    answers = list(_answer_rules(said.rules, _width(said)))
    if persons:
        yield _person_facts(cells, table, said.rules), persons
    if answers:
        yield _answer_facts(cells, table), answers


def _width(said: Suppression) -> int:
    return said.width if isinstance(said.width, int) else 1


def _person_rules(said: Suppression) -> Iterator[Rule]:
    rules, width = said.rules, _width(said)
    if rules.minimum is not None:
        yield MinimumFrequency(rules.minimum, rules.zeros, width, said.width == "to-threshold")
    if rules.holders is not None:
        yield MinimumHolders(rules.holders.by, rules.holders.minimum, width)
    if rules.one_answer or rules.k_disclosure is not None:
        yield KDisclosure(_GROUP, rules.k_disclosure or 0)


def sum_rules(said: Suppression) -> Iterator[Rule]:
    """The rules that look at sums: by those whose amount is known, and by what each of them holds."""
    rules, width = said.rules, _width(said)
    if rules.minimum is not None:
        yield MinimumFrequency(rules.minimum, width=width)
    if rules.holders is not None:
        yield MinimumHolders(rules.holders.by, rules.holders.minimum, width)
    if rules.contributors is not None:
        yield MinimumContributors(rules.contributors, width)
    if rules.dominance is not None:
        yield Dominance(rules.dominance.n, _exactly(rules.dominance.k))
    if rules.p_percent is not None:
        yield PPercent(_exactly(rules.p_percent))
    if rules.prior_posterior is not None:
        yield PriorPosterior(_exactly(rules.prior_posterior.p), _exactly(rules.prior_posterior.q))


def _exactly(percent: float) -> Fraction:
    return Fraction(repr(percent))


def _sum_facts(cells: TrueCells, rules: PrimaryRules) -> CellFacts:
    amounts = cells.counts.amounts
    if amounts is None:
        raise UtfallError("the contributions weren't counted; nothing was published")
    return CellFacts(
        counts=cells.persons,
        sums=amounts.sums,
        absolute=amounts.absolute,
        largest=amounts.largest,
        contributors=amounts.contributors,
        holders=_holders(cells, rules),
        sole=amounts.sole,
    )


def _answer_rules(rules: PrimaryRules, width: int) -> Iterator[Rule]:
    if rules.respondents is not None:
        yield MinimumRespondents(rules.respondents, width)
    if rules.response_rate is not None:
        yield ResponseRate(100 * Fraction(repr(rules.response_rate)))


def _person_facts(cells: TrueCells, table: Table, rules: PrimaryRules) -> CellFacts:
    groups = {_GROUP: _group_sizes(cells, table)} if rules.one_answer or rules.k_disclosure is not None else {}
    return CellFacts(counts=cells.values, holders=_holders(cells, rules), groups=groups, sole=sole_persons(cells))


def _holders(cells: TrueCells, rules: PrimaryRules) -> dict[str, IntArray]:
    return {rules.holders.by: holders_in_cells(cells, rules.holders.by)} if rules.holders else {}


def _group_sizes(cells: TrueCells, table: Table) -> IntArray:
    """Persons of the group that a cell is one answer of: those to whom the outcome applies; NOBODY where it is none."""
    outcome = str(table.of).partition(":")[0]
    total = _beside(cells, outcome, "all")
    concerned = total - _beside(cells, outcome, NOT_APPLICABLE)
    answers = (cells.codes_along(outcome) > 0) & ~cells.is_code(outcome, NOT_APPLICABLE)
    return np.where(answers, concerned, NOBODY).astype(np.int64)


def _answer_facts(cells: TrueCells, table: Table) -> CellFacts:
    """Answers of a survey in the group that each cell is an answer of; no answers where the cell is none itself."""
    outcome = str(table.of).partition(":")[0]
    total, silent = _beside(cells, outcome, "all"), _beside(cells, outcome, NO_ANSWER)
    asked = total - _beside(cells, outcome, NOT_APPLICABLE)
    silent_codes = cells.is_code(outcome, NO_ANSWER) | cells.is_code(outcome, NOT_APPLICABLE)
    is_answer = (cells.codes_along(outcome) > 0) & ~silent_codes
    answered = np.where(is_answer, asked - silent, 0).astype(np.int64)
    return CellFacts(counts=cells.values, respondents=answered, asked=np.where(is_answer, asked, 0).astype(np.int64))


def _beside(cells: TrueCells, attribute: str, code: str) -> IntArray:
    """The value of the cell that has another code of one attribute, 0 where there is none, int64 [n]."""
    return cells.values_at(cells.moved(attribute, code))


def _complements(cells: TrueCells, table: Table, verdicts: Sequence[Primary]) -> Complements:
    """Cells whose other answers together may not be known to be few: with their groups' totals, the cells of those to
    whom the outcome doesn't apply, and widths."""
    none = np.zeros(0, np.int64)
    where = np.concatenate([none, *(verdict.complements() for verdict in verdicts)])
    width = np.concatenate([none, *(verdict.complement_width() for verdict in verdicts)])
    if not len(where):
        return where, where, where, width
    outcome = str(table.of).partition(":")[0]
    beside = [cells.moved(outcome, code)[where] for code in ("all", NOT_APPLICABLE)]
    return where, beside[0], beside[1], width


# Cells -------------------------------------------------------------------------------------------------------------


def cells_of_table(cells: TrueCells, name: str) -> BoolArray:
    """Cells of the set's system that one of its tables shows, bool [n]."""
    levels = cells.tables.tables[name]
    return all_of([cells.depths(d) <= levels.get(d, 0) for d in cells.system.dimensions])


def all_of(parts: Sequence[BoolArray]) -> BoolArray:
    """Where all of several answers are yes, [n]."""
    return np.asarray(np.stack(parts).all(axis=0), bool)


def _cost(cells: TrueCells, name: str, said: Suppression) -> FloatArray:
    """Cost of hiding each cell; totals cost more by the policy's factor for each level above the finest."""
    levels = cells.tables.tables[name]
    above = np.sum([levels.get(d, 0) - cells.depths(d) for d in cells.system.dimensions if d in levels], axis=0)
    return cost_of(said.cost, cells.values, margins=np.power(said.margins, np.maximum(above, 0)).astype(np.float64))


def _chosen(cells: TrueCells, name: str, choices: Sequence[CellChoice]) -> BoolArray:
    """Cells that a list of choices names; those about an outcome's codes are about counts, not about its sums."""
    found = np.zeros(len(cells.values), bool)
    known = cells.tables.tables[name]
    for choice in (one for one in choices if all(reference.partition(":")[0] in known for reference in one)):
        found |= _chosen_once(cells, name, choice)
    return found


def _chosen_once(cells: TrueCells, name: str, choice: CellChoice) -> BoolArray:
    levels = cells.tables.tables[name]
    wanted: dict[str, Callable[[], BoolArray]] = {}
    for reference, codes in choice.items():
        attribute, _, level = reference.partition(":")
        number = cells.tables.attributes[attribute].level_number(level) if level else levels[attribute]
        listed = [codes] if isinstance(codes, str) else codes
        wanted[attribute] = lambda a=attribute, n=number, c=listed: _along(cells, a, n, c)  # type: ignore[misc]
    parts = [wanted[d]() if d in wanted else cells.depths(d) == 0 for d in cells.system.dimensions]
    return all_of(parts)


def _along(cells: TrueCells, attribute: str, level: int, codes: Sequence[str]) -> BoolArray:
    """Cells at a level of an attribute with one of the codes, or any."""
    at_level = cells.depths(attribute) == level
    if EVERY in codes:
        return np.asarray(at_level, bool)
    own = cells.tables.attributes[attribute].levels[level].index
    names = [cells.tables.codes[attribute][level][own[code]] for code in codes]
    return np.asarray(at_level & np.isin(cells.code_texts(attribute), names), bool)
