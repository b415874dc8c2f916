"""64-bit hashes of bytes, and unaligned reads."""

from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import njit, types, uint64
from numba.extending import intrinsic

from curation.kernels.compiled import leaf

_PRIME = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


@intrinsic
def load64(typingctx: Any, data: Any, i: Any) -> Any:
    """The eight bytes at data[i:i + 8] as a little-endian number; the caller makes sure that they are there."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, args[0])
        place = builder.gep(array.data, [args[1]])
        return builder.load(builder.bitcast(place, ir.IntType(64).as_pointer()), align=1)

    return types.uint64(data, types.int64), generate


@intrinsic
def lowest_bit(typingctx: Any, bits: Any) -> Any:
    """The number of zero bits below the lowest one of a 64-bit number that is not 0."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), generate


@intrinsic
def count_bits(typingctx: Any, bits: Any) -> Any:
    """The number of one bits of a 64-bit number."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return types.uint64(types.uint64), generate


@njit(inline="always")
def mix64(x):
    """The finaliser of SplitMix64: every input bit reaches every output bit."""
    x = (x ^ (x >> uint64(30))) * _MIX_1
    x = (x ^ (x >> uint64(27))) * _MIX_2
    return x ^ (x >> uint64(31))


@njit(inline="always")
def load_part(data, i, count):
    """The bytes data[i:i + count] (at most 8 of them) as a little-endian number."""
    if i + 8 <= data.shape[0]:
        word = load64(data, i)
        return word if count >= 8 else word & ((uint64(1) << uint64(8 * count)) - uint64(1))
    word = uint64(0)
    for k in range(min(count, 8)):
        word |= uint64(data[i + k]) << uint64(8 * k)
    return word


@njit(inline="always")
def hash_part(h, word):
    """Takes the next (at most) eight bytes into an unfinished hash, which starts at 0."""
    h = (h ^ word) * _MIX_1
    return h ^ (h >> uint64(32))


@njit(inline="always")
def hash_end(h, length):
    """Finishes a hash of ``length`` bytes."""
    return mix64(h + uint64(length) * _PRIME)


@leaf
def hash_bytes(data, start, end):
    """A hash of data[start:end]."""
    h = uint64(0)
    for i in range(start, end, 8):
        h = hash_part(h, load_part(data, i, end - i))
    return hash_end(h, end - start)
