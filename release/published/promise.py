"""`promise.md`: what a release guarantees, in numbers and words, and what it does not."""

import math
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from release.published.about import About
from release.published.layout import PROMISE, write_text
from release.published.pages import render

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Outside:
    """An exact table, outside of ε: how it is protected, and the house policy's exception, "" where it needs none."""

    table: str
    protection: str
    exception: str = ""
    reason: str = ""
    approved_by: str = ""


@dataclass(frozen=True)
class Promise:
    """The guarantee in numbers: rho exact; (epsilon, delta) from the exact conversion, epsilon rounded up.

    rho is 0 where no table is noisy. exact_tables: names of tables that are protected in another way instead and give
    no differential privacy; outside: how; sums: those of them that show exact sums of amounts.
    """

    rho: Fraction
    epsilon: float
    delta: Fraction
    records_per_person: int = 1
    population: str = ""
    exact_tables: tuple[str, ...] = ()
    outside: tuple[Outside, ...] = ()
    sums: tuple[str, ...] = ()

    @property
    def delta_text(self) -> str:
        """δ as people write it: "1e-9" where that is exact, else a fraction."""
        digits = str(self.delta.denominator)
        short = self.delta.numerator == 1 and digits == "1" + "0" * (len(digits) - 1)
        return f"1e-{len(digits) - 1}" if short else str(self.delta)

    def facts(self) -> dict[str, object]:
        """The promise for the manifest: exact numbers as text."""
        return {
            "unit": "person, add or remove",
            "rho": str(self.rho),
            "epsilon": rounded_up(self.epsilon),
            "delta": str(self.delta),
            "records_per_person": self.records_per_person,
            "population": self.population,
            "exact_tables": list(self.exact_tables),
            **({"sums": list(self.sums)} if self.sums else {}),
            **({"outside_epsilon": [asdict(table) for table in self.outside]} if self.outside else {}),
        }

    def protected_by(self, kind: str) -> list[str]:
        """Names of the exact tables that are protected so."""
        return [table.table for table in self.outside if table.protection == kind]


def write_promise(promise: Promise, public: Path, about: About) -> None:
    """Write the promise in English, Finnish and Swedish, one section each."""
    write_text(public / PROMISE, promise_text(promise, about))


def promise_text(promise: Promise, about: About) -> str:
    """The promise as Markdown."""
    if not promise.rho:
        return render("promise_exact.md.j2", promise=promise, about=about)
    return render(
        "promise.md.j2",
        promise=promise,
        about=about,
        epsilon=rounded_up(promise.epsilon),
        power=percent_up(power_at_most(float(promise.rho))),
        guess=percent_up(guess_at_most(float(promise.rho))),
    )


def rounded_up(number: float, decimals: int = 4) -> str:
    """A cost as decimal text, rounded against us."""
    exact = Fraction(number) * 10**decimals
    return f"{math.ceil(exact) / 10**decimals:.{decimals}f}".rstrip("0").rstrip(".")


def percent_up(share: float) -> int:
    """A share as whole per cent, rounded against us, at most 100."""
    return min(100, math.ceil(share * 100 - 1e-9))


def guess_at_most(rho: float) -> float:
    """How often somebody is right who must guess "in the data or not" when both were equally likely before.

    (1 + TV) / 2, with total variation bounded by Pinsker and by Bretagnolle-Huber from KL <= rho. Holds for every
    rho-zCDP mechanism (Bun and Steinke 2016: D_a <= a rho for all a > 1, hence KL <= rho).
    """
    return (1 + min(math.sqrt(rho / 2), math.sqrt(-math.expm1(-rho)))) / 2


def power_at_most(rho: float, false_alarms: float = 0.05) -> float:
    """Largest power of any test for "this person is in the data" with at most this share of false alarms.

    Rényi divergence can't grow by looking only at the test's verdict: for every a > 1 and both directions,
    D_a(Bernoulli(power), Bernoulli(false alarms)) <= a rho. Every a gives a valid bound; the smallest is taken.
    Not the tighter curve of the continuous Gaussian, which can be false for the discrete one.
    """
    low, high = false_alarms, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _possible(middle, false_alarms, rho) else (low, middle)
    return high


def _possible(power: float, false_alarms: float, rho: float) -> bool:
    orders = 1 + np.geomspace(1e-3, 1e3, 400)
    allowed = orders * rho
    forth, back = _renyi(power, false_alarms, orders), _renyi(false_alarms, power, orders)
    return bool((forth <= allowed).all() and (back <= allowed).all())


def _renyi(p: float, q: float, orders: FloatArray) -> FloatArray:
    """Rényi divergence of Bernoulli(p) from Bernoulli(q), both strictly between 0 and 1."""
    with np.errstate(divide="ignore", over="ignore"):
        heads = orders * np.log(p) + (1 - orders) * np.log(q)
        tails = orders * np.log1p(-p) + (1 - orders) * np.log1p(-q)
        return np.asarray(np.logaddexp(heads, tails) / (orders - 1), np.float64)
