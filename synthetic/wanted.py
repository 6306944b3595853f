"""Which measured tables a fit looks at, if it can't look at all: those of the columns that the records are to have.

A dimension that isn't wanted still tells how others go together, so it is left out only where all dimensions together
have too many possible combinations.
"""

from release.policy.policy import Policy
from release.policy.synthetic_checks import record_columns
from release.protected.estimates import Estimates


def wanted_only(estimates: Estimates, policy: Policy) -> Estimates:
    """The estimates of tables over the policy's `synthetic.columns` and what decides to whom these apply."""
    names = needed_columns(policy)
    counts = {c: values for c, values in estimates.counts.items() if names.issuperset(name for name, _ in c)}
    return Estimates(estimates.attributes, counts, {c: estimates.noise[c] for c in counts})


def needed_columns(policy: Policy) -> set[str]:
    """The wanted columns, the outcomes that these ask for, and the time dimension if any outcome follows the years."""
    needed = set(record_columns(policy.document))
    asked = needed.copy()
    while asked:
        asked = {parent for name in asked for parent in policy.applicable.get(name, {})} - needed
        needed |= asked
    if policy.time_dimension and any(policy.followed(name) is not None for name in needed & set(policy.applicable)):
        needed.add(policy.time_dimension)
    return needed
