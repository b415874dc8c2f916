"""Texts as they are compared: as they are, or as plain words; and the places in a text that tokens come from."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.benchmarks.settings import Normalise
from curation.kernels.buffers import text_buffers, text_column
from curation.kernels.plain_texts import plain_texts
from curation.kernels.unicode import tables
from curation.tokenizers.tokenizer import Encoder

_WORDS = ("mill", "stone", "the", "wheel", "a")
"""Words whose first token shows whether a word at the start of a text needs a blank before it."""


@dataclass(frozen=True)
class Form:
    """The form in which texts are compared. ``lead``: a blank stands before the first word, so that the first word has
    the tokens that it has inside of a text."""

    normalise: Normalise
    lead: bool = False

    @classmethod
    def of(cls, normalise: Normalise, encoder: Encoder) -> "Form":
        """The form for a tokenizer."""
        if normalise == "none":
            return cls(normalise)
        inside = [encoder.plain([f"corn {word}"])[0].tolist() for word in _WORDS]
        alone = [[encoder.plain([lead + word])[0].tolist() for word in _WORDS] for lead in ("", " ")]
        equal = [
            sum(own == found[len(found) - len(own) :] for own, found in zip(each, inside, strict=True))
            for each in alone
        ]
        return cls(normalise, lead=equal[1] > equal[0])

    def texts(self, column: pa.LargeStringArray) -> pa.LargeStringArray:
        """The texts in this form."""
        if self.normalise == "none":
            return column
        classes, lower = tables()
        out, bounds, _ = plain_texts(*text_buffers(column), classes, lower, self.lead, False)
        return text_column(out, bounds)

    def places(self, text: str, characters: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The places in a text, as bytes of UTF-8, of pieces of its form: ``characters`` has the first character of
        each piece in the form and the character after its last one; shape (pieces, 2), as the result.

        A blank at the start or end of a piece does not count.
        """
        data = np.frombuffer(text.encode(), np.uint8)
        starts = character_starts(data)
        ends = np.append(starts[1:], len(data))
        if self.normalise == "none":
            characters = characters.clip(max=len(starts))
            return np.column_stack(
                [np.append(starts, len(data))[characters[:, 0]], np.append(0, ends)[characters[:, 1]]]
            )
        classes, lower = tables()
        column = pa.array([text], pa.large_string())
        out, _, places = plain_texts(*text_buffers(column), classes, lower, self.lead, True)
        begins = character_starts(out)
        origin = np.searchsorted(starts, places[begins])  # the character of the text that each character comes from
        last = characters[:, 1] - 1
        last -= out[begins[last]] == ord(" ")
        return np.column_stack([starts[origin[characters[:, 0]]], ends[origin[last]]])


def character_starts(data: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Where each character begins in UTF-8."""
    return np.flatnonzero((data & 0xC0) != 0x80)
