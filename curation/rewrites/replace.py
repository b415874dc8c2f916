"""Replaces what regular expressions match: urls, "read more", citation marks, too many newlines in a row."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curation.kernels.word_splitters import WordKind, words_in
from curation.lists.list_files import entries_of
from curation.lists.patterns import any_of, join_lines, lines_of
from curation.lists.steps import PatternStep
from schemas.errors import UserError
from schemas.settings import shown


@dataclass(frozen=True, kw_only=True)
class Replace(PatternStep):
    """Replaces every match of ``patterns`` (regular expressions of RE2, or @file with one on each line)."""

    use: Literal["replace"] = "replace"
    patterns: tuple[str, ...] = ()
    replacement: str = ""
    """The new text; ``\\\\1`` is the first group of all patterns, ``\\\\0`` the whole match."""
    case_sensitive: bool = True
    by_line: bool = False
    """Whether a pattern sees one line at a time. A line that has only white space left is then removed."""
    max_line_words: int | None = None
    """By line: longer lines stay as they are."""
    words: WordKind = "white_space"
    """What a word is, for ``max_line_words``."""

    def __post_init__(self) -> None:
        if self.max_line_words is not None and not self.by_line:
            raise UserError("replace.max_line_words needs by_line = true")

    def prepare(self) -> None:
        super().prepare()
        _check_replacement(self._expression(), self.replacement)

    def _expression(self) -> str:
        found = any_of(entries_of(self.patterns, self.use))
        return found if self.case_sensitive or not found else f"(?i:{found})"

    def rewrite(self, texts: pa.LargeStringArray) -> pa.LargeStringArray:
        expression = self._expression()
        if not expression:
            return texts
        if not self.by_line:
            return pc.replace_substring_regex(texts, expression, self.replacement)
        lines, offsets = lines_of(texts)
        changed = pc.replace_substring_regex(lines, expression, self.replacement)
        if self.max_line_words is not None:
            long = np.diff(words_in(lines, self.words).firsts) > self.max_line_words
            changed = pc.if_else(pa.array(long), lines, changed)
        blank = np.asarray(pc.equal(pc.binary_length(pc.utf8_trim_whitespace(changed)), 0))
        was_empty = np.asarray(pc.equal(pc.binary_length(lines), 0))
        return join_lines(changed, offsets, ~blank | was_empty)


def _check_replacement(expression: str, replacement: str) -> None:
    try:
        pc.replace_substring_regex(pa.array([""], pa.large_string()), expression, replacement)
    except pa.ArrowInvalid as error:
        reason = str(error).removeprefix("Invalid replacement string: ").rstrip(".")
        raise UserError(
            f"replace.replacement is {shown(replacement)}, which does not fit its patterns ({reason}): "
            "write \\0 for the whole match, \\1 for the first group in brackets, and \\\\ for a backslash"
        ) from None
