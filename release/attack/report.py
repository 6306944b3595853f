"""What an attack found, table by table: hidden cells that are known exactly, narrow, safe or undecided."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction

LISTED = 20


@dataclass(frozen=True)
class Derived:
    """A cell about which more is known than its publisher shows. Bounds in the unit of the table, as text."""

    codes: Mapping[str, str]
    lower: str
    upper: str

    def as_text(self) -> str:
        place = "; ".join(f"{name}: {code}" for name, code in self.codes.items())
        return f"{place} = {self.lower}" if self.lower == self.upper else f"{place} in {self.lower} … {self.upper}"


@dataclass(frozen=True)
class TableFindings:
    """The findings on one table. `rounded` cells are shown rounded; `restored` are those whose true figure is known."""

    name: str
    cells: int
    hidden: int
    exactly_known: int
    narrow: int
    safe: int
    undecided: int
    rounded: int
    restored: int
    derived: tuple[Derived, ...]
    note: str = ""

    def as_text(self) -> str:
        head = (
            f"{self.name}: {self.cells:,} cells, {self.hidden:,} hidden: {self.exactly_known:,} exactly known, "
            f"{self.narrow:,} narrow, {self.safe:,} safe, {self.undecided:,} undecided"
        )
        rounded = [f"  {self.rounded:,} rounded figures, of {self.restored:,} the exact one is known"] * bool(
            self.rounded
        )
        more = [f"  … and {len(self.derived) - LISTED:,} more (all with --json)"] * (len(self.derived) > LISTED)
        note = [f"  {self.note}"] * bool(self.note)
        return "\n".join([head, *rounded, *note, *(f"  {cell.as_text()}" for cell in self.derived[:LISTED]), *more])


@dataclass(frozen=True)
class SumsFound:
    """How many sums were used along a dimension, and whether they were told or inferred."""

    dimension: str
    sums: int
    inferred: bool


@dataclass(frozen=True)
class Increases:
    """Differences between successive files that are known exactly and below the smallest figure that is shown."""

    name: str
    below: int
    small: tuple[Derived, ...]

    def as_text(self) -> str:
        head = f"{self.name}: {len(self.small):,} increases of 1 to {self.below - 1:,} are known exactly"
        return "\n".join([head, *(f"  {cell.as_text()}" for cell in self.small[:LISTED])])


@dataclass(frozen=True)
class AttackReport:
    """All findings. `found`: something can be derived, or some cells are undecided; then the command ends with 7."""

    tables: tuple[TableFindings, ...]
    sums: tuple[SumsFound, ...]
    increases: tuple[Increases, ...] = ()
    left_out: int = 0

    @property
    def found(self) -> bool:
        told = any(t.exactly_known or t.narrow or t.restored or t.undecided for t in self.tables)
        return told or any(one.small for one in self.increases)

    def as_json(self) -> str:
        return json.dumps({**asdict(self), "found": self.found}, ensure_ascii=False, indent=2)

    def as_text(self) -> str:
        parts = [table.as_text() for table in self.tables] + [one.as_text() for one in self.increases]
        return "\n".join([*parts, self._sums(), *self._left_out(), self._verdict()])

    def _sums(self) -> str:
        used = [f"{s.dimension} {s.sums:,} ({'inferred' if s.inferred else 'told'})" for s in self.sums if s.sums]
        none = [s.dimension for s in self.sums if not s.sums]
        return "Sums used: " + (", ".join(used) or "none") + (f"; none along {', '.join(none)}" if none else "")

    def _left_out(self) -> Sequence[str]:
        return [f"{self.left_out:,} inferred sums don't hold between shown figures and aren't used."] * bool(
            self.left_out
        )

    def _verdict(self) -> str:
        known = sum(t.exactly_known + t.restored for t in self.tables)
        narrow = sum(t.narrow for t in self.tables)
        small = sum(len(one.small) for one in self.increases)
        undecided = sum(t.undecided for t in self.tables)
        told = [f"{known:,} figures can be worked out exactly"] * bool(known)
        told += [f"{narrow:,} to less than the width asked"] * bool(narrow)
        told += [f"{small:,} small increases are known"] * bool(small)
        told += [f"{undecided:,} cells are undecided: they may be safe or not"] * bool(undecided)
        return ("; ".join(told) or "Nothing can be worked out that isn't shown") + "."


def plain(number: int, decimals: int) -> str:
    """A whole number of 10 ** -decimals as people write it."""
    if not decimals:
        return str(number)
    value = Fraction(number, 10**decimals)
    return f"{float(value):.{decimals}f}".rstrip("0").rstrip(".")
