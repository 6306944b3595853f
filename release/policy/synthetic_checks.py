"""Whether the columns asked for synthetic records are measured, and what the columns of the records are called."""

from collections.abc import Iterator

from release.errors import Fault, nearest
from release.policy.document import PolicyDocument
from release.policy.yaml_text import Place

MARK = "synthetic"
"""The column that says in every record that it is synthetic."""
STATUS = "-status"
"""Ends the name of the column that says why a number is missing."""


def measured_names(document: PolicyDocument) -> tuple[str, ...]:
    """Dimensions and outcomes that some table measures, in the policy's order, dimensions first."""
    tables = document.noisy_tables.values()
    found = {reference.partition(":")[0] for table in tables for reference in (*table.by, *([table.of or ""]))}
    return tuple(name for name in (*document.dimensions, *document.outcomes) if name in found)


def record_columns(document: PolicyDocument) -> tuple[str, ...]:
    """Dimensions and outcomes that synthetic records have, in the policy's order."""
    asked = document.synthetic.columns
    return tuple(name for name in measured_names(document) if asked is None or name in asked)


def synthetic_faults(document: PolicyDocument, place: Place) -> Iterator[Fault]:
    """Columns that no table measures, that stand twice, or whose names the records need themselves."""
    measured = measured_names(document)
    asked = document.synthetic.columns or []
    for position, name in enumerate(asked):
        here = place / "columns" / position
        if name not in document.dimensions and name not in document.outcomes:
            yield here.fault(f'there is no dimension or outcome "{name}".', nearest(name, measured))
        elif name not in measured:
            advice = f"name it under `by` or `of` of a table, or leave it out; measured are: {', '.join(measured)}"
            yield here.fault(f'no table measures "{name}", so nothing can be said of it.', advice)
        elif name in asked[:position]:
            yield here.fault(f'"{name}" is here twice.', "keep one")
    if document.synthetic.records:
        yield from _name_faults(document, place)


def _name_faults(document: PolicyDocument, place: Place) -> Iterator[Fault]:
    columns = record_columns(document)
    numbers = {f"{name}{STATUS}" for name in columns if (words := document.outcomes.get(name)) and words.bins}
    for name in {MARK, *numbers} & set(columns):
        yield place.fault(f'the column "{name}" of the records has a meaning of its own.', "rename it, or leave it out")
    if not columns and not document.synthetic.columns:
        yield place.fault("no table measures a dimension or an outcome.", "add a table, or remove `synthetic`")
