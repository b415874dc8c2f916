"""Tests many bytes at once: masks of the bytes of a block that a scanner must inspect, in a few vector instructions.

Numba does not vectorise loops over bytes that can stop early; these intrinsics are vectorised. A block is `STEP` bytes,
and bit n of a mask belongs to byte n of the block.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic

STEP = 32
_VECTOR = ir.VectorType(ir.IntType(8), STEP)


def _all(value: int) -> Any:
    return ir.Constant(_VECTOR, [value] * STEP)


def _in_json_string(builder: Any, block: Any) -> Any:
    """Quotes, backslashes and control characters."""
    quote = builder.icmp_unsigned("==", block, _all(0x22))
    backslash = builder.icmp_unsigned("==", block, _all(0x5C))
    control = builder.icmp_unsigned("<", block, _all(0x20))
    return builder.or_(builder.or_(quote, backslash), control)


def _not_plain(builder: Any, block: Any) -> Any:
    """All bytes except printable ASCII, tab and line feed."""
    odd = builder.or_(builder.icmp_unsigned("<", block, _all(0x20)), builder.icmp_unsigned(">=", block, _all(0x7F)))
    blank = builder.or_(builder.icmp_unsigned("==", block, _all(0x09)), builder.icmp_unsigned("==", block, _all(0x0A)))
    return builder.and_(odd, builder.not_(blank))


def _ascii_word(builder: Any, block: Any) -> Any:
    """ASCII letters, digits and underscores."""
    folded = builder.or_(block, _all(0x20))
    letter = builder.icmp_unsigned("<", builder.sub(folded, _all(0x61)), _all(26))
    digit = builder.icmp_unsigned("<", builder.sub(block, _all(0x30)), _all(10))
    return builder.or_(builder.or_(letter, digit), builder.icmp_unsigned("==", block, _all(0x5F)))


def _not_ascii(builder: Any, block: Any) -> Any:
    """Bytes of multi-byte characters."""
    return builder.icmp_unsigned(">=", block, _all(0x80))


def _symbol(builder: Any, block: Any) -> Any:
    """Hash signs, full stops, and the last byte of the ellipsis U+2026."""
    hash_or_dot = builder.or_(
        builder.icmp_unsigned("==", block, _all(0x23)), builder.icmp_unsigned("==", block, _all(0x2E))
    )
    return builder.or_(hash_or_dot, builder.icmp_unsigned("==", block, _all(0xA6)))


def _not_printable(builder: Any, block: Any) -> Any:
    """Control characters, and bytes of multi-byte characters, which are negative as signed numbers."""
    return builder.icmp_signed("<", block, _all(0x20))


def _place(context: Any, builder: Any, kind: Any, array: Any, index: Any) -> Any:
    """Pointer to the block of a byte array that begins at ``index``."""
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), _VECTOR.as_pointer())


def _mask(find: Callable[[Any, Any], Any]) -> Any:
    def typed(typingctx: Any, buf: Any, i: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            block = builder.load(_place(context, builder, signature.args[0], args[0], args[1]), align=1)
            return builder.bitcast(find(builder, block), ir.IntType(STEP))

        return types.uint32(buf, types.int64), generate

    return intrinsic(typed)


def _copy_and_mask(find: Callable[[Any, Any], Any]) -> Any:
    def typed(typingctx: Any, buf: Any, i: Any, out: Any, o: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            block = builder.load(_place(context, builder, signature.args[0], args[0], args[1]), align=1)
            builder.store(block, _place(context, builder, signature.args[2], args[2], args[3]), align=1)
            return builder.bitcast(find(builder, block), ir.IntType(STEP))

        return types.uint32(buf, types.int64, out, types.int64), generate

    return intrinsic(typed)


def _typed_first_bit(typingctx: Any, bits: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.zext(builder.cttz(args[0], ir.Constant(ir.IntType(1), 1)), ir.IntType(64))

    return types.int64(types.uint32), generate


def _typed_count_bits(typingctx: Any, bits: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.zext(builder.ctpop(args[0]), ir.IntType(64))

    return types.int64(types.uint32), generate


json_special: Any = _mask(_in_json_string)
"""``json_special(buf, i)``: the bytes of ``buf[i:i + STEP]`` that end or interrupt a JSON string."""

copy_json_special: Any = _copy_and_mask(_in_json_string)
"""``copy_json_special(buf, i, out, o)``: as `json_special`, and copies the block to ``out[o:o + STEP]``."""

not_plain: Any = _mask(_not_plain)
"""``not_plain(buf, i)``: the bytes that are not printable ASCII, tab or line feed."""

copy_not_plain: Any = _copy_and_mask(_not_plain)
"""``copy_not_plain(buf, i, out, o)``: as `not_plain`, and copies the block to ``out[o:o + STEP]``."""

ascii_word: Any = _mask(_ascii_word)
"""``ascii_word(buf, i)``: the bytes that are ASCII letters, digits or underscores."""

not_ascii: Any = _mask(_not_ascii)
"""``not_ascii(buf, i)``: the bytes that belong to characters outside ASCII."""

symbol: Any = _mask(_symbol)
"""``symbol(buf, i)``: the bytes that are ``#`` or ``.``, or the last byte of an ellipsis."""

not_printable: Any = _mask(_not_printable)
"""``not_printable(buf, i)``: the bytes below 0x20, and those that belong to characters outside ASCII."""

first_bit: Any = intrinsic(_typed_first_bit)
"""``first_bit(mask)``: index of the lowest set bit; the mask must not be 0."""

count_bits: Any = intrinsic(_typed_count_bits)
"""``count_bits(mask)``: the number of set bits."""
