"""Measure: exact counts become integer residuals, residuals get noise, and only the noisy values go on.

Order, which may never change: the charge is durable in the ledger, then the first random number is drawn
(`release.charging`). Here is only what happens in between: `draw`.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context

import numpy as np

from release.codes import IntArray
from release.confidential import mechanisms
from release.confidential.counts import Counts
from release.errors import UtfallError
from release.plan import Plan, group_cells
from release.policy.policy import Combination
from release.residuals import integer_residuals

Progress = Callable[[int, int], None]
"""Called with the number of noisy values drawn so far, and of all."""

_CHUNK = 40_000
_ALONE = 60_000
"""Up to so many draws one process does the work: starting others would take longer."""


@contextmanager
def crew(draws: int) -> Iterator[ProcessPoolExecutor | None]:
    """Processes that draw, one per core, started and tried out: whatever can fail does so before anything is charged.

    None for so few draws that one process does the work. Spawned, so that no generator state is shared.
    """
    cores = os.cpu_count() or 1
    if draws <= _ALONE or cores == 1:
        yield None
        return
    with ProcessPoolExecutor(cores, mp_context=get_context("spawn")) as pool:
        try:
            list(pool.map(_try_out, range(cores)))
        except BrokenProcessPool:
            raise UtfallError(
                "the processes that draw the noise can't be started; nothing was charged",
                now="run it as a program or a notebook, not from standard input",
            ) from None
        yield pool


def _try_out(_: int) -> None:
    mechanisms.gaussian(1.0)


def check_ready(counts: Counts, plan: Plan) -> None:
    """What could stop a draw is looked at before its charge: the bound per person, and every group's cost."""
    _check_bound(counts, plan)
    _check_costs(plan)


def draw(
    counts: Counts, plan: Plan, *, pool: ProcessPoolExecutor | None = None, progress: Progress | None = None
) -> dict[Combination, IntArray]:
    """Noisy integer residuals of every planned combination. Never called before the charge is durable."""
    check_ready(counts, plan)
    exact = {
        r.combination: integer_residuals(counts.tables[r.combination], r.combination, plan.attributes)
        for r in plan.residuals
    }
    noisy = {combination: np.zeros_like(values) for combination, values in exact.items()}
    parts = _drawn(_parts(exact, plan), pool)
    for work, values in _told(parts, plan.draws, progress):
        noisy[work.combination].reshape(-1)[work.where] = values
    return noisy


def mechanisms_of(plan: Plan) -> dict[str, str]:
    """OpenDP's serialised measurement for every scale of the plan, by the scale's hexadecimal text."""
    scales = sorted({group.scale for residual in plan.residuals for group in residual.groups})
    return {scale.hex(): mechanisms.serialised(scale) for scale in scales}


def _check_bound(counts: Counts, plan: Plan) -> None:
    """The counts hold no more records of a person than the plan's costs allow for."""
    if counts.records_per_person != plan.records:
        raise UtfallError("the rows were linked with another bound per person than the plan's; nothing was drawn")


def _check_costs(plan: Plan) -> None:
    """Each group's cost, by OpenDP's map and by exact fractions, is at most what the plan announced."""
    for residual in plan.residuals:
        for group in residual.groups:
            squared = group.squared_sensitivity(plan.records)
            by_opendp = mechanisms.cost(mechanisms.gaussian(group.scale), squared)
            if max(by_opendp, group.cost(plan.records)) > residual.rho:
                raise UtfallError("a noise scale costs more than the plan announced; nothing was drawn")


class _Part:
    """A piece of one noise group: which cells (flat indices), their exact residuals, and the scale."""

    def __init__(self, combination: Combination, where: IntArray, values: IntArray, scale: float) -> None:
        self.combination, self.where, self.values, self.scale = combination, where, values, scale


def _parts(exact: Mapping[Combination, IntArray], plan: Plan) -> Iterator[_Part]:
    for residual in plan.residuals:
        flat = exact[residual.combination].reshape(-1)
        for group, cells in group_cells(residual, plan.attributes):
            for start in range(0, len(cells), _CHUNK):
                where = cells[start : start + _CHUNK]
                yield _Part(residual.combination, where, flat[where], group.scale)


def _told(
    batches: Iterator[tuple[list[_Part], list[IntArray]]], total: int, progress: Progress | None
) -> Iterator[tuple[_Part, IntArray]]:
    """Part by part, with progress after each batch."""
    done = 0
    for batch, answers in batches:
        for part, values in zip(batch, answers, strict=True):
            done += len(values)
            yield part, values
        if progress:
            progress(done, total)


def _batches(parts: Iterator[_Part]) -> Iterator[list[_Part]]:
    """Parts joined until a batch holds about `_CHUNK` values, so that small groups don't travel alone."""
    batch: list[_Part] = []
    for part in parts:
        batch.append(part)
        if sum(len(p.values) for p in batch) >= _CHUNK:
            yield batch
            batch = []
    if batch:
        yield batch


def _drawn(parts: Iterator[_Part], pool: ProcessPoolExecutor | None) -> Iterator[tuple[list[_Part], list[IntArray]]]:
    """Batch by batch, in this process or in the pool's."""
    todo = list(_batches(parts))
    work = [[(part.values, part.scale) for part in batch] for batch in todo]
    return zip(todo, pool.map(_draw_batch, work) if pool else map(_draw_batch, work), strict=True)


def _draw_batch(batch: list[tuple[IntArray, float]]) -> list[IntArray]:
    """What one process does with one batch."""
    return [mechanisms.with_noise(values, scale) for values, scale in batch]
