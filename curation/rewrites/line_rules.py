"""Rules that remove single lines: menus, counters and tables between the lines of a text (RefinedWeb, Penedo et al.
2023, appendix G.2, as DCLM's code states them; Li et al. 2024)."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation.kernels.character_counts import character_counts, word_lengths
from curation.kernels.word_splitters import WordKind, words_in
from curation.lists.list_files import entries_of
from curation.lists.patterns import any_of, join_lines, lines_of
from curation.lists.steps import PatternStep
from schemas.errors import UserError

COUNTERS = (
    r"^\W*\d(?:,|\.|\d)*[kmb]?\s+(?:likes|shares|comments|retweets|reposts|quotes|bookmarks|upvotes|downvotes|"
    r"downloads|views|followers)\W*$"
)
"""RefinedWeb's example of a pattern: counters of social media, such as "3.2K likes"."""


@dataclass(frozen=True, kw_only=True)
class LineRules(PatternStep):
    """Removes the lines that break one of the rules. None switches a rule off. Lines end at newlines, and lines without
    characters stay."""

    use: Literal["line_rules"] = "line_rules"
    words: WordKind = "white_space"
    """What a word is, for the number of words of a line; the length of words is that between white space."""
    min_words: int | None = None
    max_words: int | None = None
    max_word_length: int | None = None
    """Maximum length of the longest word in characters."""
    max_capital_share: float | None = None
    """Maximum share of the characters of a line that are upper-case."""
    max_digit_share: float | None = None
    """Maximum share of the characters of a line that are digits."""
    end_marks: tuple[str, ...] = ()
    """What a line must end in, before white space, such as "." or "..."; nothing for no such rule."""
    not_end_marks: tuple[str, ...] = ()
    """What a line must not end in, before white space."""
    patterns: tuple[str, ...] = ()
    """Regular expressions of RE2 (or @file) that a line must not contain."""
    case_sensitive: bool = False
    """Whether upper and lower case differ in ``patterns``."""
    max_pattern_words: int | None = None
    """Lines of more words stay, even if they match a pattern."""
    strip: bool = True
    """Whether to remove the white space at both ends of the text."""

    def __post_init__(self) -> None:
        if "" in (*self.end_marks, *self.not_end_marks):
            raise UserError("line_rules has an end mark without characters: give marks such as '.'")

    def rewrite(self, texts: pa.LargeStringArray) -> pa.LargeStringArray:
        lines, offsets = lines_of(texts)
        kept = np.asarray(pc.equal(pc.binary_length(lines), 0)) | self._pass(lines)
        joined = join_lines(lines, offsets, kept)
        return pc.utf8_trim_whitespace(joined) if self.strip else joined

    def _pass(self, lines: pa.LargeStringArray) -> npt.NDArray[np.bool_]:
        """Whether each line keeps all rules."""
        kept = np.ones(len(lines), np.bool_)
        if (self.min_words, self.max_words, self.max_pattern_words) != (None, None, None):
            words = np.diff(words_in(lines, self.words).firsts)
        if self.min_words is not None:
            kept &= words >= self.min_words
        if self.max_words is not None:
            kept &= words <= self.max_words
        if self.max_word_length is not None:
            kept &= word_lengths(lines)["longest"] <= self.max_word_length
        if self.max_capital_share is not None or self.max_digit_share is not None:
            counts = character_counts(lines)
            for kind, most in (("capital", self.max_capital_share), ("digit", self.max_digit_share)):
                if most is not None:
                    kept &= counts[kind] / np.maximum(counts["characters"], 1) <= most
        if self.end_marks:
            kept &= _ends(lines, self.end_marks)
        if self.not_end_marks:
            kept &= ~_ends(lines, self.not_end_marks)
        if patterns := entries_of(self.patterns, self.use):
            found = any_of(patterns)
            matched = np.asarray(pc.match_substring_regex(lines, found if self.case_sensitive else f"(?i:{found})"))
            if self.max_pattern_words is not None:
                matched = matched & (words <= self.max_pattern_words)
            kept &= ~matched
        return kept


def _ends(lines: pa.LargeStringArray, marks: tuple[str, ...]) -> npt.NDArray[np.bool_]:
    trimmed = pc.utf8_rtrim_whitespace(lines)
    ended = np.zeros(len(lines), np.bool_)
    for mark in marks:
        ended |= np.asarray(pc.ends_with(trimmed, mark))
    return ended
