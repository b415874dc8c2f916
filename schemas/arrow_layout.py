"""Where the buffers of an Arrow IPC file lie, read from its metadata: a few hundred bytes a record batch, no data.

Arrow's own reader asks the system for the whole body of every batch that it looks at. Read here are the two flatbuffers
of the format (Footer of File.fbs, Message of Message.fbs). A layout that does not lie within its bytes, or that leaves
gaps, raises LayoutError: Arrow's writers put one buffer after the other.
"""

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

MAGIC = b"ARROW1"
TAIL_BYTES = 10
"""The length of the footer (int32) and the magic word."""
PREFIX_BYTES = 8
"""What a message begins with: 0xFFFFFFFF and the length of its metadata (int32)."""

_CONTINUES = 0xFFFFFFFF
_V5 = 4
_RECORD_BATCH = 3
_BLOCK = np.dtype({"names": ["offset", "metadata", "body"], "formats": ["<i8", "<i4", "<i8"], "offsets": [0, 8, 16]})


class LayoutError(ValueError):
    """Bytes are not the metadata of an Arrow file, or say what cannot be."""


@dataclass(frozen=True)
class Batch:
    """One record batch: ``rows``; ``nodes``: (length, nulls) of each field, depth first; ``buffers``: (offset, bytes)
    of each buffer from the start of the body; ``body``: bytes in all."""

    rows: int
    nodes: tuple[tuple[int, int], ...]
    buffers: tuple[tuple[int, int], ...]
    body: int


def read_footer(footer: bytes) -> tuple[pa.Schema, npt.NDArray[Any]]:
    """The schema, and of each record batch ``offset`` in the file, bytes of its ``metadata`` and of its ``body``.

    Raises LayoutError.
    """
    alone = MAGIC + b"\0\0" + footer + len(footer).to_bytes(4, "little") + MAGIC
    try:
        with pa.ipc.open_file(pa.BufferReader(alone)) as reader:
            schema, count = reader.schema, reader.num_record_batches
        at = _field(footer, _root(footer), 3)
        start, length = _vector(footer, at, _BLOCK.itemsize) if at else (0, 0)
    except (pa.ArrowException, OSError, UnicodeDecodeError, struct.error) as error:  # OSError: no flatbuffer
        raise LayoutError("its footer is damaged") from error
    if length != count:
        raise LayoutError("its footer is damaged")
    return schema, np.frombuffer(footer, _BLOCK, count, start)


def read_message(message: bytes) -> Batch:
    """The layout that the start of a record batch's message declares: prefix and metadata, without its body.

    Raises LayoutError.
    """
    try:
        return _read_message(message)
    except struct.error as error:
        raise LayoutError("the metadata of a record batch leads outside of it") from error


def _read_message(message: bytes) -> Batch:
    continues, length = struct.unpack_from("<Ii", message)
    if continues != _CONTINUES or length != len(message) - PREFIX_BYTES:
        raise LayoutError("no record batch begins where its footer says")
    metadata = message[PREFIX_BYTES:]
    root = _root(metadata)
    version, kind, header, size, more = (_field(metadata, root, number) for number in range(5))
    if not (version and kind and header and size) or more:
        raise LayoutError("the metadata of a record batch is incomplete")
    if struct.unpack_from("<h", metadata, version) != (_V5,) or struct.unpack_from("B", metadata, kind) != (
        _RECORD_BATCH,
    ):
        raise LayoutError("there is something else where a record batch should be")
    table = header + struct.unpack_from("<I", metadata, header)[0]
    rows, nodes, buffers, compression, variadic = (_field(metadata, table, number) for number in range(5))
    if not (nodes and buffers) or compression or variadic:
        raise LayoutError("a record batch is compressed or incomplete")
    return Batch(
        struct.unpack_from("<q", metadata, rows)[0] if rows else 0,
        _pairs(metadata, nodes),
        _pairs(metadata, buffers),
        struct.unpack_from("<q", metadata, size)[0],
    )


def without_gaps(batch: Batch) -> bool:
    """Whether each buffer starts where the one before it ended, rounded up to the 8 or 64 bytes of Arrow's writers, and
    the body ends with the last."""
    for alignment in (8, 64):
        end = 0
        for offset, size in batch.buffers:
            if offset != end or size < 0:
                break
            end += -(-size // alignment) * alignment
        else:
            if end == batch.body:
                return True
    return False


def _root(data: bytes) -> int:
    """Where the root table starts."""
    start: int = struct.unpack_from("<I", data)[0]
    return start


def _field(data: bytes, table: int, number: int) -> int:
    """Where the table's field of that number lies, or 0 where it has none."""
    names = table - struct.unpack_from("<i", data, table)[0]
    if names < 0:
        raise struct.error("a table of fields before the start")
    if 4 + 2 * number >= struct.unpack_from("<H", data, names)[0]:
        return 0
    offset: int = struct.unpack_from("<H", data, names + 4 + 2 * number)[0]
    return table + offset if offset else 0


def _vector(data: bytes, at: int, width: int) -> tuple[int, int]:
    """Where the vector's items of ``width`` bytes start, and how many there are."""
    start = at + struct.unpack_from("<I", data, at)[0]
    length = struct.unpack_from("<I", data, start)[0]
    if start + 4 + length * width > len(data):
        raise struct.error("a vector beyond the end")
    return start + 4, length


def _pairs(data: bytes, at: int) -> tuple[tuple[int, int], ...]:
    start, length = _vector(data, at, 16)
    numbers = struct.unpack_from(f"<{2 * length}q", data, start)
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))
