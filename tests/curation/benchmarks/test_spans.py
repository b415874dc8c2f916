"""The spans that documents share with samples are exactly those of the definition."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.benchmarks.settings import BUDGET, WIDTH
from curation.kernels.token_spans import find_spans, hash_table, window_hashes
from tests.curation.contamination.naive import longest_spans

PASSAGE = list(range(100, 140))


def found(
    samples: Sequence[Sequence[int]], documents: Sequence[Sequence[int]]
) -> tuple[list[list[int]], list[list[bool]], list[list[int]]]:
    """By the kernel, the longest span of each token of the samples, whether each token of the documents is covered, and
    the rows of the best spans."""
    tokens, bounds = joined(samples)
    others, offsets = joined(documents)
    hashes, places = window_hashes(tokens, bounds, WIDTH)
    order = np.argsort(hashes, kind="stable")
    different, starts = np.unique(hashes[order], return_index=True)
    slots, numbers = hash_table(different)
    windows = slots, numbers, np.append(starts, len(order)).astype(np.int64), places[order]
    owners = np.repeat(np.arange(len(samples), dtype=np.int32), np.diff(bounds))
    longest, covered = np.zeros(len(tokens), np.int32), np.zeros(len(others), np.uint8)
    rows = find_spans(others, offsets, tokens, bounds, owners, windows, WIDTH, BUDGET, 0, longest, covered)
    return split(longest, bounds), split(covered.astype(bool), offsets), rows.tolist()


def joined(rows: Sequence[Sequence[int]]) -> tuple[np.ndarray, np.ndarray]:
    tokens = np.array([token for row in rows for token in row], np.int32)
    return tokens, np.cumsum([0, *map(len, rows)]).astype(np.int64)


def split(values: np.ndarray, bounds: np.ndarray) -> list[list[Any]]:
    return [values[start:stop].tolist() for start, stop in pairwise(bounds)]


def expected(
    samples: Sequence[Sequence[int]], documents: Sequence[Sequence[int]]
) -> tuple[list[list[int]], list[list[bool]]]:
    longest = [[0] * len(sample) for sample in samples]
    covered = [[False] * len(document) for document in documents]
    for s, sample in enumerate(samples):
        for d, document in enumerate(documents):
            spans, inside = longest_spans(list(sample), list(document))
            longest[s] = [max(pair) for pair in zip(longest[s], spans, strict=True)]
            covered[d] = [any(pair) for pair in zip(covered[d], inside, strict=True)]
    return longest, covered


@st.composite
def near_copies(draw: st.DrawFn) -> tuple[list[list[int]], list[list[int]]]:
    """Samples of few different tokens, and documents made of pieces of them with some tokens changed."""
    token = st.integers(0, draw(st.sampled_from([0, 1, 40])))
    samples = draw(st.lists(st.lists(token, max_size=60), max_size=4))
    documents = []
    for _ in range(draw(st.integers(0, 3))):
        document: list[int] = []
        for _ in range(draw(st.integers(0, 3))):
            source = draw(st.sampled_from([*samples, []]))
            start = draw(st.integers(0, 5))
            piece = source[start : start + draw(st.integers(0, 60))]
            for place in draw(st.lists(st.integers(0, 59), max_size=6)):
                if place < len(piece):
                    piece[place] = 1000
            document += draw(st.lists(token, max_size=3)) + piece
        documents.append(document)
    return samples, documents


@given(near_copies())
def test_spans_are_those_of_the_definition(both: tuple[list[list[int]], list[list[int]]]) -> None:
    longest, covered, rows = found(*both)
    assert (longest, covered) == expected(*both)
    pairs = [tuple(row[:2]) for row in rows]
    assert len(set(pairs)) == len(pairs)
    samples, documents = both
    for document, sample, place, at, tokens, mismatches in rows:
        own, other = samples[sample][place : place + tokens], documents[document][at : at + tokens]
        assert mismatches == sum(a != b for a, b in zip(own, other, strict=True)) <= BUDGET
        assert tokens == max(longest_spans(samples[sample], documents[document])[0])


@pytest.mark.parametrize("skips", range(6))
def test_a_span_may_miss_four_tokens(skips: int) -> None:
    """Ten equal tokens, ``skips`` others, and a long equal rest: the rest belongs to the span up to four skips."""
    document = [*PASSAGE[:10], *range(skips), *PASSAGE[10 + skips :]]
    longest, _, _ = found([PASSAGE], [document])
    whole = 40 if skips <= 4 else 0
    rest = 40 - 10 - skips
    assert longest == [[whole] * 10 + [whole or (rest if k >= skips else 0) for k in range(30)]]


def test_a_span_has_more_than_ten_tokens() -> None:
    assert found([PASSAGE], [[1, *PASSAGE[:10], 2]])[0] == [[0] * 40]
    assert found([PASSAGE], [[1, *PASSAGE[:11], 2]])[0] == [[11] * 11 + [0] * 29]


def test_no_mismatch_leads_or_trails() -> None:
    assert found([PASSAGE], [[*PASSAGE[:9], 0, *PASSAGE[10:20]]])[0] == [[0] * 40]
    assert found([PASSAGE], [[*PASSAGE[:11], 0, 0]])[0] == [[11] * 11 + [0] * 29]


def test_two_documents_contaminate_a_sample_together() -> None:
    longest, _, rows = found([PASSAGE], [PASSAGE[:20], PASSAGE[20:]])
    assert longest == [[20] * 40]
    assert [row[:2] for row in rows] == [[0, 0], [1, 0]]


def test_a_common_window_is_looked_up_once_for_equal_surroundings() -> None:
    """Of 300 samples that begin alike and a document that repeats their beginning, the spans are still exact."""
    samples = [[*PASSAGE[:12], 1000 + number] for number in range(300)]
    document = [7, *(PASSAGE[:12] * 40), 1005]
    longest, covered, rows = found(samples, [document])
    assert longest == [[13] * 13 if number == 5 else [12] * 12 + [0] for number in range(300)]
    assert covered == [[False, *([True] * 481)]]
    assert len(rows) == 300
