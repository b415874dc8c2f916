"""Imported by the fork server before it starts workers: imports the stages, and gets numba's slow first use done."""

import signal

signal.signal(signal.SIGINT, signal.SIG_IGN)  # the main process handles Ctrl+C, so ignore it before anything else

from curation.engine.memory_limit import count_what_is_used  # noqa: E402

count_what_is_used()

from schemas.errors import UserError  # noqa: E402

try:
    import curation.engine.stages  # noqa: F401
except UserError:  # the main process reports the same mistake
    raise SystemExit(1) from None
from curation.engine.first_use import load_kernels  # noqa: E402

load_kernels()
