"""Measure: exact counts become integer residuals, residuals get noise, and only the noisy values go on.

Order, which may never change: the charge is durable in the ledger, then the first random number is drawn
(`release.charging`). Here is only what happens in between: `draw`.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
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


def draw(counts: Counts, plan: Plan, progress: Progress | None = None) -> dict[Combination, IntArray]:
    """Noisy integer residuals of every planned combination. Never called before the charge is durable."""
    _check_bound(counts, plan)
    _check_costs(plan)
    exact = {
        r.combination: integer_residuals(counts.tables[r.combination], r.combination, plan.attributes)
        for r in plan.residuals
    }
    noisy = {combination: np.zeros_like(values) for combination, values in exact.items()}
    for work, values in _noisy_parts(_parts(exact, plan), plan.draws, progress):
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


def _noisy_parts(parts: Iterator[_Part], total: int, progress: Progress | None) -> Iterator[tuple[_Part, IntArray]]:
    done = 0
    for batch, answers in _answers(_batches(parts), total):
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


def _answers(batches: Iterator[list[_Part]], total: int) -> Iterator[tuple[list[_Part], list[IntArray]]]:
    workers = os.cpu_count() or 1
    if total <= _ALONE or workers == 1:
        for batch in batches:
            yield batch, _draw_batch([(part.values, part.scale) for part in batch])
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        todo = list(batches)
        yield from zip(
            todo, pool.map(_draw_batch, [[(p.values, p.scale) for p in batch] for batch in todo]), strict=True
        )


def _draw_batch(batch: list[tuple[IntArray, float]]) -> list[IntArray]:
    """What a worker does: a process of its own (spawned, so no generator state is shared)."""
    return [mechanisms.with_noise(values, scale) for values, scale in batch]
