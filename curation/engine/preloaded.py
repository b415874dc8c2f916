"""Imported by the fork server before it starts workers: imports the stages, and gets numba's slow first use done."""

import signal

signal.signal(signal.SIGINT, signal.SIG_IGN)  # the main process handles Ctrl+C, so ignore it before anything else

from curation.engine.memory_limit import count_what_is_used  # noqa: E402

count_what_is_used()

import pyarrow as pa  # noqa: E402

from schemas.errors import UserError  # noqa: E402

try:
    import curation.engine.stages  # noqa: F401
except UserError:  # the main process reports the same mistake
    raise SystemExit(1) from None
from curation.dedup.settings import Near  # noqa: E402
from curation.dedup.sketch import signature_matrix, word_counts  # noqa: E402

TEXTS = pa.array(["one two three four five"], pa.large_string())
word_counts(TEXTS)
signature_matrix(TEXTS, Near())
