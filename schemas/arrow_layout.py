"""Finds the buffers of an Arrow IPC file from its metadata, which takes a few hundred bytes per record batch.

Arrow's own reader reads the complete body of every batch that it opens. This module parses the format's two flatbuffers
itself (Footer of File.fbs, Message of Message.fbs). A layout that exceeds its bytes or has gaps raises LayoutError, as
Arrow's writers leave no gaps.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

MAGIC = b"ARROW1"
TAIL_BYTES = 10
"""The length of the footer (int32) and the magic word."""
PREFIX_BYTES = 8
"""The start of a message: 0xFFFFFFFF and the length of its metadata (int32)."""

_CONTINUES = 0xFFFFFFFF
_V5 = 4
_BATCH = 3
_BLOCK = np.dtype({"names": ["offset", "metadata", "body"], "formats": ["<i8", "<i4", "<i8"], "offsets": [0, 8, 16]})


class LayoutError(ValueError):
    """Bytes are not the metadata of an Arrow file, or the metadata is inconsistent."""


@dataclass(frozen=True)
class Batches:
    """The layouts of record batches of one schema, as int64 arrays. ``rows`` and ``body`` (size of the body in bytes)
    have shape (batches,). ``nodes`` holds (length, nulls) of each field, depth first, and ``buffers`` holds (offset,
    bytes) of each buffer from the start of the body; both have shape (batches, fields or buffers, 2)."""

    rows: npt.NDArray[np.int64]
    nodes: npt.NDArray[np.int64]
    buffers: npt.NDArray[np.int64]
    body: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)

    def without_gaps(self) -> bool:
        """Whether in every batch each buffer starts at the end of the previous buffer, rounded up to 8 or 64 bytes as
        Arrow's writers do, and the body ends with the last buffer."""
        offsets, sizes = self.buffers[..., 0], self.buffers[..., 1]
        if ((sizes < 0) | (sizes > self.body[:, None])).any():
            return False
        found = np.zeros(len(self), bool)
        for alignment in (8, 64):
            padded = -(-sizes // alignment) * alignment
            ends = padded.cumsum(axis=1)
            found |= (offsets == ends - padded).all(axis=1) & (ends[:, -1] == self.body)
        return bool(found.all())


def read_footer(footer: bytes) -> tuple[pa.Schema, npt.NDArray[Any]]:
    """The schema, and for each record batch its ``offset`` in the file and the bytes of its ``metadata`` and ``body``.

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


def read_messages(messages: Sequence[bytes]) -> Iterator[Batches]:
    """The layouts of record batches, in order; batches of the same form come together. Each message is given as its
    prefix and metadata, without its body.

    Raises LayoutError.
    """
    done = 0
    while done < len(messages):
        first = messages[done]
        last = next((at for at in range(done, len(messages)) if len(messages[at]) != len(first)), len(messages))
        batches = _alike(messages[done:last])
        yield batches
        done += len(batches)


def _alike(messages: Sequence[bytes]) -> Batches:
    """The layouts of the first message and of those that directly follow and differ only in their numbers. All messages
    have one length."""
    try:
        places = _places(messages[0])
    except struct.error as error:
        raise LayoutError("the metadata of a record batch leads outside of it") from error
    table = np.frombuffer(b"".join(messages), np.uint8).reshape(len(messages), -1)
    form = np.ones(table.shape[1], bool)
    for start, count in places:
        form[start : start + 8 * count] = False
    alike = (table[:, form] == table[0, form]).all(axis=1)
    many = len(messages) if alike.all() else int(alike.argmin())
    rows, nodes, buffers, body = (
        table[:many, start : start + 8 * count].copy().view("<i8").astype(np.int64) for start, count in places
    )
    return Batches(rows[:, 0], nodes.reshape(many, -1, 2), buffers.reshape(many, -1, 2), body[:, 0])


def _places(message: bytes) -> tuple[tuple[int, int], ...]:
    """(start, count) of the 8-byte numbers in a record batch's message: of its rows, nodes, buffers and body size."""
    continues, length = struct.unpack_from("<Ii", message)
    if continues != _CONTINUES or length != len(message) - PREFIX_BYTES:
        raise LayoutError("no record batch begins where its footer says")
    root = _root(message, PREFIX_BYTES)
    version, kind, header, size, more = (_field(message, root, number) for number in range(5))
    if not (version and kind and header and size) or more:
        raise LayoutError("the metadata of a record batch is incomplete")
    if struct.unpack_from("<h", message, version) != (_V5,) or struct.unpack_from("B", message, kind) != (_BATCH,):
        raise LayoutError("there is something else where a record batch should be")
    table = _root(message, header)
    rows, nodes, buffers, compression, variadic = (_field(message, table, number) for number in range(5))
    if not (rows and nodes and buffers) or compression or variadic:
        raise LayoutError("a record batch is compressed or incomplete")
    (node, fields), (buffer, count) = (_vector(message, at, 16) for at in (nodes, buffers))
    if max(rows, size) + 8 > len(message):
        raise LayoutError("the metadata of a record batch leads outside of it")
    return (rows, 1), (node, 2 * fields), (buffer, 2 * count), (size, 1)


def _root(data: bytes, at: int = 0) -> int:
    """The start of the table to which the offset at ``at`` points."""
    start: int = at + struct.unpack_from("<I", data, at)[0]
    return start


def _field(data: bytes, table: int, number: int) -> int:
    """The position of a table's field by its number, or 0 if the table lacks the field."""
    names = table - struct.unpack_from("<i", data, table)[0]
    if names < 0:
        raise struct.error("a table of fields before the start")
    if 4 + 2 * number >= struct.unpack_from("<H", data, names)[0]:
        return 0
    offset: int = struct.unpack_from("<H", data, names + 4 + 2 * number)[0]
    return table + offset if offset else 0


def _vector(data: bytes, at: int, width: int) -> tuple[int, int]:
    """(start, count) of a vector's items, which have ``width`` bytes each."""
    start = at + struct.unpack_from("<I", data, at)[0]
    length = struct.unpack_from("<I", data, start)[0]
    if start + 4 + length * width > len(data):
        raise struct.error("a vector beyond the end")
    return start + 4, length
