"""Published tables as an outsider has them: cells by codes, and for each its value or the bounds told of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from release.attack.sheet import Edges
from release.codes import IntArray

BoolArray = npt.NDArray[np.bool_]
NO_BOUND = 2**62
UNTOLD = -NO_BOUND
"""Nothing is told of how little a hidden cell can hold; what holds then depends on whether zeros are printed."""


@dataclass(frozen=True)
class Dimension:
    """A key column: its codes in order of appearance, and what the file tells of them beside.

    made: codes at the end that no file prints, for cells that sums run through.
    """

    name: str
    codes: tuple[str, ...]
    edges: Edges = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    made: tuple[str, ...] = ()

    @property
    def printed(self) -> tuple[str, ...]:
        """Codes that some file prints."""
        return tuple(code for code in self.codes if code not in self.made)


@dataclass(frozen=True, eq=False)
class Published:
    """The cells of one statistic of one published table.

    cells: int32 [n, d], each cell's code per dimension. hidden: bool [n], withheld by its publisher. lower, upper:
    int64 [n], what the publisher tells of the value, in units of 10 ** -decimals; equal where it is shown.
    noisy: the figures carry random noise by design. statistic: "count" where nothing else is said.
    """

    name: str
    statistic: str
    dimensions: tuple[Dimension, ...]
    cells: npt.NDArray[np.int32]
    hidden: BoolArray
    lower: IntArray
    upper: IntArray
    decimals: int = 0
    noisy: bool = False

    def __len__(self) -> int:
        return len(self.cells)

    @property
    def title(self) -> str:
        return self.name if self.statistic == "count" else f"{self.name}, {self.statistic}"

    @property
    def prints_zeros(self) -> bool:
        """Whether some cell is shown as zero, so that a hidden one is known to be more."""
        return bool(((self.lower == 0) & (self.upper == 0) & ~self.hidden).any())
