"""The slow, obvious twin of linking and counting: plain Python, to be believed by reading.

A register is a list of rows; a row is a dict with "person" and the roles. It shares no code with release.confidential.
"""

from collections import Counter

Register = list[dict]


def plain_link(policy, registers: dict[str, Register]) -> list[dict[str, str]]:
    """One dict per linked row: attribute -> code of its leaf."""
    link = policy.document.link
    order = {"highest-then-latest": [link.highest, link.latest], "latest": [link.latest], "single": []}[link.keep]
    base = registers[link.base]
    linked = []
    for person in {row["person"] for row in base}:
        rows = best_first([row for row in base if row["person"] == person], [(role, "highest") for role in order])
        for row in without_copies(rows)[: policy.document.privacy.records_per_person]:
            linked.append(coded(policy, registers, row))
    return linked


def best_first(rows: Register, order: list[tuple[str, str]]) -> Register:
    """By the roles asked for, then by all others from low to high; a missing value is below all."""
    for role in sorted(rows[0], reverse=True) if rows else []:
        rows = sorted(rows, key=lambda row: below_all(row[role]))
    for role, which in reversed(order):
        rows = sorted(rows, key=lambda row: below_all(row[role]), reverse=which == "highest")
    return rows


def below_all(value):
    return (value is not None, value)


def without_copies(rows: Register) -> Register:
    return [row for i, row in enumerate(rows) if row not in rows[:i]]


def coded(policy, registers, row) -> dict[str, str]:
    """Every attribute's code for one row of the base."""
    codes = {}
    for name, said in policy.document.dimensions.items():
        codes[name] = in_list(policy, name, said, row[said.from_ or name]) or said.unknown
    for name in policy.document.outcomes:
        codes[name] = outcome_code(policy, registers, row, name)
    for name, said in policy.document.outcomes.items():
        if not all(under(policy, other, codes[other], wanted) for other, wanted in said.only_if.items()):
            codes[name] = "not-applicable"
    return codes


def under(policy, name, code, wanted) -> bool:
    """Whether a leaf is, or lies under, one of the wanted codes."""
    attribute = policy.attributes[name]
    path = {code}
    for level in range(attribute.depth, 0, -1):
        code = attribute.levels[level - 1].codes[attribute.levels[level].parent[attribute.levels[level].index[code]]]
        path.add(code)
    return bool(path & set(wanted))


def outcome_code(policy, registers, row, name) -> str:
    said = policy.document.outcomes[name]
    source, role = said.from_.split(".")
    declared = policy.document.inputs[source]
    time = policy.document.inputs[policy.document.link.base].time
    known = declared.periods
    if said.after is not None and known and not known.first <= row[time] + said.after <= known.last:
        return "not-applicable"
    rows = [r for r in registers[source] if r["person"] == row["person"]]
    if source == policy.document.link.base:
        rows = [row]
    if said.after is not None:
        rows = [r for r in rows if r[declared.time] == row[time] + said.after]
    if declared.repeated != "refuse":
        which, role_ranked = declared.repeated.split()
        rows = best_first(rows, [(role_ranked, which)])
    value = obeying(declared.rules.get(role), rows[0][role]) if rows else None
    if value is None:
        return "no-answer" if said.no_answer else "not-found"
    return in_bin(policy.attributes[name], value) if said.bins else in_list(policy, name, said, value) or said.unknown


def obeying(rule, value):
    low, high = (rule.minimum, rule.maximum) if rule else (None, None)
    inside = value is None or ((low is None or value >= low) and (high is None or value <= high))
    return value if inside else None


def in_list(policy, name, said, value) -> str | None:
    code = policy.replace.get(name, {}).get(str(value), str(value))
    return code if code in policy.attributes[name].leaves.codes else None


def in_bin(attribute, value) -> str:
    """Bins hold their lower edge and not their upper one."""
    reached = 0
    for edge in attribute.edges:
        if value >= edge:
            reached += 1
    return attribute.leaves.codes[reached]


def plain_count(linked: list[dict[str, str]], combination, attributes) -> Counter:
    """Rows per tuple of node indices; what isn't there is 0."""
    counts = Counter()
    for row in linked:
        counts[tuple(node(attributes[name], row[name], level) for name, level in combination)] += 1
    return counts


def node(attribute, code, level) -> int:
    index = attribute.leaves.index[code]
    for finer in range(attribute.depth, level, -1):
        index = int(attribute.levels[finer].parent[index])
    return index
