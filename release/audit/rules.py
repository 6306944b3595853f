"""Whether the published tables obey the policy's withholding rules, judged from the published rows alone."""

import csv
from collections.abc import Iterator
from pathlib import Path

from release.policy.document import PolicyDocument, Table, Withhold
from release.protected.reasons import Status, statuses_of

_SMALLEST = 1e-6
"""Published figures are rounded to nine decimals: a limit may be missed by that much."""
_STATUSES = frozenset(str(status) for status in statuses_of("dp"))


def rule_objections(public: Path, policy: PolicyDocument) -> Iterator[str]:
    """One sentence for each table in which a figure is shown that a rule forbids, or withheld without a reason."""
    for name, table in policy.noisy_tables.items():
        rules = _Rules(policy.withhold, table)
        with (public / "tables" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            rows = csv.reader(file)
            at = {column: number for number, column in enumerate(next(rows))}
            wrong = sum(1 for row in rows if not rules.obeyed(row, at))
        if wrong:
            yield f"{name}: {wrong} figures break the rules"


class _Rules:
    """The rules of one table. limits: statistic -> (largest standard error, relative to the value or not)."""

    def __init__(self, rules: Withhold, table: Table) -> None:
        self.minimum = max(rules.below, table.minimum or 0.0)
        self.outcome = table.of is not None
        self.limits = {
            "count": (rules.relative_error_above, True),
            "share": (rules.share_error_above, False),
            "response-rate": (rules.share_error_above, False),
            "mean": (rules.mean_error_above, False),
        }
        self.others = (rules.percentile_error_above, True)

    def obeyed(self, row: list[str], at: dict[str, int]) -> bool:
        """Whether one published row may stand as it does."""
        figures = row[at["value"] : at["standard_error"] + 1]
        status = row[at["status"]]
        if status != Status.SHOWN:
            return status in _STATUSES and not any(figures)
        if not all(figures):
            return False
        value, lower, upper, error = (float(figure) for figure in figures)
        few = self._counts_its_own_base(row, at) and value < self.minimum - _SMALLEST
        return lower <= upper and error <= self._limit(row[at["statistic"]], value) and not few

    def _counts_its_own_base(self, row: list[str], at: dict[str, int]) -> bool:
        """A count of all persons of a cell: without an outcome, or of all the outcome's codes together."""
        about_all = not self.outcome or row[at["statistic"] - 1] == "all"
        return about_all and row[at["statistic"]] == "count"

    def _limit(self, statistic: str, value: float) -> float:
        limit, relative = self.limits.get(statistic, self.others)
        if limit is None:
            return float("inf")
        return (limit * abs(value) if relative else limit) + _SMALLEST
