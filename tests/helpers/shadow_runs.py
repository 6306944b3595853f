"""Shadow runs: synthetic records made again and again with and without one planted outlier, and who can tell."""

from dataclasses import dataclass
from fractions import Fraction
from math import erf, exp, sqrt

import numpy as np
from helpers.outcome_policies import measured, outcome, outcome_policy
from helpers.workloads import flat_of, small_tree

from release.budget import epsilon_at
from release.plan import make_plan
from release.protected.estimates import estimate
from synthetic.fit import fit
from synthetic.make import synthesise

TABLES = {
    "persons": {"by": ["place", "field"], "importance": 3},
    "sexes": {"by": ["place", "sex"]},
    "activity": {"by": ["place:region", "field"], "of": "activity"},
}
ALONE = {"place": 9, "field": 4, "sex": 1, "activity": 3}
"""The outlier: nobody else is in this place, and nobody has this field with this activity."""


@dataclass(frozen=True)
class Shadows:
    """What the attacker sees of each run: records in the outlier's place, cell by cell finer. (runs, statistics)."""

    present: np.ndarray
    absent: np.ndarray

    def success(self) -> float:
        """Share of runs told apart, with the best statistic and threshold of one half tried on the other.

        Among the statistics is the weighted sum of all that tells one half's runs apart best (least squares).
        """
        halves = [Shadows(self.present[i::2], self.absent[i::2]) for i in (0, 1)]
        return float(np.mean([one.told_by(other) for one, other in (halves, halves[::-1])]))

    def told_by(self, other: "Shadows") -> float:
        """Share of these runs told apart by what the others teach."""
        weights = other.weights()
        return self.weighed(weights).tell(*other.weighed(weights).learn())

    def weights(self) -> np.ndarray:
        seen = np.vstack([self.present, self.absent])
        present = np.repeat([1.0, 0.0], [len(self.present), len(self.absent)])
        return np.linalg.lstsq(np.c_[seen, np.ones(len(seen))], present, rcond=None)[0][:-1]

    def weighed(self, weights: np.ndarray) -> "Shadows":
        """With the weighted sum as one statistic more; rounded, since thresholds are tried at its values."""
        both = (np.c_[group, np.round(group @ weights, 6)] for group in (self.present, self.absent))
        return Shadows(*both)

    def learn(self) -> tuple[int, float]:
        choices = [
            (s, t) for s in range(self.present.shape[1]) for t in np.unique(np.r_[self.present, self.absent][:, s])
        ]
        return max(choices, key=lambda choice: self.tell(*choice))

    def tell(self, statistic: int, threshold: float) -> float:
        """Guess "present" where the statistic reaches the threshold."""
        right = (self.present[:, statistic] >= threshold).mean() + (self.absent[:, statistic] < threshold).mean()
        return float(right / 2)


def shadow_runs(*, rho: str, runs: int, noisy: bool = True, persons: int = 300) -> Shadows:
    """So many runs with the outlier and so many without; the attacker knows everybody else."""
    policy = _policy(rho)
    plan = make_plan(policy)
    others = _others(policy, persons)
    groups = []
    for present in (True, False):
        leaves = {name: np.append(v, ALONE[name]) if present else v for name, v in others.items()}
        groups.append([_seen(policy, plan, leaves, seed=2 * run + present, noisy=noisy) for run in range(runs)])
    return Shadows(*(np.array(group, np.float64) for group in groups))


def _policy(rho: str):
    dimensions = [small_tree("place", (3, 1, 2, 4)), flat_of("field", 5), flat_of("sex", 2)]
    return outcome_policy(dimensions, [outcome("activity", ["a", "b", "c", "d"])], TABLES, rho=rho)


def _others(policy, persons: int) -> dict[str, np.ndarray]:
    """Everybody but the outlier: not in her place, and without her field and activity together."""
    random = np.random.default_rng(8)
    leaves = {name: random.integers(0, len(a.leaves), persons) for name, a in policy.attributes.items()}
    leaves["place"] = random.choice(ALONE["place"], persons)
    alike = (leaves["field"] == ALONE["field"]) & (leaves["activity"] == ALONE["activity"])
    return leaves | {"activity": np.where(alike, 0, leaves["activity"])}


def _seen(policy, plan, leaves, *, seed: int, noisy: bool) -> list[float]:
    random = np.random.default_rng([seed, 17]) if noisy else None
    records = synthesise(fit(estimate(measured(plan, leaves, random=random)), policy), seed=seed)
    same = {name: records.nodes(name, policy.attributes[name].depth) == leaf for name, leaf in ALONE.items()}
    place, field = same["place"], same["field"]
    counts = [place, place & field, place & same["sex"], field & same["activity"], place & field & same["activity"]]
    return [float(one.sum()) for one in counts] + [float(len(records))]


def best_success(rho: str) -> float:
    """What no attack exceeds under Gaussian noise of this cost: the better of two normals sqrt(2 rho) apart."""
    return 0.5 * (1 + erf(sqrt(2 * float(Fraction(rho))) / 2 / sqrt(2)))


def success_bound(rho: str, delta: Fraction = Fraction(1, 10**6)) -> float:
    """What (epsilon, delta) alone allows: (e^epsilon + delta) / (1 + e^epsilon)."""
    epsilon = float(epsilon_at(Fraction(rho), delta))
    return (exp(epsilon) + float(delta)) / (1 + exp(epsilon))
