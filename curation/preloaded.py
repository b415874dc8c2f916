"""Imported by the fork server before it makes workers: the stages, and numba past its slow first use."""

import pyarrow as pa

import curation.stages  # noqa: F401
from curation.dedup.settings import Near
from curation.dedup.sketch import signature_matrix, word_counts

TEXTS = pa.array(["one two three four five"], pa.large_string())
word_counts(TEXTS)
signature_matrix(TEXTS, Near())
