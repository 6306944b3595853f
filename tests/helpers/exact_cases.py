"""Small policies with exact tables, random registers for them, and the way from there to protected sets."""

from pathlib import Path

import numpy as np
from helpers.small_registers import POLICY, deliver, small_policy

from release.confidential.exact import exact_counts
from release.confidential.inputs import open_delivery
from release.confidential.link import link
from release.protected.exact.protect import protect_set
from release.protected.exact.sets import table_sets

SECRET = bytes(range(32))
EXCEPTION = "exceptions: {law: {tables: [persons], reason: The law names it., approved_by: director}}\n"
HOUSE = """\
office: {en: Office}
largest_rho: "2"
largest_delta: "1e-6"
smallest_below: 5
largest_relative_error: 0.5
protections: [dp, suppression, cell-key, rounding]
may_grant: [director]
"""


def exact_policy(folder: Path, tables: str, *, house: str = HOUSE, more: str = ""):
    """The small policy with other tables; `tables` is YAML under the key."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "house.yaml").write_text(house)
    return small_policy(folder, text=f"{POLICY.split('tables:')[0]}tables:\n{tables}{more}")


def random_registers(number: int = 60, seed: int = 3):
    """Persons with places, years, sexes, activities and answers, drawn at random; skewed, so that cells are small."""
    random = np.random.default_rng(seed)
    people = [f"p{i}" for i in range(number)]
    degrees = [
        {
            "person": p,
            "place": str(random.choice(["n1", "n2", "s1"], p=[0.6, 0.3, 0.1])),
            "cohort": int(random.choice([2019, 2020, 2021], p=[0.5, 0.35, 0.15])),
            "sex": str(random.choice(["1", "2"])),
            "rank": 1,
            "grade": int(random.choice([1, 2])),
        }
        for p in people
    ]
    activity = [
        {"person": p, "year": d["cohort"] + 1, "activity": str(random.choice(["w1", "w2", "i1"])), "batch": 1}
        for p, d in zip(people, degrees, strict=True)
    ]
    answers = [{"person": p, "match": int(random.integers(1, 4))} for p in people if random.random() < 0.5]
    return {"degrees": degrees, "activity": activity, "survey": answers}


def counted_sets(tmp_path: Path, policy, registers=None):
    """(set, its true counts) for every exact set of a policy."""
    data = random_registers() if registers is None else registers
    linked = link(open_delivery(policy, deliver(tmp_path / "data", policy, data)), policy, secret=SECRET)
    sets = table_sets(policy)
    return list(zip(sets, exact_counts(linked, sets, policy), strict=True))


def protected_sets(tmp_path: Path, policy, registers=None):
    """Every exact set of a policy, protected, with its true counts."""
    return [
        (protect_set(tables, counts, policy, secret=SECRET)[0], counts)
        for tables, counts in counted_sets(tmp_path, policy, registers)
    ]
