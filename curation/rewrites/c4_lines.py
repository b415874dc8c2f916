"""The rules of C4 over lines (Raffel et al. 2020): lines that are no text are taken out."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa

from curation.kernels.buffers import text_buffers, text_column
from curation.kernels.c4 import keep_lines
from curation.kernels.word_tables import word_tables


@dataclass(frozen=True, kw_only=True)
class C4Lines:
    """Takes out lines that are too short or notices, and strips the others.

    The paper and its code also ask for 5 words and terminal punctuation; FineWeb, by datatrove, asks for neither.
    """

    use: Literal["c4_lines"] = "c4_lines"
    terminal_punctuation: bool = True
    """Takes out lines that do not end in . ? ! or a straight quote, or that end in three dots."""
    min_words: int = 3
    """Words between white space."""
    max_word_length: int = 1000
    """Characters; 0 for any."""
    remove_citations: bool = True
    """Takes marks such as [12], [edit] and [citation needed] out of the lines that stay."""
    javascript: bool = True
    """Takes out lines that speak of JavaScript."""
    policy: bool = True
    """Takes out lines that speak of terms of use, privacy policies or cookies."""

    def rewrite(
        self, texts: pa.LargeStringArray, *, lorem_ipsum: bool = False, curly_brackets: bool = False
    ) -> pa.LargeStringArray:
        """The texts with the lines that stay.

        C4's code rejects a page for "lorem ipsum", or for a curly bracket in a line without JavaScript, before it takes
        the line out as a notice. With ``lorem_ipsum`` and ``curly_brackets`` such lines stay, so that a filter that
        follows finds them and rejects the page.
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
            self.min_words,
            self.max_word_length,
            self.remove_citations,
            self.javascript,
            self.policy,
            lorem_ipsum,
            curly_brackets,
        )
        return text_column(out, bounds)
