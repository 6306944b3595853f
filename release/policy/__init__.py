"""Reading, checking and completing a release policy."""

from release.policy.load import load_house, load_policy
from release.policy.policy import Combination, Policy, PossibleCombinations

__all__ = ["Combination", "Policy", "PossibleCombinations", "load_house", "load_policy"]
