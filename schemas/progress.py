"""Types for functions that report their progress."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

Tell = Callable[[int, int], None]
"""Called with (done, total), in rows, tasks or bytes."""

Counting = Callable[[str], AbstractContextManager[Tell]]
"""Opens a progress display with a label, and gives the function to call as the work advances."""


def ignore_progress(done: int, total: int) -> None:
    """Shows no progress."""


@contextmanager
def silent(label: str) -> Iterator[Tell]:
    """A progress display that shows nothing."""
    yield ignore_progress
