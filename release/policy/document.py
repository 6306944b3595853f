"""What a release policy and the house policy may say, as frozen models: the words, their types, their defaults.

Whether the words fit together (a table over a known dimension, a budget under the ceiling) is checked in `checks.py`.
"""

import re
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

_NUMBER = re.compile(r"[0-9]{1,18}(/[0-9]{1,18}|(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,2})?)")
_FILE = re.compile(r"(?!/)(?!(.*/)?\.\.(/|$))[^\\:\x00-\x1f]{1,200}")


def relative_file(value: str) -> str:
    """A file below its folder: no absolute path, no way up, no backslash, no colon."""
    if not _FILE.fullmatch(value):
        raise ValueError('a file is named from its folder downwards, for example "codes/field.csv"')
    return value


Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
"""Names of releases, tables, dimensions: lower case, digits and hyphens; they become file and column names."""
RelativeFile = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(relative_file)]
"""A file below the delivery (or beside the policy): no absolute path, no way up."""
Text = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
ShortText = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Translated = dict[Literal["en", "fi", "sv"], Text]


def texts_of(title: Translated) -> dict[str, str]:
    """Texts by language."""
    return {str(language): text for language, text in title.items()}


def exact_fraction(value: object) -> Fraction:
    """A budget from quoted text such as "1/8" or "0.125" or "1e-9"; numbers are refused, floats above all."""
    if isinstance(value, Fraction):
        return value
    if not isinstance(value, str):
        raise ValueError(f'budgets are exact and written as quoted text, for example "{_as_text(value)}"')
    if not _NUMBER.fullmatch(value):
        raise ValueError('budgets are exact fractions or decimals written as text, for example "1/8"')
    try:
        number = Fraction(value)
    except ZeroDivisionError:
        raise ValueError('nothing can be divided by 0; write a fraction such as "1/8"') from None
    if number == 0:
        raise ValueError('a budget is more than zero, for example "1/8"')
    return number


def _as_text(value: object) -> str:
    """The right spelling of a budget that was given as a number: 0.1 -> 1/10, 1e-09 -> 1e-9."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not _NUMBER.fullmatch(repr(value)):
        return "1/8"
    exact = Fraction(repr(value))
    if exact == 0:
        return "1/8"
    return str(exact) if exact.denominator <= 10_000 else re.sub(r"e-0*", "e-", f"{value!r}")


Budget = Annotated[Fraction, BeforeValidator(exact_fraction, json_schema_input_type=str)]


class Words(BaseModel):
    """Base of all models: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, arbitrary_types_allowed=True)


class Privacy(Words):
    """Whom the release protects and how much it may spend."""

    unit: Literal["person"] = "person"
    population: Name = Field(description="whose budget is spent; one ledger each, across releases and years")
    rho: Budget | None = Field(
        None, description="zCDP budget of this release, exact text such as '1/2'; needed where a table is noisy"
    )
    delta: Budget | None = Field(
        None, description="the δ at which the promise is also told as (ε, δ), such as '1e-9'; needed where rho is"
    )
    records_per_person: int = Field(1, ge=1, le=16, description="rows one person may have after linking (k costs k² ρ)")

    @property
    def budget(self) -> Fraction:
        """What the release may spend; 0 where no table is noisy and the policy says nothing."""
        return self.rho or Fraction(0)

    @property
    def small_chance(self) -> Fraction:
        """The δ of the promise; 0 where no table is noisy and the policy says nothing."""
        return self.delta or Fraction(0)


class Column(Words):
    """A column of an input file, and how it is to be read."""

    column: ShortText
    type: Literal["code", "integer", "number"] = "code"


class Rule(Words):
    """What values a number may take, and what to do with others."""

    minimum: float | None = Field(None, allow_inf_nan=False)
    maximum: float | None = Field(None, allow_inf_nan=False)
    otherwise: Literal["refuse", "missing"] = Field(
        "refuse", description="refuse the delivery, or treat the value as missing"
    )


class Periods(Words):
    """First and last period that a register covers (publicly known): outcomes outside aren't applicable."""

    first: int
    last: int


class Input(Words):
    """One file of the delivery: its name, its person column, and the roles of its columns."""

    file: RelativeFile
    person: ShortText = Field(description="column with the person's pseudonym")
    time: Name | None = Field(None, description="role of the column with the period, for outcomes `after` some periods")
    columns: dict[Name, Column | ShortText] = Field(description="role -> column; a bare name is read as a code")
    rules: dict[Name, Rule] = Field({}, description="role -> what its numbers may be")
    encoding: Literal["utf-8", "windows-1252", "iso-8859-1"] = "utf-8"
    separator: Literal[",", ";", "\t", "|"] = ","
    decimal: Literal[".", ","] = "."
    periods: Periods | None = None
    repeated: ShortText = Field(
        "refuse",
        pattern=r"^(refuse|(highest|lowest) [a-z][a-z0-9-]*)$",
        description="a person again (in a period): 'refuse', or keep the row with 'highest ROLE' or 'lowest ROLE'",
    )
    strangers: Literal["refuse", "ignore"] = Field("refuse", description="persons who aren't in the base register")

    def column(self, role: str) -> Column:
        """The declared column of a role."""
        declared = self.columns[role]
        return declared if isinstance(declared, Column) else Column(column=declared)


class Link(Words):
    """Which register is the base, and which of a person's rows count."""

    base: Name
    keep: Literal["highest-then-latest", "latest", "single"] = Field(
        description="of several rows: the highest then the latest, or the latest; 'single': a second row is a fault"
    )
    highest: Name | None = Field(None, description="role of the base that ranks rows: larger is higher")
    latest: Name | None = Field(None, description="role of the base that dates rows: larger is later")


class Dimension(Words):
    """By what tables are broken down: a tree of public codes over one column of the base register."""

    title: Translated = {}
    from_: Name | None = Field(None, alias="from", description="role in the base register; else the dimension's name")
    levels: list[Name] | None = Field(
        None, description="from the root to the finest; absent for a flat list", min_length=2
    )
    codes: RelativeFile | list[ShortText | int] | dict[ShortText | int, Translated | Text]
    replace: RelativeFile | None = Field(None, description="CSV with columns from, to: old codes and their successors")
    unknown: ShortText = Field("refuse", description="'refuse', or the code that unknown codes are counted under")


class Bins(Words):
    """Public bins of a number: `number` bins from `from` to `to`, and one open bin at each end."""

    from_: float = Field(alias="from", allow_inf_nan=False)
    to: float = Field(allow_inf_nan=False)
    number: int = Field(ge=2, le=200)
    spacing: Literal["log", "even"] = "even"


class Amount(Words):
    """A number that can be added up: its sums and means are shown by exact tables."""

    decimals: int = Field(0, ge=0, le=4, description="of the figures published: 0 for whole euros, 2 for cents")
    contributor: Name | None = Field(
        None, description="role of the same input with the holding that a person's amount belongs to; else the person"
    )


class Outcome(Words):
    """What became of a person: codes, a number in bins, a scale, or an amount."""

    title: Translated = {}
    from_: ShortText | None = Field(
        None,
        alias="from",
        pattern=r"^[a-z][a-z0-9-]*\.[a-z][a-z0-9-]*$",
        description="input.role; if absent, the one input that has a role of the outcome's name",
    )
    after: int | None = Field(
        None, ge=0, le=100, description="periods after the base row's own (`time` of both inputs)"
    )
    levels: list[Name] | None = Field(None, min_length=2)
    codes: RelativeFile | list[ShortText | int] | dict[ShortText | int, Translated | Text] | None = None
    replace: RelativeFile | None = None
    unknown: ShortText = "refuse"
    bins: Bins | None = None
    scale: Annotated[tuple[int, int], Field(strict=False)] | None = Field(
        None, description="lowest and highest score: [1, 5]"
    )
    amount: Amount | None = Field(None, description="a number that can be added up, for sums in exact tables")
    no_answer: bool = Field(False, description="the input is a survey: who isn't in it gave no answer")
    only_if: dict[Name, list[ShortText]] = Field(
        {}, description="an earlier outcome -> its codes (any level) with which this one arises"
    )
    unit: ShortText | None = Field(None, description="of the number: 'euro a month'")


class Withhold(Words):
    """When a figure isn't shown. All rules look at noisy figures only."""

    below: float = Field(10, ge=0, allow_inf_nan=False, description="persons in the base of the figure")
    relative_error_above: float | None = Field(
        0.3, gt=0, allow_inf_nan=False, description="counts: standard error / value"
    )
    share_error_above: float | None = Field(0.1, gt=0, allow_inf_nan=False, description="shares: standard error")
    mean_error_above: float | None = Field(0.25, gt=0, allow_inf_nan=False, description="means: standard error")
    percentile_error_above: float | None = Field(
        0.15, gt=0, allow_inf_nan=False, description="percentiles: half the interval's width / (1.96 value)"
    )
    response_rate_below: float | None = Field(None, ge=0, le=1, allow_inf_nan=False)


Percent = Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)]


class Dominance(Words):
    """(n, k): a cell is unsafe if its n largest contributors hold more than k per cent of it."""

    n: int = Field(ge=1, le=10)
    k: Percent


class PriorPosterior(Words):
    """(p, q): everybody knows contributions to q per cent; nobody may come to know them to p per cent."""

    p: Percent
    q: Percent


class Holders(Words):
    """Contributors grouped in holdings: at least so many different codes of an attribute among a cell's persons."""

    by: ShortText = Field(description="dimension or outcome, or name:level, whose codes are the holders")
    minimum: int = Field(ge=2, le=1000)


class PrimaryRules(Words):
    """When a cell must be hidden for its own sake. Several rules may stand together; each hides what it finds."""

    minimum: int | None = Field(None, ge=1, le=1000, description="fewest persons in a shown cell")
    zeros: bool = Field(False, description="hide cells of nobody too, besides those that can't occur")
    dominance: Dominance | None = None
    p_percent: Percent | None = Field(None, description="nobody can estimate a contribution to within p per cent")
    prior_posterior: PriorPosterior | None = None
    contributors: int | None = Field(None, ge=2, le=1000, description="fewest contributors to a shown sum")
    holders: Holders | None = None
    one_answer: bool = Field(False, description="hide where all persons of a group have one and the same code")
    k_disclosure: int | None = Field(
        None, ge=1, le=100, description="hide where all but so many persons of a group have one and the same code"
    )
    respondents: int | None = Field(None, ge=1, le=1000, description="surveys: fewest answers in a shown group")
    response_rate: float | None = Field(
        None, gt=0, le=1, allow_inf_nan=False, description="surveys: least response rate of a shown group"
    )


CellChoice = dict[ShortText, ShortText | list[ShortText]]
"""Cells by code: dimension or dimension:level -> a code, a list of codes, or "*"; what isn't named stands at "all"."""


class Suppression(Words):
    """Exact figures; unsafe cells are hidden, and others with them so that none can be worked out."""

    rules: PrimaryRules
    width: int | Literal["to-threshold"] = Field(
        1, description="how many possible values a reader is left with besides the true one, or up to the threshold"
    )
    cost: Literal["count", "value", "logarithm"] = Field("value", description="what hiding a cell costs")
    margins: float = Field(
        1.0, gt=0, le=1e6, allow_inf_nan=False, description="factor on the cost for each level above the finest"
    )
    effort: Literal["fast", "thorough"] = "thorough"
    publish: list[CellChoice] = Field([], description="cells that must be shown")
    hide: list[CellChoice] = Field([], description="cells that must be hidden")
    insiders: Literal["nobody", "primary", "hidden"] = Field(
        "hidden", description="what someone alone in a cell, who knows it, learns of no other cell: hidden, or primary"
    )


class SumChange(Words):
    """How sums change by cell keys: each of the largest contributions by up to a share of itself."""

    shares: list[Budget] = Field(
        min_length=1, max_length=10, description="of the largest contribution, the second, …; exact text: ['1/10']"
    )
    steps: int = Field(10, ge=1, le=50, description="equal steps to the largest change, either way")
    spread: float = Field(
        0.6, gt=0, le=0.8, allow_inf_nan=False, description="standard deviation, as a fraction of the largest change"
    )


class CellKey(Words):
    """Every figure is changed a little, by a noise that hangs on the persons in the cell: the same cell, the same."""

    variance: float = Field(2.0, gt=0, le=100, allow_inf_nan=False, description="of the change, in persons squared")
    largest: int = Field(5, ge=1, le=50, description="largest change, in persons")
    forbidden: int = Field(0, ge=0, le=49, description="no figure from 1 up to this results")
    keep_positive: bool = Field(False, description="cells with persons are never shown as 0; then every 1 stays 1")
    sums: SumChange | None = Field(None, description="how sums of amounts change, where the table shows them")

    @property
    def of_counts(self) -> "CellKey":
        """The same without what is said of sums."""
        return self.model_copy(update={"sums": None})


class Rounding(Words):
    """Every figure is rounded to a multiple of a base."""

    base: int = Field(3, ge=2, le=1000)
    method: Literal["random", "controlled", "small-counts"] = Field(
        "random", description="random: each by itself; controlled, small-counts: sums still add up"
    )
    effort: Literal["nearest", "search"] = Field("nearest", description="controlled: solved, or searched for")

    @property
    def keyed(self) -> bool:
        """Whether the persons in a cell decide how it is rounded."""
        return self.method == "random"


class Protection(Words):
    """How a table is protected if not by differential privacy: exactly one of the three."""

    suppression: Suppression | None = None
    cell_key: CellKey | None = Field(None, alias="cell-key")
    rounding: Rounding | None = None
    exception: Name | None = Field(
        None, description="the house policy's exception that lets it stand beside noisy tables"
    )

    @property
    def kinds(self) -> tuple[str, ...]:
        """The protections that are named: one in a checked policy."""
        found = {"suppression": self.suppression, "cell-key": self.cell_key, "rounding": self.rounding}
        return tuple(name for name, words in found.items() if words is not None)


class Table(Words):
    """One table: by which dimensions, of which outcome, which statistics."""

    title: Translated = {}
    by: list[ShortText] = Field(max_length=8, description="dimension, or dimension:level; [] for one national row")
    of: ShortText | None = Field(None, description="outcome, or outcome:level; absent: persons are counted")
    show: list[Annotated[str, StringConstraints(pattern=r"^(count|share|sum|mean|response-rate|p[1-9][0-9]?)$")]] = (
        Field(default=["count"], min_length=1)
    )
    protection: Literal["dp"] | Protection = Field(
        "dp", description="dp: noise, the default; else an exact table, outside of differential privacy"
    )
    importance: float = Field(1.0, gt=0, le=1e6, allow_inf_nan=False, description="weight of its mean variance")
    minimum: float | None = Field(None, ge=0, allow_inf_nan=False, description="overrides withhold.below, upwards only")
    covers: Literal["noise", "noise-and-chance"] = Field(
        "noise", description="what intervals cover: the noise, or also the chance variation of a finite cohort"
    )

    @property
    def exact(self) -> Protection | None:
        """How an exact table is protected; None for a noisy one."""
        return self.protection if isinstance(self.protection, Protection) else None


class Possible(Words):
    """A public list of the combinations that can occur; all others are structural zeros."""

    over: list[ShortText] = Field(min_length=2, description="dimension or dimension:level")
    codes: RelativeFile = Field(description="CSV with one column per entry of `over`, named by its level")
    source: Text = Field(description="where the public knowledge comes from")


class Synthetic(Words):
    """Whether synthetic records are published, made from the measurements alone. Costs nothing."""

    records: bool = Field(False, description="publish synthetic records beside the tables")
    columns: list[Name] | None = Field(
        None, min_length=1, description="dimensions and outcomes; absent: all that a table measures"
    )
    replicates: int = Field(1, ge=1, le=100, description="2 or more: so many further files, to be combined")
    rows: int | None = Field(None, ge=1, description="records in each file; absent: as many as persons were measured")


class PolicyDocument(Words):
    """One release policy: one file, one release, readable by the person who signs it."""

    release: Name
    title: Translated = {}
    privacy: Privacy
    inputs: dict[Name, Input] = Field(min_length=1)
    link: Link
    dimensions: dict[Name, Dimension] = Field(min_length=1)
    outcomes: dict[Name, Outcome] = {}
    possible: list[Possible] = []
    tables: dict[Name, Table] = Field(min_length=1)
    withhold: Withhold = Withhold()  # type: ignore[call-arg]
    synthetic: Synthetic = Synthetic()  # type: ignore[call-arg]
    earlier: list[RelativeFile] = Field([], description="public folders of earlier releases with exact tables")
    contact: ShortText | None = None

    @property
    def noisy_tables(self) -> dict[str, Table]:
        """Tables protected by differential privacy, in the order of the file."""
        return {name: table for name, table in self.tables.items() if table.exact is None}

    @property
    def exact_tables(self) -> dict[str, Table]:
        """Tables protected in another way, in the order of the file."""
        return {name: table for name, table in self.tables.items() if table.exact is not None}


class TrackException(Words):
    """Exact tables that the office lets stand beside noisy ones about the same persons, and why."""

    tables: list[Name] = Field(min_length=1, description="names of the exact tables")
    reason: Text
    approved_by: ShortText


class HouseDocument(Words):
    """The office's ceilings: no release policy may exceed them."""

    office: Translated
    largest_rho: Budget
    largest_delta: Budget
    smallest_below: float = Field(ge=0, allow_inf_nan=False)
    largest_relative_error: float = Field(gt=0, allow_inf_nan=False)
    smallest_minimum: dict[Literal["percentile", "mean"], float] = {}
    protections: list[Literal["dp", "suppression", "cell-key", "rounding"]] = ["dp"]
    smallest_exact_minimum: int = Field(3, ge=1, description="least `minimum` of a table with suppression")
    exceptions: dict[Name, TrackException] = {}
    may_grant: list[ShortText] = Field(min_length=1)


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """The model's JSON Schema, for editors."""
    return model.model_json_schema(by_alias=True)
