"""Holds back the panic messages of a Rust library, as Gristmill's own error says what is wrong with the input."""

import io
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from jobs.terminal import VisibleStream
from schemas.errors import UserError


@contextmanager
def hold_back_panics() -> Iterator[None]:
    """Holds back the output of native libraries to standard error while the block runs, then prints that output,
    unless the block raises UserError. Python's own output appears at once, as always.

    Does nothing if Python's standard error is not the process's own, as in a notebook.
    """
    before = sys.stderr
    if not _is_own(before):
        yield
        return
    with tempfile.TemporaryFile() as held, os.fdopen(os.dup(2), "wb") as screen:
        shown = io.TextIOWrapper(screen, before.encoding, before.errors, line_buffering=True)
        sys.stderr = VisibleStream(shown)
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
    own = sys.__stderr__
    return isinstance(stream, VisibleStream) and own is not None and stream.buffer is own.buffer and own.fileno() == 2
