"""Measured columns, shares, and the names of Gopher's signals, for `signals`, `quality` and `repeats`."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.kernels.compiled import inline

QUALITY_SIGNALS = (
    "words",
    "mean_word_length",
    "hash_ratio",
    "ellipsis_ratio",
    "bullet_lines",
    "ellipsis_lines",
    "alpha_words",
    "stop_words",
)
"""Of words, symbols and lines, in the order of their rows."""
PIECE_SIGNALS = (
    "duplicate_paragraphs",
    "duplicate_paragraph_characters",
    "duplicate_lines",
    "duplicate_line_characters",
)
"""Of repeated paragraphs and lines, in the order of their rows."""
NGRAM_SIGNALS = (
    "top_2_gram",
    "top_3_gram",
    "top_4_gram",
    "duplicate_5_gram",
    "duplicate_6_gram",
    "duplicate_7_gram",
    "duplicate_8_gram",
    "duplicate_9_gram",
    "duplicate_10_gram",
)
"""Of repeated n-grams of words, in the order of their rows."""


class Measured(NamedTuple):
    """The measured values of the texts of a column; ``values`` has a row for each name, NaN outside of ``parts``."""

    texts: pa.LargeStringArray
    names: tuple[str, ...]
    values: npt.NDArray[np.float64]
    parts: int = -1

    def row(self, name: str) -> npt.NDArray[np.float64]:
        row: npt.NDArray[np.float64] = self.values[self.names.index(name)]
        return row


@inline
def share(part, whole):
    """The part divided by the whole; NaN for a whole of 0."""
    return part / whole if whole > 0 else np.nan
