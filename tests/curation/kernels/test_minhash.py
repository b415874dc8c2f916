"""Signatures are datasketch's for the same scheme and hash function; bands are agreement on whole runs of values."""

import numpy as np
import pyarrow as pa
from datasketch import MinHash
from hypothesis import example, given, settings
from hypothesis import strategies as st

from curation.dedup.bands import bands_by_partition, candidates
from curation.dedup.settings import Near, optimal_banding
from curation.dedup.sketch import signature_column, signature_matrix, signature_values, word_counts
from curation.kernels import unicode
from curation.kernels.minhash import permutations

MASK = (1 << 64) - 1
TEXTS = st.lists(
    st.text(st.sampled_from("abcXYZ 019_-.,\n'éÉßΣσ中文ไทยかक्ष\u0301\U00010400😀"), max_size=60), min_size=1, max_size=6
)


def words(text: str) -> list[tuple[int, ...]]:
    """The words of a text as lower-cased code points, straight from the definition."""
    tables = unicode.tables()
    found: list[tuple[int, ...]] = []
    word: list[int] = []
    for character in text + " ":
        kind = tables.classes[ord(character)]
        if kind & unicode.WORD and not kind & unicode.SPACELESS:
            word.append(int(tables.lower[ord(character)]))
            continue
        if word:
            found.append(tuple(word))
            word = []
        if kind & unicode.SPACELESS:
            found.append((int(tables.lower[ord(character)]),))
    return found


def mix(x: int) -> int:
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def hash_word(word: tuple[int, ...]) -> int:
    """The hash of a word's bytes: one a code point with bit 5 set where all are ASCII, else four."""
    if max(word) < 0x80:
        data = bytes(point | 0x20 for point in word)
    else:
        data = b"".join(point.to_bytes(4, "little") for point in word)
    h = 0
    for start in range(0, len(data), 8):
        h = ((h ^ int.from_bytes(data[start : start + 8], "little")) * 0xBF58476D1CE4E5B9) & MASK
        h ^= h >> 32
    return mix((h + len(data) * 0x9E3779B97F4A7C15) & MASK)


def hash_of(shingle: tuple[tuple[int, ...], ...]) -> int:
    """The 32-bit hash of a shingle: the words' hashes, combined as a polynomial."""
    combined = 0
    for word in shingle:
        combined = (combined * 0x9E3779B97F4A7C15 + hash_word(word)) & MASK
    return mix(combined) >> 32


@settings(max_examples=60, deadline=None)
@given(texts=TEXTS, ngram=st.integers(1, 4))
@example(texts=["one two three four", "", "Ünïcode ÜNÏCODE words", "中文字符 and words"], ngram=2)
@example(texts=["x" * 70 + " " + "Y" * 33 + "é" + "z" * 31 + "_9", "a " * 40, "K\u212a k", " " * 64 + "end"], ngram=1)
def test_signatures_are_datasketchs(texts: list[str], ngram: int) -> None:
    near = Near(ngram=ngram, bands=4, rows=4, seed=7)
    matrix, shingles = signature_matrix(pa.array(texts, pa.large_string()), near)
    for text, row, count in zip(texts, matrix, shingles, strict=True):
        found = words(text)
        grams = [tuple(found[i : i + ngram]) for i in range(len(found) - ngram + 1)]
        assert count == len(grams)
        oracle = MinHash(num_perm=16, seed=7, scheme="affine32", hashfunc=hash_of)
        for gram in grams:
            oracle.update(gram)
        assert row.tolist() == oracle.hashvalues.tolist()


@given(texts=TEXTS)
def test_words_are_counted_as_shingles_see_them(texts: list[str]) -> None:
    assert word_counts(pa.array(texts, pa.large_string())).tolist() == [len(words(text)) for text in texts]


def test_permutations_are_datasketchs() -> None:
    factors, offsets = permutations(128, 3)
    oracle = MinHash(num_perm=128, seed=3, scheme="affine32").permutations
    assert factors.tolist() == oracle[0].tolist()
    assert offsets.tolist() == oracle[1].tolist()


def test_thresholds_give_datasketchs_bands() -> None:
    assert optimal_banding(0.8, 128) == (9, 13)  # RedPajama-v2 uses the same for 0.8 and 128 permutations
    assert Near(threshold=0.8).banding == (9, 13)
    assert Near(threshold=0.8).required_similarity == 0.8


@given(texts=TEXTS)
def test_signatures_survive_their_column(texts: list[str]) -> None:
    near = Near(ngram=2, bands=2, rows=3)
    column = pa.array(texts, pa.large_string())
    matrix, shingles = signature_matrix(column, near)
    values, present = signature_values(signature_column(column, near), near)
    assert present.tolist() == (shingles > 0).tolist()
    assert values.tolist() == matrix[shingles > 0].tolist()


@settings(max_examples=40)
@given(
    rows=st.lists(st.lists(st.integers(0, 1), min_size=6, max_size=6), min_size=2, max_size=8),
    partitions=st.sampled_from([1, 3]),
)
def test_documents_that_share_a_band_are_joined(rows: list[list[int]], partitions: int) -> None:
    near = Near(bands=3, rows=2)
    values = np.array(rows, np.uint32)
    ids = np.arange(len(rows), dtype=np.uint64)
    blobs: dict[int, list[bytes]] = {}
    for partition, blob in bands_by_partition(values, 0, ids.astype(np.int64), near, partitions):
        blobs.setdefault(partition, []).append(blob)
    pairs = {(a, b) for group in blobs.values() for a, b in candidates(group).tolist()}
    share = [
        (a, b)
        for b in range(len(rows))
        for a in range(b)
        if any(rows[a][i : i + 2] == rows[b][i : i + 2] for i in (0, 2, 4))
    ]
    assert pairs <= set(share)
    for a, b in share:  # every pair of a bucket is connected through its first document
        shared = [i for i in (0, 2, 4) if rows[a][i : i + 2] == rows[b][i : i + 2]]
        first = min(c for c in range(len(rows)) if any(rows[c][i : i + 2] == rows[a][i : i + 2] for i in shared))
        assert a == first or b == first or {(first, a), (first, b)} & pairs or (a, b) in pairs
