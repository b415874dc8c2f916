"""Draws the comparisons of a source, and their places in the mixture, by a seeded hash of their ids."""

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


def places(seed: int, purpose: str, ids: Sequence[str]) -> npt.NDArray[np.uint64]:
    """A number per comparison, uniform over 64 bits, which depends only on the seed, the purpose and the id."""
    start = hashlib.blake2b(f"{seed}\0{purpose}\0".encode(), digest_size=8)
    out = np.empty(len(ids), np.uint64)
    for row, each in enumerate(ids):
        state = start.copy()
        state.update(each.encode())
        out[row] = int.from_bytes(state.digest(), "little")
    return out


def draw(sizes: Ints, order: Ints, wanted: int) -> tuple[Ints, Ints]:
    """The drawn rows with the epoch of each; their sizes add up to at most ``wanted``.

    Each complete epoch has all rows. The last epoch takes each row, in ``order``, that still fits, so the remainder is
    smaller than any row that is missing from it.

    >>> draw(np.array([1, 1, 1]), np.array([2, 0, 1]), 5)
    (array([2, 0, 1, 2, 0]), array([0, 0, 0, 1, 1]))
    >>> draw(np.array([10, 90, 10]), np.array([0, 1, 2]), 30)[0].tolist()
    [0, 2]
    """
    total = int(sizes.sum())
    whole = wanted // total if total else 0
    left, fits = wanted - whole * total, []
    for row in order.tolist():
        if sizes[row] <= left:
            fits.append(row)
            left -= int(sizes[row])
    rows = np.concatenate([np.tile(order, whole), np.array(fits, np.int64)])
    epochs = np.concatenate([np.repeat(np.arange(whole), len(order)), np.full(len(fits), whole)])
    return rows.astype(np.int64), epochs.astype(np.int64)
