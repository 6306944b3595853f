"""Sums of pay in exact tables: which cells rules hide, what is published, and what is refused; all judged by hand."""

import numpy as np
import pytest
from helpers.exact_cases import exact_policy
from helpers.pay_cases import PAY, counted_sums, pay_policy, people, protected_sums

from release.audit.exact import figure_objections
from release.errors import DataError, PolicyError, VerificationError
from release.protected.exact import protect as stage
from release.protected.exact.cells import true_cells
from release.protected.exact.judged import judged
from release.protected.exact.protect import check_set
from release.protected.exact.protected import Protected, objections, sealed, system_of, view_of
from release.protected.exact.reading import read_exact
from release.protected.exact.tables import exact_tables
from release.protected.suppression.attack import attack
from release.protected.suppression.judged_unions import no_unions
from release.protected.suppression.protect import protect
from release.published.exact_files import write_exact

title = "Sums in exact tables"


def figures(protected, policy):
    """(place, statistic) -> value, None where hidden; of all persons whose pay is known or not."""
    cells = exact_tables(protected, policy)["pay-by-place"].cells
    rows = cells[cells["pay"] == "all"]
    return {(r.place, r.statistic): r.value if r.status == "shown" else None for r in rows.itertuples()}


def unsafe(tmp_path, rules, persons=None, **changes):
    """Places whose sums the rules hide by themselves."""
    policy = pay_policy(tmp_path / "policy", rules, **changes)
    sets, counts = counted_sums(tmp_path, policy, persons)
    cells = true_cells(sets[1], counts[1])
    from release.protected.exact.earlier import nothing_before

    found = judged(cells, policy.exact, nothing_before(len(cells.values)))
    names = np.array(cells.system.codes[0], dtype=object)[cells.system.cells[:, 0]]
    return sorted(names[found.primary])


# Which cells -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "places"),
    [
        # n1: 90, 8, 2. The second knows 8: the first is at most 92, and 99 is asked for.
        ("p_percent: 10", ["n1"]),
        # rest / largest: n1 2/90, s1 100/100, s3 70/70, n2 60/50, s2 70/60, n3 40/20.
        ("p_percent: 99", ["n1"]),
        # largest / sum: n1 90 %, s1 33.3 %, s3 33.3 %, n2 33.3 %, s2 33.3 %, n3 25 %.
        ("dominance: {n: 1, k: 34}", ["n1"]),
        ("dominance: {n: 1, k: 33}", ["n1", "n2", "s1", "s2", "s3"]),
        # two largest: n1 98 %, s1 66.7, s3 66.7, n2 60, s2 61.1, n3 50.
        ("dominance: {n: 2, k: 65}", ["n1", "s1", "s3"]),
        # q/p = 2: rest 2 against 90; s1 100 against 100/2.
        ("prior_posterior: {p: 10, q: 20}", ["n1"]),
        # n1 and s1 have three; s3 has three whose pay is known, of four persons.
        ("contributors: 4", ["n1", "s1", "s3"]),
        ("minimum: 4", ["n1", "s1", "s3"]),
        ("minimum: 4, p_percent: 10", ["n1", "s1", "s3"]),
    ],
)
def test_rules_hide_what_a_statistician_finds_by_hand(tmp_path, rules, places):
    assert unsafe(tmp_path, rules) == places


def test_persons_of_one_employer_are_one_contributor(tmp_path):
    """n2: 50 + 40 of one employer, 30 and 30 of others: three, and the largest holds 60 %."""
    shared = people(employers={"n2-0": "big", "n2-1": "big"})
    held = {"amount": "decimals: 0, contributor: employer"}
    assert unsafe(tmp_path / "a", "dominance: {n: 1, k: 50}", shared) == ["n1"]
    assert unsafe(tmp_path / "b", "dominance: {n: 1, k: 50}", shared, **held) == ["n1", "n2"]
    assert unsafe(tmp_path / "c", "contributors: 4", shared, **held) == ["n1", "n2", "s1", "s3"]


# What is published -------------------------------------------------------------------------------------------------


@pytest.fixture
def done(tmp_path):
    policy = pay_policy(tmp_path / "policy")
    return policy, protected_sums(tmp_path, policy)


def test_sums_and_means_are_shown_where_both_are_safe(done):
    """Hidden with n1 is n3, the cheapest in its region from which n1 may be 9 - 2 = 7 higher for all readers know."""
    policy, protected = done
    found = figures(protected, policy)
    sums = {place: value for (place, statistic), value in found.items() if statistic == "sum"}
    assert sums == {
        **{place: float(sum(x or 0 for x in pay)) for place, pay in PAY.items()},
        **{"n1": None, "n3": None, "north": 330.0, "south": 690.0, "all": 1020.0},
    }
    means = {place: value for (place, statistic), value in found.items() if statistic == "mean"}
    assert means["n2"] == 37.5
    assert means["s3"] == 70.0
    assert means["n1"] is None
    assert means["n3"] is None
    assert found["n1", "count"] == 3


def test_counts_and_sums_are_different_figures(tmp_path):
    """minimum: 4 hides one person without a pay in s3, and with it other counts; the mean needs both."""
    policy = pay_policy(tmp_path / "policy", "minimum: 4, p_percent: 10")
    cells = exact_tables(protected_sums(tmp_path, policy), policy)["pay-by-place"].cells
    status = {(r.place, r.pay, r.statistic): r.status for r in cells.itertuples()}
    places = sorted({place for place, _, _ in status})
    for place in places:
        both = {status[place, "all", "sum"], status[place, "reported", "count"]}
        assert status[place, "all", "mean"] == ("shown" if both == {"shown"} else "suppressed")
    sums = {p: status[p, "all", "sum"] for p in places}
    assert sums != {p: status[p, "reported", "count"] for p in places}


def test_nobody_works_out_a_hidden_sum(tmp_path):
    policy = pay_policy(tmp_path / "policy", "p_percent: 10, contributors: 4", by="place, sex")
    _, sums = protected_sums(tmp_path, policy)
    assert sums.hidden.any()
    assert list(objections(sums)) == []
    found = attack(view_of(sums), exact=True)
    assert (found.upper - found.lower >= 1)[sums.hidden].all()


def test_readers_cant_rule_out_what_the_rule_asks_for(tmp_path):
    """The highest that each cell which p % hides can be, by the attacker: so high that the rule would hold."""
    policy = pay_policy(tmp_path / "policy", "p_percent: 60", by="place, sex")
    _, counts = counted_sums(tmp_path, policy)
    sums = protected_sums(tmp_path / "again", policy)[1]
    largest, true = counts[1].amounts.largest, counts[1].amounts.sums
    short = np.ceil(0.6 * largest[:, 0]) - (true - largest[:, :2].sum(axis=1))
    found = attack(view_of(sums), exact=True)
    assert (short > 0).any()
    assert (found.upper - true >= short)[short > 0].all()
    assert (sums.hidden[short > 0]).all()


def test_without_the_inner_check_and_its_engine_it_isnt_published(tmp_path, monkeypatch):
    """n1 may be 7 higher only if what is hidden with it holds 7; a pattern that doesn't ask for that is refused."""
    small = people(PAY | {"n3": [1, 1, 1, 1]})
    policy = pay_policy(tmp_path / "policy")
    assert figures(protected_sums(tmp_path / "good", policy, small), policy)["n2", "sum"] is None
    monkeypatch.setattr(stage, "judge_of_unions", judge_of_nothing)
    monkeypatch.setattr(stage, "protect_upwards", lambda question, _, *, effort: protect(question, effort=effort))
    with pytest.raises(VerificationError, match="estimated too closely from above"):
        protected_sums(tmp_path / "bad", policy, small)


def judge_of_nothing(*_):
    """Nothing that hidden sums come to together is judged."""
    return lambda _: no_unions()


def test_what_hidden_sums_come_to_together_is_judged_too(tmp_path, monkeypatch):
    """big pays 90 in n1 and all of n3. Both are hidden, but north less n2 is their sum: 180, of which big has 170.

    So n2 is hidden as well. What is left, north, is 330: big has 170, the second 50, and 110 are left.
    """
    shared = people(employers={"n1-0": "big", **{f"n3-{i}": "big" for i in range(4)}})
    policy = pay_policy(tmp_path / "policy", amount="decimals: 0, contributor: employer")
    assert hidden_sums(protected_sums(tmp_path / "a", policy, shared), policy) == ["n1", "n2", "n3"]
    monkeypatch.setattr(stage, "judge_of_unions", judge_of_nothing)
    assert hidden_sums(protected_sums(tmp_path / "b", policy, shared), policy) == ["n1", "n3"]


def hidden_sums(protected, policy):
    found = figures(protected, policy)
    return sorted(place for (place, statistic), value in found.items() if statistic == "sum" and value is None)


def test_cents_are_whole_numbers_inside_and_euros_outside(tmp_path):
    policy = pay_policy(tmp_path / "policy", amount="decimals: 2")
    cents = people({place: [None if x is None else x + 0.25 for x in pay] for place, pay in PAY.items()})
    protected = protected_sums(tmp_path, policy, cents)
    assert figures(protected, policy)["s1", "sum"] == 300.75
    root = np.flatnonzero((protected[1].cells == 0).all(axis=1))
    assert protected[1].values[root].tolist() == [102525]


def test_what_is_written_is_read_back_and_a_changed_sum_is_noticed(done, tmp_path):
    policy, protected = done
    write_exact(protected, tmp_path)
    again = read_exact(tmp_path, policy)
    assert [one.tables.name for one in again] == ["pay-by-place", "pay-by-place.sums"]
    assert all((one.values == other.values).all() for one, other in zip(again, protected, strict=True))
    assert (view_of(again[1]).lower == view_of(protected[1]).lower).all()
    assert [fault for one in again for fault in objections(one)] == []
    shown = int(np.flatnonzero(again[1].values > 0)[-1])
    values = again[1].values.copy()
    values[shown] += 1
    changed = sealed(again[1].tables, again[1].cells, values, how="", proof=again[1].proof)
    assert list(objections(changed)) != []


def test_a_writer_takes_no_true_sum(done, tmp_path):
    policy, protected = done
    sets, counts = counted_sums(tmp_path / "again", policy)
    with pytest.raises(TypeError, match="protected sets only"):
        write_exact([true_cells(sets[1], counts[1])], tmp_path)
    with pytest.raises(TypeError):
        Protected(sets[1], protected[1].cells, counts[1].amounts.sums, "", None, object())
    assert "102" not in repr(counts[1])
    assert "102" not in repr(counts[1].amounts)


def test_what_everybody_knows_of_amounts_is_counted_in(tmp_path):
    """Nobody earns less than 2 or more than 150: a hidden sum of three persons lies between 6 and 450."""
    policy = pay_policy(tmp_path / "policy", range="minimum: 2, maximum: 150")
    sums = protected_sums(tmp_path, policy)[1]
    view = view_of(sums)
    names = np.array(system_of(sums).codes[0], dtype=object)[sums.cells[:, 0]]
    bounds = {str(n): (int(view.lower[i]), int(view.upper[i])) for i, n in enumerate(names) if sums.hidden[i]}
    assert bounds == {"n1": (6, 450), "n3": (8, 600)}


# Cell keys ---------------------------------------------------------------------------------------------------------

KEYS = {"protection": 'cell-key: {variance: 1.0, largest: 2, sums: {shares: ["1/10", "1/20"]}}'}


def test_sums_by_cell_keys_change_by_shares_of_the_largest(tmp_path):
    policy = pay_policy(tmp_path / "policy", by="place, sex", **KEYS)
    sets, counts = counted_sums(tmp_path, policy)
    protected = protected_sums(tmp_path / "again", policy)
    assert [one.tables.kind for one in protected] == ["cell-key", "cell-key"]
    true = true_cells(sets[1], counts[1])
    place = {tuple(cell): i for i, cell in enumerate(true.system.cells.tolist())}
    at = [place[tuple(cell)] for cell in protected[1].cells.tolist()]
    allowed = counts[1].amounts.largest[at] @ [0.1, 0.05] + 1
    change = np.abs(protected[1].values - true.values[at])
    assert (change <= allowed).all()
    assert change.any()
    cells = exact_tables(protected, policy)["pay-by-place"].cells
    assert cells.loc[cells["statistic"] == "sum", ["lower", "upper", "standard_error"]].isna().all(axis=None)


def test_a_sum_is_shown_only_where_its_changed_count_is(tmp_path):
    """A sum beside a count that became 0 would tell that somebody is there, and nearly what he has."""
    lone = people({f"n{i}": [10 * i] for i in (1, 2, 3)} | {f"s{i}": [5 * i, 7] for i in (1, 2, 3)})
    policy = pay_policy(tmp_path / "policy", **KEYS)
    protected = protected_sums(tmp_path, policy, lone)
    cells = exact_tables(protected, policy)["pay-by-place"].cells
    value = {(r.place, r.pay, r.statistic): r.value for r in cells.itertuples()}
    gone = [place for place in ("n1", "n2", "n3") if value[place, "reported", "count"] == 0]
    assert gone
    assert all(value[place, "all", "sum"] == 0 for place in gone)
    assert not any((place, "all", "mean") in value for place in gone)


def test_changed_sums_are_written_and_read_back(tmp_path):
    policy = pay_policy(tmp_path / "policy", by="place, sex", **KEYS)
    protected = protected_sums(tmp_path, policy)
    write_exact(protected, tmp_path)
    again = read_exact(tmp_path, policy)
    assert all((one.values == other.values).all() for one, other in zip(again, protected, strict=True))
    assert list(figure_objections(tmp_path, policy)) == []


# What is refused ---------------------------------------------------------------------------------------------------


def refused(tmp_path, rules="p_percent: 10", **changes) -> str:
    with pytest.raises(PolicyError) as problem:
        pay_policy(tmp_path / "policy", rules, **changes)
    return str(problem.value)


@pytest.mark.parametrize(
    ("rules", "changes", "words"),
    [
        ("respondents: 3", {}, "no rule is about the sums"),
        ("p_percent: 10, minimum: 3, zeros: true", {}, "a sum over nobody is 0 to everybody"),
        ("p_percent: 10", {"range": "minimum: -5"}, "no meaning for negative amounts"),
        ("p_percent: 10", {"range": "maximum: 5"}, 'the least that "pay" can be isn\'t declared'),
        ("p_percent: 10", {"amount": "contributor: emploier"}, 'did you mean "employer"?'),
        ("p_percent: 10", {"amount": "decimal: 2"}, 'did you mean "decimals"?'),
        ("p_percent: 10", {"protection": "cell-key: {}"}, "it isn't said how sums change"),
        (
            "p_percent: 10",
            {"protection": 'cell-key: {sums: {shares: ["3/2"]}}'},
            "no contribution changes by more than itself",
        ),
        (
            "p_percent: 10",
            {"protection": 'cell-key: {sums: {shares: ["1/10"], steps: 50, spread: 0.7}}'},
            "can't be spread so far",
        ),
        ("p_percent: 10", {"protection": "rounding: {}"}, "rounding is about numbers of persons"),
        ("p_percent: 10", {"by": ""}, "an exact table of one sum has nothing to hide behind"),
    ],
)
def test_policies_that_cant_be_meant(tmp_path, rules, changes, words):
    assert words in refused(tmp_path, rules, **changes)


def test_sums_in_tables_and_outcomes_that_have_none(tmp_path):
    with pytest.raises(PolicyError, match='"sum" needs an outcome with an amount'):
        exact_policy(
            tmp_path,
            "  t: {by: [place], of: match, show: [count, sum], protection: {suppression: {rules: {minimum: 3}}}}\n",
        )
    with pytest.raises(PolicyError, match="`dominance` is about sums with contributors, and the table shows counts"):
        exact_policy(tmp_path, "  t: {by: [place], protection: {suppression: {rules: {dominance: {n: 1, k: 80}}}}}\n")


def test_a_mean_needs_its_sum_and_noisy_tables_show_neither(tmp_path):
    folder = tmp_path / "policy"
    pay_policy(folder)
    text = (folder / "policy.yaml").read_text()
    from release.policy.load import load_policy

    (folder / "policy.yaml").write_text(text.replace("show: [count, sum, mean]", "show: [count, mean]"))
    with pytest.raises(PolicyError, match="add sum to show"):
        load_policy(folder / "policy.yaml")
    noisy = text[: text.index("    protection:")].replace(
        "{population: nobody}", '{population: n, rho: "1", delta: "1e-9"}'
    )
    (folder / "policy.yaml").write_text(noisy)
    with pytest.raises(PolicyError, match="shown by exact tables only"):
        load_policy(folder / "policy.yaml")


def test_amounts_without_a_contributor_are_refused(tmp_path):
    policy = pay_policy(tmp_path / "policy", "dominance: {n: 1, k: 80}", amount="contributor: employer")
    with pytest.raises(DataError, match="have no contributor") as problem:
        protected_sums(tmp_path, policy, people(employers={"n1-0": ""}))
    assert "n1" not in str(problem.value)


def test_negative_amounts_are_refused_where_a_rule_has_no_meaning_for_them(tmp_path):
    policy = pay_policy(tmp_path / "policy", "contributors: 4", range="minimum: -50")
    losses = people(PAY | {"n2": [50, -40, 30, 30]})
    protected = protected_sums(tmp_path / "a", policy, losses)
    write_exact(protected, tmp_path)
    sums = read_exact(tmp_path, policy)[1]
    assert (sums.proof.certificate.tables < 0).any()
    assert list(objections(sums)) == []
    strict = pay_policy(tmp_path / "strict")
    sets, counts = counted_sums(tmp_path / "b", policy, losses)
    with pytest.raises(DataError, match="negative contributions"):
        check_set(sets[1], counts[1], strict)
