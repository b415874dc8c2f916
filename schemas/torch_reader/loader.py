"""A DataLoader over a stream that knows which batches the training loop received."""

from collections.abc import Iterator
from typing import Any

from torch.utils.data import DataLoader

from schemas.torch_reader.resuming import Resuming
from schemas.torch_reader.stream import SequenceStream
from schemas.torch_reader.tensors import Tensors


class SequenceLoader(Resuming):
    """A DataLoader over a stream whose state is what the training loop received; batches read ahead do not count.

    An iteration goes from where it stands to the end of the epoch; the next one is the next epoch. ``options`` are
    DataLoader's: num_workers, prefetch_factor, pin_memory, multiprocessing_context and so on. Resumed with a state it
    goes on with the very next batch, also with another number of workers.
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
