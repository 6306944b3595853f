"""What `suppress_table` is asked: which columns hold what, how cells are hidden, and what can't be meant."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from release.errors import DataError, UsageError, nearest, roughly
from release.protected.suppression.question import CostKind, Effort, Insiders
from release.protected.suppression.rules import Rule
from release.protected.suppression.structure import Hierarchy

if TYPE_CHECKING:
    import pandas as pd

MOST_DECIMALS = 6
OURS = "value", "status", "reason"
"""Columns of what comes out besides the dimensions."""
Where = Sequence[Mapping[str, str]]
"""Cells by some of their codes: [{"region": "Total"}] means all cells at the total of region."""


@dataclass(frozen=True)
class Columns:
    """Which columns hold what. count: persons in the row; None where each row is one person or contribution.

    value: a magnitude; then its sums are published, not the counts. decimals: of the published sums. contributor: who
    the magnitude or the person belongs to (a name or number; those of one holding have the same). holders: columns with
    the distinct holders of a kind, by kind. respondents, asked: persons who answered, and who were asked, where `count`
    is weighted or some didn't answer. UsageError on what can't be meant.
    """

    count: str | None = None
    value: str | None = None
    decimals: int = 0
    contributor: str | None = None
    holders: Mapping[str, str] | None = None
    respondents: str | None = None
    asked: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.decimals, int) or not 0 <= self.decimals <= MOST_DECIMALS:
            raise UsageError(f"Columns(decimals=…) is a whole number from 0 to {MOST_DECIMALS}")
        if self.decimals and self.value is None:
            raise UsageError(
                "only sums have decimals", now="name their column in Columns(value=…), or leave decimals out"
            )
        if self.holders is not None and not isinstance(self.holders, Mapping):
            raise UsageError("Columns(holders=…) is a mapping", now='write for example {"employer": "firm"}')

    @property
    def named(self) -> tuple[str, ...]:
        return (
            *self.figures,
            *(name for name in (self.contributor,) if name is not None),
            *(self.holders or {}).values(),
        )

    @property
    def figures(self) -> tuple[str, ...]:
        """Columns that hold numbers."""
        return tuple(name for name in (self.value, *self.persons) if name is not None)

    @property
    def persons(self) -> tuple[str, ...]:
        """Columns that hold numbers of persons."""
        return tuple(name for name in (self.count, self.respondents, self.asked) if name is not None)


@dataclass(frozen=True)
class How:
    """What is asked of the engine. effort "thorough" hides least, "fast" takes seconds for ten thousands of cells.

    cost: what hiding a cell costs: each the same ("count"), its value, or 1 + log of it. width: two possible tables
    must differ by so much, in the unit of the figures, at every cell that a rule hides; rules may ask for more.
    publish, hide: cells that must be shown or hidden whatever the rules say. insiders: a contributor who is alone in a
    cell and knows himself learns no other hidden figure ("hidden"), none that a rule hides ("primary"), or isn't
    thought of ("nobody"). UsageError on what can't be meant.
    """

    effort: Effort = "fast"
    cost: CostKind = "value"
    width: int = 1
    publish: Where = ()
    hide: Where = ()
    insiders: Insiders = "hidden"

    def __post_init__(self) -> None:
        for name, words in (("effort", Effort), ("cost", CostKind), ("insiders", Insiders)):
            if getattr(self, name) not in get_args(words):
                asked = getattr(self, name)
                raise UsageError(f'How({name}="{asked}") means nothing', now=nearest(str(asked), get_args(words)))
        if isinstance(self.width, bool) or not isinstance(self.width, int) or self.width < 1:
            raise UsageError("How(width=…) is a whole number, at least 1")
        for name in ("publish", "hide"):
            cells = getattr(self, name)
            if isinstance(cells, str | Mapping) or not all(isinstance(codes, Mapping) for codes in cells):
                raise UsageError(f"How({name}=…) is a list of mappings", now='write for example [{"region": "Total"}]')


def refuse_what_cant_be_meant(
    frame: object, dimensions: Collection[str], columns: Columns, rules: Sequence[Rule]
) -> None:
    """UsageError or DataError with the first thing that is asked wrongly, before anything is computed."""
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        raise UsageError(f"the cells are no pandas data frame but {type(frame).__name__}")
    _refuse_rules(rules)
    _refuse_dimensions(dimensions, columns)
    for name in dict.fromkeys((*dimensions, *columns.named)):
        _refuse_column(frame, name)
    for name in columns.figures:
        _refuse_text(frame, name)
    for name in columns.persons:
        _refuse_negative(frame, name)


def _refuse_rules(rules: object) -> None:
    if not isinstance(rules, Sequence) or isinstance(rules, str):
        raise UsageError("rules is a list", now="write for example rules=[MinimumFrequency(below=5)]")
    for rule in rules:
        if not isinstance(rule, Rule):
            raise UsageError(
                f"{type(rule).__name__} is no rule", now="take those of release.protected.suppression.rules"
            )


def _refuse_dimensions(dimensions: Collection[str], columns: Columns) -> None:
    if isinstance(dimensions, str):
        raise UsageError("dimensions is a list of columns, or a mapping from columns to trees")
    if not len(dimensions):
        raise UsageError("no dimension is named")
    for name in dimensions:
        if name in OURS:
            raise UsageError(f'a dimension can\'t be called "{name}", as a column of the result is', now="rename it")
        if name in columns.figures:
            raise UsageError(f'the column "{name}" is a dimension and a figure', now="name it in one of these places")
        if list(dimensions).count(name) > 1:
            raise UsageError(f'the dimension "{name}" is named twice', now="name it once")
        if isinstance(dimensions, Mapping) and dimensions[name] is not None:
            _refuse_tree(name, dimensions[name])


def _refuse_tree(name: str, tree: object) -> None:
    if isinstance(tree, str) or not isinstance(tree, Hierarchy | Mapping | Sequence):
        raise UsageError(f'the tree of "{name}" is no tree', now="write {child: parent}, or a list of such trees")
    for part in tree if isinstance(tree, Sequence) else ():
        if not isinstance(part, tuple):
            _refuse_tree(name, part)
        elif len(part) != 2:
            raise UsageError(f'the tree of "{name}" is no list of pairs', now="write (parent, child), …")


def _refuse_column(frame: "pd.DataFrame", name: str) -> None:
    found = int((frame.columns == name).sum())
    if not found:
        known = [str(column) for column in frame.columns]
        raise UsageError(f'the data frame has no column "{name}"', now=nearest(name, known))
    if found > 1:
        raise UsageError(f'the data frame has {found} columns "{name}"', now="rename or drop all but one")
    if frame[name].isna().any():
        raise DataError(f'the column "{name}" has missing values', now="fill them or leave these rows out")


def _refuse_text(frame: "pd.DataFrame", name: str) -> None:
    from pandas.api.types import is_numeric_dtype

    if not is_numeric_dtype(frame[name]):
        raise DataError(
            f'the column "{name}" holds text, not numbers', now="turn it into numbers with pandas.to_numeric"
        )


def _refuse_negative(frame: "pd.DataFrame", name: str) -> None:
    below = int((frame[name] < 0).sum())
    if below:
        raise DataError(
            f'the column "{name}" counts persons and is below zero in {roughly(below)} rows', now="correct these rows"
        )
