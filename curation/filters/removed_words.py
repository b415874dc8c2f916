"""The share of words that the recipe's rewrites removed (RefinedWeb, Penedo et al. 2023, appendix G.2)."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa

from curation.filters.columns import batch_of, share
from curation.filters.rules import Rule, active_rules
from curation.kernels.word_splitters import WordKind, words_in

ORIGINAL = "original"
"""The column of a batch with the texts after normalising and before all other rewrites."""


@dataclass(frozen=True, kw_only=True)
class RemovedWords:
    """Rejects texts of which the rewrites before this step removed many words: little of such a page is text. The
    threshold None switches the rule off."""

    use: Literal["removed_words"] = "removed_words"
    words: WordKind = "uax29"
    """What a word is."""
    max_removed_words: float | None = 0.05
    """Maximum share (0 to 1) of the words before the rewrites."""

    signals: ClassVar[pa.Schema] = pa.schema([share("removed_words", "share of words that rewrites removed")])

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        after = np.diff(words_in(batch["text"], self.words).firsts)
        before = np.diff(words_in(batch[ORIGINAL], self.words).firsts) if ORIGINAL in batch.schema.names else after
        with np.errstate(invalid="ignore", divide="ignore"):
            shares = np.where(before > 0, np.maximum((before - after) / before, 0), np.nan)
        return batch_of([shares], self.signals)

    def rules(self) -> tuple[Rule, ...]:
        return active_rules(Rule("removed_words", "removed_words", at_most=self.max_removed_words))
