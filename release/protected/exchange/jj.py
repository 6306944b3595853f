"""JJ files: a suppression problem as bare numbers. Cells with cost, status and bounds, and the sums between them.

    0
    number of cells
    cell value cost status lower upper lower-protection upper-protection sliding-protection      (one line a cell)
    number of sums
    0 terms : cell (-1) cell (1) cell (1) …                                                    (one line a sum)

Status: `s` safe, `u` hidden for itself, `m` hidden to protect others, `z` must be shown (or is empty).
Source: tau-ARGUS user's manual, the JJ format for intermediate files; Fischetti and Salazar-González's test problems.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from release.codes import IntArray
from release.errors import DataError
from release.protected.exchange.texts import text_of, write_text
from release.protected.suppression.question import Question

STATUSES = "sumz"
_TERM = re.compile(r"(\d+)\s*\(\s*([-+]?\d+)\s*\)")
MOST_DECIMALS = 6


@dataclass(frozen=True, eq=False)
class Problem:
    """A suppression problem. Figures are whole numbers of 10 ** -decimals, int64 [n]; cost float64 [n].

    status: one letter a cell [n]. lower, upper: what is known of a hidden cell. below, above, sliding: how far the
    derived bounds must lie below and above the value, and apart. relations: int8 [m, n].
    """

    values: IntArray
    cost: npt.NDArray[np.float64]
    status: npt.NDArray[np.str_]
    lower: IntArray
    upper: IntArray
    below: IntArray
    above: IntArray
    sliding: IntArray
    relations: Any
    decimals: int = 0

    def __len__(self) -> int:
        return len(self.values)

    @property
    def hidden(self) -> npt.NDArray[np.bool_]:
        return np.isin(self.status, ("u", "m"))


def read_jj(path: Path) -> Problem:
    """The problem in a file. DataError with line number where it isn't a JJ file or doesn't add up."""
    return problem_of_jj(text_of(path))


def write_jj(problem: Problem, path: Path) -> None:
    """Write the problem; what `read_jj` reads back is the same."""
    write_text(path, jj_of(problem))


def problem_of_jj(text: str) -> Problem:
    """The problem in the text of a JJ file."""
    lines = [line.split("//")[0].strip() for line in text.splitlines()]
    lines = [line for line in lines if line]
    count = _count(lines, 1, "cells")
    cells = [_cell(line, number) for number, line in enumerate(lines[2 : 2 + count])]
    sums = _count(lines, 2 + count, "sums")
    rows = [_sum(line, number, count) for number, line in enumerate(lines[3 + count : 3 + count + sums])]
    if len(cells) != count or len(rows) != sums:
        raise _wrong("it ends before the cells and sums that it announces")
    problem = _problem(cells, _matrix(rows, count))
    _refuse_broken(problem)
    return problem


def jj_of(problem: Problem) -> str:
    """The text of a JJ file."""
    return "\n".join(["0", str(len(problem)), *_cell_lines(problem), *_sum_lines(problem)]) + "\n"


def problem_of(question: Question, *, hidden: npt.NDArray[np.bool_] | None = None) -> Problem:
    """The engine's question as a problem for other tools; with `hidden`, its answer too."""
    most = np.full(len(question), max(int(np.abs(question.values).max(initial=0)) * 2, 1), np.int64)
    status = np.where(question.publish, "z", "s")
    if hidden is not None:
        status = np.where(hidden, "m", status)
    demand = np.where(question.primary, question.width, 0).astype(np.int64)
    return Problem(
        values=question.values,
        cost=question.cost,
        status=np.where(question.primary, "u", status),
        lower=np.minimum(question.lower, question.values).astype(np.int64),
        upper=most,
        below=np.zeros(len(question), np.int64),
        above=np.zeros(len(question), np.int64),
        sliding=demand,
        relations=question.relations,
    )


def question_of(problem: Problem) -> Question:
    """The problem as a question for our engine: the two levels and the sliding one are asked as one width."""
    width = np.maximum(problem.below + problem.above, problem.sliding)
    return Question(
        relations=problem.relations,
        values=problem.values,
        primary=np.isin(problem.status, ("u",)),
        width=np.maximum(width, 1).astype(np.int64),
        cost=np.maximum(problem.cost, 0),
        publish=np.isin(problem.status, ("z",)),
        lower=problem.lower,
    )


def with_answer(problem: Problem, hidden: npt.NDArray[np.bool_]) -> Problem:
    """The problem with the cells that a pattern hides beside the primary ones."""
    secondary = hidden & (problem.status != "u")
    return replace(problem, status=np.where(secondary, "m", np.where(problem.status == "m", "s", problem.status)))


def _count(lines: Sequence[str], at: int, what: str) -> int:
    if at >= len(lines) or not lines[at].isdigit():
        raise _wrong(f"the number of {what} isn't where it should be")
    return int(lines[at])


Cell = tuple[Fraction, float, str, tuple[Fraction, ...]]


def _cell(line: str, number: int) -> Cell:
    parts = line.split()
    try:
        if len(parts) != 9 or int(parts[0]) != number or parts[3] not in STATUSES:
            raise ValueError
        return Fraction(parts[1]), float(parts[2]), parts[3], tuple(Fraction(part) for part in parts[4:])
    except (ValueError, ZeroDivisionError):
        raise _wrong(f"cell {number} isn't told as number, value, cost, status and five bounds") from None


def _sum(line: str, number: int, count: int) -> list[tuple[int, int]]:
    head, _, tail = line.partition(":")
    terms = [(int(cell), int(sign)) for cell, sign in _TERM.findall(tail)]
    wanted = head.split()
    if len(wanted) != 2 or not wanted[1].isdigit() or int(wanted[1]) != len(terms) or Fraction(wanted[0]) != 0:
        raise _wrong(f"sum {number} doesn't hold the terms that it announces, or isn't zero")
    if any(cell >= count or abs(sign) != 1 for cell, sign in terms):
        raise _wrong(f"sum {number} names a cell that isn't there, or a factor other than 1 and -1")
    return terms


def _problem(cells: Sequence[Cell], relations: Any) -> Problem:
    decimals = max((_decimals(number) for value, _, _, more in cells for number in (value, *more)), default=0)
    scale = 10**decimals
    figures = np.array([[int(number * scale) for number in (value, *more)] for value, _, _, more in cells], np.int64)
    columns = figures.reshape(len(cells), 6).T
    return Problem(
        values=columns[0],
        cost=np.array([cost for _, cost, _, _ in cells], np.float64),
        status=np.array([status for _, _, status, _ in cells], "<U1"),
        lower=columns[1],
        upper=columns[2],
        below=columns[3],
        above=columns[4],
        sliding=columns[5],
        relations=relations,
        decimals=decimals,
    )


def _decimals(number: Fraction) -> int:
    return next((d for d in range(MOST_DECIMALS) if (number * 10**d).denominator == 1), MOST_DECIMALS)


def _matrix(rows: Sequence[Sequence[tuple[int, int]]], count: int) -> Any:
    from scipy.sparse import csr_array

    at = [(i, cell) for i, terms in enumerate(rows) for cell, _ in terms]
    signs = np.array([sign for terms in rows for _, sign in terms], np.int8)
    places = np.array(at, np.int64).reshape(len(at), 2)
    return csr_array((signs, (places[:, 0], places[:, 1])), shape=(len(rows), count))


def _refuse_broken(problem: Problem) -> None:
    off = np.flatnonzero(problem.relations.astype(np.int64) @ problem.values)
    if len(off):
        listed = ", ".join(str(row) for row in off[:10].tolist())
        raise _wrong(f"{len(off)} sums don't hold, the first are {listed}")


def _cell_lines(problem: Problem) -> Iterable[str]:
    figures = (problem.values, problem.lower, problem.upper, problem.below, problem.above, problem.sliding)
    texts = [[_plain(number, problem.decimals) for number in column.tolist()] for column in figures]
    for i, (value, *bounds) in enumerate(zip(*texts, strict=True)):
        cost = repr(float(problem.cost[i])).removesuffix(".0")
        yield f"{i} {value} {cost} {problem.status[i]} {' '.join(bounds)}"


def _sum_lines(problem: Problem) -> Iterable[str]:
    matrix = problem.relations.tocsr()
    yield str(matrix.shape[0])
    for row in range(matrix.shape[0]):
        mine = slice(matrix.indptr[row], matrix.indptr[row + 1])
        terms = sorted(zip(matrix.data[mine].tolist(), matrix.indices[mine].tolist(), strict=True))
        yield f"0 {len(terms)} : " + " ".join(f"{cell} ({sign})" for sign, cell in terms)


def _plain(number: int, decimals: int) -> str:
    return str(number) if not decimals else f"{number // 10**decimals}.{number % 10**decimals:0{decimals}d}"


def _wrong(why: str) -> DataError:
    return DataError(f"the file isn't a sound JJ file: {why}", now="write it again from the program that made it")
