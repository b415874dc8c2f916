"""Gopher's quality rules (Rae et al. 2021, table A1 and section A.1), with words counted as in datatrove."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import pyarrow as pa

from curation.filters.columns import count, gopher_columns, ratio, share
from curation.filters.rules import Rule, active_rules


@dataclass(frozen=True, kw_only=True)
class GopherQuality:
    """Rejects texts that do not look like prose. The threshold None switches a rule off."""

    use: Literal["gopher_quality"] = "gopher_quality"
    min_words: int | None = 50
    max_words: int | None = 100_000
    min_mean_word_length: float | None = 3
    max_mean_word_length: float | None = 10
    max_hash_ratio: float | None = 0.1
    max_ellipsis_ratio: float | None = 0.1
    max_bullet_lines: float | None = 0.9
    max_ellipsis_lines: float | None = 0.3
    min_alpha_words: float | None = 0.8
    min_stop_words: int | None = 2

    signals: ClassVar[pa.Schema] = pa.schema(
        [
            count("words", "words that are not punctuation alone"),
            ratio("mean_word_length", "characters per word that is not punctuation alone"),
            ratio("hash_ratio", "hash signs per word, marks of punctuation counted as words"),
            ratio("ellipsis_ratio", "ellipses per word, marks of punctuation counted as words"),
            share("bullet_lines", "share of lines that start with a bullet or a hyphen"),
            share("ellipsis_lines", "share of lines that end in an ellipsis"),
            share("alpha_words", "share of words with a letter, marks of punctuation counted as words"),
            count("stop_words", "different ones of the, be, to, of, and, that, have, with", most=8),
        ]
    )

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        return gopher_columns(batch["text"], self.signals)

    def rules(self) -> tuple[Rule, ...]:
        return active_rules(
            Rule("too_few_words", "words", at_least=self.min_words),
            Rule("too_many_words", "words", at_most=self.max_words),
            Rule("short_words", "mean_word_length", at_least=self.min_mean_word_length),
            Rule("long_words", "mean_word_length", at_most=self.max_mean_word_length),
            Rule("hashes", "hash_ratio", at_most=self.max_hash_ratio),
            Rule("ellipses", "ellipsis_ratio", at_most=self.max_ellipsis_ratio),
            Rule("bullet_lines", "bullet_lines", at_most=self.max_bullet_lines),
            Rule("ellipsis_lines", "ellipsis_lines", at_most=self.max_ellipsis_lines),
            Rule("few_alpha_words", "alpha_words", at_least=self.min_alpha_words),
            Rule("few_stop_words", "stop_words", at_least=self.min_stop_words),
        )
