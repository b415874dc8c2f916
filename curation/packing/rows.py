"""Cuts ordered documents into rows: the documents' tokens, one after the other, cut every ``length`` tokens."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.packing.order import Numbers
from curation.packing.tokenised import Tokenised
from schemas.packed import BATCH, PARTS, packed_table


@dataclass(frozen=True)
class RowBatch:
    """Up to BATCH rows, the documents that begin in them, and the number of their tokens."""

    batch: pa.RecordBatch
    begun: Numbers
    tokens: int


class Cutting:
    """The rows of ordered documents; tokens that do not fill a last row are left over."""

    def __init__(self, corpus: Tokenised, documents: Numbers, length: int):
        self.corpus = corpus
        self.documents = documents
        self.length = length
        self.table = packed_table(length, "uint16" if corpus.tokens.dtype == np.uint16 else "int32")
        self._begins = np.concatenate([[0], np.cumsum(corpus.lengths[documents], dtype=np.int64)])
        self.rows, self.left_tokens = divmod(int(self._begins[-1]), length)
        self._names = pa.array(corpus.names, pa.string())

    def between(self, first: int, stop: int) -> Iterator[RowBatch]:
        """Rows ``first`` to ``stop - 1``, up to BATCH at a time."""
        for start in range(first, stop, BATCH):
            yield self._cut(start, min(stop, start + BATCH))

    def begun(self, first: int, stop: int) -> Numbers:
        """The documents that begin in rows ``first`` to ``stop - 1``."""
        return self.documents[self._begun(first, stop)]

    def divided(self) -> tuple[int, int]:
        """How many documents of complete rows lie in more than one row, and how many of these fit into one. A document
        counts as often as it is packed."""
        begins, ends = self._begins[:-1], self._begins[1:]
        packed = begins < self.rows * self.length
        apart = packed & (begins // self.length != (ends - 1) // self.length)
        return int(apart.sum()), int((apart & (ends - begins <= self.length)).sum())

    def _begun(self, first: int, stop: int) -> slice:
        return slice(*np.searchsorted(self._begins[:-1], (first * self.length, stop * self.length)))

    def _cut(self, first: int, stop: int) -> RowBatch:
        """Rows ``first`` to ``stop - 1``."""
        start, end = first * self.length, stop * self.length
        begun = self._begun(first, stop)
        cuts = np.arange(start, end, self.length)
        starts = np.union1d(cuts, self._begins[begun])  # where the parts begin, in tokens from the first row on
        held = np.searchsorted(self._begins, starts, side="right") - 1
        documents, offsets = self.documents[held], starts - self._begins[held]
        tokens = self._gather(documents, offsets, np.diff(starts, append=end))
        column = pa.FixedSizeListArray.from_arrays(pa.array(tokens), type=self.table.columns.field("tokens").type)
        parts = self._parts(documents, starts % self.length, offsets, np.searchsorted(starts, np.append(cuts, end)))
        batch = self.table.batch({"tokens": column, "parts": parts})
        return RowBatch(batch, self.documents[begun], len(tokens))

    def _gather(self, documents: Numbers, offsets: Numbers, lengths: Numbers) -> npt.NDArray[np.generic]:
        tokens, at = np.empty(int(lengths.sum()), self.corpus.tokens.dtype), 0
        froms = self.corpus.starts[documents] + offsets
        for begin, count in zip(froms.tolist(), lengths.tolist(), strict=True):
            tokens[at : at + count] = self.corpus.tokens[begin : begin + count]
            at += count
        return tokens

    def _parts(self, documents: Numbers, starts: Numbers, offsets: Numbers, lists: Numbers) -> pa.Array:
        columns = {
            "doc_id": self.corpus.doc_ids.take(pa.array(documents)).cast(pa.string()),
            "source": self._names.take(pa.array(self.corpus.source[documents])),
            "start": pa.array(starts.astype(np.int32)),
            "offset": pa.array(offsets),
        }
        kind = PARTS.value_type
        parts = pa.StructArray.from_arrays(
            [columns[kind.field(n).name] for n in range(kind.num_fields)], fields=list(kind)
        )
        return pa.ListArray.from_arrays(pa.array(lists.astype(np.int32)), parts, type=PARTS)
