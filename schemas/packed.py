"""Packed sequences: what `gristmill pack` writes and trainers read.

A folder of them holds ``manifest.json`` and ``shards/00000.arrow`` and so on: Arrow IPC files, not compressed, that can
be memory-mapped. Every record batch but the last one of a shard has BATCH rows, every shard but the last one has the
same number of rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from schemas.errors import CHANGED, DamagedError
from schemas.manifest import Entry, Noted, ShardEntry, noted_files, read_manifest
from schemas.table import Table

FORMAT = "gristmill.packed"
VERSION = 1
BATCH = 256
"""Rows of a record batch."""
MOST_TOKENS = 2**31 - 1
"""Of a sequence: Arrow counts them in 32 bits."""

TokenType = Literal["uint16", "int32"]


@dataclass(frozen=True, kw_only=True)
class TokenizerFile:
    """The copy of the tokenizer beside the shards."""

    file: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class PackedManifest:
    """What readers need of the manifest of packed sequences."""

    format: str
    version: int
    length: int
    rows: int
    token_type: TokenType
    files: Mapping[str, ShardEntry]
    tokenizer: TokenizerFile | None = None

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
"""The documents of a sequence, in order: where each one's tokens start in the sequence, and which of the document's own
tokens that is (0 unless the document began in an earlier sequence). A part ends where the next one starts."""


def read_packed(content: bytes, place: str) -> tuple[PackedManifest, dict[str, Noted]]:
    """The manifest at ``place``, whose bytes are ``content``, and the files that it names, by name.

    Raises UserError for the manifest of another folder, DamagedError for one of a newer version, and for one that lacks
    something or contradicts itself.
    """
    found = read_manifest(content, place, PackedManifest, form=FORMAT, version=VERSION, made_by="gristmill pack")
    if found.version < 1 or not 1 <= found.length <= MOST_TOKENS:
        raise DamagedError(f"{place} says a version or a length that no folder has: {CHANGED}")
    copy = {found.tokenizer.file: Entry(found.tokenizer.sha256)} if found.tokenizer else {}
    files = noted_files({**found.files, **copy}, place)
    if found.files.keys() != set(found.shards):
        raise DamagedError(f"{place} does not name its shards from 00000 on, each once: {CHANGED}")
    rows = [found.files[name].rows for name in found.shards]
    if sum(rows) != found.rows or any(count != rows[0] for count in rows[:-1]) or rows[-1:] > rows[:1]:
        raise DamagedError(f"{place} counts rows that its shards do not have: {CHANGED}")
    return found, files


def token_type(vocabulary: int) -> TokenType:
    """The type of tokens from 0 to ``vocabulary - 1``: what Megatron takes too.

    >>> token_type(32_000), token_type(128_256)
    ('uint16', 'int32')
    """
    return "uint16" if vocabulary <= 1 << 16 else "int32"


def packed(length: int, tokens: TokenType) -> Table:
    """The table of sequences of ``length`` tokens; ``tokens`` are those of documents with an end mark after each."""
    kind = pa.uint16() if tokens == "uint16" else pa.int32()
    return Table(
        name="packed",
        version=VERSION,
        columns=pa.schema(
            [
                pa.field("tokens", pa.list_(pa.field("token", kind, nullable=False), length), nullable=False),
                pa.field("parts", PARTS, nullable=False),
            ]
        ),
    )
