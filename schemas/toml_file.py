"""Reads TOML files of settings; any other or damaged file is a UserError."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from schemas.errors import UserError
from schemas.named_files import read_named
from schemas.wording import parse_failure

MOST_BYTES = 4 << 20
"""Files of settings are smaller; a larger file is probably a corpus."""
MOST_LEVELS = 32
"""The deepest nesting of tables and lists; settings need less."""


def read_toml(path: Path) -> dict[str, Any]:
    """The table of a TOML file. Raises UserError if the file cannot be read or is not TOML, and NamedFileError as
    `read_settings` does."""
    return parse_toml(read_settings(path), str(path))


def read_settings(path: Path) -> str:
    """The text of a file of settings, with line feeds as line ends. Raises UserError if the file cannot be read or is
    not UTF-8, and NamedFileError if the file is too large, a FIFO or a device."""
    try:
        content = read_named(path, MOST_BYTES, "a file of settings (TOML)")
    except (OSError, ValueError) as error:  # a name with a null character is a ValueError
        reason = error.strerror if isinstance(error, OSError) else error
        raise UserError(f"{path} cannot be read: {reason}") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path} is not valid TOML: byte {error.start} is not UTF-8, so save the file as UTF-8"
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def parse_toml(text: str, where: str) -> dict[str, Any]:
    """The table in a TOML text. Raises UserError, which names ``where``, if the text is not TOML."""
    try:
        table = tomllib.loads(text)
    except RecursionError as error:
        raise _too_deep(where) from error
    except ValueError as error:
        raise UserError(f"{where} is not valid TOML: {parse_failure(error)}") from error
    _check_depth(table, where)
    return table


def value_of(text: str, where: str) -> Any:
    """A text as a TOML value, or the text itself if it is not valid TOML.

    Raises UserError, which names ``where``, for a value that nests deeper than MOST_LEVELS.
    """
    try:
        table = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        table = {}
    if table.keys() != {"value"}:  # further lines define further keys
        return text
    _check_depth(table, where)
    return table["value"]


def _check_depth(table: Mapping[str, Any], where: str) -> None:
    """Raises UserError for tables and lists that nest deeper than MOST_LEVELS."""
    level: list[Any] = [table]
    for _ in range(MOST_LEVELS):
        level = [
            inner
            for each in level
            for inner in (each.values() if isinstance(each, Mapping) else each)
            if isinstance(inner, Mapping | list)
        ]
        if not level:
            return
    raise _too_deep(where)


def _too_deep(where: str) -> UserError:
    return UserError(f"{where} nests tables or lists more than {MOST_LEVELS} levels deep")
