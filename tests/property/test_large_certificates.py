"""Certificates of large tables, found in pieces: tried on small tables that are cut into many."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from release.protected.suppression import first_table as first
from release.protected.suppression import mend as mend_module
from release.protected.suppression import pull as pull_module
from release.protected.suppression import spread as search
from release.protected.suppression.attack import attack
from release.protected.suppression.boxes import branches_of
from release.protected.suppression.certificate import Uncertified, certify, sums_of
from release.protected.suppression.corners import Pull, Room
from release.protected.suppression.joined import joined
from release.protected.suppression.mend import brought_inside, mended
from release.protected.suppression.pieces import cut
from release.protected.suppression.protect import protect
from release.protected.suppression.pull import furthest_inside, pulled_whole
from release.protected.suppression.question import Question
from release.protected.suppression.structure import Hierarchy, crossed, folded
from release.protected.suppression.verify import verify
from release.protected.suppression.view import View, outsider


def _tree(name: str, branches: int, leaves: int) -> Hierarchy:
    edges = [("Total", f"{name}{b}") for b in range(branches)]
    return Hierarchy.from_edges(
        name, edges + [(f"{name}{b}", f"{name}{b}{n}") for b in range(branches) for n in range(leaves)]
    )


def _view(seed: int, *, protected: bool = True) -> tuple[View, np.ndarray]:
    """Places by fields by outcome with empty cells; small counts hidden, and others to protect them if asked."""
    rng = np.random.default_rng(seed)
    trees = {"place": _tree("P", 3, 4), "field": _tree("F", 3, 3), "outcome": Hierarchy.flat("outcome", "WSO")}
    keys = list(itertools.product(*(tree.leaves for tree in trees.values())))
    keys = [keys[i] for i in np.sort(rng.choice(len(keys), 2 * len(keys) // 3, replace=False))]
    leaves = {name: [key[d] for key in keys] for d, name in enumerate(trees)}
    system = crossed({name: [tree] for name, tree in trees.items()}, leaves=leaves)
    values = folded(system, 1 + rng.geometric(0.15, len(keys)) // rng.integers(1, 6, len(keys)))
    primary = (values > 0) & (values < 5)
    hidden = protect(Question.of_counts(system, values, primary=primary)).hidden if protected else primary
    return outsider(system.relations, values, hidden, lower=1, branches=branches_of(system)), values


@pytest.fixture
def in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small tables go the way of large ones."""
    monkeypatch.setattr(search, "_LARGE", 0)
    monkeypatch.setattr(search, "_FEW", 0)
    monkeypatch.setattr(first, "CUTS", (40, 150))
    monkeypatch.setattr("release.protected.suppression.steps.CUTS", (40, 150))


@pytest.mark.parametrize(("seed", "width"), [(0, 1), (1, 1), (2, 1), (3, 1), (5, 3)])
def test_safe_tables_get_certificates_that_the_verifier_accepts(in_pieces: None, seed: int, width: int) -> None:
    view, _ = _view(seed)
    asked = np.where(view.published, 0, 1)
    asked[view.hidden[::7]] = width if (attack(view, width=asked * width).width[view.hidden[::7]] >= width).all() else 1
    certificate = certify(view, asked)
    assert verify(view, certificate, asked) == ()


@pytest.mark.parametrize("seed", range(4))
def test_unsafe_tables_get_none(in_pieces: None, seed: int) -> None:
    """Without secondary suppression nearly all cells can be worked out, in pieces too."""
    view, _ = _view(seed, protected=False)
    with pytest.raises(Uncertified):
        certify(view, np.where(view.published, 0, 1))


@pytest.mark.parametrize("seed", range(4))
def test_the_attacker_finds_the_same_in_pieces_and_without(in_pieces: None, seed: int) -> None:
    """Cells known exactly don't hang on the way of the search; here some are, since one protecting cell is shown."""
    view, values = _view(seed)
    hidden = ~view.published
    hidden[view.hidden[len(view.hidden) // 2]] = False
    shown = outsider(view.relations, values, hidden, lower=1, branches=view.branches)
    blind = outsider(view.relations, values, hidden, lower=1)
    one, other = attack(shown), attack(blind)
    assert one.exactly_known.tolist() == other.exactly_known.tolist()
    assert one.exactly_known.any() == (one.width[hidden] == 0).any()


@pytest.mark.parametrize("seed", range(4))
def test_the_certificate_is_the_same_whatever_the_hidden_truth_is(in_pieces: None, seed: int) -> None:
    """Another possible table as the truth: same view, same bytes."""
    view, _ = _view(seed)
    asked = np.where(view.published, 0, 1)
    certificate = certify(view, asked)
    other = view.values.copy()
    other[view.hidden] = certificate.tables[-1]
    twin = outsider(view.relations, other, ~view.published, lower=1, branches=view.branches)
    assert certify(twin, asked).to_bytes() == certificate.to_bytes()


@pytest.mark.parametrize("seed", range(6))
def test_a_first_table_keeps_all_sums_and_bounds(in_pieces: None, seed: int) -> None:
    view, _ = _view(seed)
    sums = sums_of(view)
    table = first.first_table(sums, view.branches_of_hidden)
    assert table is not None
    assert sums.holds(table)


@pytest.mark.parametrize("seed", range(6))
def test_mended_sums_hold_and_little_changes(seed: int) -> None:
    """A possible table is spoilt in a few cells; what the sums then lack is made up for, not by moving everything."""
    view, values = _view(seed)
    classes = joined(sums_of(view).matrix)
    rng = np.random.default_rng(seed)
    spoilt = np.zeros(len(classes), np.int64)
    spoilt[rng.choice(len(classes), 5, replace=False)] = rng.choice([-1, 1], 5)
    down, up = classes.room(values[view.hidden] - 1, np.full(len(view.hidden), 2**40))
    number = cut(classes.branches(view.branches_of_hidden), len(classes), most=40)
    assert number.max() >= 1
    missing = classes.sums @ spoilt
    change, stuck = mended(Room(classes.sums, np.maximum(down, 0), up), missing, number)
    assert change is not None
    assert stuck is None
    assert (classes.sums @ change == missing).all()
    assert np.abs(change).sum() < len(classes) / 2


def test_what_no_whole_numbers_can_mend_is_said() -> None:
    """Twice a cell is even, so a sum that lacks one can't be mended; the piece that can't is named."""
    from scipy.sparse import csr_array

    room = Room(csr_array(np.array([[1, 0], [0, 2]])), np.array([5, 5]), np.array([5, 5]))
    assert mended(room, np.array([3, 1]), np.array([0, 1])) == (None, 1)
    change, stuck = mended(room, np.array([3, 4]), np.array([0, 1]))
    assert change is not None
    assert stuck is None
    assert change.tolist() == [3, 2]


@pytest.mark.parametrize("seed", range(4))
def test_tables_out_of_bounds_are_brought_back(in_pieces: None, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Twice the way from one possible table to another keeps all sums and leaves the bounds."""
    view, _ = _view(seed)
    sums = sums_of(view)
    here, there = certify(view, np.where(view.published, 0, 1)).tables[:2]
    table = here + 2 * (there - here)
    assert not sums.holds(table)
    classes = joined(sums.matrix)
    places = classes.branches(view.branches_of_hidden)
    broken = table + 1
    back = first.first_inside(sums, classes, iter([broken, table]), places)
    assert back is not None
    assert sums.holds(back)
    assert first.first_inside(sums, classes, iter([broken]), places) is None
    monkeypatch.setattr(first, "_STRAYS", 0)
    assert first.first_inside(sums, classes, iter([table]), places) is None


def test_what_cannot_come_back_is_said() -> None:
    """One of two cells that rise together stands below its bound, the other at its highest."""
    from scipy.sparse import csr_array

    sums = csr_array(np.array([[1, -1]]))
    assert brought_inside(Room(sums, np.array([-1, 2]), np.array([3, 0])), steps=9) is None
    change = brought_inside(Room(sums, np.array([-1, 2]), np.array([3, 1])), steps=9)
    assert change is not None
    assert change.tolist() == [1, 1]


@pytest.mark.parametrize("seed", range(4))
def test_pulls_go_where_they_should(seed: int) -> None:
    """A pulled class moves towards its goal where it can, the change keeps all sums, and bounds but for few classes."""
    view, values = _view(seed)
    classes = joined(sums_of(view).matrix)
    down, up = classes.room(values[view.hidden] - 1, np.full(len(view.hidden), 2**40))
    room = Room(classes.sums, down, up)
    sign = np.where(np.arange(len(classes)) % 2 == 0, 1, -1)
    pull = Pull(sign, np.ones(len(classes)), np.ones(len(classes), np.int64))
    change = next(pulled_whole(room, pull, np.zeros(len(classes), np.int64)))
    assert not (classes.sums @ change).any()
    assert ((change < -down) | (change > up)).sum() <= len(classes) / 20
    assert (sign * change > 0).sum() > (sign * change < 0).sum()


def test_where_the_nearest_whole_numbers_cannot_be_mended_others_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """One class is twice another, which has to answer it: 1.4 and 0.7 are nearest to 1 and 1, and only 2 and 1 hold."""
    from scipy.sparse import csr_array

    monkeypatch.setattr(pull_module, "furthest_inside", lambda *_: np.array([1.4, 0.7]))
    room = Room(csr_array(np.array([[1, -2]])), np.array([9, 9]), np.array([9, 9]))
    nobody = Pull(np.ones(2, np.int64), np.zeros(2), np.zeros(2, np.int64))
    changes = list(pulled_whole(room, nobody, np.array([0, 1])))
    assert 5 <= len(changes) < mend_module._ROUNDINGS
    assert {tuple(change.tolist()) for change in changes} == {(2, 1)}
    monkeypatch.setattr(mend_module, "_ROUNDINGS", 1)
    assert not list(pulled_whole(room, nobody, np.array([0, 1])))


def test_nobody_pulled_means_off_the_bounds() -> None:
    """Two cells with one sum: one stands at its lower bound and leaves it as far as both are off theirs."""
    from scipy.sparse import csr_array

    nobody = Pull(np.ones(2, np.int64), np.zeros(2), np.zeros(2, np.int64))
    point = furthest_inside(csr_array(np.array([[1, 1]])), np.array([0.0, 4.0]), np.array([np.inf, np.inf]), nobody)
    assert point is not None
    assert point[0] >= 1 - 1e-6
    assert point[1] >= -3 - 1e-6
