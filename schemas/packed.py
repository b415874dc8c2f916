"""Packed sequences, which `gristmill pack` writes and trainers read.

A folder holds ``manifest.json`` and the shards ``shards/00000.arrow`` and so on: uncompressed Arrow IPC files that can
be memory-mapped. Every record batch except the last of a shard has BATCH rows, and every shard except the last has the
same number of rows.

In a folder of version 1 documents fill every row. In version 2, which best-fit packing writes, a row may end with
padding: the column ``filled`` says how many tokens of the row belong to documents, and the others are padding.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from schemas.errors import CHANGED, DamagedError
from schemas.manifest import Entry, NamedEntry, ShardEntry, named_entries, read_manifest
from schemas.table import Table

FORMAT = "gristmill.packed"
VERSION = 2
"""The newest version of the format."""
FULL_VERSION = 1
"""The version of folders without padding."""
BATCH = 256
"""Rows per record batch."""
MOST_TOKENS = 2**31 - 1
"""The most tokens of a sequence: Arrow counts the items of a list in 32 bits."""

TokenType = Literal["uint16", "int32"]
Packing = Literal["concatenate", "best-fit"]
"""How documents are packed: one after the other, cut every ``length`` tokens; or each where it fits best, with padding
in the rest of a row."""


@dataclass(frozen=True, kw_only=True)
class TokenizerFile:
    """The copy of the tokenizer beside the shards."""

    file: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Padding:
    """The padding of all rows: the token that stands there, its id, the number of such tokens, and their share of the
    tokens of all rows."""

    token: str
    token_id: int
    tokens: int
    share: float


@dataclass(frozen=True, kw_only=True)
class PackedManifest:
    """The fields of the manifest that readers of packed sequences need. ``padding`` is null in version 1."""

    format: str
    version: int
    length: int
    rows: int
    token_type: TokenType
    files: Mapping[str, ShardEntry]
    tokenizer: TokenizerFile | None = None
    padding: Padding | None = None

    @property
    def shards(self) -> list[str]:
        """The names of the shards, in order."""
        return [f"shards/{number:05}.arrow" for number in range(len(self.files))]


PARTS = pa.list_(
    pa.field(
        "part",
        pa.struct(
            [
                pa.field("doc_id", pa.string(), nullable=False),
                pa.field("source", pa.string(), nullable=False),
                pa.field("start", pa.int32(), nullable=False),
                pa.field("offset", pa.int64(), nullable=False),
            ]
        ),
        nullable=False,
    )
)
"""The documents of a sequence, in order. A document's tokens begin at ``start`` in the sequence and at ``offset`` in
the document (0 unless the document began in another sequence). A part ends where the next part starts, and the last
part where the sequence or its padding does."""


def read_packed(content: bytes, place: str) -> tuple[PackedManifest, dict[str, NamedEntry]]:
    """Parses the manifest at ``place`` from its bytes; returns it and its files by name.

    Raises UserError for another kind of manifest, and DamagedError for a newer version or an incomplete or inconsistent
    manifest.
    """
    found = read_manifest(content, place, PackedManifest, form=FORMAT, version=VERSION, made_by="gristmill pack")
    if found.version < 1 or not 1 <= found.length <= MOST_TOKENS:
        raise DamagedError(f"{place} has an impossible version or length: {CHANGED}")
    if (found.version > FULL_VERSION) != (found.padding is not None):
        raise DamagedError(f"{place} has a version that contradicts its padding: {CHANGED}")
    copy = {found.tokenizer.file: Entry(found.tokenizer.sha256)} if found.tokenizer else {}
    files = named_entries({**found.files, **copy}, place)
    if found.files.keys() != set(found.shards):
        raise DamagedError(f"{place} does not number its shards from 00000 without gaps: {CHANGED}")
    rows = [found.files[name].rows for name in found.shards]
    if sum(rows) != found.rows or any(count != rows[0] for count in rows[:-1]) or rows[-1:] > rows[:1]:
        raise DamagedError(f"{place} has row counts that contradict each other: {CHANGED}")
    return found, files


def token_type(vocabulary: int) -> TokenType:
    """The type for tokens from 0 to ``vocabulary - 1``, by the same rule as Megatron's.

    >>> token_type(32_000), token_type(128_256)
    ('uint16', 'int32')
    """
    return "uint16" if vocabulary <= 1 << 16 else "int32"


def packed_table(length: int, tokens: TokenType, padded: bool = False) -> Table:
    """The table of sequences of ``length`` tokens; ``tokens`` is their type. Each document ends with its end token.
    If ``padded``, a row's first ``filled`` tokens belong to documents, at least one, and the others are padding."""
    kind = pa.uint16() if tokens == "uint16" else pa.int32()
    filled = [pa.field("filled", pa.int32(), nullable=False)] if padded else []
    return Table(
        name="packed",
        version=VERSION if padded else FULL_VERSION,
        columns=pa.schema(
            [
                pa.field("tokens", pa.list_(pa.field("token", kind, nullable=False), length), nullable=False),
                pa.field("parts", PARTS, nullable=False),
                *filled,
            ]
        ),
    )
