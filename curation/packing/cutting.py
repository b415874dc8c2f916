"""Cuts ordered documents into rows: the documents' tokens, one after the other, cut every ``length`` tokens."""

import numpy as np

from curation.packing.order import Numbers
from curation.packing.rows import Pieces, Rows
from curation.packing.tokenised import Tokenised


class Cutting(Rows):
    """Full rows; tokens that do not fill a last row are left over."""

    def __init__(self, corpus: Tokenised, documents: Numbers, length: int):
        super().__init__(corpus, documents, length)
        self._begins = np.concatenate([[0], np.cumsum(corpus.lengths[documents], dtype=np.int64)])
        self.rows, self.left_tokens = divmod(int(self._begins[-1]), length)

    def pieces(self, first: int, stop: int) -> Pieces:
        start, end = first * self.length, stop * self.length
        begun = slice(*np.searchsorted(self._begins[:-1], (start, end)))
        cuts = np.arange(start, end, self.length)
        starts = np.union1d(cuts, self._begins[begun])  # where the pieces begin, in tokens from the first row on
        held = np.searchsorted(self._begins, starts, side="right") - 1
        return Pieces(
            documents=self.documents[held],
            offsets=starts - self._begins[held],
            starts=starts % self.length,
            sizes=np.diff(starts, append=end),
            lists=np.searchsorted(starts, np.append(cuts, end)),
        )

    def divided(self) -> tuple[int, int]:
        begins, ends = self._begins[:-1], self._begins[1:]
        packed = begins < self.rows * self.length
        apart = packed & (begins // self.length != (ends - 1) // self.length)
        return int(apart.sum()), int((apart & (ends - begins <= self.length)).sum())
