"""FineWeb's own rules, beside those of C4 and Gopher (Penedo et al. 2024, section 3.6)."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import pyarrow as pa

from curation.filters.columns import count, page_columns, ratio, share
from curation.filters.rules import Rule, active_rules


@dataclass(frozen=True, kw_only=True)
class Fineweb:
    """Rejects lists and menus. The threshold None switches a rule off."""

    use: Literal["fineweb"] = "fineweb"
    min_lines: int | None = 1
    min_line_punctuation: float | None = 0.12
    max_short_lines: float | None = 0.67
    max_duplicate_characters: float | None = 0.01
    max_newlines_per_word: float | None = 0.3

    signals: ClassVar[pa.Schema] = pa.schema(
        [
            count("lines", "lines that are not blank"),
            share("line_punctuation", "share of lines that end in terminal punctuation"),
            share("short_lines", "share of lines of at most 30 characters"),
            share("duplicate_characters", "share of the characters that are in lines seen before"),
            ratio("newlines_per_word", "newlines per word, marks of punctuation counted as words"),
        ]
    )

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        return page_columns(batch["text"], self.signals)

    def rules(self) -> tuple[Rule, ...]:
        return active_rules(
            Rule("no_lines", "lines", at_least=self.min_lines),
            Rule("line_punctuation", "line_punctuation", at_least=self.min_line_punctuation),
            Rule("short_lines", "short_lines", at_most=self.max_short_lines),
            Rule("duplicate_characters", "duplicate_characters", at_most=self.max_duplicate_characters),
            Rule("newlines_per_word", "newlines_per_word", at_most=self.max_newlines_per_word),
        )
