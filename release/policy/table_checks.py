"""Whether tables, code words and budgets of a policy fit its attributes and the house policy."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from math import prod

from release.codes import Attribute
from release.errors import Fault, nearest
from release.policy.document import HouseDocument, PolicyDocument, Table
from release.policy.meaning import leaves_of
from release.policy.yaml_text import Place

MOST_CELLS = 20_000_000
"""Cells of one table; its arrays have to fit in memory several times."""


@dataclass(frozen=True)
class Known:
    """What the checks compare with. `attributes` lacks those whose code list was refused."""

    document: PolicyDocument
    house: HouseDocument
    attributes: Mapping[str, Attribute]


def completed_faults(known: Known, place: Place) -> list[Fault]:
    """Every fault that shows once the code lists are read."""
    document = known.document
    return list(
        chain(
            _privacy_faults(known, place / "privacy"),
            _withhold_faults(known, place / "withhold"),
            *(_unknown_faults(known, name, place) for name in (*document.dimensions, *document.outcomes)),
            *(_only_if_faults(known, name, place / "outcomes" / name / "only_if") for name in document.outcomes),
            *(_table_faults(known, table, place / "tables" / name) for name, table in document.tables.items()),
        )
    )


_MISSING = {
    "rho": 'add `rho: "1/8"`, say (zCDP budget of this release), or protect every table exactly',
    "delta": 'add `delta: "1e-9"`, say',
}


def _privacy_faults(known: Known, place: Place) -> Iterator[Fault]:
    privacy, house = known.document.privacy, known.house
    for key, asked, ceiling in (("rho", privacy.rho, house.largest_rho), ("delta", privacy.delta, house.largest_delta)):
        if asked is None and known.document.noisy_tables:
            yield (place / key).fault(f'the key "{key}" is missing: a table is noisy.', _MISSING[key])
        elif asked is not None and asked > ceiling:
            yield (place / key).fault(
                f"{key} is {asked}, above the house's ceiling of {ceiling}.", "lower it, or ask the office"
            )
    if privacy.small_chance >= 1:
        yield (place / "delta").fault("delta is a small probability.", 'write "1e-9"')
    if known.document.noisy_tables and "dp" not in house.protections:
        yield place.fault("the house policy doesn't allow differential privacy.", "ask the office")


def _withhold_faults(known: Known, place: Place) -> Iterator[Fault]:
    rules, house = known.document.withhold, known.house
    if rules.below < house.smallest_below:
        what = f"below is {rules.below:g}, under the house's least of {house.smallest_below:g}."
        yield (place / "below").fault(what, f"write {house.smallest_below:g} or more")
    allowed = rules.relative_error_above
    if allowed is None or allowed > house.largest_relative_error:
        what = f"relative_error_above is above the house's ceiling of {house.largest_relative_error:g}."
        yield (place / "relative_error_above").fault(what, f"write {house.largest_relative_error:g} or less")


def _unknown_faults(known: Known, name: str, place: Place) -> Iterator[Fault]:
    part, words = (
        ("dimensions", known.document.dimensions[name])
        if name in known.document.dimensions
        else ("outcomes", known.document.outcomes[name])
    )
    attribute = known.attributes.get(name)
    if attribute and words.codes is not None and words.unknown not in ("refuse", *attribute.leaves.codes):
        here = place / part / name / "unknown"
        advice = nearest(words.unknown, ("refuse", *attribute.leaves.codes))
        yield here.fault(f'"{words.unknown}" isn\'t a code of the finest level of "{name}".', advice)


def _only_if_faults(known: Known, name: str, place: Place) -> Iterator[Fault]:
    for parent, codes in known.document.outcomes[name].only_if.items():
        attribute = known.attributes.get(parent)
        for position, code in enumerate(codes if attribute else ()):
            if attribute and not _is_code(attribute, code):
                words = chain.from_iterable(level.codes for level in reversed(attribute.levels[1:]))
                yield (place / parent / position).fault(f'"{parent}" has no code "{code}".', nearest(code, words))


def _is_code(attribute: Attribute, code: str) -> bool:
    try:
        return bool(leaves_of(attribute, [code]))
    except KeyError:
        return False


def _table_faults(known: Known, table: Table, place: Place) -> Iterator[Fault]:
    by = reference_faults(
        table.by, known.document.dimensions, attributes=known.attributes, place=place / "by", kind="dimension"
    )
    of = reference_faults(
        _of(table), known.document.outcomes, attributes=known.attributes, place=place / "of", kind="outcome"
    )
    references = [*by, *of]
    yield from references
    yield from _show_faults(known, table, place / "show")
    yield from _sum_faults(known, table, place / "show")
    yield from _minimum_faults(known, table, place)
    if not references:
        yield from _size_faults(known, table, place)


def _of(table: Table) -> list[str]:
    return [table.of] if table.of else []


def reference_faults(
    references: Iterable[str], known: Iterable[str], *, attributes: Mapping[str, Attribute], place: Place, kind: str
) -> Iterator[Fault]:
    """Faults of a list of "name" or "name:level": unknown, twice, or the root. `kind`: dimension or outcome."""
    seen: set[str] = set()
    for position, reference in enumerate(references):
        name, _, level = reference.partition(":")
        here = place / position
        if name not in known:
            yield here.fault(f'there is no {kind} "{name}".', _advice(name, known, attributes, kind))
        elif name in seen:
            yield here.fault(f'"{name}" is here twice.', "one table shows a dimension at one level: keep one")
        elif name in attributes and level:
            yield from _level_faults(attributes[name], level, here)
        seen.add(name)


def _advice(name: str, known: Iterable[str], attributes: Mapping[str, Attribute], kind: str) -> str:
    if name in attributes and kind == "dimension":
        return f"outcomes stand under `of`: write `of: {name}`"
    return nearest(name, known)


def _level_faults(attribute: Attribute, level: str, place: Place) -> Iterator[Fault]:
    names = [known.name for known in attribute.levels]
    if level not in names:
        yield place.fault(f'"{attribute.name}" has no level "{level}".', nearest(level, names[1:]))
    elif level == names[0]:
        yield place.fault(f'"{level}" is the root of "{attribute.name}", which holds everybody.', "leave it out")


def _show_faults(known: Known, table: Table, place: Place) -> Iterator[Fault]:
    for position, statistic in enumerate(table.show):
        here = place / position
        if statistic in table.show[:position]:
            yield here.fault(f'"{statistic}" is here twice.', "keep one")
        elif statistic != "count" and not table.of:
            yield here.fault(f'"{statistic}" is about an outcome, and the table has none.', "add `of: OUTCOME`")
        elif table.of:
            yield from _statistic_faults(known, table.of, statistic, here)


def _statistic_faults(known: Known, of: str, statistic: str, place: Place) -> Iterator[Fault]:
    name, _, level = of.partition(":")
    outcome, attribute = known.document.outcomes.get(name), known.attributes.get(name)
    if outcome is None:
        return
    if is_percentile(statistic) and outcome.bins is None:
        yield place.fault(
            f'"{statistic}" needs an outcome with bins, and "{name}" has none.', "show count and share, or give it bins"
        )
    if statistic == "mean" and outcome.scale is None and outcome.amount is None:
        yield place.fault(
            f'"mean" needs an outcome with a scale, and "{name}" has none.', "show p50 of bins, or give it a scale"
        )
    if statistic == "sum" and outcome.amount is None:
        yield place.fault(
            f'"sum" needs an outcome with an amount, and "{name}" has none.',
            "add `amount: {}` to an outcome in place of bins",
        )
    if statistic == "response-rate" and not outcome.no_answer:
        yield place.fault(
            f'"response-rate" is about a survey, and "{name}" isn\'t one.', "add `no_answer: true` to it if it is"
        )
    if attribute and level and level != attribute.leaves.name and (statistic == "mean" or is_percentile(statistic)):
        yield place.fault(f'"{statistic}" is taken at the finest level.', f"write `of: {name}`")


def _sum_faults(known: Known, table: Table, place: Place) -> Iterator[Fault]:
    """Sums and means of amounts: in exact tables only, and a mean with both its sum and its count."""
    outcome = known.document.outcomes.get((table.of or "").partition(":")[0])
    if outcome is None or outcome.amount is None:
        return
    for position, statistic in enumerate(table.show):
        if statistic in ("sum", "mean") and table.exact is None:
            yield (place / position).fault(
                f"the {statistic} of an amount is shown by exact tables only: noise that hides one person in it would "
                "have to be as large as the largest amount there could be.",
                "add `protection`, or show p50 of an outcome with bins",
            )
        elif statistic == "mean" and "sum" not in table.show:
            yield (place / position).fault(
                "a mean tells its sum to whoever knows the count, and is judged as both.", "add sum to show"
            )


def is_percentile(statistic: str) -> bool:
    """Whether a statistic is p1 … p99."""
    return re.fullmatch(r"p[1-9][0-9]?", statistic) is not None


def _minimum_faults(known: Known, table: Table, place: Place) -> Iterator[Fault]:
    below = known.document.withhold.below
    if table.minimum is not None and table.minimum < below:
        what = f"minimum is {table.minimum:g}, under the release's own withhold.below of {below:g}."
        yield (place / "minimum").fault(what, "a table may only be stricter: raise it, or remove it")
    for kind, shown in (("percentile", any(map(is_percentile, table.show))), ("mean", "mean" in table.show)):
        least = known.house.smallest_minimum.get(kind, 0.0)  # type: ignore[call-overload]
        if shown and max(table.minimum or 0, below) < least:
            where = place / "minimum" if table.minimum is not None else place / "show"
            yield where.fault(f"the house shows a {kind} from {least:g} persons up.", f"write `minimum: {least:g}`")


def _size_faults(known: Known, table: Table, place: Place) -> Iterator[Fault]:
    references = [*table.by, *_of(table)]
    if any(reference.partition(":")[0] not in known.attributes for reference in references):
        return
    cells = prod(nodes(known.attributes, reference) for reference in references)
    if cells > MOST_CELLS:
        what = f"the table would have {spaced(cells)} cells; the most is {spaced(MOST_CELLS)}."
        yield (place / "by").fault(what, "choose coarser levels, or fewer dimensions")


def spaced(number: int) -> str:
    """20000000 -> "20 000 000"."""
    return f"{number:,}".replace(",", " ")


def nodes(attributes: Mapping[str, Attribute], reference: str) -> int:
    """Number of codes of "name" or "name:level"."""
    name, _, level = reference.partition(":")
    attribute = attributes[name]
    return len(attribute.levels[attribute.level_number(level) if level else attribute.depth])
