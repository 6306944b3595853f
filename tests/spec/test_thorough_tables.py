"""Tables small enough to see the cheapest pattern by eye; o is a cell that must be hidden, x what is hidden with it."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array

from release.protected.suppression.bound import lower_bound
from release.protected.suppression.clean import joined
from release.protected.suppression.fast import fast
from release.protected.suppression.protect import protect, unsafe
from release.protected.suppression.question import Question
from release.protected.suppression.thorough import thorough


def drawn(text: str, *, least: int = 3) -> Question:
    """A two-way table, its last row and column the totals; counts under `least` must be hidden."""
    values = np.array([line.split() for line in text.strip().splitlines()], dtype=np.int64)
    rows, columns = values.shape
    place = np.arange(values.size).reshape(values.shape)
    lines = [*place, *place.T]
    relations = np.zeros((len(lines), values.size), np.int8)
    for row, line in enumerate(lines):
        relations[row, line] = 1
        relations[row, line[-1]] = -1
    flat = values.ravel()
    n = rows * columns
    return Question(
        relations=csr_array(relations),
        values=flat,
        primary=flat < least,
        width=np.ones(n, np.int64),
        cost=flat.astype(float),
        publish=np.zeros(n, bool),
        lower=np.ones(n, np.int64),
    )


def picture(question: Question, hidden: np.ndarray, columns: int) -> list[str]:
    marks = np.where(question.primary, "o", np.where(hidden, "x", "."))
    return ["".join(row) for row in marks.reshape(-1, columns)]


RECTANGLE = """
     2   9  30   41
    20   8  40   68
    50  60   7  117
    72  77  77  226
"""


def test_one_small_count_takes_the_cheapest_rectangle():
    question = drawn(RECTANGLE)
    pattern = protect(question, effort="thorough")
    assert picture(question, pattern.hidden, 4) == ["ox..", "xx..", "....", "...."]
    assert pattern.cost == pattern.bound == 37


def test_a_cell_that_must_be_shown_sends_it_elsewhere():
    question = drawn(RECTANGLE)
    question.publish[5] = True
    pattern = protect(question, effort="thorough")
    assert not pattern.hidden[5]
    assert pattern.cost == pattern.bound


ONES = """
     1   1  30   32
    20   1  40   61
    50   5   5   60
    71   7  75  153
"""


def test_ones_can_only_rise_so_their_neighbours_must_be_able_to_fall():
    question = drawn(ONES)
    pattern = protect(question, effort="thorough")
    for cell in np.flatnonzero(pattern.hidden):
        ends = pattern.range_at(int(cell))
        assert ends[1] - ends[0] >= 1
        assert question.values[cell] + ends[0] >= 1
    assert pattern.cost == pattern.bound


DIAGONAL = """
     1   9  30   40
    20   1  40   61
    50   8   9   67
    71  18  79  168
"""


def test_two_who_know_themselves_must_not_learn_each_other_and_the_bound_knows_it():
    question = drawn(DIAGONAL)
    known = replace(question, alone=np.where(question.values == 1, np.arange(len(question)), -1))
    guarded, not_guarded = (protect(asked, effort="thorough") for asked in (known, replace(known, insiders="nobody")))
    assert picture(question, not_guarded.hidden, 4) == ["ox..", "xo..", "....", "...."]
    assert not_guarded.cost == not_guarded.bound == 29
    assert picture(question, guarded.hidden, 4) == ["ox..", "xox.", ".xx.", "...."]
    assert guarded.cost == guarded.bound == 86


def test_wider_demands_cost_no_less():
    question = drawn(RECTANGLE)
    wide = drawn(RECTANGLE)
    wide.width[question.primary] = 5
    pattern = protect(wide, effort="thorough")
    low, high = pattern.range_at(0)
    assert high - low >= 5
    assert pattern.cost >= protect(question, effort="thorough").cost


def random_table(seed: int) -> Question:
    rng = np.random.default_rng(seed)
    inner = rng.negative_binomial(1, 0.12, size=(9, 8)) + 1
    full = np.block([[inner, inner.sum(1)[:, None]], [inner.sum(0)[None], np.array([[inner.sum()]])]])
    return drawn("\n".join(" ".join(map(str, row)) for row in full), least=4)


@pytest.mark.parametrize("seed", [1, 2])
def test_middling_tables_end_near_their_bound_and_never_above_the_start(seed):
    question = joined(random_table(seed)).question
    moves = fast(question)
    start = np.zeros(len(question), bool)
    start[np.concatenate([move.cells for move in moves])] = True
    pattern = thorough(question, moves, work=60_000)
    assert pattern.cost <= question.cost[start & ~question.primary].sum()
    assert pattern.gap is not None
    assert pattern.gap <= 0.15


def test_tables_too_large_for_a_bound_are_made_cheaper_too(monkeypatch):
    question = joined(random_table(5)).question
    moves = fast(question)
    start = np.zeros(len(question), bool)
    start[np.concatenate([move.cells for move in moves])] = True
    monkeypatch.setattr("release.protected.suppression.thorough.SMALL", 0)
    pattern = thorough(question, moves, work=100_000)
    assert pattern.bound is None
    assert not unsafe(question, pattern).any()
    assert pattern.cost < question.cost[start & ~question.primary].sum()


def test_same_question_same_pattern():
    question = joined(random_table(3)).question
    first, second = (thorough(question, fast(question), work=15_000) for _ in range(2))
    assert (first.hidden == second.hidden).all()
    assert (first.moves != second.moves).nnz == 0
    assert first.bound == second.bound


def test_more_work_never_lowers_the_bound():
    question = joined(random_table(4)).question
    assert lower_bound(question, work=2_000) <= lower_bound(question, work=20_000)
