"""Whether the published tables obey the policy's withholding rules, judged from the published rows alone."""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

from release.policy.document import PolicyDocument, Withhold
from release.protected.reasons import Status

_SMALLEST = 1e-6
"""Published figures are rounded to nine decimals: a limit may be missed by that much."""


def rule_objections(public: Path, policy: PolicyDocument) -> Iterator[str]:
    """One sentence for each table in which a figure is shown that a rule forbids, or withheld without a reason."""
    for name, table in policy.tables.items():
        minimum = max(policy.withhold.below, table.minimum or 0.0)
        wrong = sum(1 for row in _rows(public / "tables" / f"{name}.csv") if not _obeys(row, policy.withhold, minimum))
        if wrong:
            yield f"{name}: {wrong} figures break the rules"


def _rows(path: Path) -> Iterator[Mapping[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _obeys(row: Mapping[str, str], rules: Withhold, minimum: float) -> bool:
    figures = [row[name] for name in ("value", "lower", "upper", "standard_error")]
    if row["status"] != Status.SHOWN:
        return row["status"] in set(Status) and not any(figures)
    if not all(figures):
        return False
    value, lower, upper, error = (float(figure) for figure in figures)
    return lower <= upper and error <= _limit(row["statistic"], value, rules) and not _few(row, value, minimum)


def _few(row: Mapping[str, str], value: float, minimum: float) -> bool:
    """A count of all persons of a base (no outcome, or all its codes) is its own base."""
    return row["statistic"] == "count" and _about_all(row) and value < minimum - _SMALLEST


def _about_all(row: Mapping[str, str]) -> bool:
    keys = list(row)[: list(row).index("statistic")]
    return not keys or row[keys[-1]] == "all"


def _limit(statistic: str, value: float, rules: Withhold) -> float:
    limits = {
        "count": (rules.relative_error_above, abs(value)),
        "share": (rules.share_error_above, 1.0),
        "response-rate": (rules.share_error_above, 1.0),
        "mean": (rules.mean_error_above, 1.0),
    }
    limit, times = limits.get(statistic, (rules.percentile_error_above, abs(value)))
    return float("inf") if limit is None else limit * times + _SMALLEST
