"""Rows of packed sequences as tensors, with their labels and the boundaries of documents."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch

from schemas.sequences import PackedSequences

Tensors = dict[str, torch.Tensor]

NOT_LEARNT = -100
"""A label that torch's cross-entropy ignores."""
PADDING = -1
"""The document of padding."""


@dataclass(frozen=True)
class Form:
    """Which tensors a row is read as."""

    labels: bool
    boundaries: bool
    mask_starts: bool

    def __post_init__(self) -> None:
        if self.mask_starts and not self.labels:
            raise ValueError("mask_starts masks labels: give labels=True, too")


def tensors(sequences: PackedSequences, rows: Sequence[int] | npt.NDArray[np.int64], form: Form) -> Tensors:
    """The tensors of some rows, each of shape (n, length)."""
    tokens = torch.from_numpy(sequences.take(rows, np.empty((len(rows), sequences.length), np.int64)))
    read = {"input_ids": tokens}
    filled = [sequences.filled(int(row)) for row in rows] if sequences.padded else [sequences.length] * len(rows)
    padding = torch.arange(sequences.length) >= torch.tensor(filled).reshape(-1, 1) if sequences.padded else None
    if form.labels:
        read["labels"] = tokens.clone() if padding is None else tokens.masked_fill(padding, NOT_LEARNT)
    if form.mask_starts:
        for number, row in enumerate(rows):
            read["labels"][number, sequences.starts(int(row))[1:].tolist()] = NOT_LEARNT
    if form.boundaries:
        read |= _boundaries(sequences, rows, filled)
    if padding is not None and not (form.labels or form.boundaries):
        read["attention_mask"] = (~padding).long()
    return read


def _boundaries(
    sequences: PackedSequences, rows: Sequence[int] | npt.NDArray[np.int64], filled: Sequence[int]
) -> Tensors:
    """The document of each token, and its position in the part of the document; ``filled`` is that of each row."""
    documents, positions = np.empty((2, len(rows), sequences.length), np.int64)
    counted = np.arange(sequences.length)
    for number, row in enumerate(rows):
        starts = sequences.starts(int(row)).tolist()
        for document, (start, stop) in enumerate(pairwise([*starts, filled[number]])):
            documents[number, start:stop] = document
            positions[number, start:stop] = counted[: stop - start]
        documents[number, filled[number] :] = PADDING
        positions[number, filled[number] :] = counted[: sequences.length - filled[number]]
    return {"document_ids": torch.from_numpy(documents), "position_ids": torch.from_numpy(positions)}
