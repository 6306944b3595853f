"""Links the registers: one row per person, each attribute as the index of its code, and nothing else of the person.

Written in Ibis expressions that give the same rows on every engine: each window has a total order, nulls are filled
before ordering, every join is on a key that is unique on its right side, and nothing depends on the order of rows.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from graphlib import TopologicalSorter
from operator import add, and_, or_
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from release.codes import NO_ANSWER, NOT_APPLICABLE, NOT_FOUND, REPORTED, Attribute, IntArray
from release.confidential.bland import bland
from release.confidential.checks import number
from release.confidential.engine import materialised, private_engine
from release.confidential.inputs import Delivery
from release.confidential.notes import CheckReport, Notes
from release.confidential.reading import PERSON
from release.confidential.uses import Use, code_text, uses
from release.errors import DataError, UtfallError
from release.policy.policy import Policy
from release.protected.perturb.keys import record_keys
from release.shown import Closed

if TYPE_CHECKING:
    import ibis.backends.duckdb as ibis_duckdb
    import ibis.expr.types as ir

LinkReport = CheckReport
"""How many persons and rows each step kept, in banded numbers. Stays confidential all the same."""

RECORD_KEYS = ("record__high", "record__low")
"""Upper and lower 32 bits of each record's key, so that sums stay exact; there only for tables that need them."""
BELOW_ALL = -(10**18)
"""Stands for a missing number where rows are put in order: below every number that a delivery may hold."""
TITLE = "How the registers were linked"
OUR_FAULT = "This is a fault of the program, not of the delivery. Nothing has been charged to the privacy budget."


@dataclass(frozen=True)
class Amounts:
    """Which amounts are meant: an outcome's, in rows where the column `where` holds the leaf."""

    name: str
    where: str
    leaf: int


@dataclass(frozen=True, repr=False, eq=False)
class Linked(Closed):
    """Linked graduates: one row per person (at most `records_per_person`), integer columns only, no pseudonym.

    Columns are called `attribute__level`, for every level that a table of the policy uses. `structures`: digest of
    each attribute's codes, so that rows linked under other code lists are never counted under these.
    """

    engine: "ibis_duckdb.Backend"
    _rows: "ir.Table"
    records_per_person: int
    structures: Mapping[str, str]
    report: LinkReport

    @bland("The linked rows can't be saved.", now="Check the free space of the confidential folder.")
    def save(self, path: Path) -> None:
        """Write the rows as a Parquet file that only its owner may read, without statistics of the columns."""
        import pyarrow.parquet as pq

        rows = self._rows.to_pyarrow().replace_schema_metadata({b"utfall": json.dumps(self._about()).encode()})
        unfinished = path.with_name(f".{path.name}.unfinished")
        unfinished.unlink(missing_ok=True)
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            pq.write_table(rows, file, write_statistics=False, compression="zstd")
        unfinished.replace(path)

    @bland("The linked rows can't be grouped.", now=OUR_FAULT)
    def grouped(self, columns: list[str]) -> tuple[list[IntArray], IntArray]:
        """The rows grouped by some columns: each column's values by group, and the rows of each group. Confidential."""
        found = self._rows.group_by(columns).agg(__rows=self._rows.count()).to_pyarrow()
        return [found[c].to_numpy().astype(np.int64) for c in columns], found["__rows"].to_numpy().astype(np.int64)

    @bland("The linked rows can't be grouped.", now=OUR_FAULT)
    def keys_by_group(
        self, columns: list[str], *, amounts: "Amounts | None" = None
    ) -> tuple[list[IntArray], tuple[IntArray, IntArray]]:
        """The rows grouped by some columns: each column's values, and sums of both halves of the record keys.

        amounts: rows in which these are reported alone.
        """
        rows = self._rows if amounts is None else self._rows.filter(self._rows[amounts.where] == amounts.leaf)
        sums = {name: rows[name].cast("int64").sum().cast("int64") for name in RECORD_KEYS}
        found = rows.group_by(columns).agg(**sums).to_pyarrow()
        numbers = {name: found[name].to_numpy().astype(np.int64) for name in found.column_names}
        return [numbers[c] for c in columns], (numbers[RECORD_KEYS[0]], numbers[RECORD_KEYS[1]])

    @bland("The linked rows can't be read for their amounts.", now=OUR_FAULT)
    def contributions(self, columns: list[str], amounts: "Amounts") -> tuple[list[IntArray], IntArray, IntArray]:
        """Rows with a reported amount: each column's values, the amounts, and the holdings' numbers. Confidential.

        In an order that doesn't hang on that of the rows. Without holdings each person is one, by his place.
        """
        mine = self._rows.filter(self._rows[amounts.where] == amounts.leaf)
        held = holding_column(amounts.name) in mine.columns
        wanted = [*columns, amount_column(amounts.name), *([holding_column(amounts.name)] if held else [])]
        found = mine.select(*dict.fromkeys(wanted)).to_pyarrow()
        arrays = [found[c].to_numpy().astype(np.int64) for c in wanted]
        order = np.lexsort(arrays[::-1])
        arrays = [values[order] for values in arrays]
        holdings = arrays[-1] if held else np.arange(len(order), dtype=np.int64)
        return arrays[: len(columns)], arrays[len(columns)], holdings

    def _about(self) -> dict[str, object]:
        lines = [list(line) for line in self.report.lines]
        return {"records_per_person": self.records_per_person, "structures": dict(self.structures), "report": lines}


@bland("The linked rows can't be read.", now="Link again: run the first notebook.", error=DataError)
def read_linked(path: Path) -> Linked:
    """Linked rows that `Linked.save` wrote."""
    import pyarrow.parquet as pq

    rows = pq.read_table(path)
    about = json.loads(rows.schema.metadata[b"utfall"])
    engine = private_engine()
    report = LinkReport(TITLE, tuple((a, b, c) for a, b, c in about["report"]))
    table = engine.create_table("linked", rows.replace_schema_metadata(None))
    return Linked(engine, table, about["records_per_person"], about["structures"], report)


@bland("The registers can't be linked.", now=OUR_FAULT)
def link(delivery: Delivery, policy: Policy, *, secret: bytes | None = None) -> Linked:
    """Link a checked delivery by the policy's rules: one row per person, every attribute coded.

    Promises that no person has more than `records_per_person` rows, whatever the delivery holds. secret: the office's,
    for record keys; without it the rows have none.
    """
    notes = Notes()
    attributes = uses(policy)
    kept = materialised(delivery.engine, keep_rows(delivery, policy))
    if secret is not None:
        kept = with_record_keys(kept, delivery, secret)
    joined = join_outcomes(kept, delivery, policy, attributes)
    coded = code_attributes(joined, delivery, policy, attributes)
    rows = materialised(delivery.engine, with_levels(coded, delivery, policy))
    _check_bound(rows, kept, policy)
    _tell(rows, kept, policy, attributes, notes)
    structures = {name: structure_digest(policy.attributes[name]) for name in levels_used(policy)}
    return Linked(delivery.engine, rows, policy.document.privacy.records_per_person, structures, notes.report(TITLE))


def structure_digest(attribute: Attribute) -> str:
    """SHA-256 of an attribute's codes, tree and bins."""
    return hashlib.sha256(json.dumps(attribute.structure(), sort_keys=True).encode()).hexdigest()


# One row per person -------------------------------------------------------------------------------------------------


def keep_rows(delivery: Delivery, policy: Policy) -> "ir.Table":
    """The base register's rows that count: per person the first `records_per_person` by the policy's order."""
    said = policy.document.link
    order = {"highest-then-latest": [said.highest, said.latest], "latest": [said.latest], "single": []}[said.keep]
    ranks = [(role, "highest") for role in order if role]
    return first_rows(delivery.tables[said.base], [PERSON], ranks, policy.document.privacy.records_per_person)


def first_rows(table: "ir.Table", key: list[str], order: list[tuple[str, str]], most: int) -> "ir.Table":
    """Per key the first `most` rows by `order` ("highest" or "lowest" of a role), then by all other columns.

    The order is total: only rows that are alike in every column tie, and of those one counts once.
    """
    import ibis

    ranked = {role for role, _ in order}
    rest = [(column, "lowest") for column in sorted(table.columns) if column not in ranked and column not in key]
    keys = [_ordered(table[column], which) for column, which in [*order, *rest]]
    distinct = table if most == 1 else table.distinct()
    window = ibis.window(group_by=key, order_by=keys) if keys else ibis.window(group_by=key)
    numbered = distinct.mutate(__number=ibis.row_number().over(window))
    return numbered.filter(numbered["__number"] < most).drop("__number")


def with_record_keys(kept: "ir.Table", delivery: Delivery, secret: bytes) -> "ir.Table":
    """The rows with RECORD_KEYS: a keyed hash of the pseudonym, the same in every table and year."""
    import pyarrow as pa

    persons = kept.select(PERSON).distinct().to_pyarrow().column(PERSON)
    keys = record_keys(persons.to_pylist(), key=secret)
    halves = [(keys >> np.uint64(32)).astype(np.int64), (keys & np.uint64(2**32 - 1)).astype(np.int64)]
    columns = dict(zip(RECORD_KEYS, map(pa.array, halves), strict=True))
    known = materialised(delivery.engine, pa.table({"__keyed": persons, **columns}))
    return materialised(delivery.engine, kept.left_join(known, kept[PERSON] == known["__keyed"]).drop("__keyed"))


def _carried(table: "ir.Table") -> list[str]:
    """Columns besides the attributes that go along to the end."""
    amounts = [name for name in table.columns if name.startswith(("amount_of__", "holding_of__"))]
    return [name for name in RECORD_KEYS if name in table.columns] + amounts


def _ordered(column: "ir.Column", which: str) -> Any:
    filled = column.fill_null("" if column.type().is_string() else BELOW_ALL)
    return filled.desc() if which == "highest" else filled.asc()


# Outcomes beside it -------------------------------------------------------------------------------------------------


def join_outcomes(kept: "ir.Table", delivery: Delivery, policy: Policy, attributes: Mapping[str, Use]) -> "ir.Table":
    """The kept rows with a column raw__NAME per attribute: its value as delivered, null where there is none."""
    base = policy.document.link.base
    own = {k: v for use in attributes.values() if use.input == base for k, v in _values(use, kept).items()}
    time = policy.document.inputs[base].time
    carried = {name: kept[name] for name in _carried(kept)}
    joined = kept.select(**own, **carried, __who=kept[PERSON], **({"__when": kept[time]} if time else {}))
    for register, wanted in _registers(delivery, policy, attributes):
        joined = _beside(joined, register, wanted, policy)
    return joined


def _registers(
    delivery: Delivery, policy: Policy, attributes: Mapping[str, Use]
) -> Iterator[tuple["ir.Table", list[Use]]]:
    """Each register with one row per person (and period), and the attributes to be looked up in it with one join."""
    outside = [use for use in attributes.values() if use.input != policy.document.link.base]
    resolved = {}
    for name, after in sorted({(use.input, use.after) for use in outside}, key=str):
        key = (name, after is not None)
        if key not in resolved:
            resolved[key] = _one_row_each(delivery, policy, name, by_period=after is not None)
        yield resolved[key], [use for use in outside if (use.input, use.after) == (name, after)]


def _one_row_each(delivery: Delivery, policy: Policy, name: str, *, by_period: bool) -> "ir.Table":
    """An input's rows, one per person (and period): as delivered if repeats are refused, else by the policy's rule."""
    declared, table = policy.document.inputs[name], delivery.tables[name]
    if declared.repeated == "refuse":
        return table
    which, _, role = declared.repeated.partition(" ")
    key = [PERSON, declared.time] if by_period and declared.time else [PERSON]
    return materialised(delivery.engine, first_rows(table, key, [(role, which)], 1))


def _beside(joined: "ir.Table", register: "ir.Table", wanted: list[Use], policy: Policy) -> "ir.Table":
    """Left join of a register that has one row per key: the person, and the row's period + `after` where declared."""
    after, time = wanted[0].after, policy.document.inputs[wanted[0].input].time
    values = {name: value for use in wanted for name, value in _values(use, register).items()}
    if after is None or time is None:
        right = register.select(__person_found=register[PERSON], **values)
        return joined.left_join(right, joined["__who"] == right["__person_found"]).drop("__person_found")
    right = register.select(__person_found=register[PERSON], __period_found=register[time], **values)
    same = [joined["__who"] == right["__person_found"], joined["__when"] + after == right["__period_found"]]
    return joined.left_join(right, same).drop("__person_found", "__period_found")


def _values(use: Use, register: "ir.Table") -> dict[str, "ir.Column"]:
    """What an attribute needs of its register: the value, and the holding that an amount belongs to."""
    found = {_raw(use): register[use.role]}
    if use.summed and use.amount and use.amount.contributor:
        found[_raw_holding(use)] = code_text(register[use.amount.contributor])
    return found


def _raw(use: Use) -> str:
    return f"raw__{use.name}"


def _raw_holding(use: Use) -> str:
    return f"raw_holding__{use.name}"


# Values as codes ----------------------------------------------------------------------------------------------------


def code_attributes(
    joined: "ir.Table", delivery: Delivery, policy: Policy, attributes: Mapping[str, Use]
) -> "ir.Table":
    """One column per attribute, under its name: the index of its leaf, special codes included."""
    coded = joined
    for use in attributes.values():
        coded = _with_leaf(coded, use, delivery)
    for use in _dependencies_first(attributes):
        coded = coded.mutate(**{use.name: _settled(coded, use, policy.time_dimension)})
    for use in (use for use in attributes.values() if use.summed):
        coded = _with_amount(coded, use, delivery)
    return coded.select(*attributes, *_carried(coded))


def _with_leaf(table: "ir.Table", use: Use, delivery: Delivery) -> "ir.Table":
    """Adds leaf__NAME: the index of the value's leaf, null if there is none."""
    if use.amount is not None:
        return _reported(table, use)
    return _in_bins(table, use) if use.attribute.edges else _in_list(table, use, delivery)


def _reported(table: "ir.Table", use: Use) -> "ir.Table":
    """Adds leaf__NAME for an amount: reported, whatever it is."""
    import ibis

    there = table[_raw(use)].notnull()
    return table.mutate(**{_leaf(use): ibis.ifelse(there, ibis.literal(use.leaf(REPORTED)), ibis.null("int64"))})


def _with_amount(table: "ir.Table", use: Use, delivery: Delivery) -> "ir.Table":
    """Adds amount_of__NAME: in whole units of the figures published, each rounded by itself, 0 where none is reported;
    and holding_of__NAME where holdings are declared: their numbers, -1 where there is none."""
    import ibis
    import pyarrow as pa

    units = (table[_raw(use)].cast("float64") * 10.0 ** (use.amount.decimals if use.amount else 0) + 0.5).floor()
    there = table[use.name] == use.leaf(REPORTED)
    amounts = table.mutate(**{amount_column(use.name): ibis.ifelse(there, units, 0.0).fill_null(0.0).cast("int64")})
    if _raw_holding(use) not in table.columns:
        return amounts
    names = sorted(n for n in amounts[_raw_holding(use)].to_pyarrow().unique().to_pylist() if n is not None)
    key, own = f"key__{use.name}", holding_column(use.name)
    numbers = pa.table({key: pa.array(names, pa.string()), own: pa.array(range(len(names)), pa.int64())})
    known = materialised(delivery.engine, numbers)
    joined = amounts.left_join(known, amounts[_raw_holding(use)] == known[key]).drop(key)
    return joined.mutate(**{own: joined[own].fill_null(-1)})


def amount_column(name: str) -> str:
    """The column with an outcome's amount, in units of the figures published."""
    return f"amount_of__{name}"


def holding_column(name: str) -> str:
    """The column with the number of the holding that an outcome's amount belongs to."""
    return f"holding_of__{name}"


def _in_list(table: "ir.Table", use: Use, delivery: Delivery) -> "ir.Table":
    """Adds leaf__NAME: the index of the code, null if there is none."""
    import pyarrow as pa

    key = f"key__{use.name}"
    known = pa.table({key: list(use.known), _leaf(use): pa.array(use.known.values(), pa.int32())})
    codes = materialised(delivery.engine, known)
    return table.left_join(codes, code_text(table[_raw(use)]) == codes[key]).drop(key)


def _in_bins(table: "ir.Table", use: Use) -> "ir.Table":
    """Adds leaf__NAME: 0 under the first edge, then one more for each edge reached, so that bins are [low, high)."""
    import ibis

    value = table[_raw(use)]
    # Edges go in as text: a literal 0.1 would be a decimal to some engines.
    reached = [(value >= ibis.literal(repr(edge)).cast("float64")).cast("int32") for edge in use.attribute.edges or ()]
    return table.mutate(**{_leaf(use): reduce(add, reached)})


def _settled(table: "ir.Table", use: Use, time: str | None) -> "ir.Column":
    """The leaf index for good: not applicable, else missing, else unknown, else the code's own."""
    import ibis

    leaf = table[_leaf(use)]
    if use.unknown is not None:
        leaf = leaf.fill_null(use.leaf(use.unknown))
    if use.missing is not None:
        leaf = ibis.ifelse(table[_raw(use)].isnull(), use.leaf(use.missing), leaf)
    arises = [table[other].isin(sorted(leaves)) for other, leaves in use.only_if.items()]
    if use.followed is not None and time is not None:
        arises.append(table[time].isin(sorted(use.followed)))
    return ibis.ifelse(reduce(and_, arises), leaf, use.leaf(NOT_APPLICABLE)) if arises else leaf


def _dependencies_first(attributes: Mapping[str, Use]) -> list[Use]:
    """The attributes in an order where each comes after those its `only_if` looks at; dimensions first."""
    order = TopologicalSorter({use.name: use.only_if.keys() for use in attributes.values()}).static_order()
    return sorted((attributes[name] for name in order), key=lambda use: use.missing in (NOT_FOUND, NO_ANSWER))


def _leaf(use: Use) -> str:
    return f"leaf__{use.name}"


# Levels, bound, report ----------------------------------------------------------------------------------------------


def levels_used(policy: Policy) -> dict[str, list[int]]:
    """Per attribute that a table uses: the levels used, and the leaves' level."""
    used = policy.levels_linked
    names = [name for name in policy.attributes if any(name == other for other, _ in used)]
    return {
        name: sorted({level for other, level in used if other == name} | {policy.attributes[name].depth})
        for name in names
    }


def column(name: str, level: int) -> str:
    """The column that holds the index of an attribute's node at a level."""
    return f"{name}__{level}"


def with_levels(coded: "ir.Table", delivery: Delivery, policy: Policy) -> "ir.Table":
    """A column attribute__level for every level used, by looking up each leaf's ancestors."""
    import pyarrow as pa

    levelled = coded
    for name, levels in levels_used(policy).items():
        attribute = policy.attributes[name]
        leaves = {f"{name}__leaf": pa.array(range(len(attribute.leaves)), pa.int32())}
        above = {column(name, v): pa.array(attribute.ancestors(attribute.depth, v), pa.int32()) for v in levels}
        tree = materialised(delivery.engine, pa.table(leaves | above))
        levelled = levelled.left_join(tree, levelled[name] == tree[f"{name}__leaf"])
    columns = [column(name, v) for name, levels in levels_used(policy).items() for v in levels]
    return levelled.select(*columns, *_carried(levelled))


def _check_bound(rows: "ir.Table", kept: "ir.Table", policy: Policy) -> None:
    """Once more, on what came out: no person over the bound, no row made twice by a join, no value left open."""
    most = number(kept.group_by(PERSON).agg(rows=kept.count()).rows.max())
    if most > policy.document.privacy.records_per_person:
        raise UtfallError(
            "A person has more rows after linking than the policy allows; nothing was counted.", now=OUR_FAULT
        )
    if number(rows.count()) != number(kept.count()):
        raise UtfallError("A join of the registers made or lost rows; nothing was counted.", now=OUR_FAULT)
    if number(rows.filter(reduce(or_, (rows[c].isnull() for c in rows.columns))).count()):
        raise UtfallError("A value was left without a code; nothing was counted.", now=OUR_FAULT)


def _tell(rows: "ir.Table", kept: "ir.Table", policy: Policy, attributes: Mapping[str, Use], notes: Notes) -> None:
    base = policy.document.inputs[policy.document.link.base]
    notes.line(base.file, "rows that count", number(kept.count()))
    told = [(attributes[name], code) for name in levels_used(policy) for code in sorted(policy.special(name))]
    if not told:
        return
    hits = [rows[column(use.name, use.attribute.depth)] == use.leaf(code) for use, code in told]
    sums = rows.aggregate(**{f"hits_{i}": hit.sum() for i, hit in enumerate(hits)}).to_pyarrow().to_pylist()[0]
    for (use, code), total in zip(told, sums.values(), strict=True):
        notes.line(policy.document.inputs[use.input].file, f"{use.name}: {code}", int(total or 0))
