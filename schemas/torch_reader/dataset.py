"""A dataset of rows, and the sampler that gives each rank its rows in order."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from torch.utils.data import Dataset, Sampler

from schemas.division import Even
from schemas.reading import Place
from schemas.sequences import open_packed
from schemas.torch_reader.ranks import check_divided_once, reading_of
from schemas.torch_reader.reading_place import ReadingPlace
from schemas.torch_reader.tensors import Form, Tensors, tensors


class SequenceDataset(Dataset):  # type: ignore[misc]
    """The rows of packed sequences by number. Pickling stores folder and settings; unpickling opens the folder again.

    Raises PackedError if the folder is damaged; ``verify`` reads all files to check this.
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
        self.form = Form(labels, boundaries, mask_starts)
        self.sequences = open_packed(folder, verify)

    def __len__(self) -> int:
        return len(self.sequences)

    def __getitem__(self, row: int) -> Tensors:
        """Raises IndexError outside of 0 to len - 1."""
        return self.__getitems__([row])[0]

    def __getitems__(self, rows: Sequence[int]) -> list[Tensors]:
        """Several rows at once, as DataLoader asks for them."""
        read = tensors(self.sequences, rows, self.form)
        return [dict(zip(read, row, strict=True)) for row in zip(*read.values(), strict=True)]


class RankSampler(ReadingPlace, Sampler):  # type: ignore[misc]
    """The batches of row numbers that a rank reads in an epoch: ``DataLoader(dataset, batch_sampler=...)``. Each
    iteration is another epoch. For the arguments see `Reading`.

    The sampler's state counts the batches that it has yielded. A DataLoader with workers requests batches in advance:
    then save ``sampler.reading.state(epoch, step)`` with the training loop's steps, or use `SequenceLoader`.
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
        self.reading = reading_of(dataset.sequences, batch, rank, world, seed, shuffle, even)
        self.place = Place(0, 0)

    def __iter__(self) -> Iterator[list[int]]:
        """Raises RuntimeError if Accelerate would divide the rank's batches a second time."""
        check_divided_once(self.reading)
        for rows in self.reading.batches(self.epoch, self.step, seen=self.place.seen):
            self.pass_batch()
            yield rows.tolist()
        self.pass_epoch()
