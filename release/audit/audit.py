"""Audit one release: claim by claim, from the public folder alone, and from the ledger where it is given."""

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

from release.audit.cost import cost_objections
from release.audit.report import AuditReport, Claim, Result
from release.audit.rules import rule_objections
from release.errors import LedgerError, UsageError, UtfallError
from release.ledger import LedgerReport, digest_of, verify_ledger
from release.policy.policy import Policy

_PATIENCE = 3
"""So many objections are told in full."""


class CantTellError(Exception):
    """A claim that can't be checked here, and why."""


@dataclass(frozen=True)
class Audited:
    """A release's public folder, and its ledger if the auditor has it."""

    public: Path
    ledger: Path | None

    @cached_property
    def facts(self) -> Mapping[str, Any]:
        """`measurement.json`."""
        return dict(json.loads((self.public / "measurements" / "measurement.json").read_bytes()))

    @cached_property
    def manifest(self) -> Mapping[str, Any] | None:
        """The manifest, or None while a release is still being made."""
        from release.published.layout import MANIFEST
        from release.published.manifest import read_manifest

        return read_manifest(self.public) if (self.public / MANIFEST).exists() else None

    @cached_property
    def policy(self) -> Policy:
        from release.policy import load_policy

        return load_policy(self.public / "policy.yaml")

    @cached_property
    def ledger_report(self) -> LedgerReport | None:
        return verify_ledger(self.ledger) if self.ledger else None


Objections = list[str] | None
"""What is wrong; empty: nothing; None: can't tell."""

Check = tuple[str, str, Callable[[Audited], Objections]]


def audit(folder: Path, *, ledger: Path | None = None) -> AuditReport:
    """Check every claim of the release in `folder` (the release's folder, or its public one)."""
    public = folder / "public" if (folder / "public").is_dir() else folder
    if not (public / "policy.yaml").is_file():
        raise UsageError("there is no release in this folder", now="name a release's folder, or its public folder")
    if ledger is not None and not ledger.is_file():
        raise LedgerError("There is no such ledger.", where=ledger.name, now="Name the ledger's file, or leave it out.")
    audited = Audited(public, ledger)
    return AuditReport(_release_name(audited), tuple(_checked(check, audited) for check in CHECKS))


def _release_name(audited: Audited) -> str:
    try:
        return str((audited.manifest or {}).get("release", "release in the making"))
    except UtfallError:
        return "unknown"


def _checked(check: Check, audited: Audited) -> Claim:
    name, claims, find = check
    try:
        objections = find(audited)
    except UtfallError as problem:
        objections = [str(problem.faults[0].what)]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ZeroDivisionError, IndexError):
        objections = ["what is needed to check it is missing or damaged"]
    except CantTellError as reason:
        return Claim(name, claims, Result.CANT_TELL, str(reason))
    if objections is None:
        return Claim(name, claims, Result.CANT_TELL, "what is needed to check it isn't here")
    more = f" (and {len(objections) - _PATIENCE} more)" if len(objections) > _PATIENCE else ""
    detail = "; ".join(objections[:_PATIENCE]) + more
    return Claim(name, claims, Result.FAIL if objections else Result.PASS, detail)


def _files(audited: Audited) -> Objections:
    from release.published.manifest import check_manifest

    return None if audited.manifest is None else check_manifest(audited.public)


def _cost(audited: Audited) -> Objections:
    return cost_objections(audited.facts, audited.policy.document.privacy.budget)


def _promise(audited: Audited) -> Objections:
    from release.tables import promise_of

    if audited.manifest is None:
        return None
    told, expected = audited.manifest["promise"], promise_of(audited.policy, Fraction(audited.facts["rho"])).facts()
    return [f"{name} isn't what was measured" for name, value in expected.items() if told.get(name) != value]


def _plan(audited: Audited) -> Objections:
    from release.plan import make_plan

    measured = json.loads(json.dumps(make_plan(audited.policy).measured()))
    return [f"{part} differ from the policy's plan" for part, value in measured.items() if audited.facts[part] != value]


def _request(audited: Audited) -> Objections:
    if audited.manifest is None:
        return None
    from release.request import linking_rule

    told = audited.manifest["request"]
    whole = {"population": told["population"], "rho": told["rho"], "parts": told["parts"]}
    measured = {name: audited.facts[name] for name in ("records_per_person", "attributes", "residuals")}
    checks = {
        "the request's id isn't the digest of its parts": digest_of(whole) == told["id"],
        "the measurement is of another request": audited.facts["request"] == told["id"],
        "the trusted core changed while the release was made": audited.manifest["code"]["core"]
        == told["parts"]["core"],
        "the request measures something else": told["parts"]["measured"] == measured,
        "the request links by another rule": told["parts"]["linking"] == linking_rule(audited.policy),
    }
    return [objection for objection, holds in checks.items() if not holds]


def _tables(audited: Audited) -> Objections:
    from release.published.layout import TABLES
    from release.tables import make_tables, publish_tables

    with tempfile.TemporaryDirectory() as scratch:
        again = Path(scratch)
        publish_tables(make_tables(audited.public), again, audited.policy)
        names = {path.relative_to(again) for path in again.rglob("*") if path.is_file()}
        names |= {path.relative_to(audited.public) for path in (audited.public / TABLES).rglob("*") if path.is_file()}
        other = [name.as_posix() for name in sorted(names) if not _same(audited.public / name, again / name)]
    if other:
        _refuse_other_version(audited)
    return [f"{name} isn't what the measurements give" for name in other]


def _refuse_other_version(audited: Audited) -> None:
    """Another version may write other bytes: then a difference proves nothing."""
    from release import version
    from release.request import code_digest

    told = (audited.manifest or {}).get("code", {})
    if told and told.get("whole") != code_digest():
        raise CantTellError(
            f"the release says it was made by another program (version {told.get('version')}, this is {version()}): "
            "audit it with that one"
        )


def _same(one: Path, other: Path) -> bool:
    return one.is_file() and other.is_file() and one.read_bytes() == other.read_bytes()


def _rules(audited: Audited) -> Objections:
    return list(rule_objections(audited.public, audited.policy.document))


def _synthetic(audited: Audited) -> Objections:
    from release.audit.synthetic import certificate_objections, record_objections

    wrong = list(record_objections(audited.public, audited.policy))
    if wrong or not audited.policy.document.synthetic.records:
        return wrong
    wrong = list(certificate_objections(audited.public))
    if wrong:
        _refuse_other_version(audited)
    return wrong


def _chain(audited: Audited) -> Objections:
    report = audited.ledger_report
    return None if report is None else [str(objection) for objection in report.objections]


def _charge(audited: Audited) -> Objections:
    if audited.ledger is None or audited.manifest is None:
        return None
    return list(_charge_objections(audited, audited.ledger, audited.manifest))


def _charge_objections(audited: Audited, ledger: Path, manifest: Mapping[str, Any]) -> Iterator[str]:
    from release.audit.charge import charge_of

    request, rho = manifest["request"]["id"], Fraction(audited.facts["rho"])
    charge = charge_of(ledger, request)
    if manifest["ledger"]["id"] != charge.ledger_id:
        yield "the release was charged to another ledger"
    if not rho:
        return
    if charge.rho is None or charge.rho < rho:
        yield "the ledger holds no charge that covers the release's cost"
    if charge.answer != _answer_digest(audited.public / "measurements"):
        yield "the measurements aren't those that the ledger committed"
    if charge.commit_hash != manifest["ledger"]["hash"]:
        yield "the ledger's entry isn't the one that the release names"


def _publication(audited: Audited) -> Objections:
    """Can't tell until the ledger notes the publication; a release is audited once before."""
    if audited.ledger is None or audited.manifest is None:
        return None
    from release.audit.charge import charge_of
    from release.published.manifest import manifest_digest

    noted = charge_of(audited.ledger, audited.manifest["request"]["id"]).published.get(audited.manifest["release"])
    if noted is None:
        return None
    return [] if manifest_digest(audited.public) in noted else ["the manifest isn't the one that was published"]


def _certificates(audited: Audited) -> Objections:
    from release.audit.exact import certificate_objections, earlier_objections

    found = list(certificate_objections(audited.public, audited.policy))
    return [*found, *earlier_objections(audited.public, audited.policy)]


def _changed_figures(audited: Audited) -> Objections:
    from release.audit.exact import figure_objections

    return list(figure_objections(audited.public, audited.policy))


def _tracks(audited: Audited) -> Objections:
    from release.audit.exact import ledger_objections, track_objections

    wrong = list(track_objections(audited.public, audited.policy, audited.manifest))
    noted = _noted(audited)
    return wrong if noted is None else [*wrong, *ledger_objections(noted.get("outside"), _expected(audited))]


def _noted(audited: Audited) -> Mapping[str, Any] | None:
    """What the ledger notes of the release's publication; None where there is no ledger, or it isn't noted yet."""
    if audited.ledger is None or audited.manifest is None:
        return None
    from release.audit.charge import charge_of

    charge, name = charge_of(audited.ledger, audited.manifest["request"]["id"]), audited.manifest["release"]
    return {"outside": charge.outside[name]} if name in charge.outside else None


def _expected(audited: Audited) -> Mapping[str, Any] | None:
    from release.outside import outside_facts

    return outside_facts(audited.policy, audited.public, delivery="")


def _answer_digest(folder: Path) -> str:
    digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    return digest_of(digests)


CHECKS: tuple[Check, ...] = (
    ("files", "every public file is the one the manifest lists", _files),
    ("cost", "the noise costs at most the announced rho, by OpenDP's mechanisms and exact fractions", _cost),
    ("promise", "the promise tells the cost that was measured", _promise),
    ("plan", "what was measured is what the policy's plan says", _plan),
    ("request", "the request's id is the digest of all that it measures", _request),
    ("tables", "the tables are what the measurements give, byte for byte", _tables),
    ("withholding", "the policy's withholding rules are obeyed", _rules),
    (
        "certificates",
        "no hidden figure of an exact table can be worked out: the certificates hold, by their separate verifier",
        _certificates,
    ),
    ("changed figures", "changed and rounded figures keep what their method promises", _changed_figures),
    (
        "two tracks",
        "exact tables stand outside of ε only where the house allows it; promise and ledger name them all",
        _tracks,
    ),
    (
        "synthetic",
        "synthetic records, where the policy asks for them, are marked, possible, and as certified",
        _synthetic,
    ),
    ("ledger chain", "the ledger is whole, and never reserved more than was granted", _chain),
    ("ledger charge", "the release's cost was charged, and its measurements are the committed ones", _charge),
    ("publication", "the ledger notes the publication of this very manifest", _publication),
)
