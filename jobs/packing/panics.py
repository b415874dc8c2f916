"""Holds back what a library in Rust prints when it panics: a sentence of ours says what was wrong with the input."""

import io
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from jobs.terminal import Shown
from schemas.errors import UserError


@contextmanager
def panics_held_back() -> Iterator[None]:
    """Holds back what libraries print to standard error, past Python, while the block runs; then prints it, unless the
    block raises UserError. What Python prints is shown at once, as always.

    Does nothing where Python's standard error is not the process's own, as in a notebook.
    """
    before = sys.stderr
    if not _is_own(before):
        yield
        return
    with tempfile.TemporaryFile() as held, os.fdopen(os.dup(2), "wb") as screen:
        shown = io.TextIOWrapper(screen, before.encoding, before.errors, line_buffering=True)
        sys.stderr = Shown(shown)
        os.dup2(held.fileno(), 2)
        try:
            yield
        except UserError:
            held.truncate(0)
            raise
        finally:
            shown.flush()
            sys.stderr = before
            os.dup2(screen.fileno(), 2)
            held.seek(0)
            shutil.copyfileobj(held, screen)


def _is_own(stream: object) -> bool:
    return isinstance(stream, Shown) and stream.stream is sys.__stderr__ and stream.fileno() == 2
