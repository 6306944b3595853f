"""From a release's public folder to its tables: what anyone who has the measurements can do again."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from release.errors import UsageError, VerificationError, nearest
from release.measurements import Measurements, read_measurements
from release.policy import Policy, load_policy
from release.policy.document import texts_of
from release.protected.safe import SafeTable
from release.shown import Shown

if TYPE_CHECKING:
    from release.protected.exact.loss import Loss
    from release.published.about import About
    from release.published.promise import Outside, Promise
    from release.published.publish import Publication


@dataclass(frozen=True, repr=False)
class Tables(Shown):
    """All tables of a release, fit to leave the office, in the policy's order; `tables["name"]` is one of them.

    rho: what they cost a person, exact.
    """

    release: str
    rho: Fraction
    all: tuple[SafeTable, ...] = field(repr=False)

    def __getitem__(self, name: str) -> SafeTable:
        found = {table.name: table for table in self.all}
        if name not in found:
            raise UsageError(f'there is no table "{name}"', now=nearest(name, found))
        return found[name]

    def __iter__(self) -> Iterator[SafeTable]:
        return iter(self.all)

    def _plain(self) -> str:
        return f"<Tables of {self.release}: {len(self.all)}>"

    def _repr_html_(self) -> str:
        from release.protected.display import summary

        rows = "".join(f"<tr><td>{escape(t.name)}</td><td>{escape(summary(t, 'en'))}</td></tr>" for t in self.all)
        return f"<table><tr><th>table</th><th>what is shown</th></tr>{rows}</table>"


def make_tables(public: Path) -> Tables:
    """The tables of the policy in the folder, from the measurements and the exact figures in it."""
    policy = load_policy(public / "policy.yaml")
    return tables_of(read_measurements(public / "measurements"), policy, exact=exact_tables_in(public, policy))


def tables_of(measurements: Measurements, policy: Policy, *, exact: Mapping[str, SafeTable] | None = None) -> Tables:
    """Estimate, then withhold; exact tables stand among the others, in the policy's order.

    VerificationError if the measurements are of other codes than the policy's.
    """
    check_same_codes(measurements, policy)
    found = {table.name: table for table in _noisy_tables(measurements, policy)} | dict(exact or {})
    ordered = tuple(found[name] for name in policy.document.tables if name in found)
    return Tables(policy.document.release, measurements.rho, ordered)


def _noisy_tables(measurements: Measurements, policy: Policy) -> tuple[SafeTable, ...]:
    from release.protected.estimates import estimate
    from release.protected.withhold import withhold

    return withhold(estimate(measurements), policy) if policy.tables else ()


def exact_tables_in(public: Path, policy: Policy) -> dict[str, SafeTable]:
    """The policy's exact tables by name, from the protected figures in the folder."""
    if not policy.exact:
        return {}
    from release.protected.exact.reading import read_exact
    from release.protected.exact.tables import exact_tables

    return exact_tables(read_exact(public, policy), policy)


def check_same_codes(measurements: Measurements, policy: Policy) -> None:
    """VerificationError if the measurements are of other codes than the policy's."""
    for name, attribute in measurements.attributes.items():
        if name not in policy.attributes or policy.attributes[name].structure() != attribute.structure():
            raise VerificationError(
                f'the measurements know "{name}" by other codes than the policy',
                where="policy.yaml and measurements/",
                now="use the policy and the code lists that the measurements were made with",
            )


@dataclass(frozen=True, repr=False)
class Charts(Shown):
    """A chart for each table: its first statistic with 95 % intervals, folded away under the table's name."""

    tables: Tables

    def _plain(self) -> str:
        return f"<Charts of {self.tables.release}: {len(self.tables.all)}>"

    def _repr_html_(self) -> str:
        from release.protected.display import interval_chart

        charts = ((t.name, interval_chart(t, statistic=t.statistics[0])) for t in self.tables)
        return "".join(f"<details><summary>{escape(n)}</summary>{c._repr_html_()}</details>" for n, c in charts)


def exact_loss(public: Path, policy: Policy) -> "Loss":
    """How much of each suppressed table is hidden, level by level."""
    from release.protected.exact.loss import Loss, loss_of

    if not policy.exact:
        return Loss()
    from release.protected.exact.reading import read_exact

    return loss_of(read_exact(public, policy))


def publish_tables(tables: Tables, public: Path, policy: Policy) -> "Publication":
    """Write tables, data package, codebook, promise and site into the public folder."""
    from release.published.promise import write_promise
    from release.published.publish import publish

    write_promise(promise_of(policy, tables.rho), public, about(policy))
    return publish(tables.all, public, about=about(policy), attributes=policy.attributes)


def about(policy: Policy) -> "About":
    """What the release says of itself."""
    from release.published.about import About

    document = policy.document
    return About(
        document.release,
        texts_of(document.title),
        texts_of(policy.house.office),
        document.contact,
        synthetic=document.synthetic.records,
        exact="" if not policy.exact else "some" if policy.tables else "all",
    )


def promise_of(policy: Policy, rho: Fraction) -> "Promise":
    """The guarantee in numbers, for what was measured at a cost of rho."""
    from release.budget import epsilon_at
    from release.published.promise import Promise

    privacy = policy.document.privacy
    return Promise(
        rho=rho,
        epsilon=epsilon_at(rho, privacy.small_chance) if rho else 0.0,
        delta=privacy.small_chance,
        records_per_person=privacy.records_per_person,
        population=privacy.population,
        exact_tables=tuple(policy.exact),
        outside=tuple(_outside(policy)),
        sums=tuple(n for n, t in policy.exact.items() if "sum" in t.show and t.exact and t.exact.suppression),
    )


def _outside(policy: Policy) -> "Iterator[Outside]":
    """What the exact tables give instead, and the house's exceptions they stand on."""
    from release.published.promise import Outside

    for name, table in policy.exact.items():
        if table.exact is not None:
            exception = policy.house.exceptions.get(table.exact.exception or "")
            reason = (exception.reason, exception.approved_by) if exception else ("", "")
            yield Outside(name, table.exact.kinds[0], table.exact.exception or "", *reason)
