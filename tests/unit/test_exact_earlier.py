"""Earlier releases: what they showed stays shown, what they hid stays hidden, or the release is refused."""

import shutil

import pytest
from helpers.exact_cases import exact_policy, protected_sets, random_registers

from release.audit.exact import earlier_objections
from release.errors import DataError, PolicyError
from release.policy import load_policy
from release.protected.exact.protected import objections, view_of
from release.protected.suppression.attack import attack
from release.published.exact_files import write_exact

FIRST = "  persons: {by: [place, cohort], protection: {suppression: {rules: {minimum: 5}, effort: fast}}}\n"
AGAIN = FIRST.replace("persons", "again").replace("effort: fast", "effort: fast, cost: count")
LINKED = '  more: {by: ["place:region", sex], protection: {suppression: {rules: {minimum: 5}, effort: fast}}}\n'
NAMED = "earlier: [first/public]\n"


@pytest.fixture
def first(tmp_path):
    """An earlier release's public folder, below the folder of the next policy."""
    public = tmp_path / "policy" / "first" / "public"
    policy = exact_policy(public, FIRST)
    ((protected, _),) = protected_sets(tmp_path / "1", prepared(tmp_path / "1", policy))
    write_exact([protected], public)
    return public, protected


def prepared(folder, policy):
    folder.mkdir()
    return policy


def second(tmp_path, tables, registers=None):
    policy = exact_policy(tmp_path / "policy", tables, more=NAMED)
    return policy, protected_sets(tmp_path, policy, registers)


def by_key(protected):
    names = list(protected.tables.finest)
    codes = [protected.tables.hierarchies[name][0].codes for name in names]
    for i, row in enumerate(protected.cells):
        key = {n: c[k] for n, c, k in zip(names, codes, row, strict=True) if k}
        yield tuple(sorted(key.items())), (int(protected.values[i]), bool(protected.hidden[i]))


def test_shown_stays_shown_and_hidden_stays_hidden(tmp_path, first):
    _, ((again, _),) = second(tmp_path, AGAIN)
    assert dict(by_key(again)) == dict(by_key(first[1]))


def test_linked_tables_are_safe_together_with_the_earlier_ones(tmp_path, first):
    _, ((protected, _),) = second(tmp_path, LINKED)
    assert list(protected.tables.before) == ["first/public/persons"]
    cells, before = dict(by_key(protected)), dict(by_key(first[1]))
    assert all(cells[key] == told for key, told in before.items())
    assert list(objections(protected)) == []
    found = attack(view_of(protected))
    assert (found.upper - found.lower >= 1)[protected.hidden].all()


def test_a_stricter_rule_is_refused_with_the_reason(tmp_path, first):
    with pytest.raises(PolicyError, match="must be hidden: fewer than 9 persons"):
        second(tmp_path, AGAIN.replace("minimum: 5", "minimum: 9"))


def test_other_code_lists_are_refused(tmp_path, first):
    folder = tmp_path / "policy"
    exact_policy(folder, AGAIN)
    text = (folder / "place.csv").read_text()
    (folder / "place.csv").write_text(text + "south,s2\n")
    (folder / "policy.yaml").write_text((folder / "policy.yaml").read_text() + NAMED)
    with pytest.raises(PolicyError, match='knows "place" by other codes'):
        load_policy(folder / "policy.yaml")


def test_figures_of_another_delivery_are_refused(tmp_path, first):
    with pytest.raises(DataError, match="shows other figures"):
        second(tmp_path, AGAIN, random_registers(seed=8))


def test_another_protection_of_the_same_cells_is_refused(tmp_path, first):
    with pytest.raises(PolicyError, match="protected in another way"):
        second(tmp_path, "  t: {by: [cohort], protection: {cell-key: {}}}\n")


def test_a_folder_that_isnt_there_is_told(tmp_path):
    with pytest.raises(PolicyError, match='no public folder of a release at "first/public"'):
        exact_policy(tmp_path / "policy", AGAIN, more=NAMED)


def test_the_audit_compares_with_the_earlier_release(tmp_path, first):
    policy, ((again, _),) = second(tmp_path, AGAIN)
    public = tmp_path / "policy"
    write_exact([again], public)
    assert list(earlier_objections(public, policy)) == []
    alone = exact_policy(tmp_path / "alone", AGAIN.replace("minimum: 5", "minimum: 3"))
    ((other, _),) = protected_sets(tmp_path / "alone", alone)
    shutil.rmtree(public / "exact")
    write_exact([other], public)
    assert any(
        "earlier release hides" in told or "other figures" in told for told in earlier_objections(public, policy)
    )
