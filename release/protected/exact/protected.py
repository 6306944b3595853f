"""A set of exact tables as it may leave the office, and what anyone can check of it."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from release.codes import IntArray
from release.errors import VerificationError
from release.protected.exact.sets import TableSet
from release.protected.suppression import structure
from release.protected.suppression.certificate import Certificate
from release.protected.suppression.question import BoolArray
from release.protected.suppression.structure import Codes, System
from release.protected.suppression.verify import verify
from release.protected.suppression.view import View, outsider

_SEAL = object()
"""Whoever holds it may make protected sets: the stage that protects, and the reader of a published folder."""


@dataclass(frozen=True, eq=False)
class Proof:
    """Which cells are hidden, and that none can be worked out.

    hidden: bool [n]. width: int64 [n], how far two possible tables differ at each hidden cell, 0 elsewhere. lower,
    upper: what is known of hidden cells, one number for all or int64 [n]; upper: nothing unless given. certificate: the
    possible tables; None where it is missing.
    """

    hidden: BoolArray
    width: IntArray
    lower: IntArray | int
    certificate: Certificate | None
    upper: IntArray | None = None


@dataclass(frozen=True, eq=False)
class Protected:
    """Figures of a set's cells, none where hidden, and the proof. A writer takes nothing else of exact tables.

    cells: int32 [n, d], index of each cell's code per attribute of the set, in key order; cells that aren't listed hold
    nobody. values: int64 [n], 0 where hidden. how: what the method says of itself. proof: of suppression.
    """

    tables: TableSet
    cells: Codes = field(repr=False)
    values: IntArray = field(repr=False)
    how: str
    proof: Proof | None = field(repr=False)
    seal: object = field(repr=False)

    def __post_init__(self) -> None:
        if self.seal is not _SEAL:
            raise TypeError("protected sets are made by protecting exact tables only")
        if self.values[self.hidden].any():
            raise TypeError("a protected set holds no figure of a hidden cell")

    @property
    def hidden(self) -> BoolArray:
        """Cells without a figure, bool [n]; none where figures are changed instead."""
        return np.zeros(len(self.values), bool) if self.proof is None else self.proof.hidden

    @property
    def settings(self) -> dict[str, object]:
        """Method and its settings, table by table, as the policy says them."""
        return {
            name: words.model_dump(mode="json", by_alias=True, exclude_none=True)
            for name, words in self.tables.protections.items()
        }


def sealed(tables: TableSet, cells: Codes, values: IntArray, *, how: str, proof: Proof | None = None) -> Protected:
    """A protected set; for the stage that protects, and for the reader of a published folder."""
    return Protected(tables, cells, values, how, proof, _SEAL)


# What anyone can check ---------------------------------------------------------------------------------------------


def system_of(protected: Protected) -> System:
    """The sums between the listed cells, made again from the policy's trees; no data but the list of cells."""
    trees = protected.tables.hierarchies
    return structure.of_cells(trees, cells=protected.cells, tables=protected.tables.shown)


def view_of(protected: Protected) -> View:
    """What an outsider has of the set."""
    system = system_of(protected)
    if protected.proof is None:
        return outsider(system.relations, protected.values, protected.hidden, lower=0)
    lower, upper = protected.proof.lower, protected.proof.upper
    return outsider(system.relations, protected.values, protected.hidden, lower=lower, upper=upper)


def objections(protected: Protected) -> Iterator[str]:
    """What is wrong with a suppressed set, by its separate verifier; nothing of the engine's is believed."""
    if protected.tables.kind != "suppression":
        return
    proof = protected.proof
    if proof is None or proof.certificate is None:
        yield "there is no certificate"
        return
    system = system_of(protected)
    missing = structure.missing_totals(system)
    if missing:
        yield f"{missing} totals of listed cells are missing"
    if (proof.width[proof.hidden] < 1).any():
        yield "a hidden cell is claimed to have no width"
    yield from verify(view_of(protected), proof.certificate, proof.width)


def additive_objections(protected: Protected) -> Iterator[str]:
    """Whether sums of a set that promises additive figures add up."""
    rounding = protected.tables.protection.rounding
    if rounding is None:
        return
    off = int((protected.values % rounding.base != 0).sum()) if rounding.method != "small-counts" else 0
    if off:
        yield f"{off} figures aren't multiples of {rounding.base}"
    small = (protected.values > 0) & (protected.values < rounding.base)
    if rounding.method == "small-counts" and small.any():
        yield f"{int(small.sum())} figures are smaller than {rounding.base}"
    if rounding.method != "random":
        broken = int(np.count_nonzero(system_of(protected).relations.astype(np.int64) @ protected.values))
        if broken:
            yield f"{broken} totals aren't the sums of their parts"


def certificate_from(content: bytes) -> Certificate:
    """Reads what `Certificate.to_bytes` wrote; VerificationError where it isn't one."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            tables = arrays["tables"]
    except (ValueError, KeyError, OSError, EOFError):
        raise VerificationError("a certificate can't be read", where="exact/", now="ask for a whole copy") from None
    if tables.ndim != 2 or not np.issubdtype(tables.dtype, np.integer):
        raise VerificationError("a certificate doesn't hold whole numbers", where="exact/", now="ask for a whole copy")
    return Certificate(tables.astype(np.int64))
