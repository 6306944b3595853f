"""The contract of a delivery: what the policy declares of values and of how the registers fit together."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from release.confidential.notes import Notes, place
from release.confidential.reading import PERSON, Source
from release.confidential.uses import Use, code_text
from release.policy.document import Rule
from release.policy.policy import Policy, PossibleCombinations

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

Tables = Mapping[str, "ir.Table"]
CodeCounts = dict[tuple[str | None, ...], int]
"""Rows by their codes as delivered (None: missing)."""


# Values of one file, as it is read ----------------------------------------------------------------------------------


def check_values(table: "pa.Table", source: Source, notes: Notes) -> "pa.Table":
    """The table without rows of nobody, and with the values emptied that a rule takes as missing; faults are noted."""
    notes.line(source.declared.file, "rows read", table.num_rows)
    if table.num_rows == 0:
        notes.fault(
            "The file holds no rows.", where=source.place(), now="Deliver it again; an empty register is refused."
        )
    notes.fault_if(
        table.column(PERSON).null_count,
        "rows have no person.",
        where=source.place(source.declared.person),
        now="Correct the delivery: every row belongs to a person.",
    )
    for role, rule in source.declared.rules.items():
        table = _obey(rule, role, table, source, notes)
    for role, column in source.columns.items():
        if role != PERSON:
            notes.line(source.declared.file, f'missing values in "{column.column}"', table.column(role).null_count)
    return table.filter(table.column(PERSON).is_valid())


def _obey(rule: Rule, role: str, table: "pa.Table", source: Source, notes: Notes) -> "pa.Table":
    import pyarrow as pa
    import pyarrow.compute as pc

    values = table.column(role)
    outside = pa.scalar(False)
    if rule.minimum is not None:
        outside = pc.or_(outside, pc.less(values, rule.minimum))
    if rule.maximum is not None:
        outside = pc.or_(outside, pc.greater(values, rule.maximum))
    hits = int(pc.sum(outside).as_py() or 0)
    column = source.declared.column(role).column
    if rule.otherwise == "missing":
        notes.line(source.declared.file, f'outside the rule, taken as missing, in "{column}"', hits)
        emptied = pc.if_else(pc.fill_null(outside, False), None, values)
        return table.set_column(table.schema.get_field_index(role), role, emptied)
    notes.fault_if(
        hits,
        f"rows break the rule on the column's numbers ({_told(rule)}).",
        where=source.place(column),
        now=f"Correct the delivery, or allow the case in the policy under inputs.{source.name}.rules.{role}.",
    )
    return table


def _told(rule: Rule) -> str:
    limits = [("at least", rule.minimum), ("at most", rule.maximum)]
    return " and ".join(f"{word} {limit:g}" for word, limit in limits if limit is not None)


# Registers together -------------------------------------------------------------------------------------------------


def check_relations(tables: Tables, policy: Policy, attributes: Mapping[str, Use], notes: Notes) -> None:
    """Faults for repeated persons, strangers, unknown codes, missing periods, and combinations that can't occur.

    tables: the inputs that could be read; what concerns the others isn't checked.
    """
    used = {name: use for name, use in attributes.items() if use.input in tables}
    _check_repeated(tables, policy, used, notes)
    _check_strangers(tables, policy, notes)
    _check_periods(tables, policy, used, notes)
    delivered: dict[tuple[str, str], CodeCounts] = {}
    for use in (use for use in used.values() if use.attribute.edges is None and use.amount is None):
        if (use.input, use.role) not in delivered:
            delivered[use.input, use.role] = code_counts(tables[use.input], [use])
        _check_codes(delivered[use.input, use.role], policy, use, notes)
    if policy.document.link.base in tables and not notes.faults:
        for possible in policy.possible:
            _check_possible(tables[policy.document.link.base], policy, attributes, possible, notes)


def _check_repeated(tables: Tables, policy: Policy, attributes: Mapping[str, Use], notes: Notes) -> None:
    """Persons twice where the policy allows one row: in the base, or (in a period) in another input."""
    document = policy.document
    if document.link.base in tables:
        refuse = "link.keep" if document.link.keep == "single" else ""
        _count_repeats(tables, policy, (document.link.base, PERSON), notes, refuse=refuse)
    for key in sorted({_key(use, policy) for use in attributes.values() if use.input != document.link.base}):
        refuse = f"inputs.{key[0]}.repeated" if document.inputs[key[0]].repeated == "refuse" else ""
        _count_repeats(tables, policy, key, notes, refuse=refuse)


def _key(use: Use, policy: Policy) -> tuple[str, ...]:
    """The input of a use, and the columns that say which of its rows it wants."""
    time = policy.document.inputs[use.input].time
    return (use.input, PERSON, time) if use.after is not None and time else (use.input, PERSON)


def _count_repeats(tables: Tables, policy: Policy, key: tuple[str, ...], notes: Notes, *, refuse: str) -> None:
    """refuse: the policy's setting that refuses repeated rows, or "" where it says which row to keep."""
    name, *columns = key
    declared = policy.document.inputs[name]
    told = " in a period" if len(columns) > 1 else ""
    distinct = tables[name].select(*columns).distinct()
    extra = number(tables[name].count()) - number(distinct.count())
    notes.line(declared.file, f"further rows of the same person{told}", extra)
    if refuse:
        notes.fault_if(
            extra,
            f"rows repeat a person{told}, where one row is declared.",
            where=place(name, declared.file, declared.person),
            now=f"Correct the delivery, or say in the policy under {refuse} which row counts.",
        )


def _check_strangers(tables: Tables, policy: Policy, notes: Notes) -> None:
    base = policy.document.link.base
    for name, declared in policy.document.inputs.items():
        if name == base or name not in tables or base not in tables:
            continue
        strangers = number(tables[name].anti_join(tables[base], PERSON).count())
        notes.line(declared.file, f'rows of persons who aren\'t in "{base}"', strangers)
        if declared.strangers == "refuse":
            notes.fault_if(
                strangers,
                f'rows belong to persons who aren\'t in the base register "{base}".',
                where=place(name, declared.file, declared.person),
                now=f"Correct the delivery, or write `strangers: ignore` in the policy under inputs.{name}.",
            )


def _check_periods(tables: Tables, policy: Policy, attributes: Mapping[str, Use], notes: Notes) -> None:
    """Rows without a period, where outcomes are looked up by period."""
    dated = [use for use in attributes.values() if use.after is not None]
    for name in sorted({use.input for use in dated} | ({policy.document.link.base} if dated else set())):
        declared = policy.document.inputs[name]
        if name in tables and declared.time:
            notes.fault_if(
                number(tables[name][declared.time].isnull().sum()),
                "rows have no period.",
                where=place(name, declared.file, declared.column(declared.time).column),
                now="Correct the delivery: outcomes are looked up by period.",
            )


def _check_codes(rows: CodeCounts, policy: Policy, use: Use, notes: Notes) -> None:
    """Codes that aren't in the list (once replaced), and no code at all where a dimension needs one."""
    declared = policy.document.inputs[use.input]
    file = declared.file
    where = place(use.input, file, declared.column(use.role).column)
    unknown = sum(n for (code,), n in rows.items() if code is not None and code not in use.known)
    notes.line(file, f"codes replaced for {use.name}", sum(n for (code,), n in rows.items() if code in use.replace))
    notes.line(file, f"codes unknown to {use.name}", unknown)
    if use.unknown is None:
        notes.fault_if(
            unknown,
            f'rows hold a code that isn\'t in the code list of "{use.name}".',
            where=where,
            now="Add them to the list or to its `replace` file, or say under `unknown` which code they count under.",
        )
    if use.missing is None:
        notes.fault_if(
            rows.get((None,), 0),
            f'rows have no code for "{use.name}".',
            where=where,
            now="Correct the delivery, or say in the policy under `unknown` which code they count under.",
        )


def _check_possible(
    base: "ir.Table", policy: Policy, attributes: Mapping[str, Use], possible: PossibleCombinations, notes: Notes
) -> None:
    """Rows of the base with a combination of codes that the public list excludes."""
    if any(name not in policy.dimensions for name, _ in possible.combination):
        return
    wanted = [attributes[name] for name, _ in possible.combination]
    rows = code_counts(base, wanted)
    nodes = tuple(
        use.attribute.ancestors(use.attribute.depth, level)[[use.leaf_of(codes[i]) for codes in rows]]
        for i, (use, (_, level)) in enumerate(zip(wanted, possible.combination, strict=True))
    )
    excluded = ~possible.allowed[nodes]
    document = policy.document
    names = ", ".join(f'"{name}"' for name, _ in possible.combination)
    notes.fault_if(
        int(np.array(list(rows.values()))[excluded].sum()),
        f"rows hold a combination of {names} that the policy's list of possible combinations excludes.",
        where=place(document.link.base, document.inputs[document.link.base].file),
        now="Correct the delivery, or add the combinations to the list under `possible`.",
    )


def code_counts(table: "ir.Table", wanted: list[Use]) -> CodeCounts:
    """Rows of each combination of some attributes' codes."""
    keys = {f"code_{i}": code_text(table[use.role]) for i, use in enumerate(wanted)}
    groups = table.group_by(**keys).agg(rows=table.count()).to_pyarrow()
    return {tuple(row[key] for key in keys): row["rows"] for row in groups.to_pylist()}


def number(expression: "ir.Scalar") -> int:
    """A count or sum as a whole number; SQL's sum over nothing is 0 here."""
    return int(expression.to_pyarrow().as_py() or 0)
