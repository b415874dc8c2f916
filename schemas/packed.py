"""Packed sequences: what `gristmill pack` writes and trainers read.

A folder of them holds ``manifest.json`` and ``shards/00000.arrow`` and so on: Arrow IPC files, not compressed, that can
be memory-mapped. Every record batch but the last one of a shard has BATCH rows, every shard but the last one has the
same number of rows.
"""

from collections.abc import Mapping
from typing import Any, Literal, get_args

import pyarrow as pa

from schemas.errors import CHANGED, DamagedError
from schemas.manifest import Noted, check, noted
from schemas.table import Table

FORMAT = "gristmill.packed"
VERSION = 1
BATCH = 256
"""Rows of a record batch."""
MOST_TOKENS = 2**31 - 1
"""Of a sequence: Arrow counts them in 32 bits."""

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


def packed_files(manifest: Mapping[str, Any], place: str) -> dict[str, Noted]:
    """The files that the manifest at ``place`` names, by name: the shards in order, then the tokenizer, if it has one.

    Raises DamagedError for a manifest of a newer version, and for one that lacks something or contradicts itself.
    """
    check(manifest, {"version": int}, place)
    if manifest["version"] > VERSION:
        raise DamagedError(
            f"{place} is of version {manifest['version']}, newer than this Gristmill, which reads up to {VERSION}: "
            "upgrade Gristmill"
        )
    check(manifest, PACKED_MANIFEST, place)
    if manifest["version"] < 1 or not 1 <= manifest["length"] <= MOST_TOKENS:
        raise DamagedError(f"{place} says a version or a length that no folder has: {CHANGED}")
    if manifest["token_type"] not in get_args(TokenType):
        raise DamagedError(f"{place} does not say its token type, uint16 or int32: {CHANGED}")
    files = noted(manifest["files"], place)
    names = [f"shards/{number:05}.arrow" for number in range(len(files))]
    if files.keys() != set(names):
        raise DamagedError(f"{place} does not name its shards from 00000 on, each once: {CHANGED}")
    rows = [files[name].rows or 0 for name in names]
    if sum(rows) != manifest["rows"] or any(count != rows[0] for count in rows[:-1]) or rows[-1:] > rows[:1]:
        raise DamagedError(f"{place} counts rows that its shards do not have: {CHANGED}")
    tokenizer = manifest.get("tokenizer")
    others = {tokenizer["file"]: {"sha256": tokenizer["sha256"]}} if tokenizer else {}
    return {**{name: files[name] for name in names}, **noted(others, place)}


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
