"""How much of exact tables is lost to protection: by level of their trees outside, by rule and measure inside."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import product

import numpy as np

from release.protected.display import Chart, bar_chart
from release.protected.exact.protected import Protected
from release.shown import Shown


@dataclass(frozen=True)
class LevelLoss:
    """Cells of one combination of levels: how many hold persons, and how many of them are hidden."""

    levels: str
    cells: int
    hidden: int


@dataclass(frozen=True, repr=False)
class Loss(Shown):
    """What is hidden of every suppressed table, level by level. All of it can be counted in the published table."""

    tables: Mapping[str, tuple[LevelLoss, ...]] = field(default_factory=dict)

    def _plain(self) -> str:
        return (
            "\n".join(
                f"{name}, {one.levels}: {one.hidden} of {one.cells} hidden"
                for name, levels in self.tables.items()
                for one in levels
            )
            or "No table is suppressed."
        )

    def _repr_html_(self) -> str:
        charts = (loss_chart(name, levels) for name, levels in self.tables.items())
        return "".join(chart._repr_html_() for chart in charts) or f"<p>{escape(self._plain())}</p>"


def loss_of(protected: Sequence[Protected]) -> Loss:
    """Count cells with persons and hidden ones, for each suppressed table and combination of its levels."""
    return Loss(
        {
            (f"{name}: sum" if one.tables.summed else name): tuple(_levels(one, levels))
            for one in protected
            if one.tables.kind == "suppression"
            for name, levels in one.tables.tables.items()
        }
    )


def _levels(protected: Protected, shown: Mapping[str, int]) -> Iterator[LevelLoss]:
    """Combination by combination, the totals first; those without cells are left out."""
    depths = {
        name: np.array([given[0].depth[code] for code in given[0].codes])[protected.cells[:, d]]
        for d, (name, given) in enumerate(protected.tables.hierarchies.items())
    }
    outside = [depth == 0 for name, depth in depths.items() if name not in shown]
    for levels in product(*(range(level + 1) for level in shown.values())):
        at = [depths[name] == level for name, level in zip(shown, levels, strict=True)]
        here = np.stack([*at, *outside]).all(axis=0)
        if here.any():
            yield LevelLoss(_named(protected, shown, levels), int(here.sum()), int((here & protected.hidden).sum()))


def _named(protected: Protected, shown: Mapping[str, int], levels: Sequence[int]) -> str:
    attributes = protected.tables.attributes
    named = [
        f"{name}:{attributes[name].levels[level].name}" if attributes[name].levels[level].name != name else name
        for name, level in zip(shown, levels, strict=True)
        if level
    ]
    return " × ".join(named) or "all"


def loss_chart(name: str, levels: Sequence[LevelLoss]) -> Chart:
    """Share of cells hidden, a bar for each combination of levels."""
    bars = [(one.levels, one.hidden / one.cells, f"{one.hidden} / {one.cells}") for one in levels]
    return bar_chart(f"{name}: share of cells that are hidden", bars)
