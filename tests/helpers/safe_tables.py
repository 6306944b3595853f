"""Safe tables for tests: sealed by hand, with figures that look like the real ones."""

from dataclasses import replace

import numpy as np
import pandas as pd

from release.protected.reasons import Status
from release.protected.safe import _SEAL, KeyColumn, SafeTable

FIELDS = ("general", "arts", "business", "science", "ict", "technology", "agriculture", "health", "services")
ACTIVITIES = {"10": "Employed", "12": "Unemployed", "22": "Student", "99": "Other"}


def key(name: str, codes: tuple[str, ...], level: str = "", texts: tuple[str, ...] = ()) -> KeyColumn:
    """A key column with texts in English and Finnish."""
    labels = {"en": texts or codes, "fi": tuple(f"{text} (fi)" for text in texts or codes)}
    return KeyColumn(name, level or name, codes, labels, {"en": name.title(), "fi": f"{name} fi", "sv": f"{name} sv"})


def providers(number: int) -> KeyColumn:
    codes = tuple(f"{10_000 + i}" for i in range(number))
    return key("provider", codes, "provider", tuple(f"Provider no. {i + 1} & sons" for i in range(number)))


def outcome_table(
    *, number_of_providers: int = 6, cohorts: int = 5, seed: int = 1, name: str = "activity"
) -> SafeTable:
    """Counts and shares by outcome, and mean and percentiles in the rows about all codes together."""
    columns = (
        providers(number_of_providers),
        key("field", FIELDS, "broad"),
        key("cohort", tuple(str(2024 - cohorts + i) for i in range(cohorts))),
        key("activity", tuple(ACTIVITIES), "group", tuple(ACTIVITIES.values())),
    )
    statistics = ("count", "share", "mean", "p25", "p50", "p75")
    title = {"en": "Activity one year after", "fi": "Toiminta vuoden jälkeen", "sv": "Verksamhet ett år efter"}
    return sealed(name, title, columns, statistics, _cells(columns, statistics, seed))


def sealed(name, title, keys, statistics, cells, *, covers="noise", unit="euro a month") -> SafeTable:
    """A safe table with the seal that only withholding holds otherwise."""
    return SafeTable(name, title, tuple(keys), tuple(statistics), covers, unit, cells, _SEAL)


def with_cells(table: SafeTable, **columns) -> SafeTable:
    """The same table with some columns of its cells replaced."""
    return replace(table, cells=table.cells.assign(**columns))


def national(name: str = "national") -> SafeTable:
    """The smallest table: no keys at all, one figure."""
    row = {"statistic": ["count"], "value": [28_000.0], "lower": [27_990.0], "upper": [28_010.0]}
    row |= {"standard_error": [5.1], "status": ["shown"], "note": [""]}
    return sealed(name, {"en": "All persons"}, (), ("count",), pd.DataFrame(row), unit="persons")


def _cells(columns, statistics, seed: int) -> pd.DataFrame:
    """One row per key and statistic: counts for "all" and every code, shares per code, the rest for "all"."""
    outcome = columns[-1]
    pairs = [("all", "count"), *((code, s) for code in outcome.codes for s in ("count", "share"))]
    pairs += [("all", s) for s in statistics[2:]]
    sizes = [len(k.codes) for k in columns[:-1]]
    grid = np.unravel_index(np.repeat(np.arange(np.prod(sizes)), len(pairs)), sizes)
    cells = {k.name: pd.Categorical.from_codes(g, k.codes) for k, g in zip(columns[:-1], grid, strict=True)}
    repeat = int(np.prod(sizes))
    cells[outcome.name] = pd.Categorical([p[0] for p in pairs] * repeat, ("all", *outcome.codes))
    cells["statistic"] = pd.Categorical([p[1] for p in pairs] * repeat, statistics)
    return pd.DataFrame(cells | _figures(np.tile([p[1] for p in pairs], repeat), np.random.default_rng(seed)))


def _figures(statistic: np.ndarray, random: np.random.Generator) -> dict[str, object]:
    rows = len(statistic)
    size = random.lognormal(3.5, 1.3, rows)
    value = np.select(
        [statistic == "count", statistic == "share", statistic == "mean"],
        [size + random.normal(0, 5, rows), random.uniform(0, 1, rows), random.uniform(3, 5, rows)],
        random.uniform(1500, 4000, rows),
    )
    error = np.select(
        [statistic == "count", statistic == "share", statistic == "mean"], [5.3, 0.3 / np.sqrt(size), 0.07], 31
    )
    status = np.where(
        size < 10, Status.TOO_FEW, np.where(random.uniform(size=rows) < 0.02, Status.SEE_PARENT, Status.SHOWN)
    )
    figures = {"value": value, "lower": value - 1.96 * error, "upper": value + 1.96 * error, "standard_error": error}
    shown = {name: np.where(status == Status.SHOWN, f, np.nan) for name, f in figures.items()}
    note = np.where(status == Status.SEE_PARENT, "shown for region Uusimaa, all fields", "")
    return shown | {"status": pd.Categorical(status, [s.value for s in Status]), "note": note}
