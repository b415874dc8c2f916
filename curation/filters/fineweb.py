"""FineWeb's own rules, beside those of C4 and Gopher (Penedo et al. 2024, section 3.6)."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation.filters.by_definition import shared_words
from curation.filters.columns import count, page_columns, ratio, share
from curation.filters.rules import Rule, active_rules
from curation.kernels.line_marks import line_shares
from curation.kernels.lines import SHORT_LINE
from curation.words.splitting import WordKind
from schemas.errors import UserError
from schemas.settings import shown


@dataclass(frozen=True, kw_only=True)
class Fineweb:
    """Rejects lists and menus. The threshold None switches a rule off. The defaults are those of datatrove 0.10.1."""

    use: Literal["fineweb"] = "fineweb"
    min_lines: int | None = 1
    min_line_punctuation: float | None = 0.12
    line_punct_exclude_zero: bool = False
    """Whether a text of which no line ends in a mark passes this rule, for languages without such marks. The share is
    then not defined."""
    end_marks: tuple[str, ...] = ()
    """Single characters that end a line. An empty list stands for the terminal punctuation of all scripts."""
    max_short_lines: float | None = 0.67
    short_line_characters: int = 30
    """Maximum length of a short line in characters."""
    max_duplicate_characters: float | None = 0.01
    max_newlines_per_word: float | None = 0.3
    words: WordKind = "spacy_en"
    """The words of ``newlines_per_word``."""

    signals: ClassVar[pa.Schema] = pa.schema(
        [
            count("lines", "lines that are not blank"),
            share("line_punctuation", "share of lines that end in terminal punctuation"),
            share("short_lines", "share of lines of at most 30 characters"),
            share("duplicate_characters", "share of the characters that are in lines seen before"),
            ratio("newlines_per_word", "newlines per word, marks of punctuation counted as words"),
        ]
    )

    def __post_init__(self) -> None:
        for mark in self.end_marks:
            if len(mark) != 1:
                raise UserError(f"fineweb.end_marks has {shown(mark)}: give single characters")

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        columns = page_columns(batch["text"], self.signals)
        changed = dict[str, npt.NDArray[np.float64]]()
        if self.end_marks or self.short_line_characters != SHORT_LINE or self.line_punct_exclude_zero:
            punctuation, short = line_shares(batch["text"], self.end_marks, self.short_line_characters)
            if self.line_punct_exclude_zero:
                punctuation[punctuation == 0] = np.nan
            changed = {"line_punctuation": punctuation, "short_lines": short}
        if self.words != "spacy_en":
            words = np.diff(shared_words(batch["text"], self.words).firsts)
            newlines = pc.count_substring(batch["text"], "\n").to_numpy(zero_copy_only=False)
            changed["newlines_per_word"] = newlines / np.where(words > 0, words, np.nan)
        for name, values in changed.items():
            place = self.signals.get_field_index(name)
            column = pa.array(values.astype(np.float32), from_pandas=True)
            columns = columns.set_column(place, self.signals.field(place), column)
        return columns

    def rules(self) -> tuple[Rule, ...]:
        return active_rules(
            Rule("no_lines", "lines", at_least=self.min_lines),
            Rule("line_punctuation", "line_punctuation", at_least=self.min_line_punctuation),
            Rule("short_lines", "short_lines", at_most=self.max_short_lines),
            Rule("duplicate_characters", "duplicate_characters", at_most=self.max_duplicate_characters),
            Rule("newlines_per_word", "newlines_per_word", at_most=self.max_newlines_per_word),
        )
