"""Synthetic graduates from a release's public folder: fit, draw, refine. Nothing but the measurements is read."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from release.measurements import Measurements, read_measurements
from release.policy import Policy, load_policy
from release.protected.estimates import Estimates, estimate
from synthetic.agree import agreeing
from synthetic.fit import Fit, fit
from synthetic.records import Records, draw_records


@dataclass(frozen=True, eq=False)
class Release:
    """What a release's public folder gives to synthesis: the policy, the noisy measurements and their estimates."""

    policy: Policy
    measurements: Measurements
    estimates: Estimates


def open_release(public: Path) -> Release:
    """Read a public folder (policy, code lists, measurements). VerificationError if it is damaged."""
    measurements = read_measurements(public / "measurements")
    return Release(load_policy(public / "policy.yaml"), measurements, estimate(measurements))


def fit_release(release: Release) -> Fit:
    """The joint distribution that a release's measurements support."""
    return fit(release.estimates, release.policy)


def synthesise(fit: Fit, *, rows: int | None = None, seed: int) -> Records:
    """Records drawn from the fit and refined until they agree with its tables. rows: by default the fit's persons."""
    random = np.random.default_rng(seed)
    return agreeing(draw_records(fit, rows or fit.persons, random), random)


def seeds(request: str, number: int) -> Iterator[int]:
    """One seed per replicate, from the request's id: the same measurements give the same records."""
    for replicate in range(number):
        yield int.from_bytes(hashlib.sha256(f"{request}/{replicate}".encode()).digest()[:8], "big")
