"""The best spans of each sample: a bounded number, the same whatever the order in which they are found."""

from bisect import insort
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from curation.benchmarks.settings import SHOWN_SPANS

Integers = npt.NDArray[np.int64]
_FACTOR = 64
"""More than the mismatches of a span."""


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


class BestSpans:
    """The best spans of ``samples`` samples."""

    def __init__(self, samples: int):
        self._held: defaultdict[int, list[Span]] = defaultdict(list)
        self._rank = np.full(samples, np.iinfo(np.int64).max)
        self._draw = np.full(samples, np.iinfo(np.int64).max)

    def may_enter(self, samples: Integers, ranks: Integers, draws: Integers) -> npt.NDArray[np.bool_]:
        """Whether each span may be among the best ones of its sample."""
        worst = self._rank[samples]
        found: npt.NDArray[np.bool_] = (ranks < worst) | ((ranks == worst) & (draws <= self._draw[samples]))
        return found

    def add(self, sample: int, span: Span) -> None:
        held = self._held[sample]
        insort(held, span)
        if len(held) > SHOWN_SPANS:
            held.pop()
        if len(held) == SHOWN_SPANS:
            self._rank[sample], self._draw[sample] = held[-1].rank, held[-1].draw

    def of(self, sample: int) -> list[Span]:
        """The best spans of a sample, the best first."""
        return self._held.get(sample, [])

    def __iter__(self) -> Iterator[tuple[int, Span]]:
        for sample in sorted(self._held):
            for span in self._held[sample]:
                yield sample, span
