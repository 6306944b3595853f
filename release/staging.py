"""A release is made in a staging folder beside its place, and appears there whole, by one rename, or not at all."""

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from release.errors import UsageError, UtfallError

CONFIDENTIAL = "confidential"
PUBLIC = "public"
_STAGING = ".staging-"


@dataclass(frozen=True)
class Stage:
    """The folders of a release in the making: `confidential` stays in the office (0700), `public` is for the world."""

    folder: Path
    place: Path

    @property
    def confidential(self) -> Path:
        return self.folder / CONFIDENTIAL

    @property
    def public(self) -> Path:
        return self.folder / PUBLIC

    def appear(self) -> None:
        """Sync every file and folder, open the folder to readers of `public`, and take the release's place at once."""
        for path in sorted(self.folder.rglob("*")):
            sync(path)
        self.folder.chmod(0o755)
        sync(self.folder)
        try:
            self.folder.rename(self.place)
        except OSError:
            raise UsageError(
                "the release's folder can't be written",
                where=f"--out, {self.place.name}",
                now="look whether another run has just written it, and whether the disk is full, then run again",
            ) from None
        sync(self.place.parent)


def sync(path: Path) -> None:
    """Make a file or a folder durable."""
    if path.is_symlink():
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:
        raise UtfallError("the disk didn't take what was written", now="free some room and run again") from None
    finally:
        os.close(descriptor)


def check_out_folder(out: Path) -> None:
    """UsageError unless `out` is absent, or a folder that holds releases and nothing else."""
    if not out.exists() and not out.is_symlink():
        return
    if not out.is_dir():
        raise UsageError("there is a file of this name, not a folder", where="--out", now=_ANOTHER_FOLDER)
    if not all(_ours(entry) for entry in out.iterdir()):
        raise UsageError("the output folder holds something else than releases", where="--out", now=_ANOTHER_FOLDER)


_ANOTHER_FOLDER = "name a new or empty folder, or one that only earlier runs have written to"


def _ours(entry: Path) -> bool:
    return entry.name.startswith(_STAGING) or (entry / PUBLIC).is_dir()


@contextmanager
def staged(out: Path, release: str) -> Iterator[Stage]:
    """A fresh staging folder in `out`, removed again if it did not take its place."""
    stage, lock = _fresh_stage(out, release)
    try:
        yield stage
    finally:
        shutil.rmtree(stage.folder, ignore_errors=True)
        os.close(lock)


def _fresh_stage(out: Path, release: str) -> tuple[Stage, int]:
    """A new staging folder, and the lock on it that says that its run is alive. What dead runs left is removed."""
    stage = Stage(out / f"{_STAGING}{secrets.token_hex(4)}", out / release)
    try:
        out.mkdir(parents=True, exist_ok=True)
        with _locked(out):
            _remove_abandoned(out)
            stage.folder.mkdir(mode=0o700)
            lock = os.open(stage.folder, os.O_RDONLY)
            fcntl.flock(lock, fcntl.LOCK_EX)
        stage.confidential.mkdir(mode=0o700)
        stage.public.mkdir()
    except OSError:
        raise UsageError(
            "the output folder can't be written", where="--out", now="check its rights and the disk"
        ) from None
    return stage, lock


def _remove_abandoned(out: Path) -> None:
    """A killed run leaves its staging folder behind, with confidential files in it, and without its lock."""
    for entry in out.iterdir():
        if entry.name.startswith(_STAGING) and not _in_use(entry):
            shutil.rmtree(entry, ignore_errors=True)


def _in_use(folder: Path) -> bool:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the system's lock on a folder; it ends with the process, however that dies."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
