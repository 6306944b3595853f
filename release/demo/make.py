"""Makes the demo: invented registers in one folder, the known truth in another beside it."""

import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from release.demo.files import TRUTH_FILES, delivery_files, write_delivery, write_truth
from release.demo.lists import POLICY, read_lists
from release.demo.world import draw_world
from release.errors import UsageError
from release.shipped import shipped

FEWEST, MOST = 100, 20_000_000
LARGEST_SEED = 2**63 - 1


@dataclass(frozen=True)
class DemoReport:
    """What was made, and where. rows: register's file name -> rows."""

    folder: Path
    truth: Path
    persons: int
    seed: int
    rows: dict[str, int]

    def __str__(self) -> str:
        files = "\n".join(f"  {name:<20} {rows:>12,} rows" for name, rows in self.rows.items())
        return (
            f"Invented registers of {self.persons:,} graduates in {self.folder} (nobody is real):\n{files}\n"
            f"The known truth, for tests, lies apart in {self.truth}\n"
            f"Next: utfall check {self.folder / POLICY} --data {self.folder}"
        )


def make_demo(folder: Path, *, persons: int = 500_000, seed: int = 2026) -> DemoReport:
    """Write invented registers, code lists and policy to `folder`, and the known truth to `folder`.truth beside it.

    persons: linked graduates. The same persons and seed give the same bytes. An earlier demo in `folder` is replaced.
    Raises UsageError for impossible numbers and for a folder that holds anything else; then nothing is written.
    """
    folder = folder.absolute()
    truth = folder.parent / f"{folder.name}.truth"
    _check_numbers(persons, seed)
    _check_folder(folder, delivery_files())
    _check_folder(truth, TRUTH_FILES)
    world = draw_world(persons, seed, read_lists(shipped("policies") / "codes"))
    streams = [np.random.default_rng(s) for s in np.random.SeedSequence([seed, 1]).spawn(4)]
    with _appearing(truth) as unfinished_truth, _appearing(folder) as unfinished:
        write_truth(world, unfinished_truth, persons, seed)
        rows = write_delivery(world, unfinished, streams)
    return DemoReport(folder, truth, persons, seed, rows)


def _check_numbers(persons: int, seed: int) -> None:
    if not FEWEST <= persons <= MOST:
        raise UsageError(
            f"a demo of {persons:,} graduates can't be made.",
            where="--persons",
            now=f"ask for {FEWEST:,} to {MOST:,}",
        )
    if not 0 <= seed <= LARGEST_SEED:
        raise UsageError(
            "the seed is out of range.", where="--seed", now=f"give a whole number from 0 to {LARGEST_SEED}"
        )


def _check_folder(folder: Path, ours: Collection[str]) -> None:
    """A demo goes into a new folder, an empty one, or one that holds nothing but an earlier demo."""
    if not folder.name or folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise UsageError(
            "there is something else than a folder in the demo's place.", where=str(folder), now=_ELSEWHERE
        )
    if folder.is_dir() and not {entry.name for entry in folder.iterdir()} <= set(ours):
        raise UsageError("the folder holds something else than a demo.", where=str(folder), now=_ELSEWHERE)


_ELSEWHERE = "name a new folder; nothing has been written"


@contextmanager
def _appearing(folder: Path) -> Iterator[Path]:
    """A folder beside `folder` that takes its place when all has been written, and vanishes if anything fails."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError:
        raise UsageError("nothing can be written there.", where=str(folder.parent), now=_ELSEWHERE) from None
    try:
        yield unfinished
        unfinished.chmod(0o755)
        _replace(folder, unfinished)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _replace(folder: Path, finished: Path) -> None:
    earlier = finished.with_name(f"{finished.name}.earlier")
    if folder.exists():
        folder.rename(earlier)
    finished.rename(folder)
    shutil.rmtree(earlier, ignore_errors=True)
