"""Gopher's quality rules (Rae et al. 2021, table A1 and section A.1), by datatrove's or another definition.

Two of the signals count different words by default: ``words`` leaves out marks of punctuation, while ``alpha_words`` is
a share of all words, and marks of punctuation are words without a letter. So text with much punctuation has less than
0.8: 30.0% of 932 web pages, but only 5.4% if words stand between white space, as in most other projects.
"""

from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa

from curation.filters.by_definition import quality_columns
from curation.filters.columns import count, gopher_columns, ratio, share
from curation.filters.definitions import QualityDefinition
from curation.filters.rules import Rule, active_rules

_BY_DEFAULT = pa.schema(
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
_DEFAULT = QualityDefinition()


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

    definition: QualityDefinition = field(default_factory=QualityDefinition)
    """What the signals count. In a recipe ``dialect`` gives the definition of a project (`dialects.py`)."""

    @property
    def signals(self) -> pa.Schema:
        return _BY_DEFAULT if self.definition == _DEFAULT else self.definition.signals()

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        if self.definition == _DEFAULT:
            return gopher_columns(batch["text"], self.signals)
        return quality_columns(batch["text"], self.definition)

    def rules(self) -> tuple[Rule, ...]:
        ellipses_apart = self.definition.symbols == "each"
        return active_rules(
            Rule("too_few_words", "words", at_least=self.min_words),
            Rule("too_many_words", "words", at_most=self.max_words),
            Rule("short_words", "mean_word_length", at_least=self.min_mean_word_length),
            Rule("long_words", "mean_word_length", at_most=self.max_mean_word_length),
            Rule("hashes", "hash_ratio", at_most=self.max_hash_ratio),
            Rule("ellipses", "ellipsis_ratio", at_most=self.max_ellipsis_ratio if ellipses_apart else None),
            Rule("bullet_lines", "bullet_lines", at_most=self.max_bullet_lines),
            Rule("ellipsis_lines", "ellipsis_lines", at_most=self.max_ellipsis_lines),
            Rule("few_alpha_words", "alpha_words", at_least=self.min_alpha_words),
            Rule("few_stop_words", "stop_words", at_least=self.min_stop_words),
        )
