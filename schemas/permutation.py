"""A shuffled order of any number of rows, computed position by position instead of stored.

A Feistel network permutes the numbers of an even number of bits (Luby and Rackoff 1988). A result outside of the rows
goes through the network again until it falls inside (cycle walking, Black and Rogaway 2002), on average fewer than four
times. Not for cryptography.
"""

import hashlib

import numpy as np
import numpy.typing as npt

ROUNDS = 8
"""Rounds of the network; an order that looks random needs at least four."""

_MIX = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)  # of SplitMix64
_SHIFTS = np.uint64(30), np.uint64(27), np.uint64(31)


class Permutation:
    """An order of ``range(count)``, the same on every machine for equal arguments. ``count`` is at most 2**62."""

    def __init__(self, count: int, seed: int, epoch: int = 0):
        if not 0 <= count <= 1 << 62:
            raise ValueError(f"an order of {count} rows: give a count between 0 and 2**62")
        self.count = count
        half = max(1, -(-max(count - 1, 1).bit_length() // 2))
        self._half, self._mask = np.uint64(half), np.uint64((1 << half) - 1)
        words = hashlib.blake2b(f"gristmill.permutation {count} {seed} {epoch}".encode(), digest_size=8 * ROUNDS)
        self._keys = np.frombuffer(words.digest(), "<u8").astype(np.uint64)

    def __call__(self, positions: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """The rows at these positions: int64 of the same shape. Raises IndexError for positions outside of the order.

        >>> Permutation(10, seed=1)(range(10)).tolist()
        [6, 8, 0, 2, 7, 9, 1, 3, 5, 4]
        """
        asked = np.asarray(positions, np.int64)
        if asked.size and (asked.min() < 0 or asked.max() >= self.count):
            raise IndexError(f"positions {asked.min():,} to {asked.max():,} of {self.count:,}")
        numbers = self._once(asked.astype(np.uint64).reshape(-1))
        outside = np.flatnonzero(numbers >= self.count)
        while outside.size:
            numbers[outside] = self._once(numbers[outside])
            outside = outside[numbers[outside] >= self.count]
        return numbers.astype(np.int64).reshape(asked.shape)

    def _once(self, numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
        left, right = numbers >> self._half, numbers & self._mask
        for key in self._keys:
            left, right = right, left ^ (_mix(right ^ key) & self._mask)
        return (left << self._half) | right


def _mix(words: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """SplitMix64's finalizer: each bit of a word depends on all of its bits."""
    words = (words ^ (words >> _SHIFTS[0])) * _MIX[0]
    words = (words ^ (words >> _SHIFTS[1])) * _MIX[1]
    return words ^ (words >> _SHIFTS[2])
