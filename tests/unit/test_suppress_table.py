"""The small public API: pandas in, pandas out, with rules, trees, linked tables, magnitudes and a proof."""

import subprocess
import sys
from itertools import product

import numpy as np
import pandas as pd
import pytest

from release.attack.attack import Options, attack_files
from release.errors import DataError, PolicyError, UsageError
from release.protected import Columns, How, suppress_table
from release.protected.suppression.attack import attack
from release.protected.suppression.insiders import insiders
from release.protected.suppression.question import Unprotectable
from release.protected.suppression.rules import (
    Dominance,
    KDisclosure,
    MinimumContributors,
    MinimumFrequency,
    MinimumHolders,
    MinimumRespondents,
    PPercent,
    ResponseRate,
)
from release.protected.suppression.verify import verify

FEW = [MinimumFrequency(below=5)]
COUNT = Columns(count="n")
REGIONS = {"North": "Total", "South": "Total", "P1": "North", "P2": "North", "P3": "South", "P4": "South"}
KINDS = {"Public": "Total", "Private": "Total", "P1": "Public", "P3": "Public", "P2": "Private", "P4": "Private"}


def graduates(seed=1, dimensions=2):
    rng = np.random.default_rng(seed)
    keys = list(product(["P1", "P2", "P3", "P4"], ["arts", "health", "tech"], *[["F", "M"]] * (dimensions - 2)))
    frame = pd.DataFrame(keys, columns=["provider", "field", "sex"][:dimensions])
    return frame.assign(n=rng.integers(0, 20, len(frame)))


def check(result):
    """The verifier and the attacker agree, and hidden cells tell nothing by their looks."""
    assert verify(result.view, result.certificate, result.width) == ()
    assert not attack(result.view).exactly_known.any()
    hidden = result.table["status"] == "hidden"
    assert result.table["value"].isna().equals(hidden)
    assert len(result.reasons) == hidden.sum()
    assert set(result.table["status"]) <= {"shown", "hidden"}


def truth(frame, result, name="n"):
    """The sum of the rows below each cell, by a slow loop; trees as in REGIONS and KINDS."""
    above = {code: {code, "Total"} for code in ("arts", "health", "tech", "F", "M")}
    above |= {p: {p, "Total", REGIONS[p], KINDS[p]} for p in ("P1", "P2", "P3", "P4")}
    dims = [c for c in result.table.columns if c not in ("value", "status")]
    return [
        frame.loc[
            [all(code in above[row[d]] for d, code in zip(dims, cell, strict=True)) for _, row in frame.iterrows()],
            name,
        ].sum()
        for cell in result.table[dims].itertuples(index=False)
    ]


@pytest.mark.parametrize("effort", ["fast", "thorough"])
def test_counts_with_a_tree(effort):
    frame = graduates()
    result = suppress_table(
        frame, {"provider": REGIONS, "field": None}, rules=FEW, columns=COUNT, how=How(effort=effort)
    )
    check(result)
    shown = result.table["status"] == "shown"
    true = np.array(truth(frame, result))
    assert (result.table["value"][shown] == true[shown]).all()
    assert not shown[(true > 0) & (true < 5)].any()
    assert result.loss.primary == ((true > 0) & (true < 5)).sum()
    assert result.loss.primary + result.loss.secondary == (~shown).sum()
    assert result.loss.hidden_value == true[~shown].sum()


def test_overlapping_trees_and_pairs_as_trees():
    frame = graduates(2)
    pairs = [(parent, child) for child, parent in KINDS.items()]
    result = suppress_table(frame, {"provider": [REGIONS, pairs], "field": None}, rules=FEW, columns=COUNT)
    check(result)
    assert {"North", "Public"} <= set(result.table["provider"])


def test_linked_tables_are_one_system():
    frame = graduates(3, dimensions=3)
    result = suppress_table(
        frame,
        ["provider", "field", "sex"],
        rules=FEW,
        columns=COUNT,
        tables=[["provider", "field"], ["provider", "sex"]],
    )
    check(result)
    assert not ((result.table["field"] != "Total") & (result.table["sex"] != "Total")).any()


def test_persons_as_rows_give_the_same_as_counts():
    frame = graduates(4)
    persons = frame.loc[frame.index.repeat(frame["n"]), ["provider", "field"]]
    one = suppress_table(frame, ["provider", "field"], rules=FEW, columns=COUNT)
    other = suppress_table(persons.sample(frac=1, random_state=0), ["provider", "field"], rules=FEW)
    pd.testing.assert_frame_equal(one.table, other.table)


def test_the_order_of_rows_makes_no_difference():
    frame = graduates(5)
    tables = [
        suppress_table(one, {"provider": REGIONS, "field": None}, rules=FEW, columns=COUNT)
        for one in (frame, frame.sample(frac=1, random_state=1))
    ]
    assert tables[0].table.equals(tables[1].table)
    assert tables[0].certificate.to_json() == tables[1].certificate.to_json()


def pays(seed=0):
    rng = np.random.default_rng(seed)
    rows = [
        (place, field, f"E{rng.integers(0, 9)}", round(float(rng.lognormal(7, 1.2)), 2))
        for place, field in product("ABCD", "xyz")
        for _ in range(rng.integers(2, 9))
    ]
    return pd.DataFrame(rows, columns=["place", "field", "employer", "pay"])


def test_magnitudes_with_dominance():
    frame = pays()
    columns = Columns(value="pay", decimals=2, contributor="employer")
    rules = [Dominance(n=1, k="60"), PPercent(p="15"), MinimumContributors(below=3)]
    result = suppress_table(frame, ["place", "field"], rules=rules, columns=columns, how=How(insiders="nobody"))
    check(result)
    for row in result.table.itertuples():
        mine = frame[frame["place"].isin([row.place] if row.place != "Total" else list("ABCD"))]
        mine = mine[mine["field"].isin([row.field] if row.field != "Total" else list("xyz"))]
        parts = mine.groupby("employer")["pay"].sum().sort_values(ascending=False)
        whole, largest, two = parts.sum(), parts.iloc[0], parts.iloc[:2].sum()
        unsafe = largest > 0.6 * whole or whole - two < 0.15 * largest or len(parts) < 3
        assert row.status == "hidden" or not unsafe
        assert row.status == "hidden" or row.value == pytest.approx(whole)
    assert (result.table["status"] == "hidden").sum() >= 4
    assert any("more than 60 %" in reason or "15 %" in reason for reason in result.reasons["reason"])


def one_employer_in_two_places():
    """big pays 90 of 100 in n1 and all 80 of n3: p % = 10 hides both, n1 for its own sake.

    Cell by cell that is enough, since n1 and n3 can't be told apart. But north less n2 is their sum: 180, of which big
    has 170 and the second 8, so that 2 are left where 17 would be asked.
    """
    paid = {"n1": [90, 8, 2], "n2": [50, 40, 30, 30], "n3": [20] * 4, "s1": [100] * 3, "s2": [60, 50, 40, 30]}
    big = {("n1", 0), *(("n3", i) for i in range(4))}
    rows = [
        (place, "big" if (place, i) in big else f"{place}-{i}", amount)
        for place, amounts in paid.items()
        for i, amount in enumerate(amounts)
    ]
    return pd.DataFrame(rows, columns=["place", "employer", "pay"])


def of_one_employer(*, publish):
    tree = {"north": "all", "south": "all", "n1": "north", "n2": "north", "n3": "north", "s1": "south", "s2": "south"}
    return suppress_table(
        one_employer_in_two_places(),
        {"place": tree},
        rules=[PPercent(p="10")],
        columns=Columns(value="pay", contributor="employer"),
        how=How(insiders="nobody", publish=[{"place": place} for place in publish]),
    )


def test_what_hidden_sums_come_to_together_is_judged_too():
    result = of_one_employer(publish=["north", "south", "s1", "s2"])
    check(result)
    assert set(result.reasons["place"]) == {"n1", "n2", "n3"}
    assert result.reasons.set_index("place")["reason"]["n2"] == "hidden to protect other cells"


def test_unions_that_can_only_be_unsafe_are_refused():
    """Whatever is hidden with n1, n2 and n3 have to be shown with it: all that is left is their sum."""
    with pytest.raises(Unprotectable):
        of_one_employer(publish=["north", "south", "s1", "s2", "n2"])


def test_holders_are_counted_once():
    rows = [("A", "x", "P1", 20), ("A", "y", "P1", 9), ("A", "y", "P2", 9), ("B", "x", "P1", 9), ("B", "x", "P2", 9)]
    rows += [("B", "y", "P2", 8), ("B", "y", "P1", 30), ("C", "x", "P1", 4), ("C", "x", "P2", 9), ("C", "y", "P1", 7)]
    frame = pd.DataFrame([*rows, ("C", "y", "P2", 7)], columns=["area", "field", "provider", "n"])
    result = suppress_table(
        frame,
        ["area", "field"],
        rules=[MinimumHolders("provider")],
        columns=Columns(count="n", holders={"provider": "provider"}),
    )
    reasons = result.reasons.set_index(["area", "field"])["reason"]
    assert "holders (provider)" in reasons["A", "x"]
    assert result.loss.primary == 1
    check(result)


def test_weighted_counts_are_judged_by_persons():
    frame = graduates(9).assign(n=40, persons=[2, *[9] * 11], asked=[9] * 12)
    columns = Columns(count="n", respondents="persons", asked="asked")
    rules = [MinimumRespondents(below=5), ResponseRate(percent="30")]
    result = suppress_table(frame, ["provider", "field"], rules=rules, columns=columns)
    check(result)
    assert result.reasons.set_index(["provider", "field"])["reason"]["P1", "arts"].count(";") == 1


def test_everyone_of_a_group_in_one_answer():
    frame = graduates(6).assign(n=lambda f: np.where(f["provider"] == "P1", np.where(f["field"] == "arts", 12, 0), 9))
    result = suppress_table(frame, ["provider", "field"], rules=[KDisclosure(group="field")], columns=COUNT)
    check(result)
    hidden = result.table[result.table["status"] == "hidden"]
    assert ("P1", "arts") in set(zip(hidden["provider"], hidden["field"], strict=True))
    assert (hidden["provider"] == "P1").sum() > 1


def test_cells_that_must_be_shown_or_hidden():
    frame = graduates(7).assign(n=10)
    plain = suppress_table(frame.assign(n=[3, *[10] * 11]), ["provider", "field"], rules=FEW, columns=COUNT)
    first = plain.reasons[plain.reasons["reason"].str.contains("protect")].iloc[-1]
    keep = {"provider": first["provider"], "field": first["field"]}
    how = How(publish=[keep], hide=[{"provider": "P4", "field": "tech"}])
    result = suppress_table(frame.assign(n=[3, *[10] * 11]), ["provider", "field"], rules=FEW, columns=COUNT, how=how)
    check(result)
    status = result.table.set_index(["provider", "field"])["status"]
    assert status[keep["provider"], keep["field"]] == "shown"
    assert status["P4", "tech"] == "hidden"
    assert "asked for by name" in set(result.reasons["reason"])


def test_wider_intervals_where_asked():
    frame = graduates(8)
    result = suppress_table(frame, ["provider", "field"], rules=FEW, columns=COUNT, how=How(width=4))
    check(result)
    primary = result.reasons["reason"].str.contains("fewer").to_numpy()
    found = attack(result.view, exact=True)
    assert ((found.upper - found.lower)[result.view.hidden][primary] >= 4).all()


def test_what_cannot_be_protected_is_said():
    frame = pd.DataFrame({"a": ["x", "y"], "n": [3, 40]})
    with pytest.raises(Unprotectable):
        suppress_table(frame, ["a"], rules=FEW, columns=COUNT, how=How(publish=[{"a": "y"}, {"a": "Total"}]))


@pytest.mark.parametrize(
    "frame", [graduates().assign(n=1).head(2), pd.DataFrame({"provider": ["P1"], "field": ["x"], "n": [2]})]
)
def test_a_table_of_which_nothing_would_be_left_is_refused(frame):
    with pytest.raises(PolicyError, match="nothing would be left"):
        suppress_table(frame, ["provider", "field"], rules=FEW, columns=COUNT)


def test_a_table_of_one_cell_is_shown_where_no_rule_hides_it():
    frame = pd.DataFrame({"provider": ["P1"], "n": [20]})
    assert suppress_table(frame, ["provider"], rules=FEW, columns=COUNT).table["value"].tolist() == [20, 20]


def test_negative_amounts_are_refused_unless_the_rule_takes_them():
    frame = pays(1)
    frame.loc[frame.index % 7 == 0, "pay"] *= -1
    columns = Columns(value="pay", decimals=2, contributor="employer")
    with pytest.raises(DataError, match="negative"):
        suppress_table(frame, ["place", "field"], rules=[PPercent(p="15")], columns=columns)
    rules = [PPercent(p="15", negatives="absolute")]
    check(suppress_table(frame, ["place", "field"], rules=rules, columns=columns, how=How(insiders="nobody")))


@pytest.mark.parametrize(
    ("change", "error", "told"),
    [
        ({"columns": Columns(count="m")}, UsageError, 'no column "m"'),
        ({"dimensions": ["provder"]}, UsageError, "provider"),
        ({"dimensions": []}, UsageError, "no dimension"),
        ({"rules": []}, PolicyError, "no rule"),
        ({"rules": [*FEW, MinimumFrequency(below=3)]}, PolicyError, "2 times"),
        ({"how": How(publish=[{"provider": "P9"}])}, UsageError, "P9"),
        ({"how": How(hide=[{"providr": "P1"}])}, UsageError, "provider"),
        ({"dimensions": {"provider": {"P1": "Total"}, "field": None}}, DataError, "no tree"),
        ({"dimensions": {"provider": REGIONS | {"North": "P1"}, "field": None}}, PolicyError, "circle"),
        ({"rules": [Dominance(n=1, k="60")]}, PolicyError, "needs"),
        ({"rules": [KDisclosure(group="feild")]}, PolicyError, "field"),
        ({"rules": FEW[0]}, UsageError, "rules is a list"),
        ({"rules": ["frequency"]}, UsageError, "str is no rule"),
        ({"dimensions": "provider"}, UsageError, "list of columns"),
        ({"dimensions": ["provider", "provider"]}, UsageError, "twice"),
        ({"dimensions": ["provider", "n"]}, UsageError, "a dimension and a figure"),
        ({"dimensions": {"provider": "North", "field": None}}, UsageError, "no tree"),
        ({"dimensions": {"provider": [("Total", "P1", "P2")], "field": None}}, UsageError, "list of pairs"),
        ({"tables": []}, PolicyError, "no table"),
        ({"tables": "provider"}, PolicyError, "a table is a list"),
        ({"tables": [{"provider": 1, "feild": 2}]}, PolicyError, 'did you mean "field"'),
        ({"tables": [{"provider": -1}]}, PolicyError, "-1 levels"),
        ({"tables": [{"provider": 1.5}]}, PolicyError, "1.5 levels"),
    ],
)
def test_wrong_usage_is_told_in_plain_words(change, error, told):
    given = {"dimensions": ["provider", "field"], "rules": FEW, "columns": COUNT} | change
    dimensions = given.pop("dimensions")
    with pytest.raises(error, match=told):
        suppress_table(graduates(), dimensions, **given)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: How(effort="quick"), "effort"),
        (lambda: How(cost="counts"), 'did you mean "count"'),
        (lambda: How(insiders=True), "insiders"),
        (lambda: How(width=0), "width"),
        (lambda: How(width=1.5), "width"),
        (lambda: How(publish={"provider": "P1"}), "publish"),
        (lambda: How(hide="P1"), "hide"),
        (lambda: Columns(count="n", decimals=2), "only sums have decimals"),
        (lambda: Columns(value="pay", decimals=9), "from 0 to 6"),
        (lambda: Columns(holders="firm"), "mapping"),
    ],
)
def test_what_cant_be_meant_is_refused_when_it_is_said(make, told):
    with pytest.raises(UsageError, match=told):
        make()


@pytest.mark.parametrize(
    ("change", "error", "told"),
    [
        (lambda f: f.to_dict("records"), UsageError, "list"),
        (lambda f: f.assign(provider=None), DataError, '"provider" has missing'),
        (lambda f: f.assign(field="Total"), DataError, 'holds the code "Total"'),
        (lambda f: f.assign(n=f["n"].astype(str)), DataError, "text"),
        (lambda f: f.assign(n=-5), DataError, "below zero in about 10 rows"),
        (lambda f: f.assign(n=2.0**60), DataError, "too large"),
        (lambda f: pd.concat([f, f["field"]], axis=1), UsageError, "2 columns"),
        (lambda f: f.rename(columns={"field": "value"}), UsageError, 'called "value"'),
    ],
)
def test_frames_that_cant_be_meant_are_refused(change, error, told):
    frame = change(graduates())
    names = [n for n in ("provider", "field", "value") if not isinstance(frame, pd.DataFrame) or n in frame.columns]
    with pytest.raises(error, match=told):
        suppress_table(frame, names, rules=FEW, columns=COUNT)


def test_codes_of_a_tree_may_be_numbers():
    frame = graduates().replace({"provider": {"P1": 1, "P2": 2, "P3": 3, "P4": 4}})
    result = suppress_table(
        frame, {"provider": dict.fromkeys([1, 2, 3, 4], "All"), "field": None}, rules=FEW, columns=COUNT
    )
    assert set(result.table["provider"]) == {"All", "1", "2", "3", "4"}


def test_whoever_is_alone_learns_no_hidden_figure_by_default():
    """With "primary" he may learn what is hidden for others' sake only. In this table two persons are alone."""
    frame = graduates(3)
    learnt = {}
    for asked in ("hidden", "primary", "nobody"):
        result = suppress_table(
            frame, {"provider": REGIONS, "field": None}, rules=FEW, columns=COUNT, how=How(insiders=asked)
        )
        true = np.array(truth(frame, result))
        found = insiders(result.view, true, np.where(true == 1, np.arange(len(true)), -1))
        small = [cell for _, cell in found.learns.tolist() if true[cell] < 5]
        learnt[asked] = (found.number, len(found.learns), len(small))
    assert How().insiders == "hidden"
    assert learnt["hidden"] == (2, 0, 0)
    assert learnt["primary"] == (2, 2, 0)
    assert learnt["nobody"][2] > 0


def test_figures_that_are_not_whole_are_refused():
    with pytest.raises(DataError, match="decimals"):
        suppress_table(graduates().assign(n=1.5), ["provider", "field"], rules=FEW, columns=COUNT)
    with pytest.raises(DataError, match="missing"):
        suppress_table(graduates().assign(n=np.nan), ["provider", "field"], rules=FEW, columns=COUNT)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_the_published_file_withstands_the_attack_command(tmp_path, form):
    frame = graduates(10, dimensions=3)
    result = suppress_table(
        frame, {"provider": REGIONS, "field": None, "sex": None}, rules=FEW, columns=COUNT, how=How(effort="fast")
    )
    path = tmp_path / f"table.{form}"
    result.table.to_csv(path, index=False) if form == "csv" else result.table.to_parquet(path, index=False)
    report = attack_files([path], Options())
    assert report.tables[0].hidden == (result.table["status"] == "hidden").sum() > 0
    assert report.tables[0].safe == report.tables[0].hidden
    assert not report.found
    assert [one.sums for one in report.sums] == [4, 1, 1]
    bare = result.table.assign(value=[v if v > 4 else pd.NA for v in truth(frame, result)], status="")
    bare.to_csv(tmp_path / "bare.csv", index=False)
    assert attack_files([tmp_path / "bare.csv"], Options()).found


def test_importing_the_package_loads_nothing_heavy():
    program = "import sys, release.protected; print(sorted({'pandas', 'scipy', 'numpy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
