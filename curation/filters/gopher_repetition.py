"""Gopher's repetition rules (Rae et al. 2021, table A1), by datatrove's or another definition."""

from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa

from curation.filters.by_definition import repetition_columns
from curation.filters.columns import gopher_columns, ratio, share
from curation.filters.definitions import RepetitionDefinition
from curation.filters.rules import Rule, active_rules

_PIECES = (
    share("duplicate_paragraphs", "share of paragraphs seen before in the text"),
    share("duplicate_paragraph_characters", "share of the characters that are in paragraphs seen before"),
    share("duplicate_lines", "share of lines seen before in the text"),
    share("duplicate_line_characters", "share of the characters that are in lines seen before"),
)
_TOP = tuple(
    ratio(f"top_{n}_gram", f"characters of all occurrences of the most frequent {n}-gram of words, per character")
    for n in (2, 3, 4)
)
_DUPLICATE = tuple(
    share(f"duplicate_{n}_gram", f"share of the characters that are in {n}-grams of words seen before, without overlap")
    for n in (5, 6, 7, 8, 9, 10)
)
_BY_DEFAULT = pa.schema([*_PIECES, *_TOP, *_DUPLICATE])
_DEFAULT = RepetitionDefinition()


@dataclass(frozen=True, kw_only=True)
class GopherRepetition:
    """Rejects repetitive texts. The threshold None switches a rule off."""

    use: Literal["gopher_repetition"] = "gopher_repetition"
    max_duplicate_paragraphs: float | None = 0.3
    max_duplicate_paragraph_characters: float | None = 0.2
    max_duplicate_lines: float | None = 0.3
    max_duplicate_line_characters: float | None = 0.2
    max_top_2_gram: float | None = 0.20
    max_top_3_gram: float | None = 0.18
    max_top_4_gram: float | None = 0.16
    max_duplicate_5_gram: float | None = 0.15
    max_duplicate_6_gram: float | None = 0.14
    max_duplicate_7_gram: float | None = 0.13
    max_duplicate_8_gram: float | None = 0.12
    max_duplicate_9_gram: float | None = 0.11
    max_duplicate_10_gram: float | None = 0.10

    definition: RepetitionDefinition = field(default_factory=RepetitionDefinition)
    """What the signals count. In a recipe ``dialect`` gives the definition of a project (`dialects.py`)."""

    @property
    def signals(self) -> pa.Schema:
        return _BY_DEFAULT if self.definition == _DEFAULT else self.definition.signals()

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        if self.definition == _DEFAULT:
            return gopher_columns(batch["text"], self.signals)
        return repetition_columns(batch["text"], self.definition)

    def rules(self) -> tuple[Rule, ...]:
        unmeasured = [
            name
            for kind, breaks in (("line", self.definition.line_breaks), ("paragraph", self.definition.paragraph_breaks))
            for name in (f"duplicate_{kind}s", f"duplicate_{kind}_characters")
            if breaks == "none"
        ]
        names = [name for name in self.signals.names if name not in unmeasured]
        return active_rules(*(Rule(name, name, at_most=getattr(self, f"max_{name}")) for name in names))
