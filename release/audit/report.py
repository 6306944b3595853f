"""What an audit found: pass, fail or can't tell for each claim of a release."""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from html import escape

from release.shown import Shown


class Result(StrEnum):
    """Outcome of checking one claim."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    CANT_TELL = "can't tell"


@dataclass(frozen=True)
class Claim:
    """One claim of the release, and what came of checking it."""

    name: str
    claims: str
    result: Result
    detail: str


@dataclass(frozen=True, repr=False)
class AuditReport(Shown):
    """All claims of one release."""

    release: str
    claims: tuple[Claim, ...]

    @property
    def failed(self) -> tuple[Claim, ...]:
        return tuple(claim for claim in self.claims if claim.result is Result.FAIL)

    def as_json(self) -> str:
        """The report for programs."""
        return json.dumps(
            {"release": self.release, "failed": len(self.failed), "claims": [asdict(c) for c in self.claims]},
            indent=2,
            ensure_ascii=False,
        )

    @property
    def verdict(self) -> str:
        """In one sentence, such as "7 claims hold, none fails, 2 can't be told from what is here"."""
        number = {result: sum(claim.result is result for claim in self.claims) for result in Result}
        failed = f"{number[Result.FAIL]} FAIL" if self.failed else "none fails"
        untold = number[Result.CANT_TELL]
        rest = f", {untold} can't be told from what is here" if untold else ""
        return f"{number[Result.PASS]} claims hold, {failed}{rest}"

    def as_text(self) -> str:
        """The report for a terminal: a line for each claim, what was found beneath it, the verdict last."""
        return "\n".join([f"Audit of {self.release}", *map(_line, self.claims), f"{self.verdict}."])

    def _plain(self) -> str:
        return self.as_text()

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{c.result}</td><td>{escape(c.name)}</td><td>{escape(c.claims)}</td><td>{escape(c.detail)}</td></tr>"
            for c in self.claims
        )
        head = "<tr><th>result</th><th>claim</th><th>what is claimed</th><th>found</th></tr>"
        return f"<table>{head}{rows}</table><p>{escape(self.verdict)}.</p>"


def _line(claim: Claim) -> str:
    found = f"\n{'':>12}{claim.detail}" if claim.result is Result.FAIL else ""
    return f"{claim.result:>10}  {claim.name}: {claim.claims}{found}"
