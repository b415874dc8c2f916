"""How a function that takes long says how far it is."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

Tell = Callable[[int, int], None]
"""Called with what is done so far and what there is to do in all, such as rows, tasks or bytes."""

Counting = Callable[[str], AbstractContextManager[Tell]]
"""Opens a count under a label, and gives what is to be called as the count goes on."""


def untold(done: int, total: int) -> None:
    """Shows no progress."""


@contextmanager
def silent(label: str) -> Iterator[Tell]:
    """Opens a count that shows nothing."""
    yield untold
