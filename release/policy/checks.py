"""Whether the words of a policy fit together: inputs, linking, dimensions and outcomes.

Each check yields every fault it finds, with its line, its key, the nearest known word and what to write. Checks of
this file need no code list; those that do are in `table_checks.py`.
"""

from collections.abc import Iterator
from itertools import chain

from release.errors import Fault, nearest
from release.policy.document import Amount, Dimension, Input, Outcome, PolicyDocument
from release.policy.meaning import OUTCOME_KINDS, sources_of
from release.policy.synthetic_checks import synthetic_faults
from release.policy.yaml_text import Place

RESERVED_NAMES = ("all", "person", "statistic", "value", "lower", "upper", "status", "note")
"""Columns of our own in published tables and linked rows: no dimension or outcome may be called so."""

NUMBERS = ("integer", "number")


def document_faults(document: PolicyDocument, place: Place) -> list[Fault]:
    """Every fault that shows without the code lists."""
    return list(
        chain(
            *(_input_faults(name, words, place / "inputs" / name) for name, words in document.inputs.items()),
            _link_faults(document, place / "link"),
            _name_faults(document, place),
            *(_dimension_faults(document, name, place / "dimensions" / name) for name in document.dimensions),
            *(_outcome_faults(document, name, place / "outcomes" / name) for name in document.outcomes),
            synthetic_faults(document, place / "synthetic"),
        )
    )


def _input_faults(name: str, words: Input, place: Place) -> Iterator[Fault]:
    yield from _person_faults(words, place)
    yield from _time_faults(words, place)
    for role in words.rules:
        if role not in words.columns:
            yield (place / "rules" / role).fault(
                f'the input "{name}" has no role "{role}".', nearest(role, words.columns)
            )
        else:
            yield from _number_faults(words, role, place / "rules" / role)
            yield from _rule_faults(words, role, place / "rules" / role)
    if words.repeated != "refuse":
        yield from _ranking_faults(name, words, words.repeated.partition(" ")[2], place / "repeated")


def _person_faults(words: Input, place: Place) -> Iterator[Fault]:
    for role in words.columns:
        if words.column(role).column == words.person:
            what = f'the role "{role}" reads the pseudonym of the person.'
            yield (place / "columns" / role).fault(what, "give it another column: pseudonyms are never published")


def _time_faults(words: Input, place: Place) -> Iterator[Fault]:
    if words.time is not None and words.time not in words.columns:
        yield (place / "time").fault(f'there is no role "{words.time}".', nearest(words.time, words.columns))
    elif words.time is not None and words.column(words.time).type != "integer":
        column = words.column(words.time).column
        advice = f"write `{words.time}: {{column: {column}, type: integer}}` under columns"
        yield (place / "time").fault(f'the period "{words.time}" isn\'t read as a whole number.', advice)
    if words.periods is None:
        return
    if words.time is None:
        yield (place / "periods").fault("periods need the role that holds the period.", "add `time: ROLE`")
    if not -(10**6) < words.periods.first <= words.periods.last < 10**6:
        yield (place / "periods").fault(
            "the periods don't run from an earlier to a later one.", "write {first: 2020, last: 2024}"
        )


def _number_faults(words: Input, role: str, place: Place) -> Iterator[Fault]:
    if words.column(role).type not in NUMBERS:
        advice = f"write `{role}: {{column: {words.column(role).column}, type: number}}` under columns"
        yield place.fault(f'the role "{role}" is read as a code, not as a number.', advice)


def _rule_faults(words: Input, role: str, place: Place) -> Iterator[Fault]:
    rule = words.rules[role]
    if rule.minimum is None and rule.maximum is None:
        yield place.fault("the rule says nothing.", "give a minimum, a maximum, or both")
    elif rule.minimum is not None and rule.maximum is not None and rule.minimum > rule.maximum:
        yield place.fault("the minimum is above the maximum.", "exchange them")


def _ranking_faults(name: str, words: Input, role: str, place: Place) -> Iterator[Fault]:
    if role not in words.columns:
        yield place.fault(f'the input "{name}" has no role "{role}".', nearest(role, words.columns))
    else:
        yield from _number_faults(words, role, place)


def _link_faults(document: PolicyDocument, place: Place) -> Iterator[Fault]:
    link = document.link
    base = document.inputs.get(link.base)
    if base is None:
        yield (place / "base").fault(f'there is no input "{link.base}".', nearest(link.base, document.inputs))
        return
    needs = {"highest-then-latest": ("highest", "latest"), "latest": ("latest",), "single": ()}[link.keep]
    for key, role in (("highest", link.highest), ("latest", link.latest)):
        if role is None and key in needs:
            advice = f"add `{key}: ROLE`; roles of {link.base}: {', '.join(base.columns)}"
            yield place.fault(f"`keep: {link.keep}` needs the role `{key}`.", advice)
        elif role is not None and key not in needs:
            yield (place / key).fault(f"`keep: {link.keep}` has no use for `{key}`.", "remove it")
        elif role is not None and role not in base.columns:
            yield (place / key).fault(f'the base "{link.base}" has no role "{role}".', nearest(role, base.columns))
        elif role is not None and key == "highest":
            yield from _number_faults(base, role, place / key)
    if base.repeated != "refuse":
        advice = "remove it; say it with `keep` under link"
        yield Place(place.text, ("inputs", link.base, "repeated")).fault(
            "the base's rows are chosen by link.keep.", advice
        )


def _name_faults(document: PolicyDocument, place: Place) -> Iterator[Fault]:
    for name in document.outcomes:
        if name in document.dimensions:
            here = place / "outcomes" / name
            yield here.fault(f'"{name}" is a dimension and an outcome.', f'call the outcome "{name}-after"')
    for part, names in (("dimensions", document.dimensions), ("outcomes", document.outcomes)):
        for name in names:
            if name in RESERVED_NAMES:
                yield (place / part / name).fault(
                    f'the name "{name}" is used by the tables themselves.', "choose another"
                )


def _dimension_faults(document: PolicyDocument, name: str, place: Place) -> Iterator[Fault]:
    words = document.dimensions[name]
    base = document.inputs.get(document.link.base)
    role = words.from_ or name
    if base is not None and role not in base.columns:
        where = place / "from" if words.from_ else place
        advice = nearest(role, base.columns) + (
            f"; add `from: ROLE` if its role isn't called {name}" if not words.from_ else ""
        )
        yield where.fault(f'the base "{document.link.base}" has no role "{role}".', advice)
    elif base is not None:
        yield from _coded_role_faults(words, base, role, place)


def _coded_role_faults(words: Dimension | Outcome, source: Input, role: str, place: Place) -> Iterator[Fault]:
    if words.codes is not None and source.column(role).type == "number":
        advice = "read it as `type: integer` or as a code, or give the outcome bins"
        yield place.fault(f'the role "{role}" is a number with decimals and can\'t hold codes.', advice)


def _outcome_faults(document: PolicyDocument, name: str, place: Place) -> Iterator[Fault]:
    words = document.outcomes[name]
    yield from _kind_faults(words, place)
    yield from _only_if_faults(document, name, place / "only_if")
    sources = sources_of(document, name)
    if len(sources) != 1:
        yield _source_fault(document, name, place)
        return
    source, role = sources[0]
    yield from _column_faults(words, document.inputs[source], role, place)
    yield from _after_faults(document, words, source, place)


def _kind_faults(words: Outcome, place: Place) -> Iterator[Fault]:
    kinds = [kind for kind in OUTCOME_KINDS if getattr(words, kind) is not None]
    if len(kinds) != 1:
        what = (
            f"the outcome has {' and '.join(kinds)}." if kinds else "the outcome has no codes, bins, scale or amount."
        )
        yield place.fault(what, "give exactly one of codes, bins, scale, amount")
    for key in ("levels", "replace"):
        if getattr(words, key) is not None and words.codes is None:
            yield (place / key).fault(f"`{key}` goes with codes only.", "remove it")
    if words.unknown != "refuse" and words.codes is None:
        yield (place / "unknown").fault("`unknown` goes with codes only.", "remove it")


def _source_fault(document: PolicyDocument, name: str, place: Place) -> Fault:
    roles = [f"{source}.{role}" for source, words in document.inputs.items() for role in words.columns]
    declared = document.outcomes[name].from_
    if declared:
        return (place / "from").fault(f'there is no input and role "{declared}".', nearest(declared, roles))
    found = [f"{source}.{role}" for source, role in sources_of(document, name)]
    if found:
        return place.fault(
            f'more than one input has the role "{name}".', f"add `from: {found[0]}` or {', '.join(found[1:])}"
        )
    return place.fault(f'no input has the role "{name}".', f"add `from: INPUT.ROLE`; {nearest(name, roles)}")


def _column_faults(words: Outcome, source: Input, role: str, place: Place) -> Iterator[Fault]:
    kind = source.column(role).type
    if words.bins is not None and kind not in NUMBERS:
        yield from _number_faults(source, role, place / "bins")
    if words.scale is not None and kind != "integer":
        advice = f"write `{role}: {{column: {source.column(role).column}, type: integer}}` under its input's columns"
        yield (place / "scale").fault(f'the role "{role}" isn\'t read as a whole number.', advice)
    if words.amount is not None:
        yield from _amount_faults(words.amount, source, role, place / "amount")
    yield from _coded_role_faults(words, source, role, place / "codes")


def _amount_faults(said: Amount, source: Input, role: str, place: Place) -> Iterator[Fault]:
    if source.column(role).type not in NUMBERS:
        yield from _number_faults(source, role, place)
    elif role not in source.rules or source.rules[role].minimum is None:
        yield place.fault(
            f'the least that "{role}" can be isn\'t declared, and everybody may know it.',
            f"write `rules: {{{role}: {{minimum: 0}}}}` under its input: what is known beforehand counts",
        )
    if said.contributor is not None and said.contributor not in source.columns:
        yield (place / "contributor").fault(
            f'its input has no role "{said.contributor}".', nearest(said.contributor, source.columns)
        )


def _after_faults(document: PolicyDocument, words: Outcome, source: str, place: Place) -> Iterator[Fault]:
    base = document.link.base
    if words.after is None or base not in document.inputs:
        return
    if source == base:
        yield (place / "after").fault(
            "`after` looks into another register than the base.", "remove it, or name the register"
        )
    for name in dict.fromkeys((base, source)):
        if document.inputs[name].time is None:
            advice = f"add `time: ROLE` to the input {name}"
            yield (place / "after").fault(f'`after` needs the period of each row, and "{name}" has no `time`.', advice)


def _only_if_faults(document: PolicyDocument, name: str, place: Place) -> Iterator[Fault]:
    order = list(document.outcomes)
    earlier = order[: order.index(name)]
    coded = [other for other in earlier if document.outcomes[other].codes is not None]
    for parent, codes in document.outcomes[name].only_if.items():
        if parent in order and parent not in earlier:
            yield (place / parent).fault(f'the outcome "{parent}" comes later in the file.', "put it before this one")
        elif parent in earlier and parent not in coded:
            yield (place / parent).fault(
                f'the outcome "{parent}" has no codes.', f"only outcomes with codes; {nearest('', coded)}"
            )
        elif parent not in earlier:
            yield (place / parent).fault(f'there is no outcome "{parent}".', nearest(parent, coded))
        if not codes:
            yield (place / parent).fault("no code is named: the outcome would never arise.", "name one code or more")
