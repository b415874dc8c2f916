"""The dataset card."""

from collections.abc import Mapping, Sequence

import pyarrow as pa

from annotation.dataset.ledger import Ledger
from annotation.snapshot import Snapshot


def card(snapshots: Sequence[Snapshot], splits: Mapping[str, pa.Table], ledger: Ledger) -> str:
    return "# Comparisons\n"
