"""The ledger's SQLite file: opened with care, written in durable transactions, failures told in plain words."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from release.errors import LedgerError
from release.ledger.format import APPLICATION_ID, FORMAT_VERSION, SCHEMA, read_header

Row = tuple[int, str, str]
"""Number, body (canonical JSON), hash."""

_SETTINGS = {"journal_mode": "delete", "synchronous": 3, "trusted_schema": 0, "cell_size_check": 1, "fullfsync": 1}
"""Synchronous 3 is EXTRA: FULL, and the folder synced too, so that a power cut can't roll an entry back."""


class Store:
    """One open ledger file. After any failed write it stays shut: what is on disk must be verified again."""

    def __init__(self, path: Path) -> None:
        read_header(path)
        self._path = path
        self._identity = _identity(path)
        with plain_words(path):
            self._connection = _connect(path)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is written and synced together when the block ends, or not at all."""
        with plain_words(self._path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._refuse_replaced_file()
                yield
                self._connection.execute("COMMIT")
            except sqlite3.Error:
                self._connection.close()
                raise
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def rows_from(self, number: int) -> list[Row]:
        """All entries from this number on, in order."""
        with plain_words(self._path):
            query = "SELECT number, body, hash FROM entry WHERE number >= ? ORDER BY number"
            return self._connection.execute(query, (number,)).fetchall()

    def append(self, row: Row) -> None:
        """One more entry; only inside a transaction."""
        self._connection.execute("INSERT INTO entry (number, body, hash) VALUES (?, ?, ?)", row)

    def close(self) -> None:
        self._connection.close()

    def _refuse_replaced_file(self) -> None:
        if _identity(self._path) != self._identity:
            raise LedgerError(
                "The ledger's file was replaced while it was open.",
                where=self._path.name,
                now="Find out who did it; verify the ledger before the next run.",
            )


def take_back_half_written(path: Path) -> None:
    """Let SQLite undo what a killed run left half-written, as it does on the first reading of a file."""
    store = Store(path)
    with store.transaction():
        store.rows_from(0)
    store.close()


def create_file(path: Path, genesis: Row) -> None:
    """A new ledger file with its first entry, mode 0600. LedgerError if there is a file, or on a failed write."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
    except FileExistsError:
        raise LedgerError(
            "There is a file of this name already.", where=path.name, now="Choose another name."
        ) from None
    except OSError:
        raise LedgerError(
            "No ledger can be made in this folder.", where=path.name, now="Check that you may write there."
        ) from None
    try:
        with plain_words(path):
            _write_first(path, genesis)
    except LedgerError:
        path.unlink()
        raise


def _write_first(path: Path, genesis: Row) -> None:
    connection = _connect(path)
    connection.execute("BEGIN EXCLUSIVE")
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {FORMAT_VERSION}")
    for statement in SCHEMA:
        connection.execute(statement)
    connection.execute("INSERT INTO entry (number, body, hash) VALUES (?, ?, ?)", genesis)
    connection.execute("COMMIT")
    connection.close()


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode=rw", uri=True, isolation_level=None, timeout=20
    )
    for name, value in _SETTINGS.items():
        connection.execute(f"PRAGMA {name} = {value}")
        if connection.execute(f"PRAGMA {name}").fetchone()[0] != value:
            raise LedgerError("SQLite can't be set to write durably here.", where=f"{path.name}, {name}", now=_DISK)
    return connection


def _identity(path: Path) -> tuple[int, int]:
    """Device and file number. A second name (hard link) is refused: SQLite would lose its journal."""
    try:
        status = path.lstat()
    except OSError:
        raise LedgerError("The ledger's file is gone.", where=path.name, now=_DISK) from None
    if status.st_nlink != 1 or status.st_mode & 0o022:
        raise LedgerError(
            "The ledger's file has a second name, or others than its owner may write it.",
            where=path.name,
            now="Remove the hard link, or run chmod 600; then verify the ledger.",
        )
    return status.st_dev, status.st_ino


@contextmanager
def plain_words(path: Path) -> Iterator[None]:
    """SQLite's errors inside the block become LedgerError; damaged names inside a file show as UnicodeDecodeError."""
    try:
        yield
    except UnicodeDecodeError:
        raise LedgerError("The ledger's file is damaged.", where=path.name, now=_RESTORE) from None
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "SQLITE_MISUSE")
        what, now = next((words for start, words in _WORDS.items() if name.startswith(start)), _UNKNOWN)
        raise LedgerError(what, where=path.name, now=now) from None


_DISK = "Find out what is wrong with the disk or the folder; then run `utfall ledger verify` before anything else."
_RESTORE = "Run `utfall ledger verify`; if it objects, put the newest trusted copy back."
_UNKNOWN = ("The ledger couldn't be read or written.", _DISK)
_WORDS = {
    "SQLITE_BUSY": ("Another program is writing to the ledger.", "Wait until it has finished, then run again."),
    "SQLITE_FULL": ("The disk is full: the entry was not written.", "Make room, then run `utfall ledger verify`."),
    "SQLITE_READONLY": ("The ledger, or its folder, can't be written.", "Check that you may write both."),
    "SQLITE_IOERR": ("The disk failed while the ledger was written or read.", _DISK),
    "SQLITE_CORRUPT": ("The ledger's file is damaged.", _RESTORE),
    "SQLITE_NOTADB": ("The ledger's file is damaged.", _RESTORE),
    "SQLITE_CONSTRAINT": ("The ledger refused an entry that breaks its own rules.", _RESTORE),
    "SQLITE_MISUSE": ("The ledger is shut after a failed write.", _DISK),
}
