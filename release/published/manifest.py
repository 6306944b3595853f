"""`manifest.json`: digests of all public files, and what the release promises in numbers.

All time stamps of a release stand here, last, under "times": two runs of one request differ in nothing else.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from release.errors import VerificationError
from release.published.layout import MANIFEST, write_json

Json = dict[str, Any]
_OURS = ("manifest", "files", "times")


def write_manifest(public: Path, *, facts: Mapping[str, object], times: Mapping[str, str] | None = None) -> str:
    """Write the manifest of everything below `public`; the digest of what it says besides the times.

    facts: JSON values by name, e.g. policy digest, code digest, ledger head, request id, promise; never a time.
    times: by default the present moment as "published". A manifest there that says the same is left untouched.
    """
    if taken := [name for name in _OURS if name in facts]:
        raise ValueError(f"these names are the manifest's own: {', '.join(taken)}")
    content: Json = {"manifest": 1, **facts, "files": _files(public)}
    earlier = public / MANIFEST
    if not (earlier.is_file() and _without_times(_parsed(earlier)) == _plain(content)):
        write_json(earlier, content | {"times": dict(times) if times is not None else _now()})
    return digest_of(content)


def read_manifest(public: Path) -> Json:
    """The manifest as written. VerificationError if there is none, or it isn't one."""
    manifest = public / MANIFEST
    if not manifest.is_file() or manifest.is_symlink():
        raise VerificationError(
            "the release has no manifest", where=MANIFEST, now="ask for a whole copy of the release"
        )
    return _parsed(manifest)


def manifest_without_times(public: Path) -> Json:
    """What two runs of one request have in common."""
    return _without_times(read_manifest(public))


def manifest_digest(public: Path) -> str:
    """SHA-256 of the manifest besides its times: what `write_manifest` returned."""
    return digest_of(manifest_without_times(public))


def digest_of(content: Mapping[str, object]) -> str:
    """SHA-256 over canonical JSON: sorted names, no spaces, UTF-8."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def check_manifest(public: Path) -> list[str]:
    """Objections, one sentence each: files that changed, are missing or were added. Empty when all is well."""
    listed = {str(entry["path"]): entry for entry in read_manifest(public)["files"]}
    found = {str(entry["path"]): entry for entry in _files(public)}
    linked = [_name(path, public) for path in sorted(public.rglob("*")) if path.is_symlink()]
    return [
        *(f"{path} is missing" for path in sorted(listed.keys() - found.keys() - set(linked))),
        *(f"{path} isn't in the manifest" for path in sorted(found.keys() - listed.keys())),
        *(f"{path} has changed" for path in sorted(listed.keys() & found.keys()) if listed[path] != found[path]),
        *(f"{path} is a link, not a file of the release" for path in linked),
    ]


def same_release(one: Path, other: Path) -> bool:
    """Whether two public folders hold the same release, times apart, going by their manifests."""
    return manifest_without_times(one) == manifest_without_times(other)


def _files(public: Path) -> list[Json]:
    return [
        {"path": _name(path, public), "bytes": path.stat().st_size, "sha256": _sha256(path)}
        for path in sorted(_plain_files(public), key=lambda path: _name(path, public))
    ]


def _plain_files(public: Path) -> Iterator[Path]:
    for path in public.rglob("*"):
        if path.is_file() and not path.is_symlink() and path != public / MANIFEST:
            yield path


def _name(path: Path, public: Path) -> str:
    return path.relative_to(public).as_posix()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _parsed(manifest: Path) -> Json:
    try:
        content = json.loads(manifest.read_bytes())
        well_formed = isinstance(content, dict) and all({"path", "bytes", "sha256"} <= set(e) for e in content["files"])
    except (ValueError, KeyError, TypeError, RecursionError):
        well_formed = False
    if not well_formed:
        raise VerificationError("the manifest can't be read", where=MANIFEST, now="ask for a whole copy of the release")
    return dict(content)


def _without_times(manifest: Json) -> Json:
    return {name: value for name, value in manifest.items() if name != "times"}


def _plain(content: Json) -> Json:
    """The content as it would be read back, so that tuples and lists compare equal."""
    return dict(json.loads(json.dumps(content, allow_nan=False)))


def _now() -> dict[str, str]:
    return {"published": datetime.now(UTC).isoformat(timespec="seconds")}
