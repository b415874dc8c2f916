"""Reads any supervised model of fastText (``.bin``, or ``.ftz`` if compressed) into arrays for a kernel.

The file contains, in this order: arguments, dictionary (words, then labels), the buckets that were kept if the model is
pruned, the input matrix and the output matrix, all little-endian; a compressed matrix is product-quantised.
"""

import hashlib
import mmap
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.fasttext.tree import children_of
from curation.kernels.buffers import text_buffers
from curation.kernels.fasttext import (
    ONE_VS_ALL,
    SOFTMAX,
    TREE,
    label_probabilities,
    likeliest_labels,
    project,
    read_entries,
)
from curation.kernels.fasttext_words import fill_word_table
from schemas.errors import UserError
from schemas.named_files import open_named

MAGIC, VERSION, OLDEST = 793712314, 12, 11
SUPERVISED = 3
LOSSES = {1: TREE, 2: ONE_VS_ALL, 3: SOFTMAX, 4: ONE_VS_ALL}
"""How the outputs of each kind of loss become probabilities."""
END = b"</s>"
LABEL = "__label__"
_CENTROIDS = 256
_MOST_BUCKETS, _MOST_NGRAMS = 1 << 28, 1 << 10
"""No model needs as many; a damaged file may ask for more memory than there is."""
_AT_ONCE = 1 << 16
"""Rows that are read and projected together."""

Floats = npt.NDArray[np.float32]


class Arguments(NamedTuple):
    """The arguments of fastText, in the order of the file."""

    dimensions: int
    window: int
    epochs: int
    min_count: int
    negatives: int
    ngrams: int
    loss: int
    kind: int
    buckets: int
    shortest: int
    longest: int
    update_rate: int


@dataclass(frozen=True)
class Model:
    """A model; ``arrays`` are read-only."""

    labels: tuple[str, ...]
    """Without ``__label__``, in the order of the file."""
    sha256: str
    """Of the file, in hexadecimal."""
    arrays: tuple[Any, ...]
    """For `label_probabilities`: the hash table of words (keys, rows), the row of each bucket (empty if every bucket
    has a row), the vectors of the rows (mapped from the file where they lie there so), the output matrix with a column
    for each output (no rows if the vectors are products with it already), the path of each label in the tree of labels
    (nodes, sides), and numbers of the model's shape."""

    def probabilities(self, texts: pa.LargeStringArray, labels: tuple[str, ...]) -> npt.NDArray[np.float64]:
        """The probability of each of the ``labels`` for each text, shape (texts, labels); NaN for a text without words.

        White space separates words, line feeds included. Differs from fastText's own numbers by less than 0.0001:
        fastText adds 0.00001 to each probability.
        """
        scores = np.empty((len(texts), len(labels)), np.float64)
        chosen = np.array([self.labels.index(label) for label in labels], np.int64)
        data, offsets = text_buffers(texts)
        label_probabilities(data, offsets, self.arrays, chosen, scores)
        return scores

    def likeliest(self, texts: pa.LargeStringArray) -> tuple[npt.NDArray[np.int32], Floats]:
        """The number of the most likely label of each text, and its probability; -1 and NaN for a text without words.

        As fastText's ``predict``, with the differences of `probabilities`; of labels that are equally likely, fastText
        may say another.
        """
        labels, scores = np.empty(len(texts), np.int32), np.empty(len(texts), np.float32)
        likeliest_labels(*text_buffers(texts), self.arrays, labels, scores)
        return labels, scores


def read_model(path: Path, name: str | None = None) -> Model:
    """Reads a model file, which errors call ``name`` (None: by its path). Raises UserError for a file that cannot be
    read or is not a supervised model of fastText."""
    with _opened(path, name or str(path)) as reader:
        return reader.model()


def digest_and_labels(path: Path, name: str | None = None) -> tuple[str, tuple[str, ...]]:
    """The SHA-256 of a model file in hexadecimal, and its labels. Raises UserError as `read_model` does."""
    with _opened(path, name or str(path)) as reader:
        return reader.sha256(), reader.labels()


@contextmanager
def _opened(path: Path, name: str) -> "Iterator[_Reader]":
    try:
        with open_named(path) as stream:
            yield _Reader(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ), name)
    except (OSError, ValueError, ArithmeticError, struct.error) as error:  # all but OSError: a damaged or empty file
        why = error.strerror if isinstance(error, OSError) else "it is damaged, or not a model"
        raise UserError(f"the model {name} cannot be read ({why}): give a .bin or .ftz file of fastText") from error


class _Reader:
    """Reads consecutive values of a model file."""

    def __init__(self, data: Any, name: str) -> None:
        self._data = data
        self._name = name
        self._place = 0

    def sha256(self) -> str:
        return hashlib.sha256(self._data).hexdigest()

    def labels(self) -> tuple[str, ...]:
        self._arguments()
        return tuple(self._entries()[0])

    def model(self) -> Model:
        arguments = self._arguments()
        labels, counts, table, kept = self._dictionary(arguments)
        vectors, output = self._matrices(arguments, len(labels))
        kind = LOSSES[arguments.loss]
        nodes, is_right = _paths(counts) if kind == TREE else (np.empty((0, 0), np.int64), np.empty((0, 0), np.bool_))
        keys, rows, words, end_row = table
        has_buckets = kept is None or len(kept) > 0
        buckets = arguments.buckets if has_buckets else 0
        bucket_rows = buckets if kept is None else 1 + int(kept.max(initial=-1))
        if len(vectors) < words + bucket_rows:
            raise ValueError("the number of rows")
        shape = np.array(
            [words, buckets, arguments.shortest, arguments.longest, end_row, max(arguments.ngrams, 1), kind], np.int64
        )
        bucket_row = np.empty(0, np.int32) if kept is None else kept
        arrays = (keys, rows, bucket_row, vectors, output, nodes, is_right, shape)
        for array in arrays:
            array.flags.writeable = False
        return Model(tuple(labels), self.sha256(), arrays)

    def _values(self, layout: str) -> tuple[Any, ...]:
        found = struct.unpack_from(f"<{layout}", self._data, self._place)
        self._place += struct.calcsize(f"<{layout}")
        return found

    def _array(self, kind: str, count: int) -> npt.NDArray[Any]:
        found = np.frombuffer(self._data, kind, count, self._place).copy()
        self._place += found.nbytes
        return found

    def _arguments(self) -> Arguments:
        magic, version = self._values("ii")
        if magic != MAGIC or not OLDEST <= version <= VERSION:
            raise UserError(f"{self._name} is not a model of fastText: give a .bin or .ftz file")
        found = Arguments(*self._values("12i"))
        self._values("d")
        if found.kind != SUPERVISED or found.loss not in LOSSES:
            raise UserError(f"{self._name} is not a classifier: give a model that `fasttext supervised` trained")
        if found.dimensions < 1 or not 0 <= found.buckets <= _MOST_BUCKETS or found.ngrams > _MOST_NGRAMS:
            raise ValueError("the arguments")
        return found._replace(longest=0) if version == OLDEST else found

    def _entries(self) -> tuple[list[str], list[int], npt.NDArray[np.int64], npt.NDArray[np.int64], int]:
        """The labels and their counts, the bounds of the words in the file, and the number of buckets that were kept
        (-1: all)."""
        size, words, labels, _, pruned = self._values("iiiqq")
        if not (words >= 0 and labels > 0 and words + labels == size <= len(self._data)):
            raise ValueError("the dictionary's sizes")
        starts, ends, counts = (np.empty(size, np.int64) for _ in range(3))
        self._place = read_entries(np.frombuffer(self._data, np.uint8), self._place, starts, ends, counts)
        if self._place < 0:
            raise ValueError("the dictionary ends too early")
        bounds = zip(starts[words:].tolist(), ends[words:].tolist(), strict=True)
        names = [bytes(self._data[start:end]).decode().removeprefix(LABEL) for start, end in bounds]
        return names, counts[words:].tolist(), starts[:words], ends[:words], pruned

    def _dictionary(self, arguments: Arguments) -> tuple[list[str], list[int], Any, npt.NDArray[np.int32] | None]:
        """The labels and their counts; the table of words (keys, rows, number of words, row of the word that ends a
        text); and the row of each bucket (None: every bucket has a row)."""
        names, counts, starts, ends, pruned = self._entries()
        slots = 1 << max(2 * len(starts), 2).bit_length()
        keys, rows = np.zeros(slots, np.uint64), np.zeros(slots, np.int32)
        fill_word_table(np.frombuffer(self._data, np.uint8), starts, ends, keys, rows)
        short = np.flatnonzero(ends - starts == len(END)).tolist()
        end_row = next((row for row in short if self._data[starts[row] : ends[row]] == END), -1)
        kept = None
        if pruned >= 0:
            pairs = self._array("<i4", 2 * pruned).reshape(pruned, 2)
            if (pairs < 0).any() or (pairs[:, 0] >= arguments.buckets).any():
                raise ValueError("the buckets that were kept")
            kept = np.full(arguments.buckets if pruned else 0, -1, np.int32)
            kept[pairs[:, 0]] = pairs[:, 1]
        return names, counts, (keys, rows, len(starts), end_row), kept

    def _matrices(self, arguments: Arguments, labels: int) -> tuple[Floats, Floats]:
        """The vectors of the rows and the output matrix, turned; or the products of both, and a matrix without rows."""
        (compressed,) = self._values("?")
        start, outputs = self._place, labels
        inputs = self._compressed() if compressed else None
        if inputs is None:
            rows, dimensions = self._values("qq")
            start = self._place
            self._place += rows * dimensions * 4
        (compressed,) = self._values("?")
        output = self._compressed() if compressed else self._dense()
        if LOSSES[arguments.loss] == TREE:
            outputs = labels - 1
        if inputs is None:
            inputs = np.frombuffer(self._data, "<f4", rows * dimensions, start).reshape(rows, dimensions)
        if inputs.shape[1] != arguments.dimensions or output.shape[1] != arguments.dimensions or len(output) < outputs:
            raise ValueError("the sizes of the matrices")
        if outputs > arguments.dimensions:
            return inputs, np.ascontiguousarray(output[:outputs].T)
        products = np.empty((len(inputs), outputs), np.float32)
        for low in range(0, len(inputs), _AT_ONCE):
            project(inputs[low : low + _AT_ONCE].copy(), output[:outputs], products[low : low + _AT_ONCE])
        return products, np.empty((0, outputs), np.float32)

    def _dense(self) -> Floats:
        rows, columns = self._values("qq")
        return self._array("<f4", rows * columns).reshape(rows, columns)

    def _compressed(self) -> Floats:
        """A product-quantised matrix (Jegou et al. 2011), with its norms apart or not."""
        with_norms, rows, columns, size = self._values("?qqi")
        codes = self._array("u1", size)
        dimensions, parts, width, _ = self._values("4i")
        if dimensions != columns or parts * rows != size or not 0 < width <= columns:
            raise ValueError("the quantiser")
        centroids = self._array("<f4", columns * _CENTROIDS)
        codes = codes.reshape(rows, parts)
        matrix = np.empty((rows, columns), np.float32)
        for part in range(parts):
            low, high = part * width, min((part + 1) * width, columns)
            block = centroids[low * _CENTROIDS : high * _CENTROIDS]
            matrix[:, low:high] = block.reshape(_CENTROIDS, high - low)[codes[:, part]]
        if with_norms:
            norm_codes = self._array("u1", rows)
            self._values("4i")
            with np.errstate(over="raise", invalid="raise"):
                matrix *= self._array("<f4", _CENTROIDS)[norm_codes][:, None]
        return matrix


def _paths(counts: list[int]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """The path of each label in the Huffman tree of the labels' counts, as in fastText: the numbers of its inner nodes,
    and whether it turns right there; -1 after the last."""
    leaves, children = len(counts), children_of(counts)
    parent, right = np.full(2 * leaves - 1, -1), np.zeros(2 * leaves - 1, np.bool_)
    parent[children] = leaves + np.arange(leaves - 1)[:, None]
    right[children[:, 1]] = True
    paths: list[list[tuple[int, bool]]] = []
    for each in range(leaves):
        path: list[tuple[int, bool]] = []
        place = each
        while parent[place] >= 0:
            path.append((parent[place] - leaves, right[place]))
            place = parent[place]
        paths.append(path)
    longest = max(map(len, paths))
    nodes, is_right = np.full((leaves, longest), -1, np.int64), np.zeros((leaves, longest), np.bool_)
    for each, path in enumerate(paths):
        for k, (inner_node, turn) in enumerate(path):
            nodes[each, k], is_right[each, k] = inner_node, turn
    return nodes, is_right
