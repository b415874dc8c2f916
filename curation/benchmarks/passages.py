"""The passages that texts share with samples, by a definition that compares spans."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.benchmarks.index import AT, DOCUMENT, MISMATCHES, SAMPLE, TOKENS, Integers, rows_by_text
from curation.benchmarks.indexes import SpanIndex
from curation.benchmarks.texts import character_starts
from curation.tokenizers.tokenizer import one_thread_each

Place = tuple[int, int]
"""The bytes [start, end) of a text."""


@dataclass(frozen=True)
class Shared:
    """What a text shares with samples: all passages that lie in a span, ascending; the longest span in tokens, its
    place and its sample; and with how many samples the text shares a span."""

    passages: Sequence[Place]
    longest: int
    place: Place
    sample: int
    samples: int


def shared_passages(index: SpanIndex, texts: pa.LargeStringArray) -> dict[int, Shared]:
    """What texts share with samples, by the number of the text, for the texts that share a span."""
    forms = index.form.texts(texts)
    with one_thread_each():
        read, bounds, spans, covered = index.search(forms, np.zeros(len(index.tokens), np.int32))
        found = {}
        for rows in rows_by_text(spans[:, DOCUMENT]):
            number = int(spans[rows.start, DOCUMENT])
            row = int(read[number])
            inside = covered[bounds[number] : bounds[number + 1]]
            found[row] = _shared(index, texts[row].as_py(), forms[row].as_py(), spans[rows], inside)
    return found


def _shared(index: SpanIndex, text: str, form: str, spans: Integers, covered: npt.NDArray[np.bool_]) -> Shared:
    places = index.places(form)
    best = spans[np.lexsort([spans[:, SAMPLE], spans[:, MISMATCHES], -spans[:, TOKENS]])[0]]
    [place] = locate(index, text, places, best[[AT]], best[[TOKENS]])
    passages = covered_places(index, text, places, covered)
    return Shared(passages, int(best[TOKENS]), place, int(best[SAMPLE]), len(spans))


def covered_places(index: SpanIndex, text: str, places: Integers, covered: npt.NDArray[np.bool_]) -> list[Place]:
    """The runs of covered tokens as places of the text; ``places`` are those of its tokens."""
    edges = np.flatnonzero(np.diff(covered.astype(np.int8), prepend=0, append=0))
    return locate(index, text, places, edges[::2], edges[1::2] - edges[::2])


def locate(index: SpanIndex, text: str, places: Integers, first: Integers, tokens: Integers) -> list[Place]:
    """The places of a text that runs of tokens come from."""
    found = index.form.places(text, np.column_stack([places[first, 1], places[first + tokens - 1, 2]]))
    return [(start, end) for start, end in found.tolist()]


def widened(text: bytes, passages: Sequence[Place], characters: int) -> list[Place]:
    """The passages with so many characters of the text on each side; passages that then touch become one.

    >>> [widened("oats é rye".encode(), [(2, 4), (8, 9)], characters) for characters in (1, 2)]
    [[(1, 5), (7, 10)], [(0, 11)]]
    """
    starts = np.append(character_starts(np.frombuffer(text, np.uint8)), len(text))
    bounds = np.searchsorted(starts, np.array(passages, np.int64).reshape(-1, 2))
    bounds = (bounds + np.array([-characters, characters])).clip(0, len(starts) - 1)
    found = list[Place]()
    for start, end in starts[bounds].tolist():
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return found


def without(text: bytes, passages: Sequence[Place]) -> bytes:
    """The text without passages, which may overlap.

    >>> without(b"oats and rye", [(4, 8), (6, 9)])
    b'oatsrye'
    """
    left, at = [], 0
    for start, end in sorted(passages):
        left.append(text[at:start])
        at = max(at, end)
    return b"".join([*left, text[at:]])
