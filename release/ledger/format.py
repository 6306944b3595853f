"""The ledger's file format: all that its writer and its verifier share, and nothing more.

One SQLite table of entries. An entry is a text of canonical JSON (sorted keys, no spaces, ASCII, no floats) and the
SHA-256 of that text. The text names the hash of the entry before it, so the entries form a chain.
"""

import hashlib
import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from release.errors import LedgerError

APPLICATION_ID = 0x75746661  # "utfa"
FORMAT_VERSION = 1
KINDS = ("genesis", "grant", "reserve", "commit", "publish", "forfeit", "correct")
NO_PREDECESSOR = "0" * 64
LONGEST_RHO = 400
"""Characters of the longest fraction that is recorded, so that adding up stays quick."""

SCHEMA = (
    "CREATE TABLE entry (number INTEGER PRIMARY KEY, body TEXT NOT NULL, hash TEXT NOT NULL)",
    "CREATE TRIGGER entry_next BEFORE INSERT ON entry"
    " WHEN NEW.number IS NOT (SELECT count(*) FROM entry)"
    " BEGIN SELECT RAISE(ABORT, 'entries are numbered one after the other'); END",
    "CREATE TRIGGER entry_unchanged BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'entries are never changed'); END",
    "CREATE TRIGGER entry_kept BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'entries are never deleted'); END",
)


def canonical_json(value: object) -> str:
    """The one text of a value: sorted keys, no spaces, ASCII. Floats and foreign types are refused (LedgerError)."""
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def parse_body(text: str) -> dict[str, Any]:
    """An entry's text as a mapping; ValueError unless it is an object in canonical form, without floats."""
    body = json.loads(text, parse_float=_refuse, parse_constant=_refuse)
    if not isinstance(body, dict) or canonical_json(body) != text:
        raise ValueError("not canonical")
    return body


def digest(content: bytes | str) -> str:
    """SHA-256 in hexadecimal; text is taken as UTF-8."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def digest_of(value: object) -> str:
    """SHA-256 of the value's canonical JSON."""
    return digest(canonical_json(value))


def _plain(value: object) -> object:
    if value is None or type(value) in (bool, int, str):
        return value
    if isinstance(value, Mapping) and all(type(key) is str for key in value):
        return {key: _plain(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(member) for member in value]
    raise LedgerError(
        f"What is recorded holds a {type(value).__name__}, which has no single exact spelling.",
        now='Write numbers as integers, or as exact text such as "1/8".',
    )


def _refuse(text: str) -> None:
    raise ValueError(f"{text[:20]} is a float")


def read_header(path: Path) -> bytes:
    """The first 100 bytes of a ledger file. Symbolic links, other files and WAL copies are refused (LedgerError).

    To be called while no connection of this process is writing: closing a file drops the process's locks on it.
    """
    header = _first_bytes(path)
    if header[:16] != b"SQLite format 3\x00" or len(header) < 100:
        raise LedgerError("This isn't a ledger: not an SQLite file, or an empty one.", where=path.name, now=_OTHER_FILE)
    if header[68:72] != APPLICATION_ID.to_bytes(4, "big"):
        raise LedgerError("This is an SQLite file, but not a ledger.", where=path.name, now=_OTHER_FILE)
    if header[60:64] != FORMAT_VERSION.to_bytes(4, "big"):
        raise LedgerError("This ledger has a version that isn't known here.", where=path.name, now=_NEWER)
    if header[18:20] != b"\x01\x01":
        raise LedgerError("This ledger was switched to WAL mode: a copy loses entries.", where=path.name, now=_BACKUP)
    return header


def _first_bytes(path: Path) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise LedgerError("There is no ledger here.", where=path.name, now=_INIT) from None
    except OSError:
        raise LedgerError(
            "The ledger can't be opened, or is a symbolic link.", where=path.name, now=_OTHER_FILE
        ) from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise LedgerError("The ledger isn't an ordinary file.", where=path.name, now=_OTHER_FILE)
        return os.pread(descriptor, 100, 0)
    finally:
        os.close(descriptor)


_INIT = "Make one with `utfall ledger init`, or name the right file with --ledger."
_OTHER_FILE = "Name the ledger's own file with --ledger (or UTFALL_LEDGER)."
_NEWER = "Use the version of utfall that wrote it, or a newer one."
_BACKUP = "Put the newest trusted copy back, and find out who changed the file."
