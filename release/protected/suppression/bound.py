"""A proven least cost of any safe pattern, from the master program of the whole table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from release.protected.suppression.master import Master, Piece
from release.protected.suppression.probe import Demand, Probe, Work
from release.protected.suppression.question import FloatArray, Question
from release.protected.suppression.standing import known_alone

_SAFE = 1e-6
"""Part of the bound given away for the solver's rounding."""


@dataclass(frozen=True, eq=False)
class Sketch:
    """Where the search for the bound stands. least: proven. shares: [n] how much of each cell is hidden for it."""

    least: float
    shares: FloatArray


def lower_bound(question: Question, *, work: float) -> float:
    """What any safe pattern costs at least, as far as the work reaches (0 without any).

    It holds for the question as asked: where insiders are to be kept from learning primary cells, for patterns that do.
    """
    master = Master(whole_table(question, Work(work)))
    return max((sketch.least for sketch in sketches(question, master, enough=0.0)), default=0.0)


def sketches(question: Question, master: Master, *, enough: float, nodes: int = 200) -> Iterator[Sketch]:
    """Ever better bounds: with fractions of cells, then with whole ones; until no cut is missed or `enough` is left."""
    work = master.piece.probe.work
    yield _sketch(question, master, master.relax(rounds=200))
    while work.left > enough:
        hidden = master.branch(nodes=nodes)
        deeper = master.dive(master.piece.demands)
        yield _sketch(question, master, master.least)
        if not (deeper & ~hidden).any():
            return


def proven(question: Question, master: Master, *, nodes: int) -> float:
    """The bound with all cuts that the master has, after at most so many branches."""
    master.branch(nodes=nodes)
    return _sketch(question, master, master.least).least


def whole_table(question: Question, work: Work) -> Piece:
    """The whole question as one piece: primaries hidden, every other cell free unless it must be shown."""
    room = (question.values - question.lower).astype(float)
    known_to = [question.known_to(cell) for cell in range(len(question))]
    return Piece(
        probe=Probe(question.relations, room, alone=known_alone(question), known_to=known_to, work=work),
        fixed=question.primary,
        free=np.flatnonzero(~question.primary & ~question.publish),
        cost=question.cost,
        demands=[Demand(int(cell), int(question.width[cell])) for cell in np.flatnonzero(question.primary)],
    )


def _sketch(question: Question, master: Master, least: float) -> Sketch:
    """A bound a little under the solver's; up to the next whole number where all costs are whole."""
    whole = bool((question.cost == np.rint(question.cost)).all())
    safe = least - _SAFE * max(1.0, least)
    return Sketch(float(np.ceil(safe)) if whole else safe, master.shares.copy())
