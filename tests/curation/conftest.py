"""What tests of several rooms of curation use."""

import threading
from collections.abc import Iterator

import pytest


@pytest.fixture
def another_thread() -> Iterator[None]:
    """A program with threads, which a fork could leave with a lock that nobody opens."""
    ended = threading.Event()
    thread = threading.Thread(target=ended.wait)
    thread.start()
    yield
    ended.set()
    thread.join()
