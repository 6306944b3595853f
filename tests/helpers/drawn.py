"""Registers and expectations drawn as small tables of text, for tests that a statistician reviews."""

from collections.abc import Mapping

from helpers.small_registers import counted


def drawn(text: str) -> list[dict]:
    """Rows of a table such as

    person | cohort | rank
    -------+--------+-----
         1 |   2019 |    2

    Whole numbers become integers, other numbers floats; an empty field is missing. Persons and codes stay text.
    """
    lines = [line for line in text.splitlines() if line.strip() and not set(line.strip()) <= set("-+")]
    names, *rows = [[field.strip() for field in line.split("|")] for line in lines]
    return [dict(zip(names, [value(n, f) for n, f in zip(names, row, strict=True)], strict=True)) for row in rows]


TEXTS = ("person", "place", "sex", "activity")


def value(name: str, field: str):
    if not field:
        return None
    if name in TEXTS:
        return field
    return float(field) if "." in field else int(field)


GRADUATE = {"place": "n1", "cohort": 2019, "sex": "1", "rank": 1, "grade": 1}
FURTHER = {"activity": {"batch": 1}, "pay": {}, "survey": {}}


def spec(policy, folder, *, expect: Mapping[str, Mapping[str, int]], **registers: str) -> None:
    """Counts of the drawn registers are as expected: attribute (or attribute:level) -> code -> persons; others none.

    Roles that aren't drawn take an ordinary value.
    """
    rows = {"degrees": [GRADUATE | row for row in drawn(registers.pop("degrees"))]}
    rows |= {name: [FURTHER[name] | row for row in drawn(text)] for name, text in registers.items()}
    counts = counted(policy, folder, rows)
    for reference, expected in expect.items():
        (pair,) = policy.combination([reference])
        codes = policy.attributes[pair[0]].levels[pair[1]].codes
        found = dict(zip(codes, counts.tables[(pair,)].tolist(), strict=True))
        assert {code: persons for code, persons in found.items() if persons} == expected, reference
