"""The slow first use of numba and pyarrow, which a run gets done once, for all of its processes."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

import pyarrow as pa

from curation.dedup.settings import Near
from curation.dedup.sketch import signature_matrix, word_counts

UNNEEDED = frozenset({"cffi", "pandas", "scipy.linalg"})
"""Modules that numba and pyarrow import at their first use, if they are installed, for functions that no stage calls.
These imports take a quarter of the CPU time of a run over ten lines."""


def load_kernels() -> None:
    """Calls the kernels that every recipe needs: loading the first kernel takes long, and forked workers share it."""
    texts = pa.array(["one two three four five"], pa.large_string())
    word_counts(texts)
    signature_matrix(texts, Near())


def load_only_needed() -> None:
    """Gets the first use of numba and pyarrow done without `UNNEEDED`.

    Afterwards, numba in this process has no linear algebra and pyarrow does not know pandas' NA among the values of a
    list: call this only if all code in the process is gristmill's. Other code can still import these modules.
    """
    with _hidden(UNNEEDED):
        word_counts(pa.repeat(pa.scalar("one two", pa.large_string()), 1))


class _Hiding(MetaPathFinder):
    def __init__(self, names: frozenset[str]):
        self._names = names

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname in self._names:
            raise ModuleNotFoundError(f"{fullname} is not needed", name=fullname)
        return None


@contextmanager
def _hidden(names: frozenset[str]) -> Iterator[None]:
    """Within the block, the named modules cannot be imported."""
    finder = _Hiding(names)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
