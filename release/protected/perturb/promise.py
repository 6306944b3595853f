"""What each method of perturbation promises, in words and numbers, and where it is weak. No true figure is needed."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

from release.protected.perturb.cell_key import SumNoise
from release.protected.perturb.table import PerturbationTable

NO_DP = (
    "This is not differential privacy: no ε bounds what can be learned from many tables together. The table stands "
    "outside the ledger's budget."
)
UNIONS = (
    "A reader who may combine categories freely takes the noise out again: sums of parts, compared with published "
    "totals, narrow each count down. `utfall attack` tells how far, for the very tables."
)
KEYED = (
    "The office's secret key and the persons in a cell decide the noise, and nothing else does: the same persons get "
    "the same noise in every table and year."
)


@dataclass(frozen=True)
class Promise:
    """What readers may rely on. says, weaknesses: sentences. numbers: by name, in the unit of the table."""

    method: str
    says: tuple[str, ...]
    numbers: Mapping[str, float]
    weaknesses: tuple[str, ...]

    def markdown(self) -> str:
        """As a section of the promise."""
        lines = [*(f"- {sentence}" for sentence in self.says), "", "What it doesn't do:", ""]
        return "\n".join([*lines, *(f"- {sentence}" for sentence in self.weaknesses)]) + "\n"


def cell_key_promise(table: PerturbationTable) -> Promise:
    """Counts by the cell-key method."""
    deviation = sqrt(float(table.variances[-1]))
    return Promise(
        "cell-key",
        (
            f"Each count above zero is changed by at most {table.largest}, without bias; the standard deviation is "
            f"{deviation:.2f} (small counts: see the table of chances). Zeros stay zero, nothing falls below zero.",
            KEYED,
            *_forbidden(table),
            *_kept_positive(table),
        ),
        {
            "largest_change": table.largest,
            "standard_deviation": deviation,
            "mean_absolute_change": float(table.probabilities[-1] @ abs(table.changes)),
            "chance_of_no_change": float(table.staying[-1]),
            "surest_small_count": max(table.sure_of(count) for count in range(1, table.rows + 1)),
        },
        (
            NO_DP,
            "Tables don't add up: totals carry noise of their own.",
            UNIONS,
            "Cells with the same persons are shown alike; two that differ by one person have different noise, so their "
            "difference tells something of him: the more such pairs, the more.",
        ),
    )


def _forbidden(table: PerturbationTable) -> tuple[str, ...]:
    """Which counts are never shown."""
    if not table.forbidden:
        return ()
    return (
        "A count of 1 is never shown."
        if table.forbidden == 1
        else f"Counts of 1 to {table.forbidden} are never shown.",
    )


def _kept_positive(table: PerturbationTable) -> tuple[str, ...]:
    """What it costs that no positive count becomes zero."""
    if not table.keep_positive:
        return ()
    return (
        "A count above zero is shown above zero. The price: without bias a count of 1, which can't fall, can't rise "
        f"either, so every 1 is shown as 1; who sees a 1 can be {table.sure_of(1):.0%} sure that it is true, if all "
        "counts were equally likely before.",
    )


def sums_promise(noise: SumNoise) -> Promise:
    """Sums by the cell-key method."""
    share = float(max(noise.shares))
    spread = sqrt(float(noise.table.variances[-1])) / noise.steps
    return Promise(
        "cell-key",
        (
            f"Each sum is changed by at most {share:.0%} of its largest contribution"
            + (f", and less of the next {len(noise.shares) - 1}" if len(noise.shares) > 1 else "")
            + f", without bias; the standard deviation is {share * spread:.1%} of the largest contribution.",
            "A sum of contributions that aren't negative doesn't become negative.",
            KEYED,
        ),
        {"largest_change_of_contribution": share, "standard_deviation_of_contribution": share * spread},
        (
            NO_DP,
            "Tables don't add up.",
            f"Someone who knows all other contributions knows the largest to within {share:.0%}, not better on average "
            f"than {share * spread:.1%}: small shares protect little.",
            UNIONS,
        ),
    )


def random_rounding_promise(base: int) -> Promise:
    """Random rounding to a base."""
    mean_square = sum(r * (base - r) for r in range(base)) / base
    return Promise(
        "random-rounding",
        (
            f"Each count is a multiple of {base}, less than {base} from the truth, right on average. Multiples stay.",
            KEYED,
        ),
        {
            "largest_change": base - 1,
            "standard_deviation": sqrt(mean_square),
            "mean_absolute_change": sum(2 * r * (base - r) / base for r in range(base)) / base,
        },
        (NO_DP, "Tables don't add up.", UNIONS, f"A shown {base} may be a single person; a shown 0 up to {base - 1}."),
    )


def controlled_rounding_promise(base: int, *, how: str) -> Promise:
    """Controlled rounding; how: what the rounding says of itself."""
    return Promise(
        "controlled-rounding",
        (
            f"Each figure is a multiple of {base}, and all sums add up: {how}.",
            "The same table is rounded the same way.",
        ),
        {"largest_change_inside": base - 1},
        (
            NO_DP,
            "It has a bias: counts go to the nearest multiple where sums allow it.",
            "Persons in two tables that are rounded apart may be rounded differently: round linked tables as one.",
            "Sums that add up tell how parts were rounded: where a total stays below its parts' nearest multiples, "
            "some of them went down. `utfall attack` tells what follows.",
        ),
    )


def small_counts_promise(base: int) -> Promise:
    """Small count rounding."""
    return Promise(
        "small-count-rounding",
        (
            f"No published count lies between 0 and {base}; all sums add up. Inner counts of {base} or more are exact.",
            "Small inner counts go to 0 or to the base so that all sums stay near the truth.",
        ),
        {"largest_change_inside": base - 1},
        (
            NO_DP,
            "Sums have no bound of their own; their errors stay small because the search balances them.",
            f"A shown {base} is 1 to {base} persons, a shown 0 is 0 to {base - 1}; larger inner counts are exact, so "
            "that differences between years and unions with other tables can be exact too.",
        ),
    )
