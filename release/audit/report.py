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
            {"release": self.release, "claims": [asdict(c) for c in self.claims]}, indent=2, ensure_ascii=False
        )

    def _plain(self) -> str:
        return "\n".join(f"{c.result:>10}  {c.name}: {c.claims}. {c.detail}" for c in self.claims)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{c.result}</td><td>{escape(c.name)}</td><td>{escape(c.claims)}</td><td>{escape(c.detail)}</td></tr>"
            for c in self.claims
        )
        return f"<table><tr><th>result</th><th>claim</th><th>what is claimed</th><th>found</th></tr>{rows}</table>"
