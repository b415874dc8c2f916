"""What a sampler, a stream and a loader have in common: a place in their reading, and the state that resumes it."""

from collections.abc import Mapping
from typing import Any

from schemas.reading import Place, Reading


class Resuming:
    """Stands at a place of a reading."""

    reading: Reading
    place: Place
    """Where the next iteration begins; while one is under way, behind the batches that it gave away."""

    @property
    def epoch(self) -> int:
        return self.place.epoch

    @property
    def step(self) -> int:
        """Batches of the epoch that were given away."""
        return self.place.step

    def __len__(self) -> int:
        """Batches of this rank in an epoch."""
        return len(self.reading)

    def set_epoch(self, epoch: int) -> None:
        """Goes to the start of the epoch, or stays where it is in it."""
        if epoch != self.epoch:
            self.place = Place(epoch, 0)

    def state_dict(self) -> dict[str, Any]:
        """The state from which any number of ranks and workers, with any batch size, go on behind this place."""
        return self.reading.state(*self.place)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes to the place of a state. Raises StateError for a state of another dataset, seed or shuffle."""
        self.place = self.reading.place(state)

    def pass_batch(self) -> None:
        """Goes on behind one more batch."""
        self.place = self.place._replace(step=self.step + 1)

    def pass_epoch(self) -> None:
        """Goes on to the next epoch."""
        self.place = Place(self.epoch + 1, 0)
