"""Fits documents into rows by best-fit decreasing, so that no document is cut that fits into a row.

As in "Fewer Truncations Improve Language Modeling" (Ding et al. 2024): a document longer than a row is first cut into
pieces of a row's length. What remains of it, and every other document, goes whole into the row where it leaves the
least room, longest first. Where nothing fits, padding fills the row.

Two rules beyond the paper keep the data shuffled. Each copy of a document that is repeated is in another row. And
neither rows nor the documents of a row are in the order of lengths: the seed permutes the rows, and the documents of a
row keep the order in which they came.
"""

import numpy as np
import numpy.typing as npt

from curation.kernels.best_fit import best_fit
from curation.packing.order import Numbers
from curation.packing.rows import Pieces, Rows
from curation.packing.tokenised import Tokenised
from schemas.permutation import Permutation

Sizes = npt.NDArray[np.int32]


class Fitting(Rows):
    """Rows of whole documents, and of pieces of documents longer than a row; no token is left over."""

    left_tokens = 0

    def __init__(self, corpus: Tokenised, documents: Numbers, length: int, padding: int, seed: int):
        super().__init__(corpus, documents, length, padding)
        counts = -(-corpus.lengths[documents] // length)
        places = np.repeat(np.arange(len(documents)), counts)  # of each piece: the place of its document in the order
        offsets = _count_up(counts)
        offsets *= length
        rows, self.rows = self._place(places, offsets)
        rows = Permutation(self.rows, seed)(np.arange(self.rows))[rows]
        self._lists = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=self.rows))])
        moved = np.argsort(rows, kind="stable")
        del rows
        self._held, self._offsets = documents[places[moved]], offsets[moved]

    def _place(self, places: Numbers, offsets: Numbers) -> tuple[Numbers, int]:
        """The row of each piece, before the rows are permuted, and the number of rows."""
        sizes = self._sizes(self.documents[places], offsets)
        items = np.flatnonzero(sizes < self.length)
        keys = self._keys(places[items], sizes[items])
        items = items[np.argsort(keys, kind="stable")]
        keys = np.sort(keys)
        again = np.concatenate([np.zeros(min(1, len(keys)), np.bool_), keys[1:] == keys[:-1]])
        del keys
        rows = np.empty(len(sizes), np.int64)
        rows[items], made = best_fit(sizes[items], again, self.length)
        whole = np.flatnonzero(sizes == self.length)
        rows[whole] = made + np.arange(len(whole))
        return rows, made + len(whole)

    def _keys(self, places: Numbers, sizes: Sizes) -> Numbers:
        """The order in which pieces are put into rows: the longest first, and those of one size by the first place of
        their document, so that copies of a document follow each other. Only such copies have equal keys."""
        first = np.empty(len(self.corpus), np.int64)
        first[self.documents[::-1]] = np.arange(len(self.documents))[::-1]
        keys: Numbers = first[self.documents[places]]
        keys += (self.length - sizes) * np.int64(len(self.documents))
        return keys

    def _sizes(self, documents: Numbers, offsets: Numbers) -> Sizes:
        sizes: Sizes = np.minimum(self.corpus.lengths[documents] - offsets, self.length).astype(np.int32)
        return sizes

    def pieces(self, first: int, stop: int) -> Pieces:
        held = slice(self._lists[first], self._lists[stop])
        documents, offsets = self._held[held], self._offsets[held]
        lists = self._lists[first : stop + 1] - self._lists[first]
        sizes = self._sizes(documents, offsets).astype(np.int64)
        before = np.concatenate([[0], np.cumsum(sizes)])
        starts = before[:-1] - np.repeat(before[lists[:-1]], np.diff(lists))
        return Pieces(documents=documents, offsets=offsets, starts=starts, sizes=sizes, lists=lists)

    def divided(self) -> tuple[int, int]:
        lengths = self.corpus.lengths[self._held]
        apart = (self._offsets == 0) & (self._sizes(self._held, self._offsets) < lengths)
        return int(apart.sum()), int((apart & (lengths <= self.length)).sum())


def _count_up(counts: Sizes) -> Numbers:
    """For each count the numbers from 0 up to it, one after the other.

    >>> _count_up(np.array([2, 1, 3]))
    array([0, 1, 0, 0, 1, 2])
    """
    numbers = np.arange(counts.sum())
    numbers -= np.repeat(np.cumsum(counts, dtype=np.int64) - counts, counts)
    return numbers
