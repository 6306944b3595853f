"""Why a figure is shown or not: one list for all tables and formats."""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """Publication status of one figure, as written in the `status` column."""

    SHOWN = "shown"
    TOO_FEW = "too-few"
    TOO_UNCERTAIN = "too-uncertain"
    LOW_RESPONSE = "low-response"
    NOT_APPLICABLE = "not-applicable"
    NOT_IN_FRAME = "not-in-frame"
    SEE_PARENT = "see-parent"
    SUPPRESSED = "suppressed"


STRUCTURAL = (Status.NOT_APPLICABLE, Status.NOT_IN_FRAME)
"""Nothing is withheld there: the figure can't exist, or not yet. Left out where shares of shown figures are told."""


OF_EXACT_TABLES = (Status.SUPPRESSED,)
"""Only exact tables have them: files of noisy tables don't name them."""


def statuses_of(protection: str) -> tuple[Status, ...]:
    """The statuses that a table protected so may have, in the order of their numbers."""
    return tuple(status for status in Status if status not in OF_EXACT_TABLES or protection != "dp")


@dataclass(frozen=True)
class Reason:
    """What a status is called, and its marks in PX and SDMX (observation and confidentiality status)."""

    en: str
    fi: str
    sv: str
    px: str
    sdmx_observation: str
    sdmx_confidentiality: str


REASONS: dict[Status, Reason] = {
    Status.SHOWN: Reason("shown", "näytetään", "visas", "", "A", "F"),
    Status.TOO_FEW: Reason("too few persons", "liian vähän henkilöitä", "för få personer", "..", "M", "C"),
    Status.TOO_UNCERTAIN: Reason("too uncertain", "liian epävarma", "för osäker", "...", "M", "C"),
    Status.LOW_RESPONSE: Reason(
        "response rate too low", "vastausosuus liian pieni", "för låg svarsandel", "...", "M", "F"
    ),
    Status.NOT_APPLICABLE: Reason("can't occur", "ei voi esiintyä", "kan inte förekomma", "-", "M", "F"),
    Status.NOT_IN_FRAME: Reason("not followed yet", "ei vielä seurattu", "ännu inte uppföljd", ".", "M", "F"),
    Status.SEE_PARENT: Reason(
        "shown for a larger group instead",
        "näytetään suuremmasta ryhmästä",
        "visas för en större grupp",
        "..",
        "M",
        "C",
    ),
    Status.SUPPRESSED: Reason(
        "hidden to protect persons", "salattu henkilöiden suojaamiseksi", "dold för att skydda personer", "..", "M", "C"
    ),
}
