"""The best spans or matches of each sample: a bounded number, the same whatever the order in which they are found."""

from bisect import insort
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from curation.benchmarks.settings import SHOWN_SPANS

Integers = npt.NDArray[np.int64]
_FACTOR = 64
"""More than the mismatches of a span."""


class Ranked(Protocol):
    """What is found of a sample: a tuple in the order of goodness that begins with a ``rank``, lower for a better one,
    and ``draw``, a hash of the document."""

    @property
    def rank(self) -> int: ...

    @property
    def draw(self) -> int: ...

    def __lt__(self, other: Any, /) -> bool: ...


Found = TypeVar("Found", bound=Ranked)


class Span(NamedTuple):
    """A span that a document shares with a sample, in the order of goodness: ``rank`` is lower for more tokens and then
    for fewer mismatches, ``draw`` a hash of the document. ``place`` is its first token in the sample; ``start`` and
    ``end`` are bytes of the document's text, and ``passage`` is what stands there."""

    rank: int
    draw: int
    doc_id: str
    source: str
    start: int
    end: int
    place: int
    passage: str

    @property
    def mismatches(self) -> int:
        return self.rank % _FACTOR

    @property
    def tokens(self) -> int:
        return (self.mismatches - self.rank) // _FACTOR


def ranks(tokens: Integers, mismatches: Integers) -> Integers:
    """The rank of spans.

    >>> ranks(np.array([11, 12, 12]), np.array([0, 3, 1])).argsort().tolist()
    [2, 1, 0]
    """
    return mismatches - tokens * _FACTOR


class Best(Generic[Found]):
    """The best of what is found of ``samples`` samples."""

    def __init__(self, samples: int):
        self._held: defaultdict[int, list[Found]] = defaultdict(list)
        self._rank = np.full(samples, np.iinfo(np.int64).max)
        self._draw = np.full(samples, np.iinfo(np.int64).max)

    def may_enter(self, samples: Integers, ranks: Integers, draws: Integers) -> npt.NDArray[np.bool_]:
        """Whether each span or match may be among the best ones of its sample."""
        worst = self._rank[samples]
        found: npt.NDArray[np.bool_] = (ranks < worst) | ((ranks == worst) & (draws <= self._draw[samples]))
        return found

    def add(self, sample: int, found: Found) -> None:
        held = self._held[sample]
        insort(held, found)
        if len(held) > SHOWN_SPANS:
            held.pop()
        if len(held) == SHOWN_SPANS:
            self._rank[sample], self._draw[sample] = held[-1].rank, held[-1].draw

    def of(self, sample: int) -> list[Found]:
        """What is best of a sample, the best first."""
        return self._held.get(sample, [])

    def __iter__(self) -> Iterator[tuple[int, Found]]:
        for sample in sorted(self._held):
            for found in self._held[sample]:
                yield sample, found
