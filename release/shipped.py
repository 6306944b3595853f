"""Finds the notebooks and policies that come with the program, installed or in the checkout."""

from pathlib import Path

from release.errors import UtfallError

_HERE = Path(__file__).resolve().parent


def shipped(name: str) -> Path:
    """Path of a shipped file or folder, such as "policies/house.yaml" or "notebooks"."""
    for root in (_HERE / "_shipped", _HERE.parent):
        if (root / name).exists():
            return root / name
    raise UtfallError(f'the program lacks its own "{name}".', now="install it again")
