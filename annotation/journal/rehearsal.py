"""A copy of a journal to try changes on."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from annotation.journal.journal import STORE, Journal
from schemas.errors import DamagedError


@contextmanager
def rehearsal(path: Path) -> Iterator[Journal]:
    """A copy of a campaign's journal, or a new one if the campaign has none; whatever is written to it is forgotten.

    The message of a DamagedError names the original.
    """
    with tempfile.TemporaryDirectory(prefix="gristmill-rehearsal-") as folder:
        copy = Path(folder, STORE)
        if path.exists():
            with Journal(path), closing(sqlite3.connect(path)) as held, closing(sqlite3.connect(copy)) as new:
                held.backup(new)
        try:
            with Journal(copy, create=True) as journal:
                yield journal
        except DamagedError as error:
            raise DamagedError(str(error).replace(str(copy), str(path))) from error
