"""Which rank of how many this process is, and a check that nothing divides a rank's share a second time."""

import os
import sys

import torch.distributed

from schemas.division import Even
from schemas.reading import Reading
from schemas.sequences import PackedSequences

DIVIDING = ("BatchSamplerShard", "DataLoaderDispatcher", "prepare_data_loader")
"""What in Accelerate gives each process a part of what it reads: classes, and a function that asks for a generator."""


def reading_of(
    sequences: PackedSequences,
    batch: int,
    rank: int | None,
    world: int | None,
    seed: int,
    shuffle: bool | None,
    even: Even | None,
) -> Reading:
    """What this rank reads of the sequences. Raises ValueError where rank, world or batch are not possible."""
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


def check_divided_once(reading: Reading) -> None:
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
