"""Sketches of documents for deduplication: hashes of url and text, signature and rank."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import xxhash

from curation.dedup.settings import Dedup, Near
from curation.dedup.urls import UrlForm, in_form
from curation.kernels import unicode
from curation.kernels.buffers import text_buffers
from curation.kernels.minhash import count_words, permutations, signatures
from curation.kernels.shingles import shingle_sets as fill_shingle_sets
from schemas import SKETCHES


def sketch(documents: pa.RecordBatch, signals: pa.RecordBatch, dedup: Dedup) -> pa.RecordBatch:
    """One SKETCHES row per document; ``documents`` also have the columns read_bytes and words."""
    rows = len(documents)
    columns: dict[str, object] = {name: documents[name] for name in ("doc_id", "file", "offset", "read_bytes", "words")}
    columns["content_hash"] = content_hashes(documents["text"])
    columns["url_hash"] = url_hashes(documents["url"], dedup.url_form) if dedup.url else None
    columns["signature"] = signature_column(documents["text"], dedup.near) if dedup.near else None
    columns["rank"] = pa.array(dedup.keep.ranks(documents, signals))
    return SKETCHES.batch(columns, rows)


def content_hashes(texts: pa.LargeStringArray) -> pa.Array:
    """The 128-bit xxh3 hash of each text's UTF-8."""
    data, offsets = text_buffers(texts)
    view = data.data
    digest = xxhash.xxh3_128_digest
    packed = b"".join([digest(view[start:end]) for start, end in pairwise(offsets.tolist())])
    return pa.Array.from_buffers(pa.binary(16), len(texts), [None, pa.py_buffer(packed)])


def url_hashes(urls: pa.StringArray, form: UrlForm = "whole") -> pa.Array:
    """The 128-bit xxh3 hash of each url, without its fragment and surrounding space or normalised; null if empty or
    missing."""
    digest = xxhash.xxh3_128_digest
    bare = [in_form(url, form) if url else "" for url in urls.to_pylist()]
    return pa.array([digest(url.encode()) if url else None for url in bare], pa.binary(16))


def signature_matrix(texts: pa.LargeStringArray, near: Near) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    """MinHash values (documents x bands * rows), and shingles per document; no shingles means no signature."""
    bands, rows = near.banding
    data, offsets = text_buffers(texts)
    classes, lower = unicode.tables()[:2]
    factors, shifts = permutations(bands * rows, near.seed)
    out = np.empty((len(texts), bands * rows), np.uint32)
    shingles = np.empty(len(texts), np.int64)
    signatures(data, offsets, near.ngram, factors, shifts, classes, lower, out, shingles)
    return out, shingles


def shingle_sets(texts: pa.LargeStringArray, near: Near) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """The distinct shingles of each text, as 64-bit hashes one after the other, and their bounds (texts + 1)."""
    data, offsets = text_buffers(texts)
    classes, lower = unicode.tables()[:2]
    out = np.empty(int(word_counts(texts).sum()), np.uint64)
    bounds = np.empty(len(texts) + 1, np.int64)
    fill_shingle_sets(data, offsets, near.ngram, classes, lower, out, bounds)
    return out[: bounds[-1]], bounds


def signature_column(texts: pa.LargeStringArray, near: Near) -> pa.Array:
    """The signatures as little-endian bytes; null for a document with fewer words than the shingle."""
    matrix, shingles = signature_matrix(texts, near)
    present = shingles > 0
    width = matrix.shape[1] * 4
    lengths = np.where(present, width, 0)
    offsets = np.zeros(len(texts) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    values = np.ascontiguousarray(matrix[present]).astype("<u4", copy=False)
    validity = None if present.all() else pa.py_buffer(np.packbits(present, bitorder="little").tobytes())
    buffers = [validity, pa.py_buffer(offsets), pa.py_buffer(values)]
    return pa.Array.from_buffers(pa.large_binary(), len(texts), buffers)


def signature_values(column: pa.Array, near: Near) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.bool_]]:
    """The signature matrix of a SKETCHES column (only rows with a signature), and which rows have a signature."""
    bands, rows = near.banding
    present = column.is_valid().to_numpy(zero_copy_only=False)
    column = column.drop_null()
    if not len(column):
        return np.empty((0, bands * rows), np.uint32), present
    data, offsets = text_buffers(column)
    values = np.frombuffer(data[offsets[0] : offsets[-1]], "<u4")
    return values.reshape(len(column), bands * rows), present


def word_counts(texts: pa.LargeStringArray) -> npt.NDArray[np.int64]:
    """The number of words of each text, as in shingles."""
    data, offsets = text_buffers(texts)
    counts = np.empty(len(texts), np.int64)
    count_words(data, offsets, unicode.tables()[0], counts)
    return counts
