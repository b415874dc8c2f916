"""Operations that numba lacks: unaligned reads, copies, and bit counts."""

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core.cgutils import raw_memcpy
from numba.extending import intrinsic


@intrinsic
def load64(typingctx: Any, data: Any, i: Any) -> Any:
    """The eight bytes at data[i:i + 8] as a little-endian number; the caller must check bounds."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, args[0])
        place = builder.gep(array.data, [args[1]])
        return builder.load(builder.bitcast(place, ir.IntType(64).as_pointer()), align=1)

    return types.uint64(data, types.int64), generate


@intrinsic
def lowest_bit(typingctx: Any, bits: Any) -> Any:
    """The index of the lowest set bit of a 64-bit number other than 0."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), generate


@intrinsic
def count_bits(typingctx: Any, bits: Any) -> Any:
    """The number of set bits of a 64-bit number."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return types.uint64(types.uint64), generate


@intrinsic
def copy_bytes(typingctx: Any, data: Any, i: Any, out: Any, o: Any, count: Any) -> Any:
    """Copies data[i:i + count] to out[o:o + count]; the arrays must not overlap."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        source, target = (
            builder.gep(context.make_array(signature.args[array])(context, builder, args[array]).data, [args[place]])
            for array, place in ((0, 1), (2, 3))
        )
        raw_memcpy(builder, target, source, args[4], 1)
        return context.get_dummy_value()

    return types.void(data, types.int64, out, types.int64, types.int64), generate
