"""A stream of the batches that a rank reads, in order, and a DataLoader that tracks which batches arrived."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from schemas.division import Even
from schemas.reading import Place
from schemas.sequences import open_packed
from schemas.torch_reader.ranks import check_divided_once, reading_of
from schemas.torch_reader.reading_place import ReadingPlace
from schemas.torch_reader.shared_place import SharedPlace
from schemas.torch_reader.tensors import Form, Tensors, tensors


class SequenceStream(ReadingPlace, IterableDataset):  # type: ignore[misc]
    """The batches that a rank reads in an epoch: ``DataLoader(stream, batch_size=None)``. For the arguments see
    `Reading` and the docstring of `schemas.torch_reader`. Pickling stores folder and settings; unpickling opens the
    folder again.

    Worker k of K reads batches k, k + K and so on, so that a loader returns the same order with any number of workers.
    Each iteration of a loader is the next epoch, in its own order, also with persistent workers; `set_epoch` chooses
    another epoch. Iterated in this process, the stream counts its batches, moves to the next epoch at the end, and has
    a state. With workers, use the state of `SequenceLoader`, which counts the batches that arrived.
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
        self.form = Form(labels, boundaries, mask_starts)
        self.sequences = open_packed(folder, verify)
        self.reading = reading_of(self.sequences, batch, rank, world, seed, shuffle, even)
        self._shared = SharedPlace()

    def __getstate__(self) -> dict[str, Any]:
        check_divided_once(self.reading)
        return self.__dict__

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._shared.share()

    @property
    def generator(self) -> None:
        """None, as no generator draws the order. Raises RuntimeError if Accelerate would divide the stream again."""
        check_divided_once(self.reading)

    def __iter__(self) -> Iterator[Tensors]:
        """Raises RuntimeError if Accelerate would divide the rank's batches a second time."""
        check_divided_once(self.reading)
        worker = get_worker_info()
        if worker is not None:
            place = self._shared.begin(worker.id, worker.seed - worker.id)
            yield from self._read(place, worker.id, worker.num_workers)
            return
        place = self.place
        self.place = place  # clears the counts of an earlier loader's workers
        for step, batch in enumerate(self._read(place), place.step + 1):
            self._shared.count(step)
            yield batch
        self.place = Place(place.epoch + 1, 0)

    def _read(self, place: Place, first: int = 0, every: int = 1) -> Iterator[Tensors]:
        """Every ``every``-th batch after the place, starting with number ``first``."""
        for rows in self.reading.batches(place.epoch, place.step + first, every, place.seen):
            yield tensors(self.sequences, rows, self.form)

    @property
    def place(self) -> Place:
        """The start of the next iteration."""
        return self._shared.place

    @place.setter
    def place(self, place: Place) -> None:
        self._shared.place = place

    def state_dict(self) -> dict[str, Any]:
        """The state of this place. Raises RuntimeError in a worker, which does not know which batches arrived."""
        if get_worker_info() is not None:
            raise RuntimeError("a worker does not know which batches the training loop received: use SequenceLoader")
        return super().state_dict()


class SequenceLoader(ReadingPlace):
    """A DataLoader over a stream. Its state counts the batches that the training loop received, not batches read ahead.

    An iteration starts at the current place and ends with the epoch; the next iteration is the next epoch. ``options``
    are DataLoader's: num_workers, prefetch_factor, pin_memory, multiprocessing_context and so on. With a loaded state
    the loader resumes at the very next batch, also with another number of workers.
    """

    def __init__(self, stream: SequenceStream, **options: Any):
        self.stream, self.options = stream, options
        self.reading, self.place = stream.reading, stream.place

    def __iter__(self) -> Iterator[Tensors]:
        self.stream.place = self.place
        for batch in DataLoader(self.stream, batch_size=None, **self.options):
            self.pass_batch()
            yield batch
        self.pass_epoch()
