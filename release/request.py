"""What a release asks to be measured, as one request: the same request always gets the same stored answer.

The request holds the population, linking rule, attributes with codes and bins, residuals with scales, a keyed digest of
the delivery and a digest of the trusted core's source. Titles, thresholds, formats and languages aren't part of it, so
they can change at no charge and with no new noise.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from release.charging import Request
from release.ledger import digest_of
from release.plan import Plan
from release.policy.policy import Policy

TRUSTED_CORE = (
    "answers.py",
    "budget.py",
    "charging.py",
    "codes.py",
    "confidential",
    "ledger",
    "measurements.py",
    "plan.py",
    "request.py",
    "residuals.py",
)
"""The files and folders of `release/` that privacy rests on."""
NOT_MEASURING = ("confidential/exact.py",)
"""Counts exact tables only: no noisy answer hangs on it, so a change there makes no request new."""

_PROGRAM = (".py", ".j2", ".js", ".css", ".ipynb")
_NOT_MEASURED = {"title", "unit", "contact"}


def request_of(policy: Policy, plan: Plan, *, delivery: str) -> Request:
    """The request of a policy on one delivery. delivery: its keyed digest, which tells nothing to who lacks the key."""
    parts = {
        "linking": linking_rule(policy),
        "measured": plan.measured(),
        "delivery": delivery,
        "core": core_digest(),
    }
    document = policy.document
    return Request(population=document.privacy.population, release=document.release, rho=plan.rho, parts=parts)


def linking_rule(policy: Policy) -> dict[str, Any]:
    """All of the policy that decides who is counted where, as plain values without floats."""
    document = policy.document
    replaced = {name: dict(sorted(codes.items())) for name, codes in policy.replace.items()}
    chosen = document.model_dump(mode="python", by_alias=True, include={"inputs", "link", "dimensions", "outcomes"})
    return {"replace": replaced, "unit": document.privacy.unit, **_plain(chosen)}


def _plain(value: Any) -> Any:
    """Without texts that only readers see; numbers as text, so that no float is hashed."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items() if key not in _NOT_MEASURED}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return repr(value) if isinstance(value, float) else value


def core_digest() -> str:
    """SHA-256 over the source of the trusted core, file by file."""
    here = Path(__file__).parent
    left_out = {here / name for name in NOT_MEASURING}
    files = sorted(path for name in TRUSTED_CORE for path in _sources(here / name) if path not in left_out)
    digests = {path.relative_to(here).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    return digest_of(digests)


def code_digest() -> str:
    """SHA-256 over all of the program: its sources, page templates and notebooks. Another version, other bytes."""
    from release.shipped import shipped

    here = Path(__file__).parent
    places = {"release": here, "synthetic": here.parent / "synthetic", "notebooks": shipped("notebooks")}
    digests = {
        f"{name}/{path.relative_to(place).as_posix()}": hashlib.sha256(path.read_bytes()).hexdigest()
        for name, place in places.items()
        for path in place.rglob("*")
        if path.suffix in _PROGRAM and "_shipped" not in path.parts
    }
    return digest_of(digests)


def _sources(place: Path) -> list[Path]:
    return sorted(place.rglob("*.py")) if place.is_dir() else [place]


def release_id(request: Request, policy: Policy) -> str:
    """Name of a release's folder: the policy's name and twelve digits of what was asked and how it is told.

    The same request told in another way (titles, thresholds, languages) is another release of the same measurements.
    """
    files = {name: hashlib.sha256(content).hexdigest() for name, content in policy.files.items()}
    texts = {"policy": policy.text, "house": policy.house_text}
    told = {"request": request.id, "files": files, **{name: hashlib.sha256(t).hexdigest() for name, t in texts.items()}}
    return f"{policy.document.release}-{digest_of(told)[:12]}"
