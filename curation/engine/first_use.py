"""Numba's slow first use: loading its first kernel takes half a second of imports, which workers share."""

import pyarrow as pa

from curation.dedup.settings import Near
from curation.dedup.sketch import signature_matrix, word_counts


def load_kernels() -> None:
    """Calls the kernels that every recipe needs."""
    texts = pa.array(["one two three four five"], pa.large_string())
    word_counts(texts)
    signature_matrix(texts, Near())
