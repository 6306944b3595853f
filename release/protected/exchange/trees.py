"""The trees that metadata tell: in .hrc files, in the digits of codes, or flat below a total."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from release.protected.exchange.data import edges_of_levels
from release.protected.exchange.hrc import edges_of_hrc
from release.protected.exchange.metadata import Metadata, Variable
from release.protected.exchange.texts import text_of

TOTAL = "Total"
"""What a total is called where the metadata don't say."""


def trees_of(
    metadata: Metadata, columns: Mapping[str, Sequence[str]], *, folder: Path
) -> dict[str, list[tuple[str, str]]]:
    """(parent, child) pairs of every dimension, as `suppress_table` takes them.

    columns: the data, for codes that no file lists. folder: where the .hrc files lie, whatever path the metadata give.
    """
    return {
        variable.name: _edges(variable, columns[variable.name], folder) for variable in metadata.of_role("dimension")
    }


def _edges(variable: Variable, codes: Sequence[str], folder: Path) -> list[tuple[str, str]]:
    total = variable.total or TOTAL
    if variable.hierarchy_file:
        name = variable.hierarchy_file.replace("\\", "/").split("/")[-1]
        return edges_of_hrc(text_of(folder / name), root=total, lead=variable.hierarchy_lead)
    if variable.hierarchy_levels:
        return edges_of_levels(codes, variable.hierarchy_levels, total=total)
    return [(total, code) for code in dict.fromkeys(codes) if code != total]
