"""Attacks on synthetic records, with a control group: persons of the same invented world who were not measured."""

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from helpers.outcome_policies import measured

from release.demo.lists import read_lists
from release.demo.truth import true_table
from release.demo.world import draw_world
from release.plan import make_plan
from release.policy import Policy, load_policy
from release.policy.document import Table
from release.protected.estimates import estimate
from release.shipped import shipped
from synthetic.coded import coded_frame
from synthetic.fit import fit
from synthetic.make import synthesise

TABLES = {
    "graduates": {"by": ["provider", "field:broad", "cohort"]},
    "field": {"by": ["field", "cohort", "sex"]},
    "activity": {"by": ["provider:region", "field:broad", "cohort"], "of": "activity-1:group"},
    "status": {"by": ["field:broad", "sex", "cohort"], "of": "activity-1"},
    "pay": {"by": ["field:broad", "sex"], "of": "pay-1"},
    "match": {"by": ["field:narrow", "sex"], "of": "match"},
}
SEEN = ("provider", "field", "cohort", "sex", "activity-1", "pay-1", "match")
"""What the attacker looks at, and may know of a person."""


@dataclass(frozen=True)
class Attacked:
    """Codes of the same columns of three groups, (persons, columns): measured, not measured, synthetic."""

    policy: Policy
    measured: np.ndarray
    control: np.ndarray
    synthetic: np.ndarray

    def copied(self, share: float) -> "Attacked":
        """The same with that share of the synthetic records replaced by measured persons: a broken synthesiser."""
        random = np.random.default_rng(3)
        number = int(share * len(self.synthetic))
        rows = random.choice(len(self.measured), number, replace=False)
        return replace(self, synthetic=np.vstack([self.measured[rows], self.synthetic[number:]]))

    def targets(self, number: int) -> "Attacked":
        """The same with fewer persons to attack, and all synthetic records."""
        return replace(self, measured=self.measured[:number], control=self.control[:number])


def attack_policy(rho: str = "1/2", *, whole: bool = False) -> Policy:
    """The demo's policy with a few tables of each kind, or whole."""
    policy = load_policy(shipped("policies") / "graduates-demo.yaml")
    few = {name: Table.model_validate(words) for name, words in TABLES.items()}
    tables = policy.document.tables if whole else few
    privacy = policy.document.privacy.model_validate({**policy.document.privacy.model_dump(), "rho": rho})
    return replace(policy, document=policy.document.model_copy(update={"tables": tables, "privacy": privacy}))


def attacked(
    persons: int = 3000, *, rho: str = "1/2", seed: int = 5, noise: int = 1, whole: bool = False, swapped: bool = False
) -> Attacked:
    """Twice so many persons of one world; every other one is measured, and synthetic records are made of those.

    swapped: the others are measured. Both together cancel that one group may be easier to guess than the other.
    """
    policy = attack_policy(rho, whole=whole)
    leaves = demo_leaves(policy, 2 * persons, seed)
    ours, theirs = ({name: values[half::2] for name, values in leaves.items()} for half in (swapped, not swapped))
    measurements = measured(make_plan(policy), ours, random=np.random.default_rng(noise))
    records = synthesise(fit(estimate(measurements), policy), rows=persons, seed=noise)
    made = {name: records.nodes(name, policy.attributes[name].depth) for name in SEEN}
    return Attacked(policy, stacked(ours), stacked(theirs), stacked(made))


def demo_leaves(policy: Policy, persons: int, seed: int) -> dict[str, np.ndarray]:
    """Leaf of every attribute of persons of a demo world, in random order."""
    world = draw_world(persons, seed, read_lists(shipped("policies") / "codes"))
    coded = coded_frame(true_table(world).to_pandas(), policy)
    order = np.random.default_rng(seed).permutation(persons)
    return {name: coded.at(name, policy.attributes[name].depth)[order] for name in policy.attributes}


def stacked(leaves) -> np.ndarray:
    return np.stack([leaves[name] for name in SEEN], axis=1).astype(np.int16)


# Copies ---------------------------------------------------------------------------------------------------------------


def nearest(targets: np.ndarray, among: np.ndarray, *, chunk: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """For each target the number of columns that differ from the nearest row of `among`, and that row's place."""
    distance, place = np.empty(len(targets), np.int64), np.empty(len(targets), np.int64)
    columns = np.ascontiguousarray(among.T)
    for start in range(0, len(targets), chunk):
        part = targets[start : start + chunk]
        apart = sum((part[:, j : j + 1] != columns[j]).astype(np.int8) for j in range(part.shape[1]))
        place[start : start + chunk] = apart.argmin(axis=1)
        distance[start : start + chunk] = apart.min(axis=1)
    return distance, place


def distances(case: Attacked) -> tuple[np.ndarray, np.ndarray]:
    """Of each measured person, and of each of the control group: columns that differ from the nearest record."""
    return nearest(case.measured, case.synthetic)[0], nearest(case.control, case.synthetic)[0]


def copied_shares(case: Attacked, *, within: int) -> tuple[float, float]:
    """Share of the measured, and of the control group, with a synthetic record so many columns away or nearer."""
    ours, theirs = (found <= within for found in distances(case))
    return float(ours.mean()), float(theirs.mean())


def excess(ours: float, theirs: float, number: int) -> float:
    """How many standard errors the first share lies over the second, of so many each."""
    mean = (ours + theirs) / 2
    return (ours - theirs) / max(np.sqrt(2 * mean * (1 - mean) / number), 1 / number)


# The three risks ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Risk:
    """Share of successful guesses about measured persons and about the control group, of so many guesses each."""

    measured: float
    control: float
    guesses: int

    @property
    def above_chance(self) -> float:
        """(measured - control) / (1 - control): what the guesses tell beyond what holds for everybody."""
        return (self.measured - self.control) / max(1 - self.control, 1e-9)

    @property
    def excess(self) -> float:
        return excess(self.measured, self.control, self.guesses)

    def with_swapped(self, other: "Risk") -> "Risk":
        """Both groups attacked as measured persons, and both as control."""
        both = self.guesses + other.guesses
        measured = (self.measured * self.guesses + other.measured * other.guesses) / both
        control = (self.control * self.guesses + other.control * other.guesses) / both
        return Risk(measured, control, both)


def singling_out(case: Attacked, *, known: int = 4, guesses: int = 500, seed: int = 1) -> Risk:
    """Combinations of some columns that one synthetic record has alone: does exactly one person have them, too?"""
    random, found = np.random.default_rng(seed), []
    columns = list(combinations(range(len(SEEN)), known))
    for chosen in random.permutation(len(columns)):
        columns_of_guess = list(columns[chosen])
        keys = _keys(case.synthetic[:, columns_of_guess], case)
        values, number = np.unique(keys, return_counts=True)
        alone = random.permutation(np.flatnonzero(number == 1))[: max(guesses // len(columns), 1)]
        for group in (case.measured, case.control):
            theirs = _keys(group[:, columns_of_guess], case)
            found.append([int((theirs == values[one]).sum()) == 1 for one in alone])
    ours, others = (np.array([hit for part in found[i::2] for hit in part]) for i in (0, 1))
    return Risk(float(ours.mean()), float(others.mean()), len(ours))


def linkability(case: Attacked, *, guesses: int = 1000) -> Risk:
    """Two files, each with half of a person's columns: is the synthetic record nearest to both halves the same?

    The nearest of a half are all records at the least distance, and a link is made if both halves share one.
    """
    halves = [0, 1, 3], [2, 4, 5, 6]

    def linked(group: np.ndarray) -> float:
        return float(_shared_nearest(group[:guesses], case.synthetic, halves).mean())

    return Risk(linked(case.measured), linked(case.control), min(guesses, len(case.control)))


def _shared_nearest(targets: np.ndarray, among: np.ndarray, halves) -> np.ndarray:
    out = np.empty(len(targets), np.bool_)
    for i, target in enumerate(targets):
        both = np.ones(len(among), np.bool_)
        for half in halves:
            apart = (among[:, half] != target[half]).sum(axis=1)
            both &= apart == apart.min()
        out[i] = both.any()
    return out


def inference(case: Attacked, secret: str, *, guesses: int = 2000) -> Risk:
    """All columns but one are known: the secret of the nearest synthetic record is the guess."""
    column = SEEN.index(secret)
    known = [j for j in range(len(SEEN)) if j != column]

    def guessed(group: np.ndarray) -> float:
        targets = group[:guesses]
        _, place = nearest(targets[:, known], case.synthetic[:, known])
        return float((case.synthetic[place, column] == targets[:, column]).mean())

    return Risk(guessed(case.measured), guessed(case.control), min(guesses, len(case.control)))


def _keys(rows: np.ndarray, case: Attacked) -> np.ndarray:
    keys = np.zeros(len(rows), np.int64)
    for column in rows.T:
        keys = keys * 1000 + column
    return keys
