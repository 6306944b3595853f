"""Opens published files of any known kind, by name and by first bytes."""

from collections.abc import Callable
from pathlib import Path

from release.attack.jsonstat_file import read_jsonstat
from release.attack.other_files import read_parquet, read_xlsx
from release.attack.px_file import read_px
from release.attack.sheet import Sheet, unreadable
from release.attack.text_file import read_csv
from release.errors import UsageError

Reader = Callable[[str, bytes], list[Sheet]]

READERS: dict[str, Reader] = {
    ".csv": read_csv,
    ".tsv": read_csv,
    ".txt": read_csv,
    ".tab": read_csv,
    ".px": read_px,
    ".json": read_jsonstat,
    ".jsonstat": read_jsonstat,
    ".xlsx": read_xlsx,
    ".xlsm": read_xlsx,
    ".parquet": read_parquet,
}


def read_published(path: Path) -> list[Sheet]:
    """The tables in one file. UsageError where it isn't there or of no known kind, DataError where it is damaged."""
    name = path.name
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise UsageError(
            "the kind of file isn't known by its name", where=f'file "{name}"', now=f"known are: {', '.join(READERS)}"
        )
    content = _content(path)
    if not content.strip():
        raise unreadable(name, "it is empty")
    return reader(name, content)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise UsageError("the file isn't there", where=f'file "{path.name}"', now="check its name") from None
    except OSError:
        raise unreadable(path.name, "it can't be opened", "check what it is and who may read it") from None
