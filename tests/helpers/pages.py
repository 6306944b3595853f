"""The project's pages as tests see them: their paths, their fenced blocks, and a way to run these in order."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md")))
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def named(path: Path) -> str:
    """A page's path below the project."""
    return path.relative_to(ROOT).as_posix()


def prose(path: Path) -> str:
    """A page without its fenced blocks."""
    return FENCE.sub("", path.read_text(encoding="utf-8"))


def blocks(path: Path) -> Iterator[tuple[str, str]]:
    """(language, text) of each fenced block; "sh" and "python" are meant to be run as they stand."""
    yield from FENCE.findall(path.read_text(encoding="utf-8"))


@dataclass
class Reader:
    """Follows pages in one folder, command by command. Commands that an earlier page ran already aren't run again."""

    folder: Path
    persons: int
    done: set[str] = field(default_factory=set)

    def follow(self, page: Path) -> str:
        """All that the page's blocks print; AssertionError with a block that fails."""
        told, seen = [], set()
        for language, text in blocks(page):
            if language == "sh":
                lines = [line for line in text.splitlines() if line not in self.done]
                seen |= {line for line in lines if line.startswith("utfall ")}
                told.append(self._ran(["bash", "-e", "-o", "pipefail", "-c", self._small("\n".join(lines))]))
            elif language == "python":
                told.append(self._ran([sys.executable, "-c", text]))
        self.done |= seen
        return "\n".join(told)

    def _small(self, commands: str) -> str:
        return commands.replace("--persons 5000", f"--persons {self.persons}")

    def _ran(self, command: list[str]) -> str:
        bare = {name: value for name, value in os.environ.items() if not name.startswith("UTFALL_")}
        here = {**bare, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        done = subprocess.run(command, cwd=self.folder, env=here, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command[-1]}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr
