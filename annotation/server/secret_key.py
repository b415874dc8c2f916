"""The secret key with which Label Studio signs sessions and tokens.

Label Studio 1.23.2 makes a key of random characters and keeps the key in ``.env``. One key in sixty begins with ``$``,
and django-environ takes such a key for the name of another variable. Label Studio then makes another key at each start,
and no session and no token outlives a restart. Gristmill therefore makes the key.
"""

import re
import secrets
from pathlib import Path

from annotation.server.home import write_private_text

FILE = ".env"
_LINE = re.compile(r"SECRET_KEY=(.*)")


def has_secret_key(data: Path) -> bool:
    """Whether Label Studio reads the same key from its data folder at each start."""
    keys = [match[1] for line in _lines(data) if (match := _LINE.fullmatch(line))]
    return bool(keys) and not keys[0].startswith("$") and keys[0] != ""  # the first counts


def make_secret_key(data: Path) -> None:
    """Replaces the key by a new key, in a file that only its owner can read. All sessions and tokens become invalid."""
    others = [line for line in _lines(data) if not _LINE.fullmatch(line)]
    write_private_text(data / FILE, "\n".join([*others, f"SECRET_KEY={secrets.token_urlsafe(48)}", ""]))


def _lines(data: Path) -> list[str]:
    return (data / FILE).read_text(encoding="utf-8").splitlines() if (data / FILE).exists() else []
