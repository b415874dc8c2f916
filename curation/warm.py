"""Every kernel called once on a tiny batch: compiled into the cache, or loaded out of it.

``python -m curation.warm`` does so once and for all, so that no run has to wait for a compiler.
"""

import numpy as np
import pyarrow as pa

import curation.stages  # noqa: F401
from curation.dedup.bands import bands_by_partition, similar
from curation.dedup.components import forest
from curation.dedup.settings import Near
from curation.dedup.sketch import signature_matrix, word_counts

TEXTS = ["Two documents.", "One of them is long enough for a shingle of five words."]


def warm() -> None:
    texts = pa.array(TEXTS, pa.large_string())
    near = Near()
    values, _ = signature_matrix(texts, near)
    word_counts(texts)
    ids = np.arange(2, dtype=np.uint64)
    list(bands_by_partition(values, ids, near, 1))
    nodes = np.column_stack([np.zeros(2, np.uint64), ids])
    similar((nodes[:1], values[:1]), (nodes[1:], values[1:]), near)
    forest(np.array([[0, 0, 0, 1]], np.uint64))


if __name__ == "__main__":
    warm()
