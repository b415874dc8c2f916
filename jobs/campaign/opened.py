"""Opens a campaign's journal to write to it, and signs what was written."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from annotation.journal.journal import Journal
from annotation.journal.signing import key_file, sign
from jobs.terminal import say


@contextmanager
def signed(path: Path, *, create: bool = False) -> Iterator[Journal]:
    """A campaign's journal, whose newest row is signed at the end of the block, also after an error."""
    with Journal(path, create=create) as journal:
        try:
            yield journal
        except BaseException:
            if journal.signatures():  # a journal that was never signed tells of its key once a command succeeds
                sign(journal, key_file())
            raise
        public = sign(journal, key_file())
    if public:
        say(f"{path.parent}: its journal is signed with {key_file()}; the public key is {public}", err=True)
