"""Records as a table that looks like the linked file, plainly marked as synthetic."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from release.codes import IntArray
from release.policy.policy import Policy
from release.policy.synthetic_checks import MARK
from synthetic.agree import fitted_table
from synthetic.columns import ID, Column, Kind, columns_of
from synthetic.fit import Fit
from synthetic.numbers import NUMBER, NumberShape, number_shape
from synthetic.records import Records

if TYPE_CHECKING:
    import pyarrow as pa

NOTE = (
    "SYNTHETIC RECORDS. Nobody in this file is real: the records were drawn from noisy published measurements. "
    "KEINOTEKOISIA TIETUEITA: kukaan ei ole todellinen. SYNTETISKA POSTER: ingen är verklig."
)


@dataclass(frozen=True, eq=False)
class Layout:
    """What a file of records looks like: its columns, and the shapes of its numbers.

    unsure: the seed of what isn't known of these shapes, in a replicate.
    """

    fit: Fit
    columns: tuple[Column, ...]
    unsure: int | None = None

    @cached_property
    def shapes(self) -> Mapping[str, NumberShape]:
        """The density of each column of numbers, from the fit."""
        policy = self.fit.policy
        unsure = None if self.unsure is None else np.random.default_rng([self.unsure, 2])
        names = [column.attribute for column in self.columns if column.kind is Kind.NUMBER]
        depth = {name: policy.attributes[name].depth for name in names}
        persons = {name: fitted_table(self.fit, ((name, depth[name]),)) for name in names}
        return {name: number_shape(policy, name, persons[name], unsure=unsure) for name in names}


def record_layout(fit: Fit, columns: Sequence[str] | None = None, *, unsure: int | None = None) -> Layout:
    """The layout of a fit's records. columns: dimensions and outcomes, by default those that the policy asks for."""
    return Layout(fit, columns_of(fit.policy, columns), unsure)


def record_table(
    records: Records, layout: Layout | Sequence[str] | None = None, *, seed: int, replicate: int = 0, first: int = 1
) -> "pa.Table":
    """The records as a table, in random order (their order means nothing).

    Columns: `synthetic_id` ("SYN-000001-0": number and replicate, the number counted from `first`), `synthetic` (true),
    and those of the layout: codes as text; numbers as such, null where there is none, with their status in a column
    beside. The same records and seed give the same table.
    """
    import pyarrow as pa

    random = np.random.default_rng([seed, 1])
    layout = layout if isinstance(layout, Layout) else record_layout(records.fit, layout)
    mixed = _reordered(records, random.permutation(len(records)))
    arrays = {ID: _ids(len(records), replicate, first), MARK: pa.array(np.ones(len(records), np.bool_))}
    arrays |= dict(_arrays(mixed, layout, random))
    return pa.table(arrays, metadata={"note": NOTE, "synthetic": "true"})


def _reordered(records: Records, order: IntArray) -> Records:
    leaves = {name: values[order] for name, values in records.leaves.items()}
    return replace(records, cell=records.cell[order], leaves=leaves)


def _ids(number: int, replicate: int, first: int) -> "pa.StringArray":
    import pyarrow as pa
    import pyarrow.compute as pc

    numbers = pc.cast(pa.array(np.arange(first, first + number)), pa.string())
    padded = pc.utf8_lpad(numbers, 6, "0")
    return pc.binary_join_element_wise(pa.scalar("SYN"), padded, pa.scalar(str(replicate)), "-")


def _arrays(records: Records, layout: Layout, random: np.random.Generator) -> Iterator[tuple[str, "pa.Array"]]:
    import pyarrow as pa

    for column in layout.columns:
        nodes = records.nodes(column.attribute, column.level)
        if column.kind is Kind.NUMBER:
            numbers = layout.shapes[column.attribute].draw(nodes, random)
            yield column.name, pa.array(numbers, mask=np.isnan(numbers))
        else:
            yield column.name, pa.array(_texts(column, layout.fit.policy)).take(pa.array(nodes))


def _texts(column: Column, policy: Policy) -> list[str]:
    """What stands in the column for each node; a status is "number" for all bins."""
    attribute = policy.attributes[column.attribute]
    codes = attribute.levels[column.level].codes
    if column.kind is not Kind.STATUS or attribute.edges is None:
        return list(codes)
    return [NUMBER if place <= len(attribute.edges) else code for place, code in enumerate(codes)]
