"""Primary rules: which cells of an exact table may not be shown, and why. One file per family of rules."""

from release.protected.suppression.rules.concentration import Dominance, PPercent, PriorPosterior
from release.protected.suppression.rules.contributors import MinimumContributors, MinimumHolders
from release.protected.suppression.rules.facts import CellFacts
from release.protected.suppression.rules.frequency import MinimumFrequency, MinimumRespondents, ResponseRate
from release.protected.suppression.rules.groups import KDisclosure

Rule = (
    MinimumFrequency
    | MinimumRespondents
    | ResponseRate
    | Dominance
    | PPercent
    | PriorPosterior
    | MinimumContributors
    | MinimumHolders
    | KDisclosure
)

__all__ = [
    "CellFacts",
    "Dominance",
    "KDisclosure",
    "MinimumContributors",
    "MinimumFrequency",
    "MinimumHolders",
    "MinimumRespondents",
    "PPercent",
    "PriorPosterior",
    "ResponseRate",
    "Rule",
]
