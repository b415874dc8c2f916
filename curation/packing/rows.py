"""Rows of tokens, from a plan that says which pieces of which documents are in each row."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.packing.order import Numbers
from curation.packing.tokenised import Tokenised
from schemas.packed import BATCH, PARTS, packed_table


@dataclass(frozen=True)
class Pieces:
    """Pieces of documents, in the order in which they stand in consecutive rows. Of each, with shape (n,): the number
    of its document, and in tokens its offset in the document, its start in the row, and its size. ``lists``, of shape
    (rows + 1,), holds the place of each row's first piece, and then n."""

    documents: Numbers
    offsets: Numbers
    starts: Numbers
    sizes: Numbers
    lists: Numbers

    @property
    def begun(self) -> Numbers:
        """The documents that begin in the rows."""
        found: Numbers = self.documents[self.offsets == 0]
        return found

    @property
    def filled(self) -> Numbers:
        """The tokens of documents in each row."""
        found: Numbers = np.diff(np.concatenate([[0], np.cumsum(self.sizes)])[self.lists])
        return found


@dataclass(frozen=True)
class RowBatch:
    """Up to BATCH rows, and the pieces in them."""

    batch: pa.RecordBatch
    pieces: Pieces


class Rows(ABC):
    """Ordered documents in rows of ``length`` tokens. ``padding`` is the token in the places that no document takes;
    None if documents take all places."""

    rows: int
    """The number of rows."""
    left_tokens: int
    """The tokens at the end of the last documents that are in no row."""

    def __init__(self, corpus: Tokenised, documents: Numbers, length: int, padding: int | None = None):
        self.corpus = corpus
        self.documents = documents
        self.length = length
        self.padding = padding
        self.table = packed_table(
            length, "uint16" if corpus.tokens.dtype == np.uint16 else "int32", padding is not None
        )
        self._names = pa.array(corpus.names, pa.string())

    @abstractmethod
    def pieces(self, first: int, stop: int) -> Pieces:
        """The pieces in rows ``first`` to ``stop - 1``."""

    @abstractmethod
    def divided(self) -> tuple[int, int]:
        """How many documents of the rows are not whole in one row, and how many of these would fit into one. A document
        counts as often as it is packed."""

    def between(self, first: int, stop: int) -> Iterator[RowBatch]:
        """Rows ``first`` to ``stop - 1``, up to BATCH at a time."""
        for start in range(first, stop, BATCH):
            pieces = self.pieces(start, min(stop, start + BATCH))
            yield RowBatch(self._batch(pieces), pieces)

    def _batch(self, pieces: Pieces) -> pa.RecordBatch:
        tokens = pa.array(self._gather(pieces))
        columns: dict[str, object] = {
            "tokens": pa.FixedSizeListArray.from_arrays(tokens, type=self.table.columns.field("tokens").type),
            "parts": self._parts(pieces),
        }
        if self.padding is not None:
            columns["filled"] = pa.array(pieces.filled.astype(np.int32))
        return self.table.batch(columns)

    def _gather(self, pieces: Pieces) -> npt.NDArray[np.generic]:
        """The tokens of the rows, one after the other."""
        rows = len(pieces.lists) - 1
        tokens = np.full(rows * self.length, self.padding or 0, self.corpus.tokens.dtype)
        froms = self.corpus.starts[pieces.documents] + pieces.offsets
        places = np.repeat(np.arange(rows), np.diff(pieces.lists)) * self.length + pieces.starts
        for place, begin, count in zip(places.tolist(), froms.tolist(), pieces.sizes.tolist(), strict=True):
            tokens[place : place + count] = self.corpus.tokens[begin : begin + count]
        return tokens

    def _parts(self, pieces: Pieces) -> pa.Array:
        columns = {
            "doc_id": self.corpus.doc_ids.take(pa.array(pieces.documents)).cast(pa.string()),
            "source": self._names.take(pa.array(self.corpus.source[pieces.documents])),
            "start": pa.array(pieces.starts.astype(np.int32)),
            "offset": pa.array(pieces.offsets),
        }
        kind = PARTS.value_type
        parts = pa.StructArray.from_arrays(
            [columns[kind.field(n).name] for n in range(kind.num_fields)], fields=list(kind)
        )
        return pa.ListArray.from_arrays(pa.array(pieces.lists.astype(np.int32)), parts, type=PARTS)
