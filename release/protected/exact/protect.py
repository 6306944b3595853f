"""One set of exact tables: rules, protection, certificate, check. What comes out may leave the office.

    true counts -> cells -> primary rules -> protect -> certify -> verify -> Protected

A set whose certificate isn't complete isn't published: the stage raises, and nothing is written.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from release.codes import IntArray
from release.errors import DataError, PolicyError, UtfallError, VerificationError, roughly
from release.policy.policy import Policy
from release.protected.display import bar_chart
from release.protected.exact.cells import TrueCells, TrueCounts, keys_of_cells, true_cells
from release.protected.exact.earlier import before
from release.protected.exact.empty import empty_that_count, with_empty
from release.protected.exact.forecast import Line, forecast
from release.protected.exact.judged import Judged, judged
from release.protected.exact.known import known_of_sums, persons_shown
from release.protected.exact.protected import Proof, Protected, sealed
from release.protected.exact.sets import TableSet
from release.protected.exact.unions import judge_of_unions
from release.protected.perturb.cell_key import SumNoise, perturbed_counts, perturbed_sums
from release.protected.perturb.controlled import controlled_rounding
from release.protected.perturb.random_rounding import randomly_rounded
from release.protected.perturb.small_counts import small_counts_rounded
from release.protected.perturb.table import perturbation_table
from release.protected.suppression.boxes import branches_of
from release.protected.suppression.certificate import Certificate, Uncertified, certify_as_wide
from release.protected.suppression.inner import faults_inside, highest_found, protect_upwards, too_low
from release.protected.suppression.judged_unions import Task, UnsafeUnions, until_no_union_is_unsafe
from release.protected.suppression.primary import not_far_enough
from release.protected.suppression.question import BoolArray, Pattern, Question, Unprotectable
from release.protected.suppression.rules.groups import with_complements
from release.protected.suppression.verify import verify
from release.protected.suppression.view import View, outsider
from release.shown import Shown

_FAR_BELOW = -(2**50)
"""For the engine, where nothing is known below a figure."""


@dataclass(frozen=True, repr=False)
class OfficeReport(Shown):
    """What protecting one set came to, for the office: numbers of cells, banded where few. Stays there.

    loss: (rule, share of cells, share of the persons in them) of what is hidden, for the chart.
    """

    name: str
    tables: tuple[str, ...]
    kind: str
    lines: tuple[tuple[str, str], ...]
    loss: tuple[tuple[str, float, float], ...] = ()

    def _plain(self) -> str:
        told = [f"  {what}: {number}" for what, number in self.lines]
        return "\n".join([f"{', '.join(self.tables)} ({self.kind})", *told])

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><td>{escape(what)}</td><td>{escape(number)}</td></tr>" for what, number in self.lines)
        title = escape(f"{', '.join(self.tables)} ({self.kind})")
        return f"<table><caption>{title}</caption>{rows}</table>{self._chart()}"

    def _chart(self) -> str:
        """What is hidden by rule, and to protect others; in cells, and in the persons they hold."""
        bars = [
            (f"{what} ({measure})", share, f"{100 * share:.0f}\u00a0%")
            for what, cells, persons in self.loss
            for measure, share in (("cells", cells), ("persons", persons))
        ]
        return bar_chart("What is hidden, by rule", bars)._repr_html_() if bars else ""


def protect_sets(
    sets: Sequence[TableSet], counts: Sequence[TrueCounts], policy: Policy, *, secret: bytes
) -> list[tuple[Protected, OfficeReport]]:
    """Protect every set; counts come before sums, because counts that are shown tell something of hidden sums."""
    done: list[tuple[Protected, OfficeReport]] = []
    for tables, counted in zip(sets, counts, strict=True):
        beside = [protected for protected, _ in done]
        done.append(protect_set(tables, counted, policy, secret=secret, beside=beside))
    return done


def protect_set(
    tables: TableSet, counts: TrueCounts, policy: Policy, *, secret: bytes, beside: Sequence[Protected] = ()
) -> tuple[Protected, OfficeReport]:
    """Protect one set of tables; PolicyError, DataError or VerificationError if it can't be published.

    secret: the office's, for cell keys. beside: sets that are published with it, counts where these are sums.
    """
    cells = _cells(tables, counts, policy)
    if tables.kind == "suppression":
        return _suppressed(cells, policy, beside)
    return _changed_sums(cells, beside, secret) if tables.summed else _changed(cells, secret)


def check_set(tables: TableSet, counts: TrueCounts, policy: Policy) -> list[Line]:
    """Whether the rules of a set fit its cells, without protecting it: PolicyError or DataError as in `protect_set`.

    Gives what protecting it will come to; nothing of tables that are changed, which takes no time worth telling.
    """
    if tables.kind != "suppression":
        return []
    cells = _cells(tables, counts, policy)
    return forecast(cells, _judged(cells, policy))


def _cells(tables: TableSet, counts: TrueCounts, policy: Policy) -> TrueCells:
    empty = empty_that_count(policy, tables)
    return true_cells(tables, counts if empty is None else with_empty(counts, tables, empty))


# Suppression -------------------------------------------------------------------------------------------------------


def _suppressed(cells: TrueCells, policy: Policy, beside: Sequence[Protected]) -> tuple[Protected, OfficeReport]:
    asked = _judged(cells, policy)
    lower, upper = _known(cells, asked, policy, beside)
    task, pattern = _pattern(cells, asked, Task(_question(cells, asked, lower), asked.upward), policy)
    hidden: BoolArray = pattern.hidden[: len(cells.values)]
    view = outsider(
        cells.system.relations, cells.values, hidden, lower=lower, upper=upper, branches=branches_of(cells.system)
    )
    certificate, width = _certified(view, asked)
    _refuse_unless_proven(view, certificate, width, asked)
    _refuse_unless_safe_inside(task, pattern, view, asked)
    proof = Proof(hidden, width, lower if cells.tables.summed else asked.lower, certificate, upper)
    protected = sealed(cells.tables, cells.system.cells, view.values, how="exact where shown", proof=proof)
    return protected, _report(cells, asked, hidden)


def _known(
    cells: TrueCells, asked: Judged, policy: Policy, beside: Sequence[Protected]
) -> tuple[IntArray, IntArray | None]:
    """What every reader knows of each cell if it is hidden: at least, and at most (None: nothing)."""
    if cells.tables.summed:
        return known_of_sums(cells.tables, cells.system, policy, beside)
    return np.full(len(cells.values), asked.lower, np.int64), None


def _judged(cells: TrueCells, policy: Policy) -> Judged:
    return judged(cells, policy.exact, before(policy, cells.tables, cells.system, cells.values))


def _pattern(cells: TrueCells, asked: Judged, task: Task, policy: Policy) -> tuple[Task, Pattern]:
    """The cells to hide; of sums as many more as it takes that no union of them is unsafe. Gives the last task too."""
    if not cells.tables.summed:
        return task, _once(cells, asked, task)
    n, lower, judge = len(cells.values), task.question.lower[: len(cells.values)], judge_of_unions(cells, policy.exact)

    def unsafe(pattern: Pattern) -> UnsafeUnions:
        return judge(outsider(cells.system.relations, cells.values, pattern.hidden[:n], lower=lower))

    try:
        return until_no_union_is_unsafe(task, lambda task: _once(cells, asked, task), unsafe)
    except Unprotectable as problem:
        raise _unpublishable(problem.faults[0].what) from None


def _once(cells: TrueCells, asked: Judged, task: Task) -> Pattern:
    """One call of the engine; its refusals in words about the policy."""
    try:
        pattern = protect_upwards(task.question, task.upward, effort=asked.effort)
    except Unprotectable as problem:
        raise PolicyError(
            str(problem.faults[0].what),
            where=f"tables: {', '.join(cells.tables.tables)}",
            now=problem.faults[0].now or "show fewer cells by `publish`, or hide fewer by rules",
        ) from None
    hidden = pattern.hidden[: len(cells.values)]
    if (asked.primary & ~hidden).any() or (asked.publish & hidden).any():
        raise UtfallError("the engine didn't do what the rules ask for; nothing was published")
    return pattern


def _question(cells: TrueCells, asked: Judged, lower: IntArray) -> Question:
    """All that the engine needs; complements of group disclosure are cells of their own, never published."""
    places, totals, besides, widths = asked.complements
    relations, values = with_complements(cells.system.relations, cells.values, places, totals=totals, besides=besides)
    more = len(values) - len(cells.values)
    return Question(
        relations=relations,
        values=values,
        primary=np.concatenate([asked.primary, np.ones(more, bool)]),
        width=np.concatenate([asked.width, widths]),
        cost=np.concatenate([asked.cost, np.zeros(more)]),
        publish=np.concatenate([asked.publish, np.zeros(more, bool)]),
        lower=np.concatenate([np.maximum(lower, _FAR_BELOW), np.zeros(more)]).astype(np.int64),
        alone=np.concatenate([asked.alone, np.full(more, -1)]).astype(np.int64),
        insiders=asked.insiders,
        system=None if more else cells.system,
    )


def _certified(view: View, asked: Judged) -> tuple[Certificate, IntArray]:
    """The public proof, from the view alone, and the width it shows at each hidden cell.

    Which cells a rule hides must not be told, so the largest width that any rule states is tried at every hidden cell,
    and what is reached there is what the certificate claims. What hangs on true figures is left to the inner check.
    """
    try:
        certificate, width = certify_as_wide(view, int(asked.stated.max(initial=1)))
    except Uncertified as problem:
        raise _unpublishable(problem.faults[0].what) from None
    if (width[~view.published] < 1).any():
        raise _unpublishable("some hidden cells can be worked out from what is published")
    return certificate, width


def _unpublishable(why: str) -> DataError:
    return DataError(
        why,
        where="the certificate of the exact tables",
        now="Hide more (stricter rules, coarser levels) or ask for less width. Nothing was published, "
        "and nothing has been charged to the privacy budget.",
    )


def _refuse_unless_proven(view: View, certificate: Certificate, width: IntArray, asked: Judged) -> None:
    """The separate verifier agrees, and every cell that a rule hides has the width that the rule states."""
    faults = list(verify(view, certificate, width))
    short = int((width < asked.stated).sum())
    if short:
        faults.append(f"{roughly(short)} cells that a rule hides aren't shown to have the width asked for")
    _refuse(faults, "the certificate of the exact tables", "ask for less width, or for coarser levels")


def _refuse_unless_safe_inside(task: Task, pattern: Pattern, view: View, asked: Judged) -> None:
    """The office's inner check, with the true rules: what the public certificate can't show."""
    true = task.question.values[: len(view.values)]
    highest = highest_found(view, true, asked.upward, moves=pattern.moves)
    short = np.any([not_far_enough(verdict, true, highest) for verdict in asked.verdicts], axis=0)
    faults = [*too_low(short)]
    if len(task.question) > len(true):
        faults += faults_inside(task.question, pattern.hidden)
    _refuse(faults, "the office's inner check of the exact tables", "use coarser levels, or looser rules")


def _refuse(faults: Sequence[str], where: str, now: str) -> None:
    if faults:
        raise VerificationError(
            f"an exact table can't be published: {'; '.join(faults[:3])}",
            where=where,
            now=f"{now}; nothing was published, and nothing was charged",
        )


def _report(cells: TrueCells, asked: Judged, hidden: BoolArray) -> OfficeReport:
    value = int(cells.persons[hidden].sum())
    lines = [
        ("cells with persons", roughly(len(cells.values))),
        *((f"hidden by rule: {reason}", roughly(int(where.sum()))) for reason, where in asked.reasons.items()),
        ("hidden to protect others", roughly(int((hidden & ~asked.primary).sum()))),
        ("hidden in all", f"{roughly(int(hidden.sum()))} ({100 * hidden.mean():.1f} %)"),
        ("persons in hidden cells, totals counted too", roughly(value)),
    ]
    loss = tuple(_loss(cells, {**asked.reasons, "to protect others": hidden & ~asked.primary}))
    return OfficeReport(cells.tables.name, tuple(cells.tables.tables), cells.tables.kind, tuple(lines), loss)


def _loss(cells: TrueCells, hidden: Mapping[str, BoolArray]) -> Iterator[tuple[str, float, float]]:
    """Shares in whole per cent, so that they tell of no few persons."""
    persons = max(int(cells.persons.sum()), 1)
    for what, where in hidden.items():
        yield what, round(float(where.mean()), 2), round(int(cells.persons[where].sum()) / persons, 2)


# Perturbation ------------------------------------------------------------------------------------------------------


def _changed(cells: TrueCells, secret: bytes) -> tuple[Protected, OfficeReport]:
    """Figures changed or rounded. Those that became 0 aren't listed: cells of nobody and these look alike."""
    values, how = _perturbed(cells, secret)
    n = len(values)
    listed = values > 0
    protected = sealed(cells.tables, cells.system.cells[listed], values[listed], how=how)
    change = np.abs(values - cells.values)
    lines = (
        ("cells with persons", roughly(n)),
        ("method", how),
        ("mean change", f"{change.mean():.2f} persons"),
        ("largest change", f"{int(change.max(initial=0))} persons"),
    )
    return protected, OfficeReport(cells.tables.name, tuple(cells.tables.tables), cells.tables.kind, lines)


def _changed_sums(cells: TrueCells, beside: Sequence[Protected], secret: bytes) -> tuple[Protected, OfficeReport]:
    """Sums changed by who is in the cell; none where the changed count became 0: it would tell of somebody there."""
    said, amounts = cells.tables.protection.cell_key, cells.counts.amounts
    if said is None or said.sums is None or amounts is None:
        raise UtfallError("it isn't known how sums change; nothing was published")
    noise = SumNoise(tuple(said.sums.shares), said.sums.steps, said.sums.spread)
    values = perturbed_sums(amounts.sums, amounts.largest, keys_of_cells(cells), noise=noise, key=secret)
    _, someone = persons_shown(cells.tables, cells.system, beside)
    listed = someone & (values != 0)
    shares = ", ".join(str(share) for share in said.sums.shares)
    how = f"the largest contributions change by up to {shares} of themselves, decided by who is in the cell"
    protected = sealed(cells.tables, cells.system.cells[listed], values[listed], how=how)
    change = np.abs(values - amounts.sums).sum() / max(int(amounts.absolute.sum()), 1)
    lines = (("cells with amounts", roughly(len(values))), ("method", how), ("mean change", f"{100 * change:.1f} %"))
    return protected, OfficeReport(cells.tables.name, tuple(cells.tables.tables), cells.tables.kind, lines)


def _perturbed(cells: TrueCells, secret: bytes) -> tuple[IntArray, str]:
    said = cells.tables.protection
    if said.cell_key is not None:
        chances = perturbation_table(
            largest=said.cell_key.largest,
            variance=said.cell_key.variance,
            forbidden=said.cell_key.forbidden,
            keep_positive=said.cell_key.keep_positive,
        )
        noisy = perturbed_counts(cells.values, keys_of_cells(cells), table=chances, key=secret)
        return noisy, f"changes of at most {said.cell_key.largest} persons, decided by who is in the cell"
    if said.rounding is None:
        raise UtfallError("a set of exact tables has no protection; nothing was published")
    base = said.rounding.base
    if said.rounding.method == "random":
        rounded = randomly_rounded(cells.values, keys_of_cells(cells), base=base, key=secret)
        return rounded, f"each figure goes to one of its two nearest multiples of {base}, by chance"
    if said.rounding.method == "controlled":
        found = controlled_rounding(cells.system.relations, cells.values, base=base, effort=said.rounding.effort)
    else:
        found = small_counts_rounded(cells.system.relations, cells.values, base=base)
    return found.values, found.how
