"""A run of one request that kills itself (SIGKILL) at a named point: python killed_run.py LEDGER MARKS POINT

POINT: "before NAME" or "after NAME" of a call below, "fsync N" for the Nth sync of the answer's files, "never", or
"slowly" (not killed; the draw takes half a second).
Every draw leaves a mark (a file in MARKS), so that a test can count draws.
"""

import os
import signal
import sys
import time
from fractions import Fraction
from pathlib import Path

from release import answers, charging
from release.charging import Request, charged_answer
from release.ledger import Ledger

COST = Fraction(1, 3)
REQUEST = Request("graduates", "graduates-2026", COST, {"residuals": [["provider", 1], "scale 7/2"]})
NAMES = ("reserve", "draw", "store", "rename", "commit")
POINTS = (*[f"{when} {name}" for name in NAMES for when in ("before", "after")], *[f"fsync {n}" for n in range(1, 7)])


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def dying(function, when):
    def wrapped(*args, **kwargs):
        if when == "before":
            die()
        result = function(*args, **kwargs)
        die()
        return result

    return wrapped


def draw_marked(marks: Path):
    def draw():
        (marks / str(len(list(marks.iterdir())))).touch()
        return {"noisy.bin": os.urandom(8), "scales.json": b"{}"}

    return draw


def slow(draw):
    def slowly():
        time.sleep(0.5)
        return draw()

    return slowly


def die_at_sync(number: int):
    syncs = []

    def fsync(descriptor):
        syncs.append(descriptor)
        if len(syncs) == number:
            die()

    return fsync


def main(path: str, marks: str, point: str) -> None:
    ledger = Ledger.open(path)
    draw = draw_marked(Path(marks))
    when, _, name = point.partition(" ")
    if when == "fsync":
        answers.os.fsync = die_at_sync(int(name))
    elif name in ("reserve", "commit"):
        setattr(Ledger, name, dying(getattr(Ledger, name), when))
    elif when == "slowly":
        draw = slow(draw)
    elif name == "draw":
        draw = dying(draw, when)
    elif name == "store":
        charging.store_answer = dying(charging.store_answer, when)
    elif name == "rename":
        Path.rename = dying(Path.rename, when)
    charged_answer(ledger, REQUEST, draw)


if __name__ == "__main__":
    main(*sys.argv[1:])
