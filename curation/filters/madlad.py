"""MADLAD-400's rules on questionable sentences (Kudugunta et al. 2023, section 2.3)."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation.filters.columns import batch_of, count, share
from curation.filters.language import Language
from curation.filters.rules import Rule, active_rules
from curation.kernels.madlad import CASE, LENGTH, TECHNICAL, broken_rules, split_sentences
from curation.lists.list_files import entries_of
from curation.lists.patterns import any_of
from curation.lists.steps import PatternStep


@dataclass(frozen=True, kw_only=True)
class Madlad(PatternStep):
    """Rejects texts of few sentences, and texts with a large share of questionable sentences.

    Sentences are split at . ! and ? before white space, as in datamap-rs. A sentence is questionable if a rule of the
    five holds for it: its language is not that of the text, it is a list in title case, it is too short or too long, it
    has many technical characters, or it matches a pattern ("cursed"; the patterns are the user's). The threshold None
    switches a rule off.
    """

    use: Literal["madlad"] = "madlad"
    min_sentences: int | None = 5
    max_questionable: float | None = 0.2
    list_case_words: int = 12
    """Minimum number of words of a sentence that the rule on capitals judges."""
    list_case_share: float = 0.5
    """Share of words with a capital above which a sentence is a list."""
    shortest: int = 20
    """A sentence of fewer characters is questionable."""
    longest: int = 500
    """A sentence of more characters is questionable."""
    technical_share: float = 0.2
    """Share of the characters 0-9 { } + / ( ) > above which a sentence is questionable."""
    patterns: tuple[str, ...] = ()
    """Regular expressions of RE2 (or @file with one on each line) for which a sentence is questionable."""
    languages: bool = False
    """Whether a sentence in another language than its text is questionable, both by lid.176. Takes much time."""

    signals: ClassVar[pa.Schema] = pa.schema(
        [
            count("split_sentences", "sentences, split at . ! and ? before white space"),
            share("questionable_sentences", "share of sentences for which a rule of MADLAD holds"),
            share("foreign_sentences", "share of sentences in another language than the text"),
            share("list_case_sentences", "share of sentences in title case"),
            share("odd_length_sentences", "share of sentences that are too short or too long"),
            share("technical_sentences", "share of sentences of many digits and brackets"),
            share("cursed_sentences", "share of sentences with a match of the recipe's patterns"),
        ]
    )

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        sentences, counts = split_sentences(batch["text"])
        rows = np.repeat(np.arange(len(batch)), counts)
        broken = broken_rules(
            sentences,
            least=self.shortest,
            most=self.longest,
            tokens=self.list_case_words,
            case=self.list_case_share,
            technical=self.technical_share,
        )
        foreign = self._foreign(batch, sentences, rows)
        rules = [foreign, *((broken & bit) > 0 for bit in (CASE, LENGTH, TECHNICAL)), self._cursed(sentences)]
        whole = np.where(counts, counts, np.nan)
        shares = [np.bincount(rows, hit, len(batch)) / whole for hit in (np.any(rules, axis=0), *rules)]
        return batch_of([counts.astype(np.float64), *shares], self.signals)

    def _foreign(
        self, batch: pa.RecordBatch, sentences: pa.LargeStringArray, rows: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.bool_]:
        if not self.languages or not len(sentences):
            return np.zeros(len(sentences), np.bool_)
        language = Language()
        texts = language.measure(batch)["language"].take(pa.array(rows))
        said = language.measure(pa.RecordBatch.from_arrays([sentences], ["text"]))["language"]
        return ~np.asarray(pc.fill_null(pc.equal(texts, said), False))

    def _cursed(self, sentences: pa.LargeStringArray) -> npt.NDArray[np.bool_]:
        patterns = entries_of(self.patterns, self.use)
        if not patterns:
            return np.zeros(len(sentences), np.bool_)
        return np.asarray(pc.match_substring_regex(sentences, any_of(patterns)))

    def rules(self) -> tuple[Rule, ...]:
        return active_rules(
            Rule("few_split_sentences", "split_sentences", at_least=self.min_sentences),
            Rule("questionable_sentences", "questionable_sentences", at_most=self.max_questionable),
        )
