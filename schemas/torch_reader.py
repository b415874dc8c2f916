"""Packed sequences for PyTorch: a dataset of rows with a sampler, or a stream of whole batches that resumes exactly.

Needs the extra ``torch``. Rank and world are those that are given, else those of torch.distributed where it is
initialised, else those of the environment (RANK, WORLD_SIZE, as torchrun sets them), else 0 of 1.

A row or a batch is a dict of int64 tensors of shape (length,) or (batch, length): ``input_ids``; with ``labels=True``
``labels``, a copy of them (models shift them on their own); with ``boundaries=True`` ``document_ids``, which counts the
documents of a row from 0, and ``position_ids``, which counts the tokens of each document in this row from 0.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from schemas.division import Even
from schemas.reading import Reading
from schemas.sequences import PackedSequences, open_packed

try:
    import torch
    import torch.distributed
    from torch.utils.data import DataLoader, Dataset, IterableDataset, Sampler, get_worker_info
except ModuleNotFoundError as missing:
    raise ImportError("schemas.torch_reader needs PyTorch: install gristmill[torch]") from missing

Tensors = dict[str, torch.Tensor]


class SequenceDataset(Dataset):  # type: ignore[misc]
    """The rows by their number. It pickles as its folder and settings, and opens that anew.

    Raises PackedError where the folder is damaged; ``verify`` reads all of it for that.
    """

    def __init__(self, folder: str | Path, *, labels: bool = False, boundaries: bool = False, verify: bool = False):
        self.sequences = open_packed(folder, verify)
        self.labels, self.boundaries = labels, boundaries

    def __len__(self) -> int:
        return len(self.sequences)

    def __getitem__(self, row: int) -> Tensors:
        """Raises IndexError outside of 0 to len - 1."""
        return self.__getitems__([row])[0]

    def __getitems__(self, rows: Sequence[int]) -> list[Tensors]:
        """Several rows at once, as DataLoader asks for them."""
        read = _tensors(self.sequences, rows, self.labels, self.boundaries)
        return [dict(zip(read, row, strict=True)) for row in zip(*read.values(), strict=True)]


class RankSampler(Sampler):  # type: ignore[misc]
    """The batches of row numbers that a rank reads in an epoch: ``DataLoader(dataset, batch_sampler=...)``. The next
    iteration is the next epoch. For the arguments see `Reading`.

    Its state counts the batches that it gave away. Workers of a DataLoader ask ahead: with them, save
    ``sampler.reading.state(epoch, step)`` with the steps of the training loop, or use `SequenceLoader`.
    """

    def __init__(
        self,
        dataset: SequenceDataset,
        *,
        batch: int,
        rank: int | None = None,
        world: int | None = None,
        seed: int = 0,
        shuffle: bool | None = None,
        even: Even = "none",
    ):
        self.reading = _reading(dataset.sequences, batch, rank, world, seed, shuffle, even)
        self.epoch, self.step = 0, 0

    def __len__(self) -> int:
        """Batches of this rank in an epoch."""
        return len(self.reading)

    def __iter__(self) -> Iterator[list[int]]:
        for rows in self.reading.batches(self.epoch, self.step):
            self.step += 1
            yield rows.tolist()
        self.epoch, self.step = self.epoch + 1, 0

    def set_epoch(self, epoch: int) -> None:
        """Goes to the start of the epoch, or stays in it."""
        if epoch != self.epoch:
            self.epoch, self.step = epoch, 0

    def state_dict(self) -> dict[str, Any]:
        return self.reading.state(self.epoch, self.step)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Raises StateError for a state of another dataset or other settings."""
        self.epoch, self.step = self.reading.place(state)


class SequenceStream(IterableDataset):  # type: ignore[misc]
    """The batches that a rank reads in an epoch, whole: ``DataLoader(stream, batch_size=None)``. For the arguments see
    `Reading` and the top of this module. It pickles as its folder and settings, and opens that anew.

    Worker k of K reads batches k, k + K and so on, so that a loader returns the same order with any number of them.
    Iterated in this process it counts its batches, goes on to the next epoch at the end, and has a state; under workers
    the state is `SequenceLoader`'s, which counts what arrived.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        batch: int,
        rank: int | None = None,
        world: int | None = None,
        seed: int = 0,
        shuffle: bool | None = None,
        even: Even = "none",
        labels: bool = False,
        boundaries: bool = False,
        verify: bool = False,
    ):
        self.sequences = open_packed(folder, verify)
        self.reading = _reading(self.sequences, batch, rank, world, seed, shuffle, even)
        self.labels, self.boundaries = labels, boundaries
        self.epoch, self.step = 0, 0

    def __iter__(self) -> Iterator[Tensors]:
        worker = get_worker_info()
        first, every = (worker.id, worker.num_workers) if worker else (0, 1)
        for rows in self.reading.batches(self.epoch, self.step + first, every):
            if worker is None:
                self.step += 1
            yield _tensors(self.sequences, rows, self.labels, self.boundaries)
        if worker is None:
            self.epoch, self.step = self.epoch + 1, 0

    def state_dict(self) -> dict[str, Any]:
        """Raises RuntimeError in a worker, which does not know what arrived."""
        if get_worker_info() is not None:
            raise RuntimeError("a worker cannot say what the training loop received: use SequenceLoader")
        return self.reading.state(self.epoch, self.step)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Raises StateError for a state of another dataset or other settings."""
        self.epoch, self.step = self.reading.place(state)


class SequenceLoader:
    """A DataLoader over a stream whose state is what the training loop received; batches read ahead do not count.

    An iteration goes from where it stands to the end of the epoch; the next one is the next epoch. ``options`` are
    DataLoader's: num_workers, prefetch_factor, pin_memory, multiprocessing_context and so on. Resumed with a state it
    goes on with the very next batch, also with another number of workers.
    """

    def __init__(self, stream: SequenceStream, **options: Any):
        self.stream, self.options = stream, options
        self.epoch, self.step = stream.epoch, stream.step

    def __len__(self) -> int:
        """Batches of this rank in an epoch."""
        return len(self.stream.reading)

    def __iter__(self) -> Iterator[Tensors]:
        self.stream.epoch, self.stream.step = self.epoch, self.step
        for batch in DataLoader(self.stream, batch_size=None, **self.options):
            self.step += 1
            yield batch
        self.epoch, self.step = self.epoch + 1, 0

    def state_dict(self) -> dict[str, Any]:
        return self.stream.reading.state(self.epoch, self.step)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Raises StateError for a state of another dataset or other settings."""
        self.epoch, self.step = self.stream.reading.place(state)


def _reading(
    sequences: PackedSequences,
    batch: int,
    rank: int | None,
    world: int | None,
    seed: int,
    shuffle: bool | None,
    even: Even,
) -> Reading:
    """Raises ValueError where rank, world or batch are not possible."""
    found = _rank_and_world()
    reading = Reading(
        fingerprint=sequences.fingerprint,
        rows=len(sequences),
        batch=batch,
        rank=found[0] if rank is None else rank,
        world=found[1] if world is None else world,
        seed=seed,
        shuffle=shuffle,
        even=even,
    )
    len(reading)  # refuses what cannot be
    return reading


def _rank_and_world() -> tuple[int, int]:
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))


def _tensors(
    sequences: PackedSequences, rows: Sequence[int] | npt.NDArray[np.int64], labels: bool, boundaries: bool
) -> Tensors:
    """Those rows, shape (n, length) each."""
    tokens = torch.from_numpy(sequences.take(rows, np.empty((len(rows), sequences.length), np.int64)))
    read = {"input_ids": tokens}
    if labels:
        read["labels"] = tokens.clone()
    if boundaries:
        documents, positions = np.empty((2, len(rows), sequences.length), np.int64)
        counted = np.arange(sequences.length)
        for number, row in enumerate(rows):
            starts = sequences.starts(int(row)).tolist()
            for document, (start, stop) in enumerate(pairwise([*starts, sequences.length])):
                documents[number, start:stop] = document
                positions[number, start:stop] = counted[: stop - start]
        read |= {"document_ids": torch.from_numpy(documents), "position_ids": torch.from_numpy(positions)}
    return read
