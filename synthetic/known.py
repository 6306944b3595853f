"""The estimates that records are made from: as measured, and brought to agree with all that the policy tells."""

from release.policy.policy import Policy
from release.protected.estimates import Estimates
from synthetic.same_persons import with_same_persons
from synthetic.zeros import with_known_zeros


def with_all_known(estimates: Estimates, policy: Policy) -> Estimates:
    """Given the public zeros, and that two outcomes count the same persons."""
    return with_same_persons(with_known_zeros(estimates, policy), policy)
