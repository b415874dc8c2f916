"""Rules on regular expressions: how often they match a text, and in how much of it."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curation.filters.columns import batch_of, count, share
from curation.filters.rules import Rule, active_rules
from curation.lists.list_files import entries_of
from curation.lists.patterns import any_of, check_pattern, share_of_segments
from curation.lists.steps import PatternStep


@dataclass(frozen=True, kw_only=True)
class Pattern(PatternStep):
    """Rejects texts by what matches ``patterns``: regular expressions of RE2, or @file with one on each line.

    The threshold None switches a rule off; without patterns there are no rules.
    """

    use: Literal["pattern"] = "pattern"
    patterns: tuple[str, ...] = ()
    case_sensitive: bool = True
    min_matches: int | None = None
    max_matches: int | None = 0
    min_share: float | None = None
    max_share: float | None = None
    """Maximum share of the characters of a text that are in matches."""
    max_lines: float | None = None
    """Maximum share of the lines that are not blank, with a match."""
    max_paragraphs: float | None = None
    """Maximum share of the paragraphs, which are separated by two newlines, with a match."""

    signals: ClassVar[pa.Schema] = pa.schema(
        [
            count("pattern_matches", "matches of the recipe's patterns, without overlap"),
            share("pattern_share", "share of characters in matches of the recipe's patterns"),
            share("pattern_lines", "share of lines with a match of the recipe's patterns"),
            share("pattern_paragraphs", "share of paragraphs with a match of the recipe's patterns"),
        ]
    )

    def prepare(self) -> None:
        super().prepare()
        self.expression()

    def expression(self) -> str:
        """One expression for all patterns. Raises UserError if RE2 cannot read it."""
        found = any_of(entries_of(self.patterns, self.use))
        expression = found if self.case_sensitive or not found else f"(?i:{found})"
        check_pattern(expression, f"{self.use}.patterns")
        return expression

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        texts = batch["text"]
        expression = self.expression()
        if not expression:
            return batch_of(np.zeros((len(self.signals), len(texts))), self.signals)
        matches = np.asarray(pc.count_substring_regex(texts, expression)).astype(np.float64)
        characters = np.asarray(pc.utf8_length(texts)).astype(np.float64)
        left = np.asarray(pc.utf8_length(pc.replace_substring_regex(texts, expression, "")))
        with np.errstate(invalid="ignore"):
            shares = (characters - left) / characters
        lines, paragraphs = (share_of_segments(texts, separator, expression) for separator in ("\n", "\n\n"))
        return batch_of([matches, shares, lines, paragraphs], self.signals)

    def rules(self) -> tuple[Rule, ...]:
        if not self.patterns:
            return ()
        return active_rules(
            Rule("few_matches", "pattern_matches", at_least=self.min_matches),
            Rule("pattern", "pattern_matches", at_most=self.max_matches),
            Rule("little_matched", "pattern_share", at_least=self.min_share),
            Rule("much_matched", "pattern_share", at_most=self.max_share),
            Rule("pattern_lines", "pattern_lines", at_most=self.max_lines),
            Rule("pattern_paragraphs", "pattern_paragraphs", at_most=self.max_paragraphs),
        )
