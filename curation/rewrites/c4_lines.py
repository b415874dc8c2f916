"""C4's rules for lines (Raffel et al. 2020): removes lines that are not text."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa

from curation.kernels.buffers import text_buffers, text_column
from curation.kernels.c4 import keep_lines
from curation.kernels.word_tables import word_tables
from schemas.errors import UserError
from schemas.settings import shown


@dataclass(frozen=True, kw_only=True)
class C4Lines:
    """Removes lines that are too short or are notices, and strips the other lines.

    The defaults are those of datatrove 0.10.1. The code of C4 (tensorflow_datasets 4.9) also asks for 5 words, counted
    without citation marks, and takes no straight single quote for an end; FineWeb asks for no end mark at all.
    """

    use: Literal["c4_lines"] = "c4_lines"
    terminal_punctuation: bool = True
    """Whether to remove lines that do not end in one of ``end_marks``, or that end in three dots."""
    end_marks: tuple[str, ...] = (".", "?", "!", '"', "'")
    """Single characters."""
    ellipsis: bool = False
    """Whether three dots end a line, if the full stop is an end mark."""
    min_words: int = 3
    """Minimum number of words, which are separated by white space."""
    max_word_length: int = 1000
    """Maximum length of a word in characters; 0 for no limit."""
    remove_citations: bool = True
    """Whether to remove marks such as [12], [edit] and [citation needed] from the remaining lines."""
    words_after_citations: bool = False
    """Whether the words of a line are counted without its citation marks."""
    javascript: bool = True
    """Whether to remove lines about JavaScript."""
    policy: bool = True
    """Whether to remove lines about terms of use, privacy policies or cookies."""

    def __post_init__(self) -> None:
        for mark in self.end_marks:
            if len(mark) != 1:
                raise UserError(f"c4_lines.end_marks has {shown(mark)}: give single characters")

    def rewrite(
        self, texts: pa.LargeStringArray, *, lorem_ipsum: bool = False, curly_brackets: bool = False
    ) -> pa.LargeStringArray:
        """The texts without the removed lines.

        C4's code rejects a page for "lorem ipsum", or for a curly bracket in a line without JavaScript, before it
        removes the line as a notice. With ``lorem_ipsum`` and ``curly_brackets`` such lines stay, and a later filter
        rejects the page.
        """
        data, offsets = text_buffers(texts)
        out = np.empty(int(offsets[-1] - offsets[0]), np.uint8)
        bounds = np.empty(len(texts) + 1, np.int64)
        keep_lines(
            data,
            offsets,
            word_tables().kinds,
            out,
            bounds,
            self.terminal_punctuation,
            np.array([ord(mark) for mark in self.end_marks], np.uint32),
            self.ellipsis,
            self.min_words,
            self.max_word_length,
            self.remove_citations,
            self.words_after_citations,
            self.javascript,
            self.policy,
            lorem_ipsum,
            curly_brackets,
        )
        return text_column(out, bounds)
