"""A shard of packed sequences: checks its structure against the manifest, and finds its rows.

Opening a shard reads its footer and the metadata of its record batches, but no tokens.
"""

import os
import struct
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.arrow_layout import MAGIC, PREFIX_BYTES, TAIL_BYTES, Batches, LayoutError, read_footer, read_messages
from schemas.manifest import NamedEntry, difference, size_difference
from schemas.named_files import irregular, open_named
from schemas.packed import BATCH
from schemas.table import SchemaError, Table

_AGAIN = "copy it again from where it was written, or pack again"
_TOKENS, _FILLED = 2, 17
"""The numbers of the buffers that hold the tokens of a record batch, and its column ``filled``."""


class PackedError(ValueError):
    """A folder does not hold packed sequences, or is damaged."""


class Part(NamedTuple):
    """A document of a sequence: its tokens begin at ``start`` of the sequence and at ``offset`` of the document."""

    doc_id: str
    source: str
    start: int
    offset: int


@dataclass(frozen=True)
class Shard:
    """A shard in a folder, as the folder's manifest describes it."""

    folder: Path
    entry: NamedEntry

    @property
    def path(self) -> Path:
        return self.folder / self.entry.name

    @property
    def rows(self) -> int:
        return self.entry.rows or 0

    @property
    def size(self) -> int:
        """The size of the file in bytes."""
        return self.entry.bytes or 0

    def error(self, what: str) -> PackedError:
        return PackedError(f"{self.path} {what}: {_AGAIN}")

    def check_size(self) -> None:
        """Raises PackedError if the file is missing or its size differs from the manifest."""
        try:
            status = os.stat(self.path)
            size = status.st_size
            if kind := irregular(status):
                raise self.error(f"is {kind}")
        except FileNotFoundError:
            size = None
        except OSError as error:
            raise self.error(f"cannot be read ({error.strerror})") from error
        if wrong := size_difference(self.entry, size):
            raise self.error(wrong)

    def check_digest(self) -> None:
        """Reads the complete file. Raises PackedError if its SHA-256 differs from the manifest."""
        if wrong := difference(self.entry, lambda name: open_named(self.folder / name)):
            raise self.error(wrong)

    def layout(self, table: Table) -> npt.NDArray[np.int64]:
        """The start of each record batch, of its tokens and of its column ``filled`` (0 if the table has no such
        column), in bytes from the start of the file: int64 of shape (batches, 3).

        Raises PackedError unless the file is structured as ``rows`` rows of the table.
        """
        self.check_size()
        length = table.columns.field("tokens").type.list_size
        width = table.columns.field("tokens").type.value_type.bit_width // 8
        padded = "filled" in table.columns.names
        try:
            file = os.open(self.path, os.O_RDONLY)
        except OSError as error:
            raise self.error(f"cannot be read ({error.strerror})") from error
        try:
            if hasattr(os, "posix_fadvise"):
                os.posix_fadvise(file, 0, 0, os.POSIX_FADV_RANDOM)
            blocks = self._blocks(file, table)
            body = blocks["offset"] + blocks["metadata"]
            found = np.stack([blocks["offset"], body, body if padded else np.zeros_like(body)], axis=1)
            expected = np.full(len(blocks), BATCH)
            expected[-1:] = self.rows - BATCH * (len(blocks) - 1)
            done = 0
            for batches in read_messages([os.pread(file, size, at) for at, size, _ in blocks.tolist()]):
                some = slice(done, done + len(batches))
                _check(batches, expected[some], length, width, blocks["body"][some], padded)
                found[some, 1] += batches.buffers[:, _TOKENS, 0]
                if padded:
                    found[some, 2] += batches.buffers[:, _FILLED, 0]
                done += len(batches)
        except LayoutError as error:
            raise self.error(f"is damaged: {error}") from error
        finally:
            os.close(file)
        return found

    def _blocks(self, file: int, table: Table) -> npt.NDArray[Any]:
        """The footer's record batches. Checks that they follow each other from the schema to the footer."""
        tail = os.pread(file, TAIL_BYTES, max(0, self.size - TAIL_BYTES))
        head = os.pread(file, 16, 0)
        if len(tail) < TAIL_BYTES or tail[4:] != MAGIC or head[:6] != MAGIC:
            raise LayoutError("it is not a complete Arrow file")
        size = int.from_bytes(tail[:4], "little")
        start = self.size - TAIL_BYTES - size
        if start < len(head):
            raise LayoutError("its footer is longer than the file")
        schema, blocks = read_footer(os.pread(file, size, start))
        try:
            version = table.version_of(schema)
        except (SchemaError, UnicodeDecodeError) as error:
            raise LayoutError("its footer does not name its table and version") from error
        if version != table.version or not schema.equals(table.columns, check_metadata=False):
            raise LayoutError("its columns do not match the manifest's length and token type")
        if len(blocks) != -(-self.rows // BATCH):
            raise LayoutError(
                f"it has {len(blocks)} record batches, {-(-self.rows // BATCH)} expected for {self.rows:,} rows"
            )
        if any((blocks[part] % 8).any() for part in ("offset", "metadata", "body")):
            raise LayoutError("its record batches are not aligned")
        ends = blocks["offset"] + blocks["metadata"] + blocks["body"]
        starts = [*blocks["offset"].tolist(), start - 8]  # the last message is the end mark, of 8 bytes
        first = 16 + struct.unpack_from("<i", head, 12)[0]
        if starts[0] != first or ends.tolist() != starts[1:] or (blocks["metadata"] < PREFIX_BYTES).any():
            raise LayoutError("its record batches do not follow each other")
        return blocks


def _check(
    batches: Batches,
    rows: npt.NDArray[np.int64],
    length: int,
    width: int,
    body: npt.NDArray[np.int64],
    padded: bool,
) -> None:
    """Raises LayoutError unless the batches have ``rows`` sequences each, and the buffers that these need."""
    nodes, sizes = batches.nodes, batches.buffers[..., 1]
    shape = (9, 18) if padded else (8, 16)
    if (nodes.shape[1], sizes.shape[1]) != shape or (batches.rows != rows).any() or (batches.body != body).any():
        raise LayoutError("a record batch does not have the rows or the columns that it should")
    parts = nodes[:, 3, 0]
    lengths = np.stack([rows, rows * length, rows, *([parts] * 5), *([rows] if padded else [])], axis=1)
    if (parts < 0).any() or (nodes[..., 0] != lengths).any() or nodes[..., 1].any():
        raise LayoutError("the columns of a record batch differ in their rows")
    need = {_TOKENS: rows * length * width, 4: 4 * (rows + 1), 7: 4 * (parts + 1), 10: 4 * (parts + 1)}
    need |= {13: 4 * parts, 15: 8 * parts}
    if padded:
        need |= {_FILLED: 4 * rows}
    if not batches.without_gaps() or any((sizes[:, number] < least).any() for number, least in need.items()):
        raise LayoutError("the buffers of a record batch are not where its rows need them")


class Parts:
    """The parts column of a record batch, read from the bytes of its message without a copy."""

    def __init__(self, message: pa.Buffer):
        (metadata,) = struct.unpack_from("<i", message, 4)
        [batch] = read_messages([message[: PREFIX_BYTES + metadata].to_pybytes()])
        body = message[PREFIX_BYTES + metadata :]
        rows, parts = int(batch.rows[0]), int(batch.nodes[0, 3, 0])
        places = batch.buffers[0, :, 0].tolist()

        def numbers(buffer: int, kind: type[np.generic], count: int) -> npt.NDArray[Any]:
            return np.frombuffer(body, kind, count, places[buffer])

        def text(buffer: int) -> pa.Buffer:
            return body[places[buffer] : places[buffer + 1]]  # with its padding

        self._rows = numbers(4, np.int32, rows + 1)
        self._texts = tuple((numbers(buffer, np.int32, parts + 1), text(buffer + 1)) for buffer in (7, 10))
        self._starts, self._offsets = numbers(13, np.int32, parts), numbers(15, np.int64, parts)

    def of(self, row: int) -> list[Part]:
        """The parts of a row of the batch. Raises LayoutError if they are damaged."""
        first, last = self._range(row)
        documents, sources = (self._words(number, first, last) for number in (0, 1))
        starts, offsets = self._starts[first:last].tolist(), self._offsets[first:last].tolist()
        return [Part(*values) for values in zip(documents, sources, starts, offsets, strict=True)]

    def starts(self, row: int) -> npt.NDArray[np.int32]:
        """The starts of the row's parts, in tokens: int32. Raises LayoutError if they are damaged."""
        first, last = self._range(row)
        return self._starts[first:last]

    def _range(self, row: int) -> tuple[int, int]:
        first, last = self._rows[row : row + 2].tolist()
        if not 0 <= first < last <= len(self._starts):
            raise LayoutError("the parts of a row are not where its offsets say")
        return first, last

    def _words(self, column: int, first: int, last: int) -> list[str]:
        places, text = self._texts[column]
        ends = places[first : last + 1].tolist()
        if any(not 0 <= start <= end <= text.size for start, end in pairwise(ends)):
            raise LayoutError("the names of a row's parts are not where their offsets say")
        try:
            return [text[start:end].to_pybytes().decode() for start, end in pairwise(ends)]
        except UnicodeDecodeError as error:
            raise LayoutError("the names of a row's parts are not UTF-8") from error
