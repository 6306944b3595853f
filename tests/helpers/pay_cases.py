"""A tiny population with pay and employers, small enough to judge by hand, and the way to its protected sums."""

import csv
from pathlib import Path

from helpers.exact_cases import HOUSE, SECRET

from release.confidential.exact import exact_counts
from release.confidential.inputs import open_delivery
from release.confidential.link import link
from release.policy.load import load_policy
from release.protected.exact.protect import protect_sets
from release.protected.exact.sets import table_sets

POLICY = """\
release: pay
privacy: {population: nobody}
inputs:
  people: {file: people.csv, person: pid, columns: {place: place, sex: sex}}
  pay:
    file: pay.csv
    person: pid
    columns: {pay: {column: pay, type: number}, employer: employer}
    rules: {pay: {%(range)s}}
    strangers: ignore
link: {base: people, keep: single}
dimensions:
  place: {levels: [country, region, place], codes: place.csv}
  sex: {codes: ["1", "2"]}
outcomes:
  pay: {amount: {%(amount)s}, unit: euro a month}
tables:
  pay-by-place:
    by: [%(by)s]
    of: pay
    show: [count, sum, mean]
    protection: {%(protection)s}
"""
PLACES = "region,place\nnorth,n1\nnorth,n2\nnorth,n3\nsouth,s1\nsouth,s2\nsouth,s3\n"
PAY = {
    "n1": [90, 8, 2],
    "n2": [50, 40, 30, 30],
    "n3": [20, 20, 20, 20],
    "s1": [100, 100, 100],
    "s2": [60, 50, 40, 30],
    "s3": [70, 70, 70, None],
}
"""Monthly pay by place; None: not in the register of pay. n1: 90 of 100."""


def pay_policy(folder: Path, rules: str = "p_percent: 10", **changes):
    """The policy above with other rules, range, amount, by or protection."""
    folder.mkdir(parents=True, exist_ok=True)
    said = {"range": "minimum: 0", "amount": "decimals: 0", "by": "place"}
    said["protection"] = f"suppression: {{rules: {{{rules}}}, effort: fast, insiders: nobody}}"
    (folder / "house.yaml").write_text(HOUSE)
    (folder / "place.csv").write_text(PLACES)
    (folder / "policy.yaml").write_text(POLICY % (said | changes))
    return load_policy(folder / "policy.yaml")


def people(pay=PAY, employers=None):
    """(place, sex, pay, employer) of each person; employer: by default everybody has one of his own."""
    found = []
    for place, amounts in pay.items():
        for i, amount in enumerate(amounts):
            own = f"{place}-{i}"
            found.append((place, str(1 + i % 2), amount, own if employers is None else employers.get(own, own)))
    return found


def delivered(folder: Path, persons) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "people.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("pid", "place", "sex"), *((f"p{i}", p[0], p[1]) for i, p in enumerate(persons))])
    rows = [(f"p{i}", p[2], p[3]) for i, p in enumerate(persons) if p[2] is not None]
    with (folder / "pay.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("pid", "pay", "employer"), *rows])
    return folder


def counted_sums(folder: Path, policy, persons=None):
    """(sets, their true counts): counts of persons first, then the sums."""
    data = delivered(folder / "data", people() if persons is None else persons)
    linked = link(open_delivery(policy, data), policy, secret=SECRET)
    sets = table_sets(policy)
    return sets, exact_counts(linked, sets, policy)


def protected_sums(folder: Path, policy, persons=None):
    """Every protected set: counts, then sums."""
    sets, counts = counted_sums(folder, policy, persons)
    return [protected for protected, _ in protect_sets(sets, counts, policy, secret=SECRET)]
