"""Amounts beside the linked rows: whose they are, rounded one by one, and none where the outcome doesn't arise."""

import re

import numpy as np
import pyarrow.parquet as pq
from helpers.exact_cases import HOUSE, SECRET, exact_policy, random_registers
from helpers.small_registers import POLICY, deliver, small_policy

from release.confidential.exact import exact_counts
from release.confidential.inputs import open_delivery
from release.confidential.link import link, read_linked
from release.protected.exact.sets import table_sets

TABLES = """\
  pay:
    by: ["place:region", cohort]
    of: pay-1
    show: [count, sum]
    protection: {suppression: {rules: {contributors: 3}}}
"""
AMOUNT = "pay-1: {from: pay.pay, after: 1, only_if: {activity-1: [work]}, amount: {decimals: 1}}"


def policy_of(folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "house.yaml").write_text(HOUSE)
    outcomes = re.sub(r"pay-1: \{.*\}", AMOUNT, POLICY.split("tables:")[0])
    return small_policy(folder, text=f"{outcomes}tables:\n{TABLES}")


def registers():
    """Pay of some persons one year after, some in another year, some without work, some with more than one decimal."""
    found = random_registers(80, seed=5)
    random = np.random.default_rng(6)
    rows = [
        {"person": d["person"], "year": d["cohort"] + int(random.integers(1, 3)), "pay": round(float(pay), 2)}
        for d, pay in zip(found["degrees"], random.lognormal(3, 1, 80), strict=True)
        if random.random() < 0.8
    ]
    return found | {"pay": rows}


def by_hand(data):
    """(region, cohort) -> amounts in tenths of those who work one year after and have pay then."""
    work = {(row["person"], row["year"]) for row in data["activity"] if row["activity"] in ("w1", "w2")}
    pay = {(row["person"], row["year"]): row["pay"] for row in data["pay"]}
    found: dict[tuple[str, str], list[int]] = {}
    for degree in data["degrees"]:
        when = (degree["person"], degree["cohort"] + 1)
        if when in work and when in pay and degree["cohort"] + 1 <= 2022:
            region = "south" if degree["place"] == "s1" else "north"
            tenths = int(np.floor(pay[when] * 10.0 + 0.5))
            found.setdefault((region, str(degree["cohort"])), []).append(tenths)
    return found


def counted(linked, policy):
    """(region, cohort) -> persons, and amounts by the finest combination."""
    sets = table_sets(policy)
    counts = exact_counts(linked, sets, policy)[-1]
    regions, cohorts = (sets[-1].codes[name][-1] for name in ("place", "cohort"))
    names = [
        (regions[p], cohorts[c])
        for p, c in zip(counts.nodes["place"].tolist(), counts.nodes["cohort"].tolist(), strict=True)
    ]
    combination, _, amount = counts.amounts.contributions
    return dict(zip(names, counts.persons.tolist(), strict=True)), {
        name: sorted(amount[combination == i].tolist()) for i, name in enumerate(names)
    }


def test_amounts_are_those_that_a_slow_loop_finds(tmp_path):
    policy, data = policy_of(tmp_path / "policy"), registers()
    linked = link(open_delivery(policy, deliver(tmp_path / "data", policy, data)), policy, secret=SECRET)
    persons, amounts = counted(linked, policy)
    expected = by_hand(data)
    assert amounts == {name: sorted(values) for name, values in expected.items()}
    assert persons == {name: len(values) for name, values in expected.items()}


def test_the_order_of_rows_and_a_save_between_make_no_difference(tmp_path):
    policy, data = policy_of(tmp_path / "policy"), registers()
    linked = link(open_delivery(policy, deliver(tmp_path / "data", policy, data)), policy, secret=SECRET)
    linked.save(tmp_path / "linked.parquet")
    turned = {name: rows[::-1] for name, rows in data.items()}
    other = link(open_delivery(policy, deliver(tmp_path / "turned", policy, turned)), policy, secret=SECRET)
    sets = table_sets(policy)
    one, two, three = (
        exact_counts(rows, sets, policy)[-1].amounts
        for rows in (linked, other, read_linked(tmp_path / "linked.parquet"))
    )
    for key in ("sums", "absolute", "largest", "contributors", "sole"):
        assert (getattr(one, key) == getattr(two, key)).all()
        assert (getattr(one, key) == getattr(three, key)).all()


def test_rows_keep_no_amount_that_no_table_adds_up(tmp_path):
    policy = exact_policy(tmp_path / "policy", "  t: {by: [place], protection: {suppression: {rules: {minimum: 3}}}}\n")
    linked = link(open_delivery(policy, deliver(tmp_path / "data", policy, registers())), policy, secret=SECRET)
    linked.save(tmp_path / "linked.parquet")
    assert not any("amount" in name for name in pq.read_schema(tmp_path / "linked.parquet").names)
