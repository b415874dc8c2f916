"""A DataLoader over a stream, which tracks the batches that the training loop received."""

from collections.abc import Iterator
from typing import Any

from torch.utils.data import DataLoader

from schemas.torch_reader.resuming import Resuming
from schemas.torch_reader.stream import SequenceStream
from schemas.torch_reader.tensors import Tensors


class SequenceLoader(Resuming):
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
