"""Exports packed sequences as an indexed dataset of Megatron-LM: tokens in PREFIX.bin, document starts in PREFIX.idx.

The layout, as in Megatron-LM's megatron/core/datasets/indexed_dataset.py: little-endian; the magic, the version
(uint64, 1), the code of the tokens' type (one byte), the number of sequences (uint64) and of entries of the document
index (uint64); then the sequences' lengths (int32), where each begins in the .bin in bytes (int64), and the document
index (int64): the first sequence of each document, and last the number of sequences. Here every sequence is a document
of its own: a whole document, or a piece of a document that best-fit packing cut.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas import PackedError, PackedSequences, open_packed
from schemas.errors import UserError
from schemas.folders import new_files
from schemas.packed import TokenType

MAGIC = b"MMIDIDX\x00\x00"
CODES: dict[TokenType, int] = {"uint16": 8, "int32": 4}


@dataclass(frozen=True)
class Exported:
    """How many documents, sequences of Megatron-LM and tokens were written."""

    documents: int
    sequences: int
    tokens: int


def export_megatron(folder: Path, prefix: Path) -> Exported:
    """Writes PREFIX.bin and PREFIX.idx.

    The documents are in the order in which they were packed, each with its end token. Without best-fit packing, the
    last document is cut off where the last row ends. Padding is left out. Best-fit packing puts the pieces of a long
    document into rows far apart, so each piece is a sequence of its own. Checks the SHA-256 of each shard first. Raises
    UserError for a folder that does not hold packed sequences, for a damaged shard, and for an output that exists
    already.
    """
    try:
        sequences = open_packed(folder, verify=True)
    except PackedError as error:
        raise UserError(str(error)) from error
    names = [prefix.with_name(f"{prefix.name}{suffix}") for suffix in (".bin", ".idx")]
    kind = sequences.dtype.newbyteorder("<")
    with new_files(*names) as [tokens_path, index_path]:
        begins: list[npt.NDArray[np.int64]] = [np.empty(0, np.int64)]
        documents = total = 0
        with tokens_path.open("wb") as file:
            for tokens, starts, begun in _batches(folder, sequences):
                file.write(np.ascontiguousarray(tokens, kind).data)
                begins.append((starts if sequences.padded else starts[begun]) + total)
                documents += int(begun.sum())
                total += len(tokens)
        starts = np.concatenate(begins)
        index_path.write_bytes(_index(starts, total, sequences.manifest.token_type, kind.itemsize))
    return Exported(documents, len(starts), total)


def _batches(
    folder: Path, sequences: PackedSequences
) -> Iterator[tuple[npt.NDArray[Any], npt.NDArray[np.int64], npt.NDArray[np.bool_]]]:
    """For each record batch: its tokens without padding, the indices of these at which parts of documents start, and
    whether a document begins there."""
    length = sequences.length
    for shard in range(len(sequences.manifest.shards)):
        with pa.memory_map(str(folder / f"shards/{shard:05}.arrow")) as file:
            reader = pa.ipc.open_file(file)
            for number in range(reader.num_record_batches):
                batch = reader.get_batch(number)
                tokens = batch["tokens"].flatten().to_numpy()
                filled = batch["filled"].to_numpy() if sequences.padded else np.full(len(batch), length)
                if sequences.padded:
                    tokens = tokens.reshape(-1, length)[np.arange(length) < filled[:, None]]
                parts = batch["parts"]
                rows = np.repeat(np.cumsum(filled, dtype=np.int64) - filled, parts.value_lengths().to_numpy())
                starts = rows + parts.flatten().field("start").to_numpy()
                yield tokens, starts, parts.flatten().field("offset").to_numpy() == 0


def _index(starts: npt.NDArray[np.int64], total: int, token_type: TokenType, token_bytes: int) -> bytes:
    lengths = np.diff(starts, append=total)
    head = MAGIC + struct.pack("<QBQQ", 1, CODES[token_type], len(lengths), len(lengths) + 1)
    pointers, documents = starts * token_bytes, np.arange(len(lengths) + 1)
    return head + lengths.astype("<i4").tobytes() + pointers.astype("<i8").tobytes() + documents.astype("<i8").tobytes()
