"""The certificate: what synthetic records are fit for, in numbers that anyone can compute again.

It compares the records with the published tables and with the noisy measurements behind them; no register is looked at.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from release.shown import Shown
from synthetic.agree import fitted_table
from synthetic.agreement import Differences, TableAgreement, differences_of, table_agreement
from synthetic.coded import Coded, coded_file, coded_records
from synthetic.fit import Fit
from synthetic.impossible import Impossible, impossible_records
from synthetic.known import with_all_known
from synthetic.make import Release
from synthetic.records import Records
from synthetic.relations import Relations, relations

if TYPE_CHECKING:
    from release.protected.safe import SafeTable

FORMAT = "utfall-certificate/1"
EXACT_WITHIN = 1.0
"""Persons: whole records can't come closer to sizes that aren't whole."""


@dataclass(frozen=True)
class Sizes:
    """Sizes of one dimension's groups at its first level below the root (cohorts, regions, sexes …).

    estimate: absolute differences from the noisy sizes, in persons. fit: from the fit's, in records; None if unknown.
    """

    dimension: str
    level: str
    estimate: Differences
    fit: Differences | None

    @property
    def exact(self) -> bool:
        """Whether no group is off by a whole person (of the fit, where there is one)."""
        largest = (self.fit or self.estimate).largest
        return largest is not None and largest < EXACT_WITHIN


@dataclass(frozen=True, repr=False)
class Certificate(Shown):
    """How closely records agree with a release, and what in them means nothing.

    rows: records; persons: the noisy total that they stand for. seed: None if it isn't known.
    """

    release: str
    request: str
    rows: int
    persons: float
    seed: int | None
    tables: tuple[TableAgreement, ...]
    sizes: tuple[Sizes, ...]
    impossible: Impossible
    relations: Relations = field(repr=False)
    title: Mapping[str, str] = field(default_factory=dict)

    @property
    def persons_per_record(self) -> float:
        return self.persons / self.rows if self.rows else 0.0

    @property
    def total_exact(self) -> bool:
        """Whether there is one record for each person of the noisy total."""
        return abs(self.rows - self.persons) < EXACT_WITHIN

    def __getitem__(self, name: str) -> TableAgreement:
        """One table; KeyError if there is none of that name."""
        return {table.name: table for table in self.tables}[name]

    def as_json(self) -> str:
        """For programs: every number of the page and more; null where there is nothing to say."""
        return json.dumps(self.facts(), ensure_ascii=False, indent=1, allow_nan=False) + "\n"

    def facts(self) -> dict[str, object]:
        """The same as plain values; the seed as text, since it may be too large for other programs' numbers."""
        totals = {"persons_per_record": self.persons_per_record, "total_exact": self.total_exact}
        named = {
            "format": FORMAT,
            **{key: getattr(self, key) for key in ("release", "request", "rows", "persons")},
            "seed": None if self.seed is None else str(self.seed),
        }
        return {
            **named,
            **totals,
            "sizes": [{**asdict(one), "exact": one.exact} for one in self.sizes],
            "impossible": asdict(self.impossible),
            "tables": [_table_facts(table) for table in self.tables],
            "relations": asdict(self.relations),
        }

    def _plain(self) -> str:
        return f"<Certificate of {self.release}: {self.rows} records, {self.impossible.records} impossible>"

    def _repr_html_(self) -> str:
        from synthetic.certificate_page import certificate_html

        return certificate_html(self)

    def page(self, language: str = "en") -> str:
        """The whole page, self-contained: "en", "fi" or "sv"."""
        from synthetic.certificate_page import certificate_page

        return certificate_page(self, language)


def _table_facts(table: TableAgreement) -> dict[str, object]:
    facts = asdict(table)
    for one, statistic in zip(facts["published"], table.published, strict=True):
        one["share_inside"] = statistic.share_inside
    if table.measured is not None:
        facts["measured"]["share_inside"] = table.measured.share_inside
    return {**facts, "shown": table.shown, "share_inside": table.share_inside}


def certify(
    records: Records, release: Release, *, tables: "Sequence[SafeTable] | None" = None, seed: int | None = None
) -> Certificate:
    """The certificate of records that were just made. tables: the release's, if they are at hand."""
    return _certificate(coded_records(records), release, tables=tables, seed=seed, fit=records.fit)


def certify_table(
    path: Path,
    release: Release,
    *,
    tables: "Sequence[SafeTable] | None" = None,
    seed: int | None = None,
    fit: Fit | None = None,
) -> Certificate:
    """The certificate of a Parquet file of records, for an audit or a researcher's own choice of columns.

    Tables whose columns the file lacks are named as unchecked. DataError if it can't be read.
    """
    return _certificate(coded_file(path, release.policy), release, tables=tables, seed=seed, fit=fit)


def _certificate(
    records: Coded,
    release: Release,
    *,
    tables: "Sequence[SafeTable] | None",
    seed: int | None,
    fit: Fit | None,
) -> Certificate:
    document = release.policy.document
    persons = noisy_total(release) if fit is None else float(fit.persons)
    return Certificate(
        release=document.release,
        request=release.measurements.request,
        rows=len(records),
        persons=persons,
        seed=seed,
        tables=tuple(
            table_agreement(records, table, release.estimates, persons=persons, fit=fit)
            for table in (tables if tables is not None else published_tables(release))
        ),
        sizes=tuple(_sizes(records, release, persons, fit)),
        impossible=impossible_records(records),
        relations=relations(release.policy),
        title={str(language): text for language, text in document.title.items()},
    )


def published_tables(release: Release) -> "tuple[SafeTable, ...]":
    """The release's tables as published: estimated, then withheld."""
    from release.protected.withhold import withhold

    return withhold(release.estimates, release.policy)


def noisy_total(release: Release) -> float:
    """The measured number of persons, given all that the policy tells: all records together, whole and at least 1."""
    best = with_all_known(release.estimates, release.policy)
    return max(float(np.rint(best.counts[()])), 1.0)


def _sizes(records: Coded, release: Release, persons: float, fit: Fit | None) -> Iterator[Sizes]:
    scale = persons / max(len(records), 1)
    for name in release.policy.dimensions:
        combination = ((name, 1),)
        if records.holds(combination) and combination in release.estimates.counts:
            counted = records.count(combination)
            noisy, error = release.estimates.counts[combination], np.sqrt(release.estimates.variances[combination])
            fitted = None if fit is None else fitted_table(fit, combination) * (len(records) / fit.weights.sum())
            yield Sizes(
                name,
                release.policy.attributes[name].levels[1].name,
                differences_of(counted * scale, noisy, error),
                None if fitted is None else differences_of(counted, fitted),
            )
