"""Runs that are killed, and run again: the ledger never records too little, and the release comes out whole."""

import contextlib
import os
import resource
import signal
import subprocess
import time
from functools import partial
from pathlib import Path

import pytest
from helpers.journey import TABLES, UTFALL, change_ledger, changed_policy, snapshot, utfall, utfall_process
from helpers.notebooks import notebook, write

from release import pipeline
from release.errors import UsageError, UtfallError
from release.runner.run import run_notebook
from release.staging import staged

PATIENCE = 60
"""Seconds that a run may take to come to the point where it is killed."""


def another_request(document):
    """Measured anew: the release that the office has already is of another request."""
    document["tables"]["activity-by-field"]["importance"] = 3


def killed(office, policy, reached):
    """Start a run, kill it with all that it started once `reached()` holds."""
    run = started(office, policy)
    until(lambda: run.poll() is not None or reached())
    assert run.poll() is None, "the run ended before it came to this point"
    family = [run.pid, *descendants(run.pid)]
    for process in family:
        os.kill(process, signal.SIGKILL)
    run.communicate()
    assert run.returncode == -signal.SIGKILL


def started(office, policy):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("UTFALL_")}
    command = [UTFALL, *map(str, office.arguments(policy=policy))]
    return subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        preexec_fn=_interruptible,  # noqa: PLW1509 (no threads here)
    )


def _interruptible():
    """Jobs in a shell's background inherit that Ctrl-C means nothing to them."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def until(holds, seconds=PATIENCE):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def descendants(process):
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [one for child in map(int, children) for one in (child, *descendants(child))]


def alive(process):
    status = Path(f"/proc/{process}/stat")
    return status.exists() and status.read_text().split(")")[-1].split()[0] != "Z"


def staging(office, name):
    """Whether the run's staging folder holds this already."""
    return any(office.out.glob(f".staging-*/{name}"))


def entries_after_the_first_release(office):
    return office.kinds()[5:]


def whole(office):
    verified = utfall("ledger", "verify", "--ledger", office.ledger)
    return verified.code == 0


def test_killed_three_times_and_run_again(office, released):
    """Before the charge, after it, and while the files are written: only what was charged and not kept is lost."""
    policy = changed_policy(office.policy, another_request)

    killed(office, policy, lambda: staging(office, "confidential/linked.parquet"))
    assert entries_after_the_first_release(office) == []
    assert len(office.left_behind()) == 1

    before = office.ledger.read_bytes()
    killed(office, policy, lambda: office.ledger.read_bytes() != before and not journal(office))
    assert whole(office)
    assert entries_after_the_first_release(office) == ["reserve"]
    assert office.spent() == "1"
    assert len(office.left_behind()) == 1

    killed(office, policy, lambda: staging(office, "public/tables/*.csv"))
    assert whole(office)
    assert entries_after_the_first_release(office) == ["reserve", "forfeit", "reserve", "commit"]
    assert office.spent() == "3/2"

    told = office.run(policy=policy)
    assert told.code == 0, told.err
    assert "charged ρ = 0" in told.out
    assert whole(office)
    assert entries_after_the_first_release(office) == ["reserve", "forfeit", "reserve", "commit", "publish"]
    assert office.spent() == "3/2"
    assert office.left_behind() == []
    (new,) = set(office.out.iterdir()) - {office.out / released.folder.name}
    assert sorted(path.stem for path in (new / "public" / "tables").glob("*.csv")) == sorted(TABLES)
    assert utfall("audit", new, "--ledger", office.ledger).code == 0


def journal(office):
    return any(path.name.endswith("-journal") for path in office.ledger.parent.iterdir())


def test_killed_between_appearing_and_its_entry(office):
    """The release is there, the ledger lacks its publication: the next run adds the entry and touches nothing else."""
    change_ledger(office.ledger, "DELETE FROM entry WHERE number = 4")
    before = snapshot(office.out)
    told = office.run()
    assert (told.code, "nothing was charged" in told.out) == (0, True)
    assert office.kinds()[3:] == ["commit", "publish"]
    assert snapshot(office.out) == before


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda how: how.name)
def test_a_kernel_ends_with_its_run(office, how):
    """Only the run itself is told to end: its kernel must not go on with the registers in its memory."""
    run = started(office, changed_policy(office.policy, another_request))
    until(lambda: descendants(run.pid) and staging(office, "confidential/.kernel-*"))
    family = descendants(run.pid)
    run.send_signal(how)
    _, said = run.communicate(timeout=PATIENCE)
    until(lambda: not any(alive(process) for process in family), seconds=20)
    assert whole(office)
    if how == signal.SIGKILL:
        assert run.returncode == -how
    else:
        assert run.returncode == 130
        assert said.splitlines()[-1].startswith("Stopped: ")
        assert "Traceback" not in said
        assert office.left_behind() == []


def test_a_full_disk(office):
    """No file may grow over 30 KB: the run ends with a plain word, and with room again it goes on at no charge."""
    policy = changed_policy(office.policy, lambda document: document["title"].update(en="Told anew"))
    before = office.ledger.read_bytes(), snapshot(office.out)
    limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (30_000, 30_000))
    told = utfall_process(*office.arguments(policy=policy), preexec_fn=limit)
    assert told.code == 1
    assert "the disk is full" in told.err
    assert "Traceback" not in told.err
    assert (office.ledger.read_bytes(), snapshot(office.out)) == before


@pytest.mark.parametrize(
    ("error", "words"), [("OSError(28, 'x')", "the disk is full"), ("MemoryError()", "the memory")]
)
def test_no_room_left_in_a_notebook(tmp_path, error, words):
    """The notebook's process says so too, in fixed words."""
    path = write(tmp_path / "1-test.ipynb", notebook(f"raise {error}"))
    with pytest.raises(UtfallError, match=words):
        run_notebook(path, output=tmp_path / "out.ipynb", folder=tmp_path, parameters={}, environment={})


def test_a_grant_used_up_meanwhile(office, monkeypatch):
    """Another run took the budget after this one began: refused by the ledger itself, across the notebook's process."""
    utfall(
        "ledger", "correct", "--ledger", office.ledger, "--grant", 1, "--rho", "5/4", "--by", "me", "--reason", "less"
    )
    monkeypatch.setattr(pipeline, "_refuse_over_grant", lambda *_: None)
    told = office.run(policy=changed_policy(office.policy, another_request))
    assert told.code == 5
    assert "Budget refused: " in told.err
    assert "Left:     0.250000" in told.err
    assert office.kinds()[5:] == ["correct"]
    assert office.left_behind() == []


# Staging by itself --------------------------------------------------------------------------------------------------


def test_what_dead_runs_left_is_removed_and_what_lives_is_not(tmp_path):
    dead = tmp_path / ".staging-0a1b2c3d"
    (dead / "confidential").mkdir(parents=True)
    (dead / "confidential" / "linked.parquet").write_bytes(b"rows")
    with staged(tmp_path, "one-111") as first:
        assert not dead.exists()
        (first.confidential / "rows").write_text("rows")
        with staged(tmp_path, "two-222") as second:
            assert first.folder.is_dir()
            second.appear()
        assert (first.confidential / "rows").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["two-222"]


def test_a_failing_run_leaves_nothing(tmp_path):
    with contextlib.suppress(ZeroDivisionError), staged(tmp_path / "out", "one-111") as stage:
        (stage.confidential / "rows").write_text("rows")
        raise ZeroDivisionError
    assert list((tmp_path / "out").iterdir()) == []


def test_a_release_never_takes_the_place_of_another(tmp_path):
    (tmp_path / "one-111" / "public").mkdir(parents=True)
    (tmp_path / "one-111" / "public" / "promise.md").write_text("first")
    with staged(tmp_path, "one-111") as stage:
        (stage.public / "promise.md").write_text("second")
        with pytest.raises(UsageError, match="another run"):
            stage.appear()
    assert (tmp_path / "one-111" / "public" / "promise.md").read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["one-111"]
