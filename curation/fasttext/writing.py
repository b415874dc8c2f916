"""Writes a classifier with softmax as a model file of fastText (version 12), which every fastText reads."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from curation.fasttext.model import END, LABEL, MAGIC, SUPERVISED, VERSION, Arguments

SOFTMAX_LOSS = 3


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A trained classifier: ``inputs`` holds a row for each word, then for each bucket; ``outputs`` one for each label.

    ``words`` (with </s>) and ``labels`` (without ``__label__``) go with their counts, and are sorted by falling count.
    """

    words: Sequence[tuple[bytes, int]]
    labels: Sequence[tuple[str, int]]
    inputs: npt.NDArray[np.float32]
    outputs: npt.NDArray[np.float32]
    epochs: int
    min_count: int
    ngrams: int

    @property
    def buckets(self) -> int:
        return len(self.inputs) - len(self.words)


def write_model(path: Path, trained: Trained) -> None:
    """Writes the model file. Equal classifiers give equal bytes."""
    arguments = Arguments(
        dimensions=trained.inputs.shape[1],
        window=5,
        epochs=trained.epochs,
        min_count=trained.min_count,
        negatives=5,
        ngrams=trained.ngrams,
        loss=SOFTMAX_LOSS,
        kind=SUPERVISED,
        buckets=trained.buckets,
        shortest=0,
        longest=0,
        update_rate=100,
    )
    entries = [(word, count, 0) for word, count in trained.words]
    entries += [((LABEL + label).encode(), count, 1) for label, count in trained.labels]
    tokens = sum(count for _, count, _ in entries)
    with path.open("wb") as stream:
        stream.write(struct.pack("<ii12id", MAGIC, VERSION, *arguments, 1e-4))
        stream.write(struct.pack("<iiiqq", len(entries), len(trained.words), len(trained.labels), tokens, -1))
        for name, count, kind in entries:
            stream.write(name + struct.pack("<xqb", count, kind))
        for matrix in (trained.inputs, trained.outputs):
            stream.write(struct.pack("<?qq", False, *matrix.shape))
            stream.write(np.ascontiguousarray(matrix, "<f4").data)


def empty_model(words: Sequence[bytes] = (), labels: Sequence[str] = ("positive", "negative")) -> Trained:
    """A classifier of 16 dimensions that has seen each word once and learned nothing."""
    counted = [(END, 1), *((word, 1) for word in words)]
    return Trained(
        words=counted,
        labels=[(label, 1) for label in labels],
        inputs=np.zeros((len(counted) + 8, 16), np.float32),
        outputs=np.zeros((len(labels), 16), np.float32),
        epochs=1,
        min_count=1,
        ngrams=2,
    )
