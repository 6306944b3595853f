"""Large systems in pieces: every move keeps all sums of the whole, and patterns are as safe as from one program."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from release.protected.suppression.attack import attack
from release.protected.suppression.boxes import Boxes
from release.protected.suppression.clean import joined
from release.protected.suppression.fast import fast
from release.protected.suppression.pieces import Pieces, near, pieces_of
from release.protected.suppression.question import Question
from release.protected.suppression.standing import Standing
from release.protected.suppression.structure import Hierarchy, System, crossed, folded
from release.protected.suppression.view import outsider


def _tree(name: str, branches: int, leaves: int) -> Hierarchy:
    edges = [("Total", f"{name}{b}") for b in range(branches)]
    return Hierarchy.from_edges(
        name, edges + [(f"{name}{b}", f"{name}{b}{n}") for b in range(branches) for n in range(leaves)]
    )


def _question(seed: int) -> Question:
    """Places by fields by outcome, with empty cells; counts of 1 to 4 must be hidden, lone persons are insiders."""
    rng = np.random.default_rng(seed)
    trees = {
        "place": _tree("P", 3, 4),
        "field": _tree("F", 3, 3),
        "outcome": Hierarchy.flat("outcome", ["W", "S", "O"]),
    }
    keys = list(itertools.product(*(tree.leaves for tree in trees.values())))
    keys = [keys[i] for i in np.sort(rng.choice(len(keys), 2 * len(keys) // 3, replace=False))]
    leaves = {name: [key[d] for key in keys] for d, name in enumerate(trees)}
    system = crossed({name: [tree] for name, tree in trees.items()}, leaves=leaves)
    values = folded(system, 1 + rng.geometric(0.15, len(keys)) // rng.integers(1, 6, len(keys)))
    question = Question.of_counts(system, values, primary=(values > 0) & (values < 5))
    alone = np.where(values == 1, np.arange(len(values)), -1)
    return Question(**{**vars(question), "alone": alone})


def _overlapping(*dimensions: str) -> System:
    """Places by fields; in some of these dimensions a second tree groups the leaves across the first one's branches."""
    trees = {"place": [_tree("P", 3, 4)], "field": [_tree("F", 3, 3)]}
    for name in dimensions:
        leaves = trees[name][0].leaves
        owners = [("Total", f"{name}-owner{n}") for n in range(2)]
        trees[name].append(
            Hierarchy.from_edges(name, owners + [(f"{name}-owner{n % 2}", leaf) for n, leaf in enumerate(leaves)])
        )
    return crossed(trees)


def _boxes(system: System) -> Boxes:
    return Boxes(system, np.arange(len(system)))


@pytest.mark.parametrize("overlapping", [(), ("place",)])
def test_no_sum_crosses_the_branches_that_pieces_are_cut_along(overlapping: tuple[str, ...]) -> None:
    """Else a move in one branch would have to be answered by another, and so on through all of them."""
    system = _overlapping(*overlapping)
    apart = _boxes(system).apart
    assert len(apart) == 2 - len(overlapping)
    for branch in apart:
        for start, end in itertools.pairwise(system.relations.indptr):
            assert len(set(branch[system.relations.indices[start:end]]) - {0}) <= 1


@pytest.mark.parametrize("overlapping", [(), ("place",)])
def test_a_sum_is_of_two_pieces_at_most(overlapping: tuple[str, ...]) -> None:
    """Of the total's, and of its parts'."""
    system = _overlapping(*overlapping)
    values = folded(system, np.full(len(system.leaves), 7))
    question = Question.of_counts(system, values, primary=np.zeros(len(values), dtype=bool))
    number = pieces_of(question, _boxes(system), most=40).number
    assert number.max() > 2
    for start, end in itertools.pairwise(system.relations.indptr):
        assert len(set(number[system.relations.indices[start:end]])) <= 2


def test_where_all_trees_overlap_they_are_cut_all_the_same() -> None:
    boxes = _boxes(_overlapping("place", "field"))
    assert boxes.apart == boxes.branches != []


def _cut(seed: int, most: int) -> tuple[Question, Pieces]:
    question = _question(seed)
    smaller = joined(question)
    return smaller.question, pieces_of(smaller.question, Boxes(question.system, smaller.group), most=most)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("most", [40, 150])
def test_patterns_from_pieces_are_safe_from_outsiders_and_insiders(seed: int, most: int) -> None:
    """By the attacker, who knows nothing of moves; insiders by the moves themselves."""
    question, pieces = _cut(seed, most)
    moves = fast(question, cuts=[pieces])
    standing = Standing.of(question, moves)
    for move in moves:
        change = np.zeros(len(question), np.int64)
        change[move.cells] = move.change
        assert not (question.relations.astype(np.int64) @ change).any()
        assert (question.values + change >= question.lower)[move.cells].all()
    view = outsider(question.relations, question.values, standing.hidden, lower=question.lower)
    found = attack(view)
    assert (found.upper - found.lower >= 1)[standing.hidden].all()
    assert not any(standing.missing_at(int(cell)) for cell in np.flatnonzero(question.primary))


@pytest.mark.parametrize("seed", range(4))
def test_each_sum_belongs_to_its_last_piece_and_pieces_are_small(seed: int) -> None:
    """What the steps rely on: a piece's sums have no cell of a later piece."""
    question, pieces = _cut(seed, 40)
    sums = question.relations
    for row in range(sums.shape[0]):
        cells = sums.indices[sums.indptr[row] : sums.indptr[row + 1]]
        assert pieces.of_row[row] == pieces.number[cells].max()
    assert np.bincount(pieces.number).max() <= 160
    assert pieces.number.max() >= 3


def test_pieces_cost_little_more_than_one_program() -> None:
    """Over a few tables together; a way that hid whatever is there would cost several times as much."""
    costs = np.zeros(2)
    for seed in range(4):
        question, pieces = _cut(seed, 150)
        for i, cuts in enumerate(([], [pieces])):
            costs[i] += Standing.of(question, fast(question, cuts=cuts)).cost
    assert costs[1] <= 1.4 * costs[0]


def test_the_same_question_gives_the_same_moves() -> None:
    """Twice, from scratch."""
    first, second = (fast(question, cuts=[pieces]) for question, pieces in (_cut(1, 40), _cut(1, 40)))
    assert [(m.cells.tolist(), m.change.tolist()) for m in first] == [
        (m.cells.tolist(), m.change.tolist()) for m in second
    ]


@pytest.mark.parametrize("seed", range(4))
def test_near_sets_hold_the_cell_and_what_stands_above_it(seed: int) -> None:
    """Slow twin: by two trees at once or by one, all cells whose branches are the cell's own or above."""
    question = _question(seed)
    branches = Boxes(question.system, joined(question).group).branches
    for cell in range(0, len(branches[0]), 7):
        found = near(branches, cell)
        fits = [{i for i, b in enumerate(branch.tolist()) if b in (0, branch[cell])} for branch in branches]
        expected = [*fits, *(one & other for one, other in itertools.combinations(fits, 2))]
        assert sorted(map(sorted, expected)) == sorted(cells.tolist() for cells in found)
        assert all(cell in cells for cells in found)
        assert [len(cells) for cells in found] == sorted(len(cells) for cells in found)


def _pieces_moved(most: int) -> float:
    """Pieces that the moves of coarse cells run through, on average."""
    ran = []
    for seed in range(4):
        question, pieces = _cut(seed, most)
        for cell in np.flatnonzero(question.primary & (pieces.number == 0)).tolist():
            for amount in (1, -1) if question.values[cell] > 1 else (1,):
                move = pieces.cheapest(cell, amount, prices=question.cost, still=np.empty(0, np.int64), alone=False)
                if move is not None:
                    assert not (question.relations[:, move.cells].astype(np.int64) @ move.change).any()
                    ran.append(len(np.unique(pieces.number[move.cells])))
    return float(np.mean(ran))


def test_moves_keep_to_few_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """The price of asking one more piece makes moves run through fewer of them."""
    monkeypatch.setattr("release.protected.suppression.pieces._ASKING", 0.0)
    without = _pieces_moved(30)
    monkeypatch.setattr("release.protected.suppression.pieces._ASKING", 5.0)
    assert _pieces_moved(30) < without


@pytest.mark.parametrize("seed", range(4))
def test_a_cell_asks_the_later_pieces_that_have_its_sums(seed: int) -> None:
    """Slow twin: sum by sum."""
    question, pieces = _cut(seed, 40)
    expected = np.zeros((len(question), pieces.many))
    for row, last in enumerate(pieces.of_row.tolist()):
        for cell in question.relations[[row]].indices.tolist():
            expected[cell, last] = last != pieces.number[cell]
    for number in range(pieces.many):
        piece = pieces.piece(number)
        assert (piece.asks.toarray() == expected[piece.cells]).all()
