"""The base class of sampler, stream and loader: a place in a reading, and the state from which it resumes."""

from collections.abc import Mapping
from typing import Any

from schemas.reading import Place, Reading


class ReadingPlace:
    """A place in a reading."""

    reading: Reading
    place: Place
    """The start of the next iteration; during an iteration, the place after the batches already yielded."""

    @property
    def epoch(self) -> int:
        return self.place.epoch

    @property
    def step(self) -> int:
        """The number of batches of the epoch already yielded."""
        return self.place.step

    def __len__(self) -> int:
        """The number of batches of this rank in an epoch."""
        return len(self.reading)

    def set_epoch(self, epoch: int) -> None:
        """Moves to the start of the epoch; does nothing if it is the current epoch."""
        if epoch != self.epoch:
            self.place = Place(epoch, 0)

    def state_dict(self) -> dict[str, Any]:
        """The state of this place, which any number of ranks and workers, with any batch size, can resume."""
        return self.reading.state(*self.place)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Moves to the place of a state. Raises StateError for a state of another dataset, seed or shuffle."""
        self.place = self.reading.place(state)

    def pass_batch(self) -> None:
        """Moves past the next batch."""
        self.place = self.place._replace(step=self.step + 1)

    def pass_epoch(self) -> None:
        """Moves to the start of the next epoch."""
        self.place = Place(self.epoch + 1, 0)
