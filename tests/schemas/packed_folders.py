"""Folders of packed sequences, written row for row as the format says."""

import hashlib
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.packed import BATCH, FORMAT, TokenType, packed_table
from schemas.sequences import Part

Tokens = npt.NDArray[np.int64]


def tokens_of(rows: int, length: int, vocabulary: int = 60_000) -> Tokens:
    """Rows that differ: the first token of each is its number."""
    tokens = np.random.default_rng(rows * length).integers(0, vocabulary, (rows, length))
    tokens[:, 0] = np.arange(rows) % vocabulary
    return tokens


def parts_of(row: int, length: int) -> list[Part]:
    """One to three documents, some of them begun in an earlier row."""
    starts = sorted({0, row % length, 2 * row % length})
    return [Part(f"doc-{row}-é{start}", "wéb", start, row * (start == 0)) for start in starts]


def filled_of(rows: int, length: int) -> list[int]:
    """How many tokens of each row belong to documents, if the rows have padding: from 1 to all of them."""
    return [1 + row % length for row in range(rows)]


def write_packed(
    folder: Path, tokens: Tokens, kind: TokenType = "uint16", shard_rows: int = 2 * BATCH, padded: bool = False
) -> Path:
    """A folder of those rows; each row's parts are `parts_of` it. If ``padded``, only the first tokens of each row, as
    many as `filled_of` it says, belong to documents."""
    rows, length = tokens.shape
    table = packed_table(length, kind, padded)
    filled = filled_of(rows, length) if padded else [length] * rows
    (folder / "shards").mkdir(parents=True)
    files = {}
    for number, first in enumerate(range(0, rows, shard_rows)):
        name = f"shards/{number:05}.arrow"
        last = min(rows, first + shard_rows)
        with pa.OSFile(str(folder / name), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            for start in range(first, last, BATCH):
                stop = min(last, start + BATCH)
                parts = [[part._asdict() for part in parts_of(row, filled[row])] for row in range(start, stop)]
                values = pa.array(tokens[start:stop].reshape(-1).astype(kind))
                column = pa.FixedSizeListArray.from_arrays(values, type=table.schema.field("tokens").type)
                columns = {"tokens": column, "parts": parts} | ({"filled": filled[start:stop]} if padded else {})
                writer.write_batch(table.batch(columns))
        written = (folder / name).read_bytes()
        files[name] = {"rows": last - first, "bytes": len(written), "sha256": hashlib.sha256(written).hexdigest()}
    manifest = {
        "format": FORMAT,
        "version": table.version,
        "length": length,
        "token_type": kind,
        "rows": rows,
        "files": files,
    }
    if padded:
        padding = rows * length - sum(filled)
        manifest["padding"] = {"token": "</s>", "token_id": 0, "tokens": padding, "share": padding / (rows * length)}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder
