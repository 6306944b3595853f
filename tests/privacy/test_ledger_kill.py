"""A run killed at any moment leaves a whole ledger that never records less than was drawn."""

import re
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from helpers.killed_run import COST, POINTS, REQUEST, draw_marked

from release.answers import load_answer, stored_answer_digest
from release.charging import charged_answer
from release.errors import BudgetError, LedgerError
from release.ledger import Ledger, verify_ledger

RUN = [sys.executable, str(Path(__file__).parents[1] / "helpers" / "killed_run.py")]
CALLS = "pwrite64,fsync,fdatasync,unlink,rename,renameat2,ftruncate"


@pytest.fixture
def path(tmp_path):
    (tmp_path / "marks").mkdir()
    path = tmp_path / "graduates.ledger"
    with Ledger.create(path, population="graduates", by="Registrar") as ledger:
        ledger.grant(Fraction(1), by="Board", reason="decision 7/2026")
    return path


def killed(path, point):
    return subprocess.run([*RUN, path, path.with_name("marks"), point], check=False, capture_output=True).returncode


def draws(path):
    return len(list(path.with_name("marks").iterdir()))


def recovered(path):
    """Open after a kill, run again, and check all that must hold; what the second run was charged."""
    with Ledger.open(path, population="graduates") as ledger:
        assert ledger.standing().spent >= draws(path) * COST
        stored = stored_answer_digest(path, REQUEST.id)
        files = load_answer(path, REQUEST.id, stored) if stored else None
        answer = charged_answer(ledger, REQUEST, draw_marked(path.with_name("marks")))
        assert files is None or (answer.files == files and answer.charged == 0)
        assert ledger.standing().spent >= draws(path) * COST
        assert charged_answer(ledger, REQUEST, lambda: pytest.fail("drawn twice")).files == answer.files
        assert verify_ledger(path).ok
        return answer.charged


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_every_step(path, point):
    assert killed(path, point) == -9, "the helper never came to this point"
    charged = recovered(path)
    stored_by_then = point in ("after rename", "after store", "before commit", "after commit", "fsync 6")
    assert charged == (0 if stored_by_then else COST)


def test_a_run_that_is_not_killed(path):
    assert killed(path, "never") == 0
    assert (recovered(path), draws(path)) == (0, 1)


def test_the_invariant_would_see_a_draw_before_the_charge(path):
    """Planted fault: a draw that nobody charged. The check above must object."""
    (path.with_name("marks") / "uncharged").touch()
    with pytest.raises(AssertionError):
        recovered(path)


def traced(path, *arguments):
    command = [
        "strace",
        "-f",
        "-qq",
        "-o",
        path.with_name("trace"),
        *arguments,
        *RUN,
        path,
        path.with_name("marks"),
        "never",
    ]
    return subprocess.run(command, check=False, capture_output=True).returncode


def number_of_calls(path):
    """How many writing system calls one run makes; skips where they can't be traced."""
    if shutil.which("strace") is None or traced(path, "-e", f"trace={CALLS}") != 0:
        pytest.skip("needs strace")
    return len(re.findall(r"^\d+ +\w+\(", path.with_name("trace").read_text(), flags=re.MULTILINE))


def fresh_copy(path, name):
    folder = path.parent / name
    (folder / "marks").mkdir(parents=True)
    for file in (path, path.with_name(path.name + ".key")):
        shutil.copy(file, folder)
    return folder / path.name


@pytest.mark.slow
def test_killed_at_every_system_call_that_writes(path):
    """SIGKILL at the first, second, … write, sync, unlink or rename that the process makes."""
    total = number_of_calls(fresh_copy(path, "count"))
    assert total > 20
    for number in range(1, total + 1):
        copy = fresh_copy(path, str(number))
        traced(copy, "-e", f"trace={CALLS}", "-e", f"inject={CALLS}:signal=SIGKILL:when={number}")
        recovered(copy)


@pytest.mark.slow
def test_every_failed_sync_is_survived(path):
    """fsync fails with an I/O error, at each place: the run ends with an error or a whole answer, never with less."""
    total = number_of_calls(fresh_copy(path, "count"))
    refused = 0
    for number in range(1, total + 1):
        copy = fresh_copy(path, str(number))
        refused += traced(copy, "-e", f"inject=fsync,fdatasync:error=EIO:when={number}") != 0
        recovered(copy)
    assert refused > 5


RACE = """
import sys, time
from fractions import Fraction
from release.ledger import Ledger, digest
from release.errors import BudgetError
ledger = Ledger.open(sys.argv[1])
time.sleep(max(0, float(sys.argv[3]) - time.time()))
try:
    ledger.reserve(digest(sys.argv[2]), rho=Fraction(2, 3), details={})
    print("won")
except BudgetError:
    print("refused")
"""


@pytest.mark.parametrize("attempt", range(3))
def test_two_processes_race_for_the_last_of_the_budget(path, attempt):
    import time

    start = str(time.time() + 0.6)
    racers = [
        subprocess.Popen([sys.executable, "-c", RACE, path, name, start], stdout=subprocess.PIPE, text=True)
        for name in "ab"
    ]
    assert sorted(racer.communicate(timeout=30)[0].strip() for racer in racers) == ["refused", "won"]
    assert verify_ledger(path).spent == Fraction(2, 3)


def test_two_runs_of_one_request_at_once_draw_once(path):
    racers = [subprocess.Popen([*RUN, path, path.with_name("marks"), "slowly"], stderr=subprocess.PIPE) for _ in "abc"]
    assert [racer.wait(30) for racer in racers] == [0, 0, 0]
    assert (draws(path), verify_ledger(path).spent) == (1, COST)


def test_recovery_is_refused_when_the_grant_is_used_up(path):
    """A killed run's budget is gone: with too little left, the next run is told so and draws nothing."""
    with Ledger.open(path) as ledger:
        ledger.correct(1, rho=Fraction(1, 2), by="Board", reason="less")
        assert killed(path, "after draw") == -9
        with pytest.raises(BudgetError):
            charged_answer(ledger, REQUEST, lambda: pytest.fail("drawn without budget"))
        assert ledger.state(REQUEST.id).stage == "forfeited"
        with pytest.raises(LedgerError):
            ledger.commit(REQUEST.id, answer=REQUEST.id)
