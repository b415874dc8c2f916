"""Rules on the share of kinds of characters, as for code and tables (RedPajama 2023, StarCoder, NeMo Curator 1.4)."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa

from curation.filters.columns import batch_of, count, share
from curation.filters.rules import Rule, active_rules
from curation.kernels.character_counts import character_counts


@dataclass(frozen=True, kw_only=True)
class Characters:
    """Rejects texts by their number of characters, and by shares (0 to 1) of kinds of characters. The threshold None
    switches a rule off.

    The default share of letters and numbers is that of RedPajama's code (v1, GitHub), the other defaults are those of
    NeMo Curator 1.4.
    """

    use: Literal["characters"] = "characters"
    min_characters: int | None = None
    max_characters: int | None = None
    min_stripped_characters: int | None = None
    """Minimum number of characters without the white space at both ends of the text."""
    min_alphanumeric_share: float | None = 0.25
    max_alphanumeric_share: float | None = None
    min_letter_share: float | None = None
    max_digit_share: float | None = 0.15
    max_capital_share: float | None = None
    max_space_share: float | None = 0.25
    max_symbol_share: float | None = None
    max_bracket_share: float | None = 0.1

    signals: ClassVar[pa.Schema] = pa.schema(
        [
            count("characters", "characters"),
            count("stripped_characters", "characters, without the white space at both ends"),
            share("alphanumeric_share", "share of characters that are letters or numbers"),
            share("letter_share", "share of characters that are letters"),
            share("digit_share", "share of characters that are digits"),
            share("capital_share", "share of characters that are upper-case"),
            share("space_share", "share of characters that are white space"),
            share("symbol_share", "share of characters that are neither letters, numbers nor white space"),
            share("bracket_share", "share of characters that are brackets"),
        ]
    )

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        found = character_counts(batch["text"])
        letters = found["letter"] + found["number"]
        symbols = found["characters"] - letters - found["space"]
        parts = (letters, found["letter"], found["digit"], found["capital"], found["space"], symbols, found["bracket"])
        with np.errstate(invalid="ignore"):
            shares = [part / found["characters"] for part in parts]
        whole = [found[name].astype(np.float64) for name in ("characters", "stripped")]
        return batch_of([*whole, *shares], self.signals)

    def rules(self) -> tuple[Rule, ...]:
        return active_rules(
            Rule("too_few_characters", "characters", at_least=self.min_characters),
            Rule("too_many_characters", "characters", at_most=self.max_characters),
            Rule("too_few_stripped_characters", "stripped_characters", at_least=self.min_stripped_characters),
            Rule("few_alphanumeric", "alphanumeric_share", at_least=self.min_alphanumeric_share),
            Rule("many_alphanumeric", "alphanumeric_share", at_most=self.max_alphanumeric_share),
            Rule("few_letters", "letter_share", at_least=self.min_letter_share),
            Rule("digits", "digit_share", at_most=self.max_digit_share),
            Rule("capitals", "capital_share", at_most=self.max_capital_share),
            Rule("spaces", "space_share", at_most=self.max_space_share),
            Rule("symbols", "symbol_share", at_most=self.max_symbol_share),
            Rule("brackets", "bracket_share", at_most=self.max_bracket_share),
        )
