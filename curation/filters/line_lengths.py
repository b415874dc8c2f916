"""Rules on the length of lines: data and minified code have long ones (RedPajama 2023), prose has some (mC4, Xue et al.
2021, section 3.1)."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curation.filters.columns import batch_of, count, ratio
from curation.filters.rules import Rule, active_rules
from curation.kernels.character_counts import line_lengths


@dataclass(frozen=True, kw_only=True)
class LineLengths:
    """Rejects texts whose lines are too long or too short. The threshold None switches a rule off.

    The defaults are those of RedPajama's code (v1, GitHub). mC4 asks for three lines of 200 characters:
    ``min_long_lines = 3``.
    """

    use: Literal["line_lengths"] = "line_lengths"
    min_mean_length: float | None = None
    max_mean_length: float | None = 100
    count_line_breaks: bool = False
    """Whether the mean length includes the line breaks."""
    min_longest: int | None = None
    max_longest: int | None = 1000
    min_long_lines: int | None = None
    long_line_characters: int = 200
    """Minimum length of a long line in characters."""

    signals: ClassVar[pa.Schema] = pa.schema(
        [
            ratio("mean_line_length", "characters per line"),
            count("longest_line", "characters of the longest line"),
            count("long_lines", "lines of at least 200 characters, or of the recipe's number"),
        ]
    )

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        texts = batch["text"]
        found = line_lengths(texts, self.long_line_characters)
        characters = np.asarray(pc.utf8_length(texts)) if self.count_line_breaks else found["line_characters"]
        with np.errstate(invalid="ignore"):
            mean = characters / found["lines"]
        return batch_of([mean, found["longest"].astype(float), found["long"].astype(float)], self.signals)

    def rules(self) -> tuple[Rule, ...]:
        return active_rules(
            Rule("short_mean_line", "mean_line_length", at_least=self.min_mean_length),
            Rule("long_mean_line", "mean_line_length", at_most=self.max_mean_length),
            Rule("short_longest_line", "longest_line", at_least=self.min_longest),
            Rule("long_longest_line", "longest_line", at_most=self.max_longest),
            Rule("few_long_lines", "long_lines", at_least=self.min_long_lines),
        )
