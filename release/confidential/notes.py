"""What the checks of a delivery find: faults that refuse it, and banded numbers for the statistician."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

from release.errors import DataError, Fault, roughly
from release.shown import Closed, Shown

FEW = roughly(0)


@dataclass(frozen=True, repr=False)
class CheckReport(Shown):
    """Banded numbers only. lines: (where, what, roughly how many); `where` is a file as the policy names it."""

    title: str
    lines: tuple[tuple[str, str, str], ...]

    @property
    def notable(self) -> tuple[tuple[str, str, str], ...]:
        """The lines about more than a few rows; all others are alike, and told in one line."""
        return tuple(line for line in self.lines if line[2] != FEW)

    @property
    def remainder(self) -> str:
        """What is said of all other lines."""
        others = len(self.lines) - len(self.notable)
        return f"{others} other checks: {FEW} rows each (or none)" if others else ""

    def as_json(self) -> str:
        """Every line, for programs."""
        lines = [{"where": where, "what": what, "rows": number} for where, what, number in self.lines]
        return json.dumps({"report": self.title, "lines": lines}, indent=2, ensure_ascii=False)

    def _plain(self) -> str:
        told = [f"  {where}: {what}: {number}" for where, what, number in self.notable]
        return "\n".join([self.title, *told, *([f"  {self.remainder}"] if self.remainder else [])])

    def _repr_html_(self) -> str:
        lines = (*self.notable, *([("", self.remainder, "")] if self.remainder else []))
        rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>" for line in lines)
        head = "<tr><th scope='col'>Where</th><th scope='col'>What</th><th scope='col'>Roughly how many</th></tr>"
        return f"<table><caption>{escape(self.title)}</caption><thead>{head}</thead><tbody>{rows}</tbody></table>"


@dataclass(repr=False, eq=False)
class Notes(Closed):
    """Collects while the checks run; every number is banded on the way in."""

    faults: list[Fault] = field(default_factory=list)
    lines: list[tuple[str, str, str]] = field(default_factory=list)

    def fault(self, what: str, *, where: str, now: str) -> None:
        self.faults.append(Fault(what, where, now))

    def fault_if(self, rows: int, what: str, *, where: str, now: str) -> None:
        """A fault if there is any such row; `what` follows on the banded number of rows."""
        if rows:
            self.fault(f"{roughly(rows).capitalize()} {what}", where=where, now=now)

    def line(self, where: str, what: str, rows: int) -> None:
        self.lines.append((where, what, roughly(rows)))

    def refuse_faults(self) -> None:
        """DataError with all the faults there are, if any."""
        if self.faults:
            raise DataError(_spent_nothing(self.faults))

    def report(self, title: str) -> CheckReport:
        return CheckReport(title, tuple(self.lines))


def _spent_nothing(faults: Sequence[Fault]) -> list[Fault]:
    last = faults[-1]
    closing = f"{last.now} Nothing has been charged to the privacy budget."
    return [*faults[:-1], Fault(last.what, last.where, closing)]


def place(name: str, file: str, column: str = "") -> str:
    """Where a fault is: the input as the policy calls it, its file and column."""
    return f'input "{name}" ({file})' + (f', column "{column}"' if column else "")
