"""What a release discloses outside of ε: its exact tables, as the ledger notes them, and what they may not do.

Noisy and exact figures of the same persons stand in one ledger only by the house policy's exception; and the same
counts are never protected twice in two ways, because what one release hides the other may tell.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from release.errors import PolicyError
from release.ledger import Entry, Ledger, digest_of
from release.policy import Policy

if TYPE_CHECKING:
    from release.protected.exact.sets import TableSet


def outside_facts(policy: Policy, public: Path, *, delivery: str) -> dict[str, Any] | None:
    """What the ledger notes of a release's exact tables, in plain values; None where it has none.

    delivery: its keyed digest. figures: digests of what is published of each set, so that another pattern is noticed.
    """
    if not policy.exact:
        return None
    from release.protected.exact.sets import table_sets

    exceptions = {name: said.exception for name, t in policy.exact.items() if (said := t.exact) and said.exception}
    return {
        "noisy": bool(policy.tables),
        "delivery": digest_of(delivery),
        "sets": [_set_facts(tables, public) for tables in table_sets(policy)],
        **({"exceptions": exceptions} if exceptions else {}),
    }


def _set_facts(tables: "TableSet", public: Path) -> dict[str, Any]:
    told = json.loads((public / "exact" / f"{tables.name}.json").read_bytes())
    return {
        "tables": list(tables.tables),
        "protection": tables.kind,
        **({"sums_of": tables.summed} if tables.summed else {}),
        "over": list(tables.finest),
        "figures": digest_of({name: digest for name, digest in told["files"].items() if name.endswith(".parquet")}),
    }


def refuse_mixed_tracks(ledger: Ledger, policy: Policy) -> None:
    """PolicyError if exact tables would stand beside noisy releases of the same population without an exception."""
    without = [name for name, table in policy.exact.items() if table.exact and not table.exact.exception]
    measured = [entry for entry in ledger.entries() if entry.kind == "commit"]
    if without and measured:
        raise PolicyError(
            f"releases with noise have been made of this population, and {', '.join(without)} would tell exact figures "
            "of the same persons: that voids the promise that the noise gives",
            where="tables",
            now="publish it with noise (`protection: dp`), keep exact tables to a population of their own, or have the "
            "house policy name an exception and write `exception: NAME`",
        )


def notice_of_exact(ledger: Ledger, policy: Policy) -> str:
    """What a run with noise must say where exact tables of the same persons have been disclosed before; "" else."""
    disclosed = [name for entry in _disclosures(ledger.entries()) for name in _tables(entry)]
    if not disclosed or not policy.tables:
        return ""
    return f"The ledger notes exact tables of the same persons, outside of ε: {', '.join(dict.fromkeys(disclosed))}."


def refuse_other_pattern(ledger: Ledger, policy: Policy, facts: Mapping[str, Any] | None) -> None:
    """PolicyError if the same delivery's cells were published before, protected in another way."""
    for entry in _disclosures(ledger.entries()) if facts else ():
        other, release = entry.body["outside"], str(entry.body["release"])
        if facts is None or other["delivery"] != facts["delivery"] or _named(release, policy):
            continue
        clash = [
            name for one in facts["sets"] for name in one["tables"] if any(_clash(one, old) for old in other["sets"])
        ]
        if clash:
            raise PolicyError(
                f'the release "{release}" shows the same counts with other cells hidden or changed: '
                f"together with {', '.join(clash)} more could be worked out than either promises",
                where="earlier",
                now="name that release's public folder under `earlier`, or publish the tables as they were there",
            )


def _disclosures(entries: Iterable[Entry]) -> list[Entry]:
    return [entry for entry in entries if entry.kind == "publish" and "outside" in entry.body]


def _tables(entry: Entry) -> list[str]:
    return [name for one in entry.body["outside"]["sets"] for name in one["tables"]]


def _named(release: str, policy: Policy) -> bool:
    """Whether the policy takes that release into account."""
    return any(release in Path(place).parts for place in policy.document.earlier)


def _clash(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    same = one.get("sums_of") == other.get("sums_of")
    return same and bool(set(one["over"]) & set(other["over"])) and one["figures"] != other["figures"]
