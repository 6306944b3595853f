"""Stored answers: whole or not at all, never overwritten, damage noticed."""

import os
import stat

import pytest

from release import answers
from release.answers import answer_folder, load_answer, store_answer, stored_answer_digest
from release.errors import LedgerError
from release.ledger import digest

A = digest("request a")
FILES = {"noisy.parquet": b"\x00\x01", "scales.json": b"{}"}


@pytest.fixture
def ledger(tmp_path):
    return tmp_path / "graduates.ledger"


def test_what_is_stored_is_loaded(ledger):
    assert stored_answer_digest(ledger, A) is None
    stored = store_answer(ledger, A, FILES)
    assert stored_answer_digest(ledger, A) == stored
    assert load_answer(ledger, A, stored) == FILES


def test_the_digest_is_that_of_names_and_contents(ledger, tmp_path):
    stored = store_answer(ledger, A, FILES)
    assert store_answer(tmp_path / "other", A, dict(reversed(FILES.items()))) == stored
    assert store_answer(tmp_path / "third", A, {**FILES, "scales.json": b"{ }"}) != stored
    assert store_answer(tmp_path / "fourth", A, {"noisy.csv": b"\x00\x01", "scales.json": b"{}"}) != stored


def test_storing_the_same_again_changes_nothing_and_another_is_refused(ledger):
    stored = store_answer(ledger, A, FILES)
    assert store_answer(ledger, A, FILES) == stored
    with pytest.raises(LedgerError, match="Another answer"):
        store_answer(ledger, A, {**FILES, "scales.json": b"[]"})
    assert load_answer(ledger, A, stored) == FILES


def test_only_its_owner_may_read_an_answer(ledger):
    store_answer(ledger, A, FILES)
    folder = answer_folder(ledger, A)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder.parent, folder)] == [0o700, 0o700]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


@pytest.mark.parametrize("damage", ["change", "remove", "add", "digests", "empty"])
def test_damage_is_noticed(ledger, damage):
    stored = store_answer(ledger, A, FILES)
    folder = answer_folder(ledger, A)
    if damage == "change":
        (folder / "noisy.parquet").write_bytes(b"\x00\x02")
    elif damage == "remove":
        (folder / "scales.json").unlink()
    elif damage == "add":
        (folder / "more").write_bytes(b"")
    elif damage == "digests":
        (folder / "digests.json").write_bytes(b"{}")
    else:
        [path.unlink() for path in folder.iterdir()]
    with pytest.raises(LedgerError, match="damaged"):
        load_answer(ledger, A, stored)
    with pytest.raises(LedgerError, match="damaged"):
        stored_answer_digest(ledger, A)


def test_a_consistent_answer_that_the_ledger_did_not_commit_to(ledger):
    stored = store_answer(ledger, A, FILES)
    with pytest.raises(LedgerError, match="missing, or isn't the one"):
        load_answer(ledger, A, digest("another"))
    with pytest.raises(LedgerError, match="missing, or isn't the one"):
        load_answer(ledger, digest("never stored"), stored)


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "digests.json", "x" * 101, "a\n"])
def test_file_names_are_plain(ledger, name):
    with pytest.raises(LedgerError, match="name that isn't allowed"):
        store_answer(ledger, A, {name: b""})


@pytest.mark.parametrize("request_id", ["..", "", "A" * 64, A + "/.."])
def test_request_ids_are_digests(ledger, request_id):
    with pytest.raises(LedgerError, match="64 hexadecimal"):
        store_answer(ledger, request_id, FILES)


@pytest.mark.parametrize("number", range(1, 7))
def test_a_failed_sync_stores_nothing_or_all(ledger, monkeypatch, number):
    syncs = []

    def fsync(descriptor):
        syncs.append(descriptor)
        if len(syncs) == number:
            raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(answers.os, "fsync", fsync)
        with pytest.raises(LedgerError, match="couldn't be stored"):
            store_answer(ledger, A, FILES)
    assert stored_answer_digest(ledger, A) is None or load_answer(ledger, A, stored_answer_digest(ledger, A)) == FILES
    assert load_answer(ledger, A, store_answer(ledger, A, FILES)) == FILES
    assert os.listdir(answer_folder(ledger, A).parent) == [A]  # noqa: PTH208
