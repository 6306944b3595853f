"""The office's inner check: what the public certificate can't show stops the release all the same."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from helpers.exact_cases import exact_policy, protected_sets

from release.errors import VerificationError
from release.protected import Columns, How, pandas_api, suppress_table
from release.protected.exact import protect as stage
from release.protected.suppression import inner
from release.protected.suppression.inner import highest_found
from release.protected.suppression.judged_unions import no_unions
from release.protected.suppression.protect import protect
from release.protected.suppression.rules import KDisclosure, PPercent
from release.protected.suppression.view import outsider

# a: 90 + 8 + 2. The second largest knows 8, so the largest is at most 92: too close to 90 at 10 %, which asks for 99.
# So a must be thought to be 107 or more. b can give 5 at most; c can.
PARTS = {"a": [90, 8, 2], "b": [1] * 5, "c": [100, 100, 100]}
ROWS = pd.DataFrame(
    [(cell, f"{cell}{i}", part) for cell, parts in PARTS.items() for i, part in enumerate(parts)],
    columns=["cell", "who", "pay"],
)
PAY = Columns(value="pay", contributor="who")


def protected_pay():
    return suppress_table(ROWS, ["cell"], rules=[PPercent(10)], columns=PAY, how=How(insiders="nobody"))


def plain_engine(question, upward, *, effort):
    """The engine without the demand from above."""
    return protect(question, effort=effort)


def test_a_cell_may_be_so_high_that_the_rule_would_hold():
    """Hiding b with a would do for a difference of 7, from 93 to 100; it wouldn't from above: 104 at most."""
    result = protected_pay()
    status = result.table.set_index("cell")["status"]
    assert status["a"] == status["c"] == "hidden"
    assert status["Total"] == "shown"


def test_a_pattern_that_isnt_far_enough_above_is_refused(monkeypatch):
    """With a and b hidden; that their sum breaks the rule too, and would take c with them, isn't looked at here."""
    monkeypatch.setattr(pandas_api, "protect_upwards", plain_engine)
    monkeypatch.setattr(pandas_api, "unsafe_unions", lambda *_: no_unions())
    with pytest.raises(VerificationError, match="estimated too closely from above") as refused:
        protected_pay()
    assert refused.value.exit_code == 7


def test_the_highest_is_found_by_programs_and_never_too_high():
    """total = a + b + c; b and c are hidden with a: a goes to 100 + 5 + 300 - 2, the others standing at 1."""
    system = np.array([[-1, 1, 1, 1]])
    from scipy.sparse import csr_array

    values = np.array([405, 100, 5, 300])
    view = outsider(csr_array(system.astype(np.int8)), values, np.array([False, True, True, True]), lower=1)
    upward = np.array([0, 1000, 0, 2])
    highest = highest_found(view, values, upward)
    assert highest.tolist()[:2] == [405, 403]
    assert highest[3] >= 302
    both = outsider(csr_array(system.astype(np.int8)), values, np.array([False, True, True, False]), lower=1)
    assert highest_found(both, values, np.array([0, 7, 0, 0]))[1] == 104


def test_where_rounding_a_corner_falls_short_whole_numbers_are_searched(monkeypatch):
    from scipy.sparse import csr_array

    values = np.array([405, 100, 5, 300])
    view = outsider(csr_array(np.array([[-1, 1, 1, 1]], np.int8)), values, values < 400, lower=1)
    monkeypatch.setattr(inner, "whole", lambda *_: None)
    assert highest_found(view, values, np.array([0, 40, 0, 0]))[1] == 140
    assert highest_found(view, values, np.array([0, 400, 0, 0]))[1] < 500


def test_wrong_moves_of_an_engine_arent_believed():
    from scipy.sparse import csr_array

    values = np.array([405, 100, 5, 300])
    view = outsider(csr_array(np.array([[-1, 1, 1, 1]], np.int8)), values, values < 200, lower=1)
    wrong = csr_array(np.array([[0, 90, 0, 0], [0, 7, -7, 0], [0, 300, 0, -300]]))
    assert highest_found(view, values, np.array([0, 7, 0, 0]), moves=wrong)[1] == 104


def test_a_certificate_tells_no_width_that_hangs_on_contributions():
    """The rule's width of 7 is p % of somebody's figure: a proof that shows exactly 7 would tell it."""
    result = protected_pay()
    assert result.width[~result.view.published].tolist() == [1] * int((~result.view.published).sum())


# Sums that no table shows ------------------------------------------------------------------------------------------

SHARED = (
    '  persons: {by: [place, cohort], of: "activity-1:group", protection: {suppression: {rules: {k_disclosure: 2}, '
)
SHARED += "effort: fast, insiders: nobody}}}\n"


def without_complements(question, upward, *, effort):
    """The engine without the sums that rules judge and no table shows: their cells cost nothing."""
    n = int((question.cost > 0).sum())
    rows = np.flatnonzero(np.asarray(abs(question.relations[:, n:]).sum(axis=1)).ravel() == 0)
    parts = {key: getattr(question, key)[:n] for key in ("values", "primary", "width", "cost", "publish", "lower")}
    less = replace(question, relations=question.relations[rows][:, :n], alone=None, **parts)
    pattern = protect(less, effort=effort)
    more = len(question) - n
    return replace(pattern, hidden=np.concatenate([pattern.hidden, np.ones(more, bool)]))


def test_complements_are_certified_inside(tmp_path, monkeypatch):
    policy = exact_policy(tmp_path / "policy", SHARED)
    ((protected, _),) = protected_sets(tmp_path / "good", policy)
    assert protected.hidden.any()
    monkeypatch.setattr(stage, "protect_upwards", without_complements)
    with pytest.raises(VerificationError, match="sums that rules judge and no table shows"):
        protected_sets(tmp_path / "bad", policy)


def test_complements_are_certified_inside_for_data_frames(monkeypatch):
    """Class A is one person. While its total is shown, its other answers are 1 at most, and 3 must be possible."""
    frame = pd.DataFrame(
        [("A", "yes", 1), ("A", "no", 0), ("B", "yes", 5), ("B", "no", 6), ("C", "yes", 7), ("C", "no", 8)],
        columns=["class", "answer", "n"],
    )
    asked = {"rules": [KDisclosure("answer", k=2)], "columns": Columns(count="n"), "how": How(insiders="nobody")}
    suppress_table(frame, ["class", "answer"], **asked)
    monkeypatch.setattr(pandas_api, "protect_upwards", without_complements)
    with pytest.raises(VerificationError, match="sums that rules judge and no table shows"):
        suppress_table(frame, ["class", "answer"], **asked)
