"""What the parts of a corpus count, and the columns in which they send it."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

TOUCHED = np.dtype([("token", np.int64), ("longest", np.int64)])
"""The longest span of a token of the samples."""
COUNTED = np.dtype([("sample", np.int64), ("documents", np.int64)])
"""In how many documents a sample was found."""
_DRAW = (1 << 63) - 1


class Read(NamedTuple):
    """What was read of the corpus: documents, bytes of text, documents that were tokenised (or split into words, for a
    definition by words), contaminated documents."""

    documents: int
    bytes: int
    tokenised: int
    contaminated: int

    def after(self, batch: pa.RecordBatch, tokenised: int, contaminated: int) -> "Read":
        """With the documents of a batch, of which so many were tokenised and so many are contaminated."""
        size = pc.sum(pc.binary_length(batch["text"])).as_py() or 0
        new = len(batch), size, tokenised, contaminated
        return Read(*(own + other for own, other in zip(self, new, strict=True)))


def draw_of(doc_id: str, source: str) -> int:
    """A hash of a document, by which documents are chosen that are equally good."""
    return xxhash.xxh3_64_intdigest(f"{doc_id}\0{source}".encode()) & _DRAW


def records(kind: np.dtype[Any], *columns: Any) -> npt.NDArray[Any]:
    """Records of a ``kind``, from its columns in order, all of one length."""
    found = np.empty(len(columns[0]), kind)
    for name, column in zip(kind.names or (), columns, strict=True):
        found[name] = column
    return found
