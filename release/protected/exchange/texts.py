"""Text in and out of the exchange files: any western encoding is read, the one wanted is written."""

from pathlib import Path

from release.errors import DataError


def text_of(path: Path, encoding: str | None = None) -> str:
    """The file's text with plain line ends: Unicode, else the western code page of Windows, unless told.

    DataError where it can't be read.
    """
    try:
        content = path.read_bytes()
        return _decoded(content, encoding).replace("\r\n", "\n").replace("\r", "\n")
    except (OSError, UnicodeDecodeError, LookupError):
        raise DataError(
            "the file can't be read as text", where=f'file "{path.name}"', now="check the file, or tell its encoding"
        ) from None


def write_text(path: Path, text: str, encoding: str = "utf-8") -> None:
    """Write with the line ends that the tools expect. DataError where the encoding lacks a letter."""
    try:
        path.write_bytes(text.replace("\n", "\r\n").encode(encoding))
    except (UnicodeEncodeError, LookupError):
        raise DataError(
            f"some codes have letters that {encoding} lacks", where=f'file "{path.name}"', now='write with "utf-8"'
        ) from None
    except OSError:
        raise DataError("the file can't be written", where=f'file "{path.name}"') from None


def _decoded(content: bytes, encoding: str | None) -> str:
    if encoding is not None:
        return content.decode(encoding)
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16")
    for guess in ("utf-8-sig", "cp1252"):
        try:
            return content.decode(guess)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")
