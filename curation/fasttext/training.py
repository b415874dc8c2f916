"""Trains a classifier of fastText's form from texts with labels: the same texts, settings and seed give the same bytes.

One thread descends the gradient, as fastText does with ``-thread 1``. Words are kept in temporary files and not in
memory, which holds the vocabulary and the model.
"""

import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.fasttext.model import END
from curation.fasttext.writing import Trained
from curation.kernels.buffers import text_buffers
from curation.kernels.fasttext_training import learn, random_rows, split_words
from curation.kernels.hashing import hash_bytes
from schemas.errors import UserError

_STEP = 1 << 12
"""Texts that one call of the kernel learns from; between calls Ctrl+C works."""


@dataclass(frozen=True, kw_only=True)
class Training:
    """The settings of training, named as in fastText.

    Sets of labelled documents are small: there, 25 epochs at a rate of 0.5 tell documents apart far better than
    fastText's defaults (5 at 0.1), and n-grams of words do not help. Two labels need no more than 16 dimensions.
    """

    seed: int = 0
    epochs: int = 25
    rate: float = 0.5
    dimensions: int = 16
    ngrams: int = 1
    buckets: int = 1 << 18
    min_count: int = 1

    def __post_init__(self) -> None:
        least = {"epochs": 1, "dimensions": 1, "ngrams": 1, "buckets": 1, "min_count": 1}
        for name, bound in least.items():
            if getattr(self, name) < bound:
                raise UserError(f"{name} is {getattr(self, name)}: give at least {bound}")
        if not 0 < self.rate <= 10:
            raise UserError(f"rate is {self.rate}: give a number above 0 and up to 10")


class LabelledTexts:
    """The words of texts with labels, in temporary files."""

    def __init__(self) -> None:
        self._keys, self._hashes = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115
        self._end = hash_bytes(np.frombuffer(END, np.uint8), 0, len(END))
        self._lengths: list[npt.NDArray[np.int64]] = []
        self._labels: list[npt.NDArray[np.int64]] = []
        self._vocabulary: Counter[int] = Counter()
        self._spelling: dict[int, bytes] = {}

    def __enter__(self) -> "LabelledTexts":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._keys.close()
        self._hashes.close()

    def add(self, texts: pa.LargeStringArray, label: int) -> None:
        """Adds texts of a label."""
        data, offsets = text_buffers(texts)
        most = int(offsets[-1] - offsets[0]) // 2 + 2 * len(texts) + 1
        keys, hashes, bounds = np.empty(most, np.uint64), np.empty(most, np.int32), np.empty((most, 2), np.int64)
        stops = np.empty(len(texts), np.int64)
        count = split_words(data, offsets, self._end, keys, hashes, bounds, stops)
        self._keys.write(keys[:count].data)
        self._hashes.write(hashes[:count].data)
        self._lengths.append(np.diff(stops, prepend=0))
        self._labels.append(np.full(len(texts), label, np.int64))
        found, first, counts = np.unique(keys[:count], return_index=True, return_counts=True)
        for key, place, number in zip(found.tolist(), bounds[first].tolist(), counts.tolist(), strict=True):
            if key not in self._spelling:
                self._spelling[key] = data[slice(*place)].tobytes() or END
            self._vocabulary[key] += number

    def train(
        self, labels: Sequence[str], settings: Training, order: npt.NDArray[np.int64], done: Callable[[int], None]
    ) -> Trained:
        """The classifier. ``order`` is the order of the texts in each epoch, by their number; ``done`` is called with
        the number of steps taken."""
        kept = [
            (key, count) for key, count in self._vocabulary.items() if count >= settings.min_count or key == self._end
        ]
        kept.sort(key=lambda each: (-each[1], self._spelling[each[0]]))
        sorted_keys = np.array([key for key, _ in kept], np.uint64)
        rank = np.argsort(sorted_keys)
        rows = self._rows(sorted_keys[rank], rank.astype(np.int32))
        hashes = _mapped(self._hashes, np.int32)
        stops = np.cumsum(np.concatenate([np.empty(0, np.int64), *self._lengths]))
        starts = np.concatenate([np.zeros(1, np.int64), stops[:-1]])
        of_texts = np.concatenate([np.empty(0, np.int64), *self._labels])
        buckets = settings.buckets if settings.ngrams > 1 else 0
        inputs = np.empty((len(kept) + buckets, settings.dimensions), np.float32)
        outputs = np.zeros((len(labels), settings.dimensions), np.float32)
        random_rows(settings.seed, inputs)
        shape = (len(kept), buckets, settings.ngrams)
        steps = settings.epochs * len(order)
        for epoch in range(settings.epochs):
            for low in range(0, len(order), _STEP):
                part = order[low : low + _STEP]
                taken = epoch * len(order) + low
                rates = (settings.rate * (1 - (taken + np.arange(len(part))) / steps)).astype(np.float32)
                learn(rows, hashes, starts, stops, of_texts, part, shape, rates, inputs, outputs)
                done(taken + len(part))
        counts = np.bincount(of_texts[order], minlength=len(labels)).tolist()
        return Trained(
            words=[(self._spelling[key], count) for key, count in kept],
            labels=list(zip(labels, counts, strict=True)),
            inputs=inputs,
            outputs=outputs,
            epochs=settings.epochs,
            min_count=settings.min_count,
            ngrams=settings.ngrams,
        )

    def _rows(self, keys: npt.NDArray[np.uint64], rank: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """The row of each word of all texts, -1 for a word that is too rare."""
        every = _mapped(self._keys, np.uint64)
        with tempfile.TemporaryFile() as stream:
            for low in range(0, len(every), 1 << 20):
                part = every[low : low + (1 << 20)]
                place = np.minimum(np.searchsorted(keys, part), len(keys) - 1)
                stream.write(np.where(keys[place] == part, rank[place], -1).astype(np.int32).data)
            return _mapped(stream, np.int32)


def _mapped(stream: IO[bytes], kind: Any) -> npt.NDArray[Any]:
    stream.flush()
    return np.memmap(stream, kind, "r") if stream.tell() else np.empty(0, kind)
