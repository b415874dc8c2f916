"""Rules on words and phrases of the user's: block lists, as of C4 (Raffel et al. 2020), or words that a text must hold.
No list is included."""

import re
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curation.filters.columns import batch_of, count, share
from curation.filters.rules import Rule, active_rules
from curation.kernels.word_lists import Phrases, phrase_counts, phrases
from curation.lists.list_files import entries_of
from curation.lists.patterns import any_of
from curation.lists.steps import ListStep

_GROUP = 200
"""Number of entries in one regular expression: RE2 limits the size of an expression."""


@dataclass(frozen=True, kw_only=True)
class WordList(ListStep):
    """Rejects texts by how often they hold the words and phrases of a list. The threshold None switches a rule off;
    without words there are no rules.

    An entry that starts with @ names a file with one word or phrase per line (`list_files`).
    """

    LISTS = ("words",)
    use: Literal["word_list"] = "word_list"
    words: tuple[str, ...] = ()
    case_sensitive: bool = False
    boundaries: Literal["letters", "spaces", "none"] = "letters"
    """What is around a listed word. ``letters``: no letter, digit or underscore (as in C4's code, and \\\\b of regular
    expressions); the words of a phrase may have any such characters between them. ``spaces``: white space; phrases may
    be anywhere (as in dolma). ``none``: anything, for scripts without spaces."""
    min_words: int | None = None
    max_words: int | None = 0
    min_share: float | None = None
    max_share: float | None = None

    signals: ClassVar[pa.Schema] = pa.schema(
        [
            count("listed_words", "occurrences of listed words and phrases, without overlap"),
            share("listed_words_share", "share of words that are in listed words and phrases"),
        ]
    )

    def prepare(self) -> None:
        _ready.cache_clear()
        _ready(self)

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        listed, anywhere = _ready(self)
        found, covered, words = phrase_counts(batch["text"], listed)
        for expression in anywhere:
            matches = np.asarray(pc.count_substring_regex(batch["text"], expression))
            found, covered = found + matches, covered + matches
        with np.errstate(invalid="ignore"):
            shares = np.minimum(covered / words, 1)
        return batch_of([found.astype(np.float64), shares], self.signals)

    def rules(self) -> tuple[Rule, ...]:
        if not self.words:
            return ()
        return active_rules(
            Rule("few_listed_words", "listed_words", at_least=self.min_words),
            Rule("listed_words", "listed_words", at_most=self.max_words),
            Rule("few_listed_words_share", "listed_words_share", at_least=self.min_share),
            Rule("listed_words_share", "listed_words_share", at_most=self.max_share),
        )


@cache
def _ready(step: WordList) -> tuple[Phrases, tuple[str, ...]]:
    """The words between boundaries, and expressions for the words that may be anywhere: made once for all batches."""
    entries = tuple(filter(None, map(str.strip, entries_of(step.words, step.use))))
    bounded, anywhere = list[str](), list[str]()
    for entry in entries:
        inside = step.boundaries == "none" or (step.boundaries == "spaces" and len(entry.split()) > 1)
        (anywhere if inside else bounded).append(re.escape(entry) if inside else entry)
    flags = "" if step.case_sensitive else "(?i)"
    expressions = (f"{flags}{any_of(anywhere[start : start + _GROUP])}" for start in range(0, len(anywhere), _GROUP))
    return phrases(bounded, step.boundaries == "letters", not step.case_sensitive), tuple(expressions)
