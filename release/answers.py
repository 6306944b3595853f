"""Stored noisy answers, beside the ledger: what was drawn once is never drawn again.

`<ledger>.answers/<request id>/` holds the answer's files and `digests.json` (file name -> SHA-256). The answer's
digest, which the ledger commits to, is the SHA-256 of `digests.json`. A folder of that name is always complete: it is
written under another name, synced, and renamed.
"""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from release.errors import LedgerError
from release.ledger import canonical_json, digest

_DIGESTS = "digests.json"
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_REQUEST = re.compile(r"[0-9a-f]{64}")


def store_answer(ledger: Path | str, request_id: str, files: Mapping[str, bytes]) -> str:
    """Write the answer's files durably, all or none; the answer's digest. Never over another answer (LedgerError)."""
    digests = canonical_json({_checked_name(name): digest(content) for name, content in files.items()})
    stored = stored_answer_digest(ledger, request_id)
    if stored is None:
        _write_folder(answer_folder(ledger, request_id), {**files, _DIGESTS: digests.encode()})
    elif stored != digest(digests):
        raise LedgerError(
            "Another answer to this request is stored already. It was not touched.",
            where=_short(request_id),
            now="Run the release again: it uses the stored answer.",
        )
    return digest(digests)


def load_answer(ledger: Path | str, request_id: str, answer: str) -> dict[str, bytes]:
    """The stored files, by name; LedgerError if they are missing, or aren't those that the ledger committed to."""
    files = _read_folder(answer_folder(ledger, request_id), request_id)
    if files is None or digest(files.pop(_DIGESTS)) != answer:
        raise LedgerError(
            "The stored answer is missing, or isn't the one that the ledger committed to.",
            where=_short(request_id),
            now="Put the folder of answers beside the ledger back from your backup: a request is never drawn twice.",
        )
    return files


def stored_answer_digest(ledger: Path | str, request_id: str) -> str | None:
    """Digest of the answer stored for this request, None if there is none; LedgerError if it is damaged."""
    files = _read_folder(answer_folder(ledger, request_id), request_id)
    return None if files is None else digest(files[_DIGESTS])


def answer_folder(ledger: Path | str, request_id: str) -> Path:
    """`<ledger>.answers/<request id>`."""
    if not _REQUEST.fullmatch(request_id):
        raise LedgerError("A request id is 64 hexadecimal digits.", now="Use Request.id.")
    ledger = Path(ledger)
    return ledger.with_name(f"{ledger.name}.answers") / request_id


def _read_folder(folder: Path, request_id: str) -> dict[str, bytes] | None:
    """All files of a complete, undamaged answer, `digests.json` among them."""
    if not folder.is_dir():
        return None
    try:
        files = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
        expected = json.loads(files[_DIGESTS])
    except (OSError, KeyError, ValueError):
        files, expected = {}, None
    if expected != {name: digest(content) for name, content in files.items() if name != _DIGESTS}:
        raise LedgerError("A stored answer is damaged.", where=_short(request_id), now=_RESTORE)
    return files


def _write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    try:
        _make_parent(folder.parent)
        for leftover in folder.parent.glob(f"{folder.name}.part-*"):
            shutil.rmtree(leftover)
        part = Path(tempfile.mkdtemp(prefix=f"{folder.name}.part-", dir=folder.parent))
        for name, content in files.items():
            _write_synced(part / name, content)
        _sync_folder(part)
        part.rename(folder)
        _sync_folder(folder.parent)
    except OSError:
        raise LedgerError(
            "The answer couldn't be stored. Its budget is reserved and not lost yet.",
            where=_short(folder.name),
            now="Make room or mend the disk, then run the release again.",
        ) from None


def _make_parent(parent: Path) -> None:
    parent.mkdir(mode=0o700, exist_ok=True)
    _sync_folder(parent.parent)


def _write_synced(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _checked_name(name: str) -> str:
    if not _FILE_NAME.fullmatch(name) or name == _DIGESTS:
        raise LedgerError(
            "An answer's file has a name that isn't allowed.",
            now=f'Use letters, digits, ".", "_" and "-" only, and not "{_DIGESTS}".',
        )
    return name


def _short(request_id: str) -> str:
    return f"request {request_id[:12]}…"


_RESTORE = (
    "Put that folder back from your backup. If there is none, and the ledger has no commit of this request, "
    "remove the folder and run again: the request is then measured anew, at full charge."
)
