"""Packed sequences for PyTorch: a dataset of rows with a sampler, or a stream of whole batches that resumes exactly.

Needs the extra ``torch``. Rank and world are those that are given, else those of torch.distributed where it is
initialised, else those of the environment (RANK, WORLD_SIZE, as torchrun sets them), else 0 of 1.

A row or a batch is a dict of int64 tensors of shape (length,) or (batch, length): ``input_ids``; with ``labels=True``
``labels``, a copy of them (models shift them on their own), and with ``mask_starts=True`` too, -100 in them where a
document begins within a row, so that no document's first token is learnt from the end of another; with
``boundaries=True`` ``document_ids``, which counts the documents of a row from 0, and ``position_ids``, which counts the
tokens of each document in this row from 0.

``even`` says what becomes of an epoch's last rows, see `division`. By default a world of one reads each row once, and a
larger one pads: every rank has as many batches, and fewer than ``world`` rows of an epoch are read twice.

A state is resumed by any number of workers, of ranks, and by any batch size: the rows that all ranks together have read
of the epoch are not read again. Every rank loads the same state.

What these classes read is divided among the ranks already. Accelerate's ``prepare`` leaves a `SequenceLoader` as it is;
a DataLoader that it would divide a second time refuses to be read.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from schemas.division import Even
from schemas.reading import Place, Reading
from schemas.sequences import PackedSequences, open_packed

try:
    import torch
    import torch.distributed
    from torch.utils.data import DataLoader, Dataset, IterableDataset, Sampler, get_worker_info
except ModuleNotFoundError as missing:
    raise ImportError("schemas.torch_reader needs PyTorch: install gristmill[torch]") from missing

Tensors = dict[str, torch.Tensor]

NOT_LEARNT = -100
"""A label that torch's cross-entropy ignores."""

MOST_WORKERS = 4096
"""Each of which has a place in the memory that a stream shares with its workers."""
DIVIDING = ("BatchSamplerShard", "DataLoaderDispatcher", "prepare_data_loader")
"""What in Accelerate gives each process a part of what it reads: classes, and a function that asks for a generator."""


@dataclass(frozen=True)
class _Form:
    """What is read of a row."""

    labels: bool
    boundaries: bool
    mask_starts: bool

    def __post_init__(self) -> None:
        if self.mask_starts and not self.labels:
            raise ValueError("mask_starts masks labels: give labels=True, too")


class SequenceDataset(Dataset):  # type: ignore[misc]
    """The rows by their number. It pickles as its folder and settings, and opens that anew.

    Raises PackedError where the folder is damaged; ``verify`` reads all of it for that.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        labels: bool = False,
        boundaries: bool = False,
        mask_starts: bool = False,
        verify: bool = False,
    ):
        self.form = _Form(labels, boundaries, mask_starts)
        self.sequences = open_packed(folder, verify)

    def __len__(self) -> int:
        return len(self.sequences)

    def __getitem__(self, row: int) -> Tensors:
        """Raises IndexError outside of 0 to len - 1."""
        return self.__getitems__([row])[0]

    def __getitems__(self, rows: Sequence[int]) -> list[Tensors]:
        """Several rows at once, as DataLoader asks for them."""
        read = _tensors(self.sequences, rows, self.form)
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
        even: Even | None = None,
    ):
        self.reading = _reading(dataset.sequences, batch, rank, world, seed, shuffle, even)
        self.epoch, self.step, self.seen = Place(0, 0)

    def __len__(self) -> int:
        """Batches of this rank in an epoch."""
        return len(self.reading)

    def __iter__(self) -> Iterator[list[int]]:
        """Raises RuntimeError where Accelerate would divide the rank's batches a second time."""
        _check_divided_once(self.reading)
        for rows in self.reading.batches(self.epoch, self.step, seen=self.seen):
            self.step += 1
            yield rows.tolist()
        self.epoch, self.step, self.seen = Place(self.epoch + 1, 0)

    def set_epoch(self, epoch: int) -> None:
        """Goes to the start of the epoch, or stays in it."""
        if epoch != self.epoch:
            self.epoch, self.step, self.seen = Place(epoch, 0)

    def state_dict(self) -> dict[str, Any]:
        return self.reading.state(self.epoch, self.step, self.seen)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Raises StateError for a state of another dataset, seed or shuffle."""
        self.epoch, self.step, self.seen = self.reading.place(state)


class SequenceStream(IterableDataset):  # type: ignore[misc]
    """The batches that a rank reads in an epoch, whole: ``DataLoader(stream, batch_size=None)``. For the arguments see
    `Reading` and the top of this module. It pickles as its folder and settings, and opens that anew.

    Worker k of K reads batches k, k + K and so on, so that a loader returns the same order with any number of them.
    Each iteration of a loader is the next epoch, in an order of its own, also where workers persist; `set_epoch` names
    another one. Iterated in this process it counts its batches, goes on to the next epoch at the end, and has a state;
    under workers the state is `SequenceLoader`'s, which counts what arrived.
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
        even: Even | None = None,
        labels: bool = False,
        boundaries: bool = False,
        mask_starts: bool = False,
        verify: bool = False,
    ):
        self.form = _Form(labels, boundaries, mask_starts)
        self.sequences = open_packed(folder, verify)
        self.reading = _reading(self.sequences, batch, rank, world, seed, shuffle, even)
        self._shared = _SharedPlace()

    def __getstate__(self) -> dict[str, Any]:
        _check_divided_once(self.reading)
        return self.__dict__

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._shared.share()

    @property
    def generator(self) -> None:
        """None: no generator draws the order. Raises RuntimeError where Accelerate would divide the stream again."""
        _check_divided_once(self.reading)

    def __len__(self) -> int:
        """Batches of this rank in an epoch."""
        return len(self.reading)

    def __iter__(self) -> Iterator[Tensors]:
        """Raises RuntimeError where Accelerate would divide the rank's batches a second time."""
        _check_divided_once(self.reading)
        worker = get_worker_info()
        place = self._shared.begin(worker.id, worker.seed - worker.id) if worker else self.place
        first, every = (worker.id, worker.num_workers) if worker else (0, 1)
        if worker is None:
            self.stand(place)
        for step, rows in enumerate(self.reading.batches(place.epoch, place.step + first, every, place.seen), 1):
            if worker is None:
                self._shared.count(place.step + step)
            yield _tensors(self.sequences, rows, self.form)
        if worker is None:
            self.stand(Place(place.epoch + 1, 0))

    @property
    def place(self) -> Place:
        """Where the next iteration begins."""
        return self._shared.place

    def stand(self, place: Place) -> None:
        """Lets the next iteration begin there."""
        self._shared.stand(place)

    def set_epoch(self, epoch: int) -> None:
        """Lets the next iteration begin at the start of the epoch, or stays where it is in it."""
        if epoch != self.place.epoch:
            self.stand(Place(epoch, 0))

    def state_dict(self) -> dict[str, Any]:
        """Raises RuntimeError in a worker, which does not know what arrived."""
        if get_worker_info() is not None:
            raise RuntimeError("a worker cannot say what the training loop received: use SequenceLoader")
        return self.reading.state(*self.place)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Raises StateError for a state of another dataset, seed or shuffle."""
        self.stand(self.reading.place(state))


class _SharedPlace:
    """Where a stream stands, as its process and the workers of its loaders see it.

    Workers count the iterations that they begin: the first one of an iteration to begin adds one, the others find its
    mark. So all workers of an iteration read the same epoch, whichever of an earlier one had no time to begin.
    """

    def __init__(self) -> None:
        self._values = torch.zeros(3 + MOST_WORKERS, dtype=torch.int64)
        self._again = 0
        self.share()

    def share(self) -> None:
        """Into memory that workers share, as far as the machine has such memory: without it there are no workers."""
        with suppress(RuntimeError):
            self._values.share_memory_()

    @property
    def place(self) -> Place:
        epoch, step, seen = self._values[:3].tolist()
        begun = int(self._values[3:].max()) >> 32
        return Place(epoch + begun, 0) if begun else Place(epoch, step, seen)

    def stand(self, place: Place) -> None:
        self._values[:3] = torch.tensor(place)
        self._values[3:] = 0

    def count(self, step: int) -> None:
        """Notes how many batches of the epoch were read in this process."""
        self._values[1] = step

    def begin(self, worker: int, seed: int) -> Place:
        """The place at which a worker begins an iteration. Workers of one loader have one ``seed``; where they persist,
        they have it in each iteration."""
        mark = (seed + self._again) & 0xFFFFFFFF
        self._again += 1
        counts = self._values[3:].clone()
        found = counts[(counts > 0) & (counts & 0xFFFFFFFF == mark)]
        count = int(found.max()) >> 32 if len(found) else (int(counts.max()) >> 32) + 1
        self._values[3 + worker] = count << 32 | mark
        epoch, step, seen = self._values[:3].tolist()
        return Place(epoch, step, seen) if count == 1 else Place(epoch + count - 1, 0)


class SequenceLoader:
    """A DataLoader over a stream whose state is what the training loop received; batches read ahead do not count.

    An iteration goes from where it stands to the end of the epoch; the next one is the next epoch. ``options`` are
    DataLoader's: num_workers, prefetch_factor, pin_memory, multiprocessing_context and so on. Resumed with a state it
    goes on with the very next batch, also with another number of workers.
    """

    def __init__(self, stream: SequenceStream, **options: Any):
        self.stream, self.options = stream, options
        self.epoch, self.step, self.seen = stream.place

    def __len__(self) -> int:
        """Batches of this rank in an epoch."""
        return len(self.stream.reading)

    def __iter__(self) -> Iterator[Tensors]:
        self.stream.stand(Place(self.epoch, self.step, self.seen))
        for batch in DataLoader(self.stream, batch_size=None, **self.options):
            self.step += 1
            yield batch
        self.epoch, self.step, self.seen = Place(self.epoch + 1, 0)

    def set_epoch(self, epoch: int) -> None:
        """Goes to the start of the epoch, or stays in it."""
        if epoch != self.epoch:
            self.epoch, self.step, self.seen = Place(epoch, 0)

    def state_dict(self) -> dict[str, Any]:
        return self.stream.reading.state(self.epoch, self.step, self.seen)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Raises StateError for a state of another dataset, seed or shuffle."""
        self.epoch, self.step, self.seen = self.stream.reading.place(state)


def _reading(
    sequences: PackedSequences,
    batch: int,
    rank: int | None,
    world: int | None,
    seed: int,
    shuffle: bool | None,
    even: Even | None,
) -> Reading:
    """Raises ValueError where rank, world or batch are not possible."""
    found = _rank_and_world()
    world = found[1] if world is None else world
    reading = Reading(
        fingerprint=sequences.fingerprint,
        rows=len(sequences),
        batch=batch,
        rank=found[0] if rank is None else rank,
        world=world,
        seed=seed,
        shuffle=shuffle,
        even=even or ("none" if world == 1 else "pad"),
    )
    len(reading)  # refuses what cannot be
    return reading


def _rank_and_world() -> tuple[int, int]:
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))


def _check_divided_once(reading: Reading) -> None:
    """Raises RuntimeError where Accelerate is about to divide the share of a rank, in this process or in a worker of
    it."""
    frame = sys._getframe() if reading.world > 1 else None
    while frame is not None:
        names = {type(frame.f_locals.get("self")).__name__, frame.f_code.co_name}
        if frame.f_globals.get("__name__") == "accelerate.data_loader" and names & set(DIVIDING):
            raise RuntimeError(
                "leave this loader out of accelerator.prepare, which would divide it a second time: "
                f"rank {reading.rank} of {reading.world} reads its own share already"
            )
        frame = frame.f_back


def _tensors(sequences: PackedSequences, rows: Sequence[int] | npt.NDArray[np.int64], form: _Form) -> Tensors:
    """Those rows, shape (n, length) each."""
    tokens = torch.from_numpy(sequences.take(rows, np.empty((len(rows), sequences.length), np.int64)))
    read = {"input_ids": tokens}
    if form.labels:
        read["labels"] = tokens.clone()
    if form.mask_starts:
        for number, row in enumerate(rows):
            read["labels"][number, sequences.starts(int(row))[1:].tolist()] = NOT_LEARNT
    if form.boundaries:
        documents, positions = np.empty((2, len(rows), sequences.length), np.int64)
        counted = np.arange(sequences.length)
        for number, row in enumerate(rows):
            starts = sequences.starts(int(row)).tolist()
            for document, (start, stop) in enumerate(pairwise([*starts, sequences.length])):
                documents[number, start:stop] = document
                positions[number, start:stop] = counted[: stop - start]
        read |= {"document_ids": torch.from_numpy(documents), "position_ids": torch.from_numpy(positions)}
    return read
