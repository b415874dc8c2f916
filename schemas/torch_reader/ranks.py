"""Finds the rank of this process and the number of ranks, and checks that a rank's share is not divided again."""

import os
import sys

import torch.distributed

from schemas.division import Even
from schemas.reading import Reading
from schemas.sequences import PackedSequences

DIVIDING = ("BatchSamplerShard", "DataLoaderDispatcher", "prepare_data_loader")
"""Names in Accelerate that divide a loader among processes: two classes, and a function that reads ``generator``."""


def reading_of(
    sequences: PackedSequences,
    batch: int,
    rank: int | None,
    world: int | None,
    seed: int,
    shuffle: bool | None,
    even: Even | None,
) -> Reading:
    """The reading of this rank. Raises ValueError if rank, world or batch is impossible."""
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
    len(reading)  # raises ValueError
    return reading


def _rank_and_world() -> tuple[int, int]:
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))


def check_divided_once(reading: Reading) -> None:
    """Raises RuntimeError if Accelerate is about to divide the share of a rank, in this process or in its worker."""
    frame = sys._getframe() if reading.world > 1 else None
    while frame is not None:
        names = {type(frame.f_locals.get("self")).__name__, frame.f_code.co_name}
        if frame.f_globals.get("__name__") == "accelerate.data_loader" and names & set(DIVIDING):
            raise RuntimeError(
                "do not pass this loader to accelerator.prepare, which would divide it a second time: "
                f"rank {reading.rank} of {reading.world} reads its own share already"
            )
        frame = frame.f_back
