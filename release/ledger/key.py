"""The ledger's secret key: turns the digest of a delivery into one that nobody outside can guess and check.

It lies beside the ledger, not in it, so that a copy of the ledger can go to the auditor.
"""

import os
import secrets
import stat
from pathlib import Path

from release.errors import LedgerError


def key_path(ledger: Path | str) -> Path:
    """`<ledger>.key`."""
    ledger = Path(ledger)
    return ledger.with_name(f"{ledger.name}.key")


def create_key(ledger: Path) -> None:
    """A new random key of 32 bytes, mode 0600, synced. Never over an existing one (LedgerError)."""
    path = key_path(ledger)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(descriptor)
    except FileExistsError:
        raise LedgerError(
            "There is a key of another ledger here.", where=path.name, now="Choose another name."
        ) from None
    except OSError:
        raise LedgerError(
            "The ledger's key couldn't be written.", where=path.name, now="Check disk and folder."
        ) from None


def delivery_key(ledger: Path | str) -> bytes:
    """The key's 32 bytes. LedgerError if it is missing, damaged, or readable by others than its owner."""
    path = key_path(ledger)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        raise LedgerError("The ledger's key is missing.", where=path.name, now=_RESTORE) from None
    try:
        status = os.fstat(descriptor)
        if status.st_mode & 0o077:
            raise LedgerError("Others may read the ledger's key.", where=path.name, now=f"Run chmod 600 {path.name}.")
        return _decoded(os.pread(descriptor, 100, 0) if stat.S_ISREG(status.st_mode) else b"", path)
    finally:
        os.close(descriptor)


def _decoded(content: bytes, path: Path) -> bytes:
    try:
        key = bytes.fromhex(content.decode("ascii"))
    except ValueError:
        key = b""
    if len(key) != 32:
        raise LedgerError("The ledger's key is damaged.", where=path.name, now=_RESTORE)
    return key


_RESTORE = (
    "Put the key back from your backup. Without it no earlier answer is found again: "
    "every release would be measured anew, at full charge."
)
