"""Writes a page of HTML; it replaces an earlier page, but no other file."""

import os
from pathlib import Path

from schemas.errors import UserError


def write_page(path: Path, text: str, *, mark: str, kind: str, option: str) -> None:
    """Writes a page, and replaces an earlier page of this kind, which begins with ``mark``.

    For messages, ``kind`` is the word for such a page and ``option`` the option that chooses its file. Raises UserError
    if another file has the name, or the place cannot be written to.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        if path.exists() and not _begins_with(path, mark.encode()):
            raise UserError(f"{path} exists and is not a {kind}: choose another name with {option}")
        try:
            unfinished.write_text(text, encoding="utf-8")
            unfinished.rename(path)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"{path} cannot be written ({error.strerror}): choose another name with {option}") from error


def _begins_with(path: Path, mark: bytes) -> bool:
    """False for a folder, a pipe or a device, which may never end."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(mark)) == mark
