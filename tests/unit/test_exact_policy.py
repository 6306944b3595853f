"""Policies with exact tables: what is refused, and in which words."""

import re

import pytest
from helpers.exact_cases import EXCEPTION, HOUSE, exact_policy
from helpers.small_policy import small_policy
from helpers.small_registers import POLICY
from helpers.small_registers import small_policy as policy_of

from release.errors import PolicyError
from release.plan import make_plan
from release.plan_report import plan_report
from release.protected.exact.sets import table_sets
from release.tables import promise_of

PLAIN = "  persons: {by: [place, cohort], protection: {suppression: {rules: {minimum: 3}}}}\n"
NOISY = "  noisy: {by: [sex]}\n"


def refused(folder, tables, **options) -> str:
    with pytest.raises(PolicyError) as caught:
        exact_policy(folder, tables, **options)
    return str(caught.value)


def one(rules: str = "minimum: 3", more: str = "", table: str = "by: [place, cohort]") -> str:
    return f"  persons: {{{table}, protection: {{suppression: {{rules: {{{rules}}}{more}}}}}}}\n"


def test_a_plain_exact_table_is_accepted_and_costs_nothing(tmp_path):
    policy = exact_policy(tmp_path, PLAIN)
    plan = make_plan(policy)
    assert list(policy.exact) == ["persons"]
    assert not policy.tables
    assert plan.rho == 0
    assert plan.residuals == ()


def test_dp_is_the_default_and_may_be_said(tmp_path):
    one = exact_policy(tmp_path / "a", NOISY)
    other = exact_policy(tmp_path / "b", "  noisy: {by: [sex], protection: dp}\n")
    assert make_plan(one).digest() == make_plan(other).digest()


def test_protection_changes_nothing_of_what_is_measured(tmp_path):
    house = HOUSE + EXCEPTION
    alone = exact_policy(tmp_path / "a", NOISY)
    tables = NOISY + PLAIN.replace("protection: {", "protection: {exception: law, ")
    beside = exact_policy(tmp_path / "b", tables, house=house)
    assert make_plan(alone).digest() == make_plan(beside).digest()


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ("  t: {by: [sex], protection: exact}\n", 'there is no choice "exact" here'),
        ("  t: {by: [sex], protection: {}}\n", "no kind of protection is named"),
        (
            "  t: {by: [sex], protection: {cell-key: {}, rounding: {}}}\n",
            "the table has cell-key and rounding",
        ),
        ("  t: {by: [sex], protection: {suppresion: {}}}\n", 'did you mean "suppression"?'),
        (one("minumum: 3"), 'did you mean "minimum"?'),
        (one("zeros: false"), "no rule is named"),
        (one("zeros: true"), "`zeros` goes with `minimum`"),
        (one("minimum: 1"), "under the house's least of 3"),
        (one("minimum: 3, dominance: {n: 1, k: 80}"), "`dominance` is about sums with contributors"),
        (one("minimum: 3, p_percent: 15"), "`p_percent` is about sums"),
        (one("one_answer: true"), "`one_answer` is about an outcome"),
        (one("response_rate: 0.5"), "`response_rate` is about a survey"),
        (one("holders: {by: sexes, minimum: 2}"), 'did you mean "sex"?'),
        (one("holders: {by: place, minimum: 2}"), 'the table is by "place" itself'),
        (one("minimum: 3", ", width: 0"), "a width of less than 1"),
        (one("holders: {by: sex, minimum: 2}", ", width: to-threshold"), "there is no threshold to reach"),
        (one("minimum: 3", ", publish: [{plaice: n1}]"), 'did you mean "place"?'),
        (one("minimum: 3", ", publish: [{place: n9}]"), '"place" has no code "n9"'),
        (one("minimum: 3", ', publish: [{"place:contry": "*"}]'), 'did you mean "country"?'),
        (one("minimum: 3", ", publish: [{place: n1}], hide: [{place: n1}]"), "must be shown and must be hidden"),
        (one(table="by: []"), "one cell has nothing to hide behind"),
        (one(table="by: [place], minimum: 20"), "`minimum` is about noise"),
        (one(table="by: [place], of: pay-1, show: [p50]"), "exact tables show no percentiles"),
        (one(table="by: [place], of: match, show: [mean]"), "an exact table shows its counts"),
        ("  t: {by: [sex], protection: {cell-key: {variance: 9, largest: 2}}}\n", "have a variance of 2 at most"),
        ("  t: {by: [sex], protection: {cell-key: {forbidden: 5}}}\n", "can't get past 5"),
        ("  t: {by: [sex], protection: {rounding: {base: 1}}}\n", "base"),
    ],
)
def test_what_cant_be_meant_is_refused(tmp_path, tables, words):
    assert words in refused(tmp_path, tables)


def test_a_person_with_two_rows_cant_stand_in_an_exact_table(tmp_path):
    from helpers.small_registers import POLICY
    from helpers.small_registers import small_policy as registers_policy

    (tmp_path / "house.yaml").write_text(HOUSE)
    with pytest.raises(PolicyError, match="exact tables count each person once"):
        registers_policy(tmp_path, records=2, text=f"{POLICY.split('tables:')[0]}tables:\n{PLAIN}")


# Two tracks --------------------------------------------------------------------------------------------------------


def test_exact_cells_of_a_noisy_table_are_refused_with_the_cells(tmp_path):
    told = refused(tmp_path, '  noisy: {by: ["place:region", sex]}\n' + PLAIN)
    assert 'tells exactly what the table "noisy" tells with noise: persons by place:region' in told
    assert "void the promise" in told


def test_tables_that_share_the_total_alone_are_refused_too(tmp_path):
    assert "the number of all persons" in refused(tmp_path, NOISY + PLAIN)


def test_a_named_exception_lets_it_pass(tmp_path):
    tables = NOISY + PLAIN.replace("protection: {", "protection: {exception: law, ")
    policy = exact_policy(tmp_path, tables, house=HOUSE + EXCEPTION)
    assert (list(policy.tables), list(policy.exact)) == (["noisy"], ["persons"])


@pytest.mark.parametrize(
    ("name", "table", "words"),
    [("lawn", "persons", 'did you mean "law"?'), ("law", "others", 'isn\'t about the table "others"')],
)
def test_exceptions_are_by_name_and_by_table(tmp_path, name, table, words):
    tables = NOISY + PLAIN.replace("protection: {", f"protection: {{exception: {name}, ").replace("persons", table)
    assert words in refused(tmp_path, tables, house=HOUSE + EXCEPTION)


def test_the_house_decides_which_protections_are_allowed(tmp_path):
    house = HOUSE.replace("suppression, ", "")
    assert "doesn't allow suppression; it allows dp, cell-key, rounding" in refused(tmp_path, PLAIN, house=house)


def test_the_shipped_houses_default_is_noise_alone(tmp_path):
    assert small_policy(tmp_path).house.protections == ["dp"]


# Exact tables among themselves -------------------------------------------------------------------------------------


def test_two_protections_of_the_same_cells_are_refused(tmp_path):
    told = refused(tmp_path, PLAIN + "  other: {by: [cohort], protection: {cell-key: {}}}\n")
    assert "protected in two ways" in told


def test_linked_tables_need_the_same_effort(tmp_path):
    other = "  other: {by: [cohort], protection: {suppression: {rules: {minimum: 4}, effort: fast}}}\n"
    assert "they need the same settings" in refused(tmp_path, PLAIN + other)


def test_rules_that_hide_zeros_want_a_table_of_its_own(tmp_path):
    other = "  other: {by: [cohort], protection: {suppression: {rules: {minimum: 4, zeros: true}}}}\n"
    assert "hides empty cells too, and the table shares cells with persons" in refused(tmp_path, PLAIN + other)


def test_tables_are_grouped_by_what_they_share(tmp_path):
    tables = (
        PLAIN
        + "  years: {by: [cohort, sex], protection: {suppression: {rules: {minimum: 3}}}}\n"
        + "  work: {by: [], of: activity-1, protection: {suppression: {rules: {minimum: 3}}}}\n"
    )
    sets = table_sets(exact_policy(tmp_path, tables))
    assert [list(one.tables) for one in sets] == [["persons", "years"], ["work"]]
    assert sets[0].finest == {"place": 2, "cohort": 1, "sex": 1}


def test_codes_are_told_apart_over_the_levels(tmp_path):
    policy = exact_policy(tmp_path, "  work: {by: [sex], of: activity-1, protection: {cell-key: {}}}\n")
    codes = [code for level in table_sets(policy)[0].codes["activity-1"] for code in level]
    assert len(set(codes)) == len(codes)
    assert {"not-found", "status:not-found"} <= set(codes)


# No budget where nothing is spent ----------------------------------------------------------------------------------


def without_budget(folder, tables, privacy="{population: people}"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "house.yaml").write_text(HOUSE)
    text = re.sub(r"^privacy: .*$", f"privacy: {privacy}", POLICY.split("tables:")[0], flags=re.MULTILINE)
    return policy_of(folder, text=f"{text}tables:\n{tables}")


def test_exact_tables_alone_need_no_budget(tmp_path):
    policy = without_budget(tmp_path, PLAIN)
    assert make_plan(policy).rho == 0
    assert plan_report(make_plan(policy), policy).delta == 0
    assert promise_of(policy, make_plan(policy).rho).facts()["rho"] == "0"


def test_a_noisy_table_needs_a_budget_all_the_same(tmp_path):
    with pytest.raises(PolicyError) as refused:
        without_budget(tmp_path, NOISY)
    assert 'the key "rho" is missing: a table is noisy' in str(refused.value)
    assert 'the key "delta" is missing: a table is noisy' in str(refused.value)


def test_a_budget_that_stands_there_is_still_read(tmp_path):
    with pytest.raises(PolicyError, match="above the house's ceiling"):
        without_budget(tmp_path / "a", PLAIN, '{population: people, rho: "9", delta: "1e-9"}')
    with pytest.raises(PolicyError, match="quoted text"):
        without_budget(tmp_path / "b", PLAIN, "{population: people, rho: 0.5}")
    with pytest.raises(PolicyError, match='did you mean "rho"'):
        without_budget(tmp_path / "c", PLAIN, '{population: people, rhoo: "1/2"}')
