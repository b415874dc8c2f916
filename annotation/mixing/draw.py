"""Which comparisons of a source are drawn, how often, and where they come to stand: by a seeded hash of their ids."""

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


def places(seed: int, purpose: str, ids: Sequence[str]) -> npt.NDArray[np.uint64]:
    """A number a comparison, uniform over 64 bits, of nothing but the seed, the purpose and the id."""
    start = hashlib.blake2b(f"{seed}\0{purpose}\0".encode(), digest_size=8)
    out = np.empty(len(ids), np.uint64)
    for row, each in enumerate(ids):
        state = start.copy()
        state.update(each.encode())
        out[row] = int.from_bytes(state.digest(), "little")
    return out


def draw(sizes: Ints, order: Ints, wanted: int) -> tuple[Ints, Ints]:
    """Rows and the epoch of each, whose sizes add up to ``wanted`` or less.

    All rows once an epoch; of the last epoch each row by ``order`` that still fits. What is left is less than the
    size of any row that is not there.

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
