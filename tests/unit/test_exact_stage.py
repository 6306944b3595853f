"""From true counts to protected sets and safe tables: nothing hidden can be worked out, all that is shown is true."""

import json
from dataclasses import replace

import numpy as np
import pytest
from helpers.exact_cases import exact_policy, protected_sets

from release.errors import DataError, PolicyError, VerificationError
from release.protected.exact.cells import true_cells
from release.protected.exact.protected import Proof, objections, sealed, system_of, view_of
from release.protected.exact.reading import read_exact
from release.protected.exact.tables import exact_tables
from release.protected.suppression.attack import attack
from release.published.columns import columns_of
from release.published.exact_files import write_exact


def suppressed(rules: str = "minimum: 3", more: str = "", table: str = "by: [place, cohort, sex]") -> str:
    return f"  persons: {{{table}, protection: {{suppression: {{rules: {{{rules}}}, effort: fast{more}}}}}}}\n"


CASES = {
    "plain": suppressed(),
    "outcome": suppressed(table='by: ["place:region", cohort], of: activity-1'),
    "linked": suppressed() + '  work: {by: [place], of: "activity-1:group", '
    "protection: {suppression: {rules: {minimum: 4}, effort: fast}}}\n",
    "zeros": suppressed("minimum: 3, zeros: true", table="by: [place, cohort]"),
    "holders": suppressed("holders: {by: grade, minimum: 2}"),
    "wide": suppressed(more=", width: 2"),
    "threshold": suppressed("minimum: 4", ", width: to-threshold"),
    "survey": suppressed("respondents: 4, response_rate: 0.55", table="by: [place], of: match, show: [count, mean]"),
    "one answer": suppressed(
        "one_answer: true", ", insiders: nobody", table='by: [place, cohort], of: "activity-1:group"'
    ),
    "chosen": suppressed(more=', hide: [{place: n1, cohort: "2019"}], publish: [{cohort: "*"}], insiders: nobody'),
}


@pytest.fixture(params=CASES, ids=str)
def case(request, tmp_path):
    policy = exact_policy(tmp_path / "policy", CASES[request.param])
    ((protected, counts),) = protected_sets(tmp_path, policy)
    return policy, protected, counts


def truth(protected, counts):
    """True value of every listed cell."""
    cells = true_cells(protected.tables, counts)
    values = dict(zip(map(cells.system.key, range(len(cells.values))), cells.values.tolist(), strict=True))
    system = system_of(protected)
    return np.array([values.get(system.key(i), 0) for i in range(len(protected.values))])


def test_what_is_shown_is_true_and_what_is_hidden_is_empty(case):
    _, protected, counts = case
    true = truth(protected, counts)
    assert (protected.values[~protected.hidden] == true[~protected.hidden]).all()
    assert (protected.values[protected.hidden] == 0).all()
    assert protected.hidden.any()


def test_an_outsider_works_nothing_out(case):
    _, protected, _ = case
    found = attack(view_of(protected))
    assert (found.upper - found.lower >= 1)[protected.hidden].all()


def test_the_certificate_holds_and_shows_the_width(case):
    _, protected, _ = case
    assert list(objections(protected)) == []
    assert (protected.proof.width[protected.hidden] >= 1).all()


def test_a_small_cell_is_never_shown(tmp_path):
    policy = exact_policy(tmp_path / "policy", CASES["plain"])
    ((protected, counts),) = protected_sets(tmp_path, policy)
    true = truth(protected, counts)
    assert protected.hidden[(true > 0) & (true < 3)].all()
    assert not protected.hidden[np.argmax(true)]


def test_the_same_input_gives_the_same_bytes(tmp_path):
    policy = exact_policy(tmp_path / "policy", CASES["linked"])
    written = []
    for turn in ("one", "two"):
        (tmp_path / turn).mkdir()
        ((protected, _),) = protected_sets(tmp_path / turn, policy)
        write_exact([protected], tmp_path / turn)
        written.append({p.name: p.read_bytes() for p in (tmp_path / turn / "exact").iterdir()})
    assert written[0] == written[1]
    assert set(written[0]) == {"persons.json", "persons.parquet", "persons.certificate.npz"}


def test_what_is_written_is_read_back(case, tmp_path):
    policy, protected, _ = case
    write_exact([protected], tmp_path)
    (again,) = read_exact(tmp_path, policy)
    assert (again.values == protected.values).all()
    assert (again.hidden == protected.hidden).all()
    assert again.proof.lower == protected.proof.lower
    assert list(objections(again)) == []


# Safe tables -------------------------------------------------------------------------------------------------------


def test_safe_tables_show_every_level_and_hide_alike(tmp_path):
    policy = exact_policy(tmp_path / "policy", CASES["linked"])
    ((protected, _),) = protected_sets(tmp_path, policy)
    tables = exact_tables([protected], policy)
    assert list(tables) == ["persons", "work"]
    cells = tables["persons"].cells
    assert set(cells["place"].unique()) == {"all", "north", "south", "n1", "n2", "s1"}
    assert set(cells["status"].unique()) == {"shown", "suppressed"}
    assert int(cells[(cells.place == "all") & (cells.cohort == "all") & (cells.sex == "all")].value.iloc[0]) == 60
    assert tables["persons"].keys[0].parents == (None, "all", "all", "north", "north", "south")
    assert len(columns_of(tables["work"])) == len(tables["work"].cells)


def test_shares_and_means_are_hidden_with_their_counts(tmp_path):
    table = "by: [place], of: match, show: [count, share, mean, response-rate]"
    policy = exact_policy(tmp_path / "policy", suppressed("minimum: 4", table=table))
    ((protected, _),) = protected_sets(tmp_path, policy)
    cells = exact_tables([protected], policy)["persons"].cells.set_index(["place", "match", "statistic"])
    hidden = {}
    for (place, answer, statistic), status in cells["status"].items():
        if statistic == "count":
            hidden[place, answer] = status == "suppressed"
    for place in ("all", "north", "south", "n1", "n2", "s1"):
        answers = [hidden[place, str(score)] for score in (1, 2, 3)]
        if (place, "all", "mean") in cells.index:
            assert (cells.loc[(place, "all", "mean"), "status"] == "suppressed") == any(answers)
        for score in "123":
            if (place, score, "share") in cells.index and hidden[place, score]:
                assert cells.loc[(place, score, "share"), "status"] == "suppressed"


def test_a_shown_share_and_mean_are_those_of_the_counts(tmp_path):
    table = "by: [sex], of: match, show: [count, share, mean, response-rate]"
    policy = exact_policy(tmp_path / "policy", suppressed("minimum: 3", table=table))
    ((protected, _),) = protected_sets(tmp_path, policy)
    cells = exact_tables([protected], policy)["persons"].cells.set_index(["sex", "match", "statistic"])["value"]
    counts = [cells["all", str(score), "count"] for score in (1, 2, 3)]
    assert cells["all", "all", "mean"] == pytest.approx(np.dot(counts, [1, 2, 3]) / sum(counts))
    assert cells["all", "2", "share"] == pytest.approx(counts[1] / sum(counts))
    assert cells["all", "all", "response-rate"] == pytest.approx(sum(counts) / 60)


def test_cells_that_cant_occur_dont_apply(tmp_path):
    table = 'by: [cohort], of: "activity-2:group"'
    policy = exact_policy(tmp_path / "policy", suppressed(table=table))
    ((protected, _),) = protected_sets(tmp_path, policy)
    cells = exact_tables([protected], policy)["persons"].cells.set_index(["cohort", "activity-2"])["status"]
    assert cells["2021", "work"] == "not-applicable"
    assert cells["2021", "not-applicable"] in ("shown", "suppressed")


@pytest.mark.parametrize(
    ("protection", "check"),
    [
        ("cell-key: {largest: 2, variance: 1}", lambda change, _: np.abs(change).max() <= 2),
        ("rounding: {base: 3}", lambda _, values: (values % 3 == 0).all()),
        ("rounding: {base: 3, method: controlled}", lambda _, values: (values % 3 == 0).all()),
        ("rounding: {base: 3, method: small-counts}", lambda _, values: not ((values > 0) & (values < 3)).any()),
    ],
)
def test_changed_figures_keep_what_the_method_says(tmp_path, protection, check):
    policy = exact_policy(tmp_path / "policy", f"  persons: {{by: [place, cohort], protection: {{{protection}}}}}\n")
    ((protected, counts),) = protected_sets(tmp_path, policy)
    assert check(protected.values - truth(protected, counts), protected.values)
    assert not protected.hidden.any()
    assert (protected.values > 0).all()
    write_exact([protected], tmp_path)
    (again,) = read_exact(tmp_path, policy)
    assert (again.values == protected.values).all()


def test_a_figure_that_became_zero_looks_like_one_of_nobody(tmp_path):
    """Listing it would tell that somebody is there."""
    table = "by: [place, cohort, sex, ], protection: {rounding: {base: 10}}"
    policy = exact_policy(tmp_path / "policy", f"  persons: {{{table}}}\n")
    ((protected, counts),) = protected_sets(tmp_path, policy)
    everyone = true_cells(protected.tables, counts)
    assert len(protected.values) < len(everyone.values)
    cells = exact_tables([protected], policy)["persons"].cells
    assert (cells["value"] == 0).sum() > 0
    assert set(cells["status"].unique()) == {"shown"}


def test_the_number_of_all_persons_is_shown_by_every_set(case):
    _, protected, _ = case
    root = (protected.cells == 0).all(axis=1)
    assert not protected.hidden[root].any()


# Refusals ----------------------------------------------------------------------------------------------------------


def test_cells_that_must_be_shown_and_hidden_are_told_with_the_rule(tmp_path):
    policy = exact_policy(tmp_path / "policy", suppressed("minimum: 9", ', publish: [{place: "*", cohort: "*"}]'))
    with pytest.raises(PolicyError, match="must be shown must be hidden: fewer than 9 persons"):
        protected_sets(tmp_path, policy)


def test_nothing_left_to_show_is_told(tmp_path):
    policy = exact_policy(tmp_path / "policy", suppressed("minimum: 900"))
    with pytest.raises(PolicyError, match="every cell must be hidden"):
        protected_sets(tmp_path, policy)


def test_an_unsolvable_demand_names_the_tables(tmp_path):
    table = "by: [place]"
    shown = ', publish: [{"place:country": "*"}, {"place:region": "*"}, {place: n1}, {place: n2}]'
    policy = exact_policy(tmp_path / "policy", suppressed("minimum: 30", shown, table=table))
    with pytest.raises((PolicyError, DataError)) as caught:
        protected_sets(tmp_path, policy)
    assert caught.value.exit_code in (3, 4)


def test_without_a_complete_certificate_nothing_is_published(tmp_path, monkeypatch):
    """An engine that hides the small cells alone: their totals give them away."""
    from release.protected.suppression import protect as engine

    class Careless:
        def __init__(self, question) -> None:
            self.hidden = question.primary

    monkeypatch.setattr(engine, "protect", lambda question, **_: Careless(question))
    policy = exact_policy(tmp_path / "policy", CASES["plain"])
    with pytest.raises(DataError, match="worked out") as caught:
        protected_sets(tmp_path, policy)
    assert caught.value.exit_code == 4
    assert "Nothing was published" in str(caught.value)


def test_an_engine_that_shows_a_small_cell_is_found_out(tmp_path, monkeypatch):
    from release.errors import UtfallError
    from release.protected.suppression import protect as engine

    class Blind:
        def __init__(self, question) -> None:
            self.hidden = np.zeros(len(question), bool)

    monkeypatch.setattr(engine, "protect", lambda question, **_: Blind(question))
    with pytest.raises(UtfallError, match="didn't do what the rules ask"):
        protected_sets(tmp_path, exact_policy(tmp_path / "policy", CASES["plain"]))


# Tampering ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def plain(tmp_path):
    policy = exact_policy(tmp_path / "policy", CASES["plain"])
    ((protected, _),) = protected_sets(tmp_path, policy)
    return policy, protected


def test_a_figure_changed_breaks_the_certificate(plain):
    _, protected = plain
    values = protected.values.copy()
    values[np.flatnonzero(~protected.hidden)[-1]] += 1
    changed = sealed(protected.tables, protected.cells, values, how="", proof=protected.proof)
    assert any("published sums" in fault for fault in objections(changed))


def test_a_certificate_of_the_truth_alone_is_refused(plain):
    _, protected = plain
    one = replace(protected.proof.certificate, tables=protected.proof.certificate.tables[:1])
    changed = sealed(
        protected.tables, protected.cells, protected.values, how="", proof=replace(protected.proof, certificate=one)
    )
    assert any("width" in fault for fault in objections(changed))


def test_without_a_certificate_it_doesnt_hold(plain):
    _, protected = plain
    bare = replace(protected.proof, certificate=None)
    changed = sealed(protected.tables, protected.cells, protected.values, how="", proof=bare)
    assert list(objections(changed)) == ["there is no certificate"]


def test_a_claim_of_no_width_is_refused(plain):
    _, protected = plain
    claim = Proof(protected.hidden, np.zeros(len(protected.values), np.int64), 1, protected.proof.certificate)
    changed = sealed(protected.tables, protected.cells, protected.values, how="", proof=claim)
    assert "a hidden cell is claimed to have no width" in list(objections(changed))


def test_a_missing_total_is_noticed(plain):
    _, protected = plain
    kept = np.arange(len(protected.values)) != 0
    proof = Proof(protected.hidden[kept], protected.proof.width[kept], 1, protected.proof.certificate)
    changed = sealed(protected.tables, protected.cells[kept], protected.values[kept], how="", proof=proof)
    assert any("totals of listed cells are missing" in fault for fault in objections(changed))


def test_files_that_were_changed_arent_read(plain, tmp_path):
    policy, protected = plain
    write_exact([protected], tmp_path)
    path = tmp_path / "exact" / "persons.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(VerificationError, match="isn't the file"):
        read_exact(tmp_path, policy)
    (tmp_path / "exact" / "persons.json").write_text(json.dumps({"format": "other"}))
    with pytest.raises(VerificationError, match="can't be used"):
        read_exact(tmp_path, policy)


def test_nobody_else_makes_protected_sets(plain):
    _, protected = plain
    with pytest.raises(TypeError):
        replace(protected, seal=object())
    with pytest.raises(TypeError):
        sealed(protected.tables, protected.cells, protected.values + 1, how="", proof=protected.proof)


# Information loss --------------------------------------------------------------------------------------------------


def test_the_loss_counts_hidden_cells_level_by_level(plain):
    from release.protected.exact.loss import loss_of

    _, protected = plain
    loss = loss_of([protected])
    (levels,) = loss.tables.values()
    assert sum(one.cells for one in levels) == len(protected.values)
    assert sum(one.hidden for one in levels) == int(protected.hidden.sum())
    assert {"all", "place:region × sex"} <= {one.levels for one in levels}
    assert "<svg" in loss._repr_html_()


def test_the_offices_report_tells_by_rule_in_banded_numbers(tmp_path):
    from helpers.exact_cases import SECRET, counted_sets

    from release.protected.exact.protect import protect_set

    policy = exact_policy(tmp_path / "policy", CASES["plain"])
    ((tables, counts),) = counted_sets(tmp_path, policy)
    report = protect_set(tables, counts, policy, secret=SECRET)[1]
    assert "hidden by rule: fewer than 3 persons" in report._plain()
    assert [what for what, _, _ in report.loss] == ["fewer than 3 persons", "to protect others"]
    assert "What is hidden, by rule" in report._repr_html_()
