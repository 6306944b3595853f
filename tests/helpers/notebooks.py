"""Small notebooks for tests, and a search for what must never be found."""

import base64
import json
from collections.abc import Iterable
from pathlib import Path

PARAMETERS = 'policy = "policy.yaml"\ndata = "."'


def cell(name, text, *tags):
    metadata = {"tags": list(tags)} if tags else {}
    return {
        "cell_type": "code",
        "id": name,
        "metadata": metadata,
        "source": text,
        "outputs": [],
        "execution_count": None,
    }


def notebook(*steps, parameters=PARAMETERS):
    """A notebook of a title, a parameters cell, and one code cell for each step."""
    title = {"cell_type": "markdown", "id": "title", "metadata": {}, "source": "# A test\n\n" + "Why it is here. " * 5}
    cells = [title, cell("parameters", parameters, "parameters")]
    cells += [cell(f"step-{at}", step) for at, step in enumerate(steps, start=1)]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def write(path: Path, content) -> Path:
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def spellings(secret: str) -> list[bytes]:
    """The ways the secret could stand in a file: plain, as hexadecimal digits, UTF-16, base64 at any position."""
    plain = secret.encode()
    shifted = [base64.b64encode(b"?" * shift + plain)[4:-4] for shift in (0, 1, 2)]
    return [plain, *(way for way in (plain.hex().encode(), secret.encode("utf-16-le"), *shifted) if len(way) >= 8)]


def leaks(secrets: Iterable[str], *places: bytes) -> list[str]:
    """The secrets that stand in any of the places, in any spelling."""
    return [secret for secret in secrets if any(way in place for way in spellings(secret) for place in places)]


def bytes_under(*folders: Path) -> list[bytes]:
    """Contents and names of every file in the folders."""
    files = [file for folder in folders for file in folder.rglob("*")]
    return [str(file.name).encode() for file in files] + [file.read_bytes() for file in files if file.is_file()]


def everything(error: BaseException) -> bytes:
    """All an error carries: text, arguments, attributes, and the errors behind it."""
    parts, seen = [], error
    while seen is not None:
        parts.append(f"{type(seen)}{seen}{seen!r}{seen.args!r}{vars(seen)!r}")
        seen = seen.__cause__ or seen.__context__
    return "\n".join(parts).encode()
