"""The words of all samples, numbered: equal numbers are equal words, so that hashes decide nothing."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.benchmarks.texts import character_starts
from curation.kernels.buffers import text_buffers, text_column
from curation.kernels.host_table import fill_slots
from curation.kernels.known_words import known_words, word_places
from curation.kernels.shingles import table_size
from curation.kernels.unicode import tables

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Different words: their bytes, bounds and slots, as for `known_words`."""

    listed: npt.NDArray[np.uint8]
    bounds: Integers
    slots: npt.NDArray[np.uint32]

    @classmethod
    def of(cls, forms: pa.LargeStringArray) -> "Vocabulary":
        """The words of texts in the form ``words``."""
        data, offsets = text_buffers(forms)
        starts, ends = word_places(data, offsets, tables().classes)
        bounds = np.append(0, np.cumsum(ends - starts))
        listed = text_buffers(text_column(data[data != ord(" ")], bounds).unique())
        slots = np.zeros(table_size(len(listed[1])), np.uint32)
        fill_slots(*listed, slots)
        return cls(*listed, slots)

    def read(self, forms: pa.LargeStringArray) -> tuple[npt.NDArray[np.int32], Integers]:
        """The numbers of the words of all texts, in the form ``words``, and the bounds of each text's words. The number
        of a word that is not in the vocabulary is -1."""
        numbers, bounds = known_words(*text_buffers(forms), tables().classes, self.listed, self.bounds, self.slots)
        return numbers, bounds

    def places(self, form: str) -> Integers:
        """The words of a text, each with its first character and the character after its last one, in a row: shape
        (words, 3)."""
        column = pa.array([form], pa.large_string())
        numbers, _ = self.read(column)
        starts, ends = word_places(*text_buffers(column), tables().classes)
        begins = character_starts(np.frombuffer(form.encode(), np.uint8))
        return np.column_stack([numbers, np.searchsorted(begins, starts), np.searchsorted(begins, ends)])
