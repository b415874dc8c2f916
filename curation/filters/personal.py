"""Counts personal information in texts, for the removal of sites (`curation.sites`). The step has no rule."""

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa

from curation.filters.columns import count
from curation.filters.rules import Rule
from curation.rewrites.personal import DESCRIPTIONS, Kind, find_personal
from curation.rewrites.phones import versions_for


@dataclass(frozen=True, kw_only=True)
class PersonalInformation:
    """Counts the values of ``kinds`` in each text, found as by `redact`; ``regions`` are those of telephone numbers."""

    use: ClassVar[str] = "sites"
    kinds: tuple[Kind, ...]
    regions: tuple[str, ...] = ()

    @property
    def signals(self) -> pa.Schema:
        return pa.schema([count(f"personal_{kind}", f"{DESCRIPTIONS[kind]} in the text") for kind in self.kinds])

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        counts = np.zeros((len(self.kinds), len(batch)), np.int32)
        for row, found in find_personal(batch["text"], frozenset(self.kinds), self.regions):
            for kind, number in Counter(each.kind for each in found.spans).items():
                counts[self.kinds.index(kind), row] = number
        return pa.RecordBatch.from_arrays([pa.array(each) for each in counts], schema=self.signals)

    def rules(self) -> tuple[Rule, ...]:
        return ()

    def list_digests(self) -> dict[str, str]:
        """The version of the package that knows telephone numbers, if it is used."""
        return versions_for(self.regions)

    def read_lists(self) -> None:
        """Has no list to read."""
