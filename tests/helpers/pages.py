"""The project's pages as tests see them: their paths, their fenced blocks, and a way to run these in order."""

import contextlib
import io
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


def slim(policy: Path) -> None:
    """Takes the tables by provider out of the demo's policy."""
    text, number = re.subn(
        r"^  [a-z0-9-]+-by-provider[a-z-]*:\n(?:    .*\n)+", "", policy.read_text("utf-8"), flags=re.M
    )
    assert number >= 5
    policy.write_text(text, encoding="utf-8")


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
                told.append(self._ran(self._small("\n".join(lines))))
            elif language == "python":
                told.append(self._printed(text))
        self.done |= seen
        return "\n".join(told)

    def _printed(self, program: str) -> str:
        """What a block of Python prints, run on its own names; in this process, to import pandas once."""
        out = io.StringIO()
        with contextlib.chdir(self.folder), contextlib.redirect_stdout(out):
            exec(compile(program, "<page>", "exec"), {"__name__": "__main__"})  # noqa: S102
        return out.getvalue()

    def _small(self, commands: str) -> str:
        """Fewer persons, and the demo's policy without its largest tables: the same commands, a third of the work."""
        slim = f'"{sys.executable}" "{__file__}" registers/graduates-demo.yaml'
        return commands.replace(
            "utfall demo registers --persons 5000", f"utfall demo registers --persons {self.persons}\n{slim}"
        )

    def _ran(self, commands: str) -> str:
        bare = {name: value for name, value in os.environ.items() if not name.startswith("UTFALL_")}
        here = {**bare, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        shell = ["bash", "-e", "-o", "pipefail", "-c", commands]
        done = subprocess.run(shell, cwd=self.folder, env=here, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{commands}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr


if __name__ == "__main__":
    slim(Path(sys.argv[1]))
