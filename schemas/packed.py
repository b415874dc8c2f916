"""Packed sequences: what `gristmill pack` writes and trainers read.

A folder of them holds ``manifest.json`` and ``shards/00000.arrow`` and so on: Arrow IPC files, not compressed, that can
be memory-mapped. Every record batch but the last one of a shard has BATCH rows, every shard but the last one has the
same number of rows.
"""

from typing import Literal

import pyarrow as pa

from schemas.table import Table

FORMAT = "gristmill.packed"
VERSION = 1
BATCH = 256
"""Rows of a record batch."""

PACKED_MANIFEST = {
    "format": str,
    "version": int,
    "length": int,
    "rows": int,
    "token_type": str,
    "tokenizer?": {"file": str, "sha256": str},
    "files": {str: {"rows": int, "bytes": int, "sha256": str}},
}
"""The shape of the manifest, as far as readers need it."""

TokenType = Literal["uint16", "int32"]

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
