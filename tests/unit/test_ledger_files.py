"""Which files are taken for a ledger, its key, and its lock."""

import multiprocessing
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from fractions import Fraction

import pytest

from release.errors import LedgerError
from release.ledger import Ledger, delivery_key, key_path, ledger_lock, verify_ledger


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "graduates.ledger"
    with Ledger.create(path, population="graduates", by="Registrar") as ledger:
        ledger.grant(Fraction(1), by="Board", reason="decision 7/2026")
    return path


def refused(path, words):
    for attempt in (Ledger.open, verify_ledger):
        with pytest.raises(LedgerError, match=words):
            attempt(path)


def test_ledger_and_key_are_for_their_owner_only(path):
    for file in (path, key_path(path)):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_nothing_is_made_over_an_existing_file(path, tmp_path):
    before = path.read_bytes()
    with pytest.raises(LedgerError, match="already"):
        Ledger.create(path, population="graduates", by="Registrar")
    assert path.read_bytes() == before
    other = tmp_path / "other.ledger"
    key_path(other).write_text("precious")
    with pytest.raises(LedgerError, match="key of another ledger"):
        Ledger.create(other, population="graduates", by="Registrar")
    assert not other.exists()
    assert key_path(other).read_text() == "precious"


def test_a_missing_ledger(tmp_path):
    refused(tmp_path / "none.ledger", "no ledger here")


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\x00", b"hello" * 100])
def test_other_files(tmp_path, content):
    (tmp_path / "x").write_bytes(content)
    refused(tmp_path / "x", "isn't a ledger")


def test_symbolic_links_folders_and_pipes(path, tmp_path):
    (tmp_path / "link").symlink_to(path)
    refused(tmp_path / "link", "symbolic link")
    refused(tmp_path, "isn't an ordinary file|can't be opened")
    os.mkfifo(tmp_path / "pipe")
    refused(tmp_path / "pipe", "ordinary file")


def test_another_program_s_database(tmp_path):
    connection = sqlite3.connect(tmp_path / "x")
    connection.execute("CREATE TABLE entry (a)")
    connection.close()
    refused(tmp_path / "x", "not a ledger")


def test_a_newer_version(path):
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 2")
    connection.close()
    refused(path, "version that isn't known")


def test_a_copy_switched_to_wal(path):
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    refused(path, "WAL")


def test_a_second_name_and_foreign_write_permission(path, tmp_path):
    os.link(path, tmp_path / "second")
    with pytest.raises(LedgerError, match="second name"):
        Ledger.open(path)
    (tmp_path / "second").unlink()
    path.chmod(0o660)
    with pytest.raises(LedgerError, match="others than its owner"):
        Ledger.open(path)
    assert verify_ledger(path).ok


def test_verifying_works_on_a_read_only_copy_and_leaves_no_trace(path, tmp_path):
    folder = tmp_path / "auditor"
    folder.mkdir()
    copy = shutil.copy(path, folder / "copy.ledger")
    copy.chmod(0o444)
    folder.chmod(0o555)
    before = copy.read_bytes()
    assert verify_ledger(copy).ok
    assert copy.read_bytes() == before
    assert [file.name for file in folder.iterdir()] == ["copy.ledger"]
    folder.chmod(0o755)


def test_the_verifier_needs_no_heavy_library(path):
    code = (
        "import sys; from release.ledger.verify import main; main(sys.argv[1:]);"
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'opendp','pandas','numpy','pydantic','typer'}))"
    )
    shown = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True).stdout
    assert shown.splitlines() == ["graduates.ledger: 2 entries, nothing amiss; granted 1, spent 0", "[]"]


def test_the_verifier_as_a_program(path, tmp_path):
    def verify(*arguments):
        return subprocess.run([sys.executable, "-m", "release.ledger", *arguments], check=False).returncode

    assert [verify(str(path)), verify(str(tmp_path / "none")), verify()] == [0, 6, 2]


def test_the_key_is_random_and_kept(path, tmp_path):
    assert len(delivery_key(path)) == 32
    assert delivery_key(path) == delivery_key(path)
    Ledger.create(tmp_path / "other", population="graduates", by="Registrar").close()
    assert delivery_key(tmp_path / "other") != delivery_key(path)


def test_a_key_that_others_may_read_is_missing_or_damaged(path):
    key_path(path).chmod(0o640)
    with pytest.raises(LedgerError, match="Others may read"):
        delivery_key(path)
    key_path(path).chmod(0o600)
    for damage in ("", "zz" * 32, "ab" * 31, "ab" * 33):
        key_path(path).write_text(damage)
        with pytest.raises(LedgerError, match="damaged"):
            delivery_key(path)
    key_path(path).unlink()
    with pytest.raises(LedgerError, match="backup"):
        delivery_key(path)


def hold(path, held, release):
    with ledger_lock(path):
        held.set()
        release.wait(20)


def test_the_second_run_is_told_whom_it_waits_for(path):
    context = multiprocessing.get_context("spawn")
    held, release, said = context.Event(), context.Event(), []
    holder = context.Process(target=hold, args=(path, held, release))
    holder.start()
    held.wait(20)
    with pytest.raises(LedgerError, match="still in use"), ledger_lock(path, wait=0, tell=said.append):
        pass
    assert f"waits for the run of process {holder.pid}" in said[0]
    with ledger_lock(path, tell=lambda _: release.set()):
        pass
    holder.join(20)


def test_a_killed_holder_holds_nothing(path):
    context = multiprocessing.get_context("spawn")
    held, release, said = context.Event(), context.Event(), []
    holder = context.Process(target=hold, args=(path, held, release))
    holder.start()
    held.wait(20)
    holder.kill()
    holder.join(20)
    with ledger_lock(path, wait=0, tell=said.append):
        assert said == []
    with ledger_lock(path, wait=0, tell=said.append):
        assert said == []
