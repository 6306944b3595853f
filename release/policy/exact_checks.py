"""Whether the exact tables of a policy fit together: their rules, the house policy, and the two tracks.

A table is on one track: noisy, or exact. Where both tracks tell of the same cells the policy is refused, with the
reason, unless the house policy names the exception.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, combinations
from math import prod

from release.codes import Attribute
from release.errors import Fault, nearest
from release.policy.document import CellChoice, CellKey, PrimaryRules, Protection, Suppression, Table
from release.policy.meaning import sources_of
from release.policy.policy import EarlierRelease
from release.policy.table_checks import Known, is_percentile, reference_faults, spaced
from release.policy.yaml_text import Place

Levels = Mapping[str, int]
"""A table's attributes with the finest level it shows of each."""

EVERY = "*"
"""In a choice of cells: every code of the level."""

SUMS = ("dominance", "p_percent", "prior_posterior", "contributors")
"""Rules about sums, by the shares of their contributors."""
CONCENTRATION = ("dominance", "p_percent", "prior_posterior")
"""Those of them that have no meaning where amounts may be negative."""
OF_SUMS = (*SUMS, "minimum", "holders")
"""Rules that look at sums too."""
SURVEYS = ("respondents", "response_rate")
ANSWERS = ("one_answer", "k_disclosure")
WITH_EMPTY = ("zeros", *ANSWERS)
"""Rules for which empty cells aren't printed as zeros."""
MOST_WITH_EMPTY = 200_000
OF_NOISY_TABLES = ("importance", "minimum", "covers")
"""Keys of a table that say nothing of an exact one."""


def exact_faults(known: Known, place: Place) -> list[Fault]:
    """Every fault of the exact tables; `place` is the policy's `tables`."""
    tables = known.document.exact_tables
    each = (_table_faults(known, table, place / name) for name, table in tables.items())
    return list(
        chain(
            *each,
            _person_faults(known, place),
            _track_faults(known, place),
            _mixing_faults(known, place),
            _alone_faults(known, place),
        )
    )


# One table ---------------------------------------------------------------------------------------------------------


def _table_faults(known: Known, table: Table, place: Place) -> Iterator[Fault]:
    said = table.exact
    if said is None:
        return
    here = place / "protection"
    if len(said.kinds) != 1:
        what = f"the table has {' and '.join(said.kinds)}." if said.kinds else "no kind of protection is named."
        yield here.fault(what, "give exactly one of suppression, cell-key, rounding")
        return
    if not table.by and not table.of:
        yield (place / "by").fault("an exact table of one cell has nothing to hide behind.", "add a dimension")
    yield from _house_faults(known, said, here)
    yield from _statistics_faults(table, place)
    if said.suppression is not None:
        yield from _suppression_faults(known, table, said.suppression, here / "suppression")
    if said.cell_key is not None:
        yield from _cell_key_faults(said.cell_key, here / "cell-key")
        yield from _sum_change_faults(table, said.cell_key, here / "cell-key")


def _cell_key_faults(said: CellKey, place: Place) -> Iterator[Fault]:
    """Changes that can't be."""
    most = said.largest * (said.largest + 1) / 3
    if said.variance > most:
        what = f"changes of at most {said.largest} have a variance of {most:g} at most, not of {said.variance:g}."
        yield (place / "variance").fault(what, "lower the variance, or raise `largest`")
    if said.forbidden >= said.largest:
        what = f"a cell of one person can't get past {said.forbidden} with changes of at most {said.largest}."
        yield (place / "forbidden").fault(what, f"raise `largest` to {said.forbidden + 1} or more")
    if said.forbidden and said.keep_positive:
        yield (place / "keep_positive").fault(
            "small figures may neither stay, nor become 0: they could only grow.", "leave one of the two out"
        )


def _sum_change_faults(table: Table, said: CellKey, place: Place) -> Iterator[Fault]:
    if "sum" in table.show and said.sums is None:
        yield place.fault("it isn't said how sums change.", 'add `sums: {shares: ["1/10", "1/20"]}`, say')
    elif "sum" not in table.show and said.sums is not None:
        yield (place / "sums").fault("the table shows no sums.", "remove it, or add sum to show")
    elif said.sums is not None and max(said.sums.shares) > 1:
        yield (place / "sums" / "shares").fault(
            "no contribution changes by more than itself.", 'write shares of at most 1: ["1/10"]'
        )
    elif (
        said.sums is not None
        and (said.sums.spread * said.sums.steps) ** 2 > said.sums.steps * (said.sums.steps + 1) / 3
    ):
        yield (place / "sums" / "spread").fault(
            f"changes in {said.sums.steps} steps can't be spread so far.", "lower the spread: 0.57 always goes"
        )


def _house_faults(known: Known, said: Protection, place: Place) -> Iterator[Fault]:
    kind = said.kinds[0]
    if kind not in known.house.protections:
        allowed = ", ".join(known.house.protections)
        yield (place / kind).fault(
            f"the house policy doesn't allow {kind}; it allows {allowed}.", "ask the office, or use one of these"
        )
    least = known.house.smallest_exact_minimum
    rules = said.suppression.rules if said.suppression else None
    if rules is not None and rules.minimum is not None and rules.minimum < least:
        here = place / "suppression" / "rules" / "minimum"
        yield here.fault(f"minimum is {rules.minimum}, under the house's least of {least}.", f"write {least} or more")


def _statistics_faults(table: Table, place: Place) -> Iterator[Fault]:
    for key in OF_NOISY_TABLES:
        if key in table.model_fields_set:
            yield (place / key).fault(
                f"`{key}` is about noise, and an exact table has none.", "remove it; see protection"
            )
    for position, statistic in enumerate(table.show):
        if is_percentile(statistic):
            yield (place / "show" / position).fault(
                f'exact tables show no percentiles: "{statistic}" is a person\'s own figure.',
                "show count and share of the bins, or leave the table noisy",
            )
    if "sum" in table.show and not table.by:
        yield (place / "by").fault("an exact table of one sum has nothing to hide behind.", "add a dimension")
    if "sum" in table.show and table.exact and table.exact.rounding:
        yield (place / "show").fault(
            "rounding is about numbers of persons: a sum rounded to so small a base is the sum.",
            "write `suppression` or `cell-key` under protection, or remove sum and mean",
        )
    if "count" not in table.show:
        yield (place / "show").fault(
            "an exact table shows its counts: its protection is judged and certified on them.", "add count"
        )


def _suppression_faults(known: Known, table: Table, said: Suppression, place: Place) -> Iterator[Fault]:
    yield from _rule_faults(known, table, said.rules, place / "rules")
    if "sum" in table.show:
        yield from _amount_rule_faults(known, table, said.rules, place / "rules")
    if said.width == "to-threshold" and said.rules.minimum is None:
        yield (place / "width").fault("there is no threshold to reach.", "give rules.minimum, or a width in figures")
    elif isinstance(said.width, int) and said.width < 1:
        yield (place / "width").fault("a width of less than 1 hides nothing.", "write 1 or more")
    for key, choices in (("publish", said.publish), ("hide", said.hide)):
        for position, choice in enumerate(choices):
            yield from _choice_faults(known, table, choice, place / key / position)
    for choice in said.publish:
        if choice in said.hide:
            yield (place / "publish").fault(
                "the same cells must be shown and must be hidden.", "remove them from publish or from hide"
            )


def _rule_faults(known: Known, table: Table, rules: PrimaryRules, place: Place) -> Iterator[Fault]:
    named = [key for key in rules.model_fields_set if getattr(rules, key) not in (None, False)]
    if not named:
        yield place.fault("no rule is named, so nothing would be hidden.", "write `minimum: 5`, say")
    if rules.zeros and rules.minimum is None:
        yield (place / "zeros").fault("`zeros` goes with `minimum`.", "add `minimum: 5`, say, or remove it")
    if rules.minimum == 1 and not rules.zeros:
        yield (place / "minimum").fault(
            "a minimum of 1 hides nothing while zeros are shown.", "raise it, or add `zeros: true`"
        )
    for key in SUMS:
        if key in named and "sum" not in table.show:
            yield (place / key).fault(
                f"`{key}` is about sums with contributors, and the table shows counts.",
                "show the `sum` of an outcome with an amount, or write `minimum`",
            )
    yield from _outcome_rule_faults(known, table, named, place)
    if rules.holders is not None:
        names = [*known.document.dimensions, *known.document.outcomes]
        yield from reference_faults(
            [rules.holders.by], names, attributes=known.attributes, place=place / "holders" / "by", kind="dimension"
        )
        if rules.holders.by.partition(":")[0] in levels_shown(table, known.attributes):
            yield (place / "holders" / "by").fault(
                f'the table is by "{rules.holders.by.partition(":")[0]}" itself: most cells have one holder.',
                "name another holder, or leave the rule out",
            )
    if rules.prior_posterior is not None and rules.prior_posterior.p >= rules.prior_posterior.q:
        yield (place / "prior_posterior").fault(
            "what is known beforehand (q) is narrower than what may become known (p).", "write a p smaller than q"
        )


def _amount_rule_faults(known: Known, table: Table, rules: PrimaryRules, place: Place) -> Iterator[Fault]:
    """Whether the rules of a table that shows sums are about them, and have a meaning."""
    named = [key for key in PrimaryRules.model_fields if getattr(rules, key) not in (None, False)]
    if not set(named) & set(OF_SUMS):
        yield place.fault("no rule is about the sums.", "write `p_percent: 10`, `contributors: 3` or `minimum: 5`, say")
    for key in set(named) & set(WITH_EMPTY):
        yield (place / key).fault(
            f"`{key}` hides empty cells, and a sum over nobody is 0 to everybody.",
            "leave it out, or show the sums in a table of their own",
        )
    least = _least(known, (table.of or "").partition(":")[0])
    for key in set(named) & set(CONCENTRATION):
        if least is not None and least < 0:
            yield (place / key).fault(
                f"`{key}` has no meaning for negative amounts, and the least declared is {least:g}.",
                "declare a minimum of 0 if there are none, or write `contributors: 3`",
            )


def _least(known: Known, outcome: str) -> float | None:
    """The least that an outcome's role is declared to be."""
    sources = sources_of(known.document, outcome) if outcome in known.document.outcomes else []
    rules = known.document.inputs[sources[0][0]].rules if sources else {}
    return rules[sources[0][1]].minimum if sources and sources[0][1] in rules else None


def _outcome_rule_faults(known: Known, table: Table, named: Sequence[str], place: Place) -> Iterator[Fault]:
    outcome = known.document.outcomes.get((table.of or "").partition(":")[0])
    for key in named:
        if key in ANSWERS and table.of is None:
            yield (place / key).fault(f"`{key}` is about an outcome, and the table has none.", "add `of: OUTCOME`")
        if key in SURVEYS and not (outcome and outcome.no_answer):
            yield (place / key).fault(f"`{key}` is about a survey, and the table shows none.", "remove it")


def _choice_faults(known: Known, table: Table, choice: CellChoice, place: Place) -> Iterator[Fault]:
    """Cells that the table doesn't have."""
    if not choice:
        yield place.fault("no dimension is named.", 'name cells by code: {cohort: "2019"}, {"field:broad": "*"}')
    levels = levels_shown(table, known.attributes)
    for reference, codes in choice.items():
        name, _, level = reference.partition(":")
        here = place / reference
        attribute = known.attributes.get(name)
        if name not in levels:
            yield here.fault(f'the table has no "{name}".', nearest(name, levels))
        elif attribute is not None and level and level not in [v.name for v in attribute.levels[: levels[name] + 1]]:
            shown = [v.name for v in attribute.levels[: levels[name] + 1]]
            yield here.fault(f'the table shows no level "{level}" of "{name}".', nearest(level, shown))
        elif attribute is not None:
            number = attribute.level_number(level) if level else levels[name]
            listed = [codes] if isinstance(codes, str) else codes
            for code in listed:
                if code != EVERY and code not in attribute.levels[number].index:
                    advice = nearest(code, attribute.levels[number].codes)
                    yield here.fault(f'"{reference}" has no code "{code}".', advice)


def _person_faults(known: Known, place: Place) -> Iterator[Fault]:
    if known.document.exact_tables and known.document.privacy.records_per_person > 1:
        here = Place(place.text, ("privacy", "records_per_person"))
        yield here.fault("exact tables count each person once.", "write 1, or leave the exact tables out")


# Two tracks --------------------------------------------------------------------------------------------------------


def levels_shown(table: Table, attributes: Mapping[str, Attribute]) -> dict[str, int]:
    """Each attribute of a table with the finest level it shows; {} where a reference isn't known."""
    found: dict[str, int] = {}
    for reference in (*table.by, *([table.of] if table.of else [])):
        name, _, level = reference.partition(":")
        attribute = attributes.get(name)
        names = [v.name for v in attribute.levels] if attribute else []
        if attribute is None or (level and level not in names):
            return {}
        found[name] = names.index(level) if level else attribute.depth
    return found


def shared(one: Levels, other: Levels) -> dict[str, int]:
    """The finest cells that two tables and their totals both tell of; {} for the number of all persons alone."""
    return {name: min(level, other[name]) for name, level in one.items() if name in other}


def _track_faults(known: Known, place: Place) -> Iterator[Fault]:
    """Exact tables beside noisy ones: they tell exactly, at least, how many persons there are in all."""
    noisy = known.document.noisy_tables
    for name, table in known.document.exact_tables.items():
        here = place / name / "protection"
        said = table.exact
        if said is not None and said.exception is not None:
            yield from _exception_faults(known, name, said.exception, here / "exception")
        elif said is not None and noisy:
            yield here.fault(_why_refused(known, table, noisy), _ONE_TRACK)


_ONE_TRACK = (
    "put the table on one track with the noisy ones (`protection: dp`), publish it in a release of its own over other "
    "persons, or have the house policy name an exception and write `exception: NAME`"
)


def _why_refused(known: Known, table: Table, noisy: Mapping[str, Table]) -> str:
    own = levels_shown(table, known.attributes)
    both = {name: shared(own, levels_shown(other, known.attributes)) for name, other in noisy.items()}
    worst = max(both, key=lambda name: len(both[name]))
    cells = " by ".join(f"{n}:{known.attributes[n].levels[level].name}" for n, level in both[worst].items())
    told = f"persons by {cells}" if cells else "the number of all persons"
    return (
        f'the table tells exactly what the table "{worst}" tells with noise: {told}. '
        "Exact figures beside noisy ones of the same persons void the promise that the noise gives."
    )


def _exception_faults(known: Known, table: str, name: str, place: Place) -> Iterator[Fault]:
    exceptions = known.house.exceptions
    if name not in exceptions:
        yield place.fault(f'the house policy names no exception "{name}".', nearest(name, exceptions))
    elif table not in exceptions[name].tables:
        listed = ", ".join(exceptions[name].tables)
        yield place.fault(f'the exception "{name}" isn\'t about the table "{table}".', f"it is about: {listed}")


def _mixing_faults(known: Known, place: Place) -> Iterator[Fault]:
    """Exact tables that tell of the same cells are protected in one way: what one hides another may not tell."""
    for (name, one), (other_name, other) in combinations(known.document.exact_tables.items(), 2):
        if one.exact is None or other.exact is None or len(one.exact.kinds) != 1 or len(other.exact.kinds) != 1:
            continue
        both = shared(levels_shown(one, known.attributes), levels_shown(other, known.attributes))
        if both and one.exact.kinds != other.exact.kinds:
            yield (place / other_name / "protection").fault(
                f'the table and "{name}" both tell of persons by {", ".join(both)}, protected in two ways: '
                "what one hides or changes the other would tell.",
                "protect both in one way, or let them share no dimension",
            )
        elif _sums_apart(one, other):
            yield (place / other_name / "protection").fault(
                f'the table and "{name}" show sums of one outcome, and change them in two ways.',
                "write the same `sums`",
            )
        elif both and _settings(one.exact) != _settings(other.exact):
            yield (place / other_name / "protection").fault(
                f'the table and "{name}" share cells by {", ".join(both)}, and are protected together: '
                "they need the same settings.",
                "write the same effort (suppression), variance and largest (cell-key), or base and method (rounding)",
            )


def _alone_faults(known: Known, place: Place) -> Iterator[Fault]:
    """Rules that need the empty cells too: their table shares no cells with another one."""
    tables = known.document.exact_tables
    for name, table in tables.items():
        said = table.exact.suppression if table.exact else None
        keys = [] if said is None else [key for key in WITH_EMPTY if getattr(said.rules, key) not in (None, False)]
        own = levels_shown(table, known.attributes)
        others = [n for n, t in tables.items() if n != name and shared(own, levels_shown(t, known.attributes))]
        if keys and others:
            yield (place / name / "protection" / "suppression" / "rules" / keys[0]).fault(
                f"`{keys[0]}` hides empty cells too, and the table shares cells with {', '.join(others)}.",
                "leave the rule out, or let the tables share no dimension",
            )
        cells = prod(sum(map(len, known.attributes[n].levels[: level + 1])) for n, level in own.items())
        if keys and cells > MOST_WITH_EMPTY:
            yield (place / name / "by").fault(
                f"with `{keys[0]}` every empty cell counts, and the table has {spaced(cells)} cells; the most is "
                f"{spaced(MOST_WITH_EMPTY)}.",
                "choose coarser levels",
            )


def earlier_faults(earlier: Sequence[EarlierRelease], attributes: Mapping[str, Attribute], place: Place) -> list[Fault]:
    """Earlier releases that can't be compared: other code lists, or dimensions that this policy doesn't declare."""
    return [
        fault
        for number, release in enumerate(earlier)
        for name in dict.fromkeys(
            name for table in release.policy.exact.values() for name, _ in release.policy.measured(table)
        )
        for fault in _compared(release, name, attributes, place / number)
    ]


def _compared(release: EarlierRelease, name: str, attributes: Mapping[str, Attribute], place: Place) -> Iterator[Fault]:
    if name not in attributes:
        yield place.fault(
            f'exact tables of the release "{release.name}" are by "{name}", which this policy doesn\'t declare.',
            "declare it as there: what was shown then is taken into account now",
        )
    elif attributes[name].structure() != release.policy.attributes[name].structure():
        yield place.fault(
            f'the release "{release.name}" knows "{name}" by other codes than this policy.',
            "use the code list of that release; tables over other codes can't be compared cell by cell",
        )


def _settings(said: Protection) -> object:
    """What tables that share cells must have in common."""
    if said.cell_key is not None:
        return said.cell_key.of_counts
    return said.suppression.effort if said.suppression else said.rounding


def _sums_apart(one: Table, other: Table) -> bool:
    """Whether two tables change the sums of one outcome in two ways."""
    same = one.of == other.of and "sum" in one.show and "sum" in other.show
    ways = [said.cell_key.sums for table in (one, other) if (said := table.exact) and said.cell_key]
    return same and len(ways) == 2 and ways[0] != ways[1]
