"""Hierarchies as indented lists (.hrc): one code a line, below its parent, with a lead string for each level.

The total isn't in the file: the codes without a lead string are its children. Source: tau-ARGUS user's manual, the
codelist for hierarchical variables.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from release.errors import DataError
from release.protected.exchange.texts import text_of, write_text
from release.protected.suppression.structure import Hierarchy


def read_hrc(path: Path, *, total: str = "Total", lead: str = "@", encoding: str | None = None) -> Hierarchy:
    """The tree of a file, named as the file. DataError where a level is skipped or a code stands twice."""
    return Hierarchy.from_edges(path.stem, edges_of_hrc(text_of(path, encoding), root=total, lead=lead))


def write_hrc(hierarchy: Hierarchy, path: Path, *, lead: str = "@", encoding: str = "utf-8") -> None:
    """Write the tree without its total."""
    write_text(path, hrc_of(hierarchy, lead=lead), encoding)


def edges_of_hrc(text: str, *, root: str, lead: str = "@") -> list[tuple[str, str]]:
    """(parent, child) pairs in the order of the file, the total first."""
    edges: list[tuple[str, str]] = []
    above: list[str] = [root]
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            depth, code = _depth(line.rstrip(), lead)
            if depth >= len(above):
                raise _wrong(f"line {number} is more than one level below the line above")
            above[depth + 1 :] = [code]
            edges.append((above[depth], code))
    _refuse_repeated([child for _, child in edges], root)
    return edges


def hrc_of(hierarchy: Hierarchy, *, lead: str = "@") -> str:
    """The text of the file: children below their parents, in their order."""
    return "".join(_lines(hierarchy, hierarchy.children[hierarchy.root], lead, 0))


def _lines(hierarchy: Hierarchy, codes: Sequence[str], lead: str, depth: int) -> Iterable[str]:
    for code in codes:
        if code.startswith(lead):
            raise DataError(f'the code "{code}" begins with the lead string', now="choose another lead string")
        yield f"{lead * depth}{code}\n"
        yield from _lines(hierarchy, hierarchy.children.get(code, ()), lead, depth + 1)


def _depth(line: str, lead: str) -> tuple[int, str]:
    depth = 0
    while line.startswith(lead):
        depth, line = depth + 1, line[len(lead) :]
    return depth, line.strip()


def _refuse_repeated(codes: Sequence[str], root: str) -> None:
    seen: set[str] = set()
    for code in codes:
        if code in seen or (code == root and root):
            raise _wrong(f'the code "{code}" stands twice, or is the total\'s')
        seen.add(code)
    if not codes:
        raise _wrong("it has no codes")


def _wrong(why: str) -> DataError:
    return DataError(
        f"the hierarchy isn't an indented list: {why}", now="correct the .hrc file, or tell its lead string"
    )
