"""Counts what happened to every document and token; a run whose counts do not balance fails."""

from collections.abc import Iterable, Iterator

import numpy as np

from curation.packing.order import Numbers
from curation.packing.rows import Pieces, RowBatch
from curation.packing.tokenised import Tokenised
from schemas.balance import check_balance


class PackingLedger:
    """Counts the rows that are written, independently of the plan.

    Documents read are ``empty`` (no token), ``left_out`` (by the mixture), ``tail`` (none of their tokens is in a row)
    or ``packed``. Tokens read, and tokens of documents ``repeated`` in further epochs, are ``left_out``, ``tail`` or
    ``packed``. The tokens of all rows are ``packed`` or ``padding``.
    """

    def __init__(self, corpus: Tokenised, documents: Numbers, length: int):
        self._corpus = corpus
        self._documents = documents
        self._length = length
        self._packed = np.zeros(len(corpus), np.bool_)
        self._tokens = 0
        self.padding = 0
        """The tokens of the rows that belong to no document."""
        self.copies = 0
        """The documents that begin in the rows, each as often as it does."""

    def count_rows(self, rows: Iterable[RowBatch]) -> Iterator[RowBatch]:
        """Passes the rows on, and counts them."""
        for each in rows:
            self.count(each.pieces)
            yield each

    def count(self, pieces: Pieces) -> None:
        """Counts the pieces of documents in written rows."""
        begun = pieces.begun
        self._packed[begun] = True
        self.copies += len(begun)
        self._tokens += int(pieces.sizes.sum())
        self.padding += int((self._length - pieces.filled).sum())

    def balance(self, rows: int, tail: int, padded: bool) -> dict[str, dict[str, int]]:
        """The counts of so many rows; ``tail`` tokens are in none of them. The rows' own tokens are listed if the rows
        are ``padded``. Raises LedgerError if the counts do not add up."""
        corpus = self._corpus
        taken = np.zeros(len(corpus), np.bool_)
        taken[self._documents] = True
        read = int(corpus.starts[-1])
        once = int(corpus.lengths[taken].sum())
        documents = {
            "read": sum(corpus.read),
            "empty": sum(corpus.read) - len(corpus),
            "left_out": len(corpus) - int(taken.sum()),
            "tail": int((taken & ~self._packed).sum()),
            "packed": int(self._packed.sum()),
        }
        tokens = {
            "read": len(corpus.tokens),
            "repeated": int(corpus.lengths[self._documents].sum()) - once,
            "left_out": read - once,
            "tail": tail,
            "packed": self._tokens,
        }
        left = max(0, len(self._documents) - self.copies)
        check_balance("documents", documents["read"], {name: documents[name] for name in documents if name != "read"})
        check_balance("copies of documents", len(self._documents), {"packed": self.copies, "left": left})
        went = {name: tokens[name] for name in ("left_out", "tail", "packed")}
        check_balance("tokens", tokens["read"] + tokens["repeated"], went)
        places = {"packed": self._tokens, "padding": self.padding}
        check_balance("tokens of sequences", rows * self._length, places)
        found = {"documents": documents, "tokens": tokens}
        return found | {"sequences": {"tokens": rows * self._length, **places}} if padded else found
