"""A release is made in a staging folder beside its place, and appears there whole, by one rename, or not at all."""

import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from release.errors import UsageError, UtfallError

CONFIDENTIAL = "confidential"
PUBLIC = "public"
_STAGING = re.compile(r"^\.staging-(\d+)-[0-9a-f]{8}$")


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
    if not out.exists():
        return
    strangers = [] if not out.is_dir() else [entry for entry in out.iterdir() if not _ours(entry)]
    if not out.is_dir() or strangers:
        raise UsageError(
            "the output folder holds something else than releases",
            where="--out",
            now="name a new or empty folder, or one that only earlier runs have written to",
        )


def _ours(entry: Path) -> bool:
    return entry.name.startswith(".staging-") or (entry / PUBLIC).is_dir()


@contextmanager
def staged(out: Path, release: str) -> Iterator[Stage]:
    """A fresh staging folder in `out`, removed again if it did not take its place."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(out)
        folder = out / f".staging-{os.getpid()}-{secrets.token_hex(4)}"
        stage = Stage(folder, out / release)
        folder.mkdir(mode=0o700)
        stage.confidential.mkdir(mode=0o700)
        stage.public.mkdir()
    except OSError:
        raise UsageError(
            "the output folder can't be written", where="--out", now="check its rights and the disk"
        ) from None
    try:
        yield stage
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_abandoned(out: Path) -> None:
    """Staging folders of runs that are no longer alive: a killed run leaves one behind, with confidential files in it."""
    for entry in out.iterdir():
        match = _STAGING.match(entry.name)
        if match and not _alive(int(match.group(1))):
            shutil.rmtree(entry, ignore_errors=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
