"""The index over all samples for a definition by n-grams of words: the numbers of their words, and where each n-gram
begins in them. A span is a run of words, at least an n-gram long, that a document shares with a sample."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation.benchmarks.index import DOCUMENT, Integers, Matches, Windows
from curation.benchmarks.ngrams import are_dirty, ngram_size
from curation.benchmarks.settings import Settings
from curation.benchmarks.texts import Form
from curation.benchmarks.vocabulary import Vocabulary
from curation.kernels.token_spans import COLUMNS, find_spans


@dataclass(frozen=True, eq=False)
class NgramIndex:
    """The index over the samples with these ``texts``; ``benchmarks`` has the benchmark of each sample. Its tokens are
    the numbers of words in the vocabulary of all samples, so that equal tokens are equal words."""

    settings: Settings
    texts: pa.LargeStringArray
    benchmarks: pa.StringArray

    form = Form("words")

    @cached_property
    def forms(self) -> pa.LargeStringArray:
        """The samples as they are compared."""
        return self.form.texts(self.texts)

    def build(self) -> None:
        """Makes all parts of the index, which processes that are forked later share."""
        _ = self.windows, self.owners

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        return Vocabulary.of(self.forms)

    def read(self, forms: pa.LargeStringArray) -> tuple[npt.NDArray[np.int32], Integers]:
        """The numbers of the words of all texts, in the form in which they are compared, and the bounds of each text's
        words. The number of a word that no sample has is -1."""
        return self._vocabulary.read(forms)

    def places(self, form: str) -> Integers:
        """The words of a text, each with its first character and the character after its last one, in a row: shape
        (words, 3)."""
        return self._vocabulary.places(form)

    @cached_property
    def _read(self) -> tuple[npt.NDArray[np.int32], Integers]:
        return self.read(self.forms)

    @property
    def tokens(self) -> npt.NDArray[np.int32]:
        """The words of all samples."""
        return self._read[0]

    @property
    def bounds(self) -> Integers:
        """Sample s has tokens[bounds[s]:bounds[s + 1]]."""
        return self._read[1]

    @cached_property
    def owners(self) -> npt.NDArray[np.int32]:
        """The sample of each word."""
        return np.repeat(np.arange(len(self.texts), dtype=np.int32), np.diff(self.bounds))

    @cached_property
    def sizes(self) -> Integers:
        """The words of an n-gram, for each sample: that of its benchmark."""
        lengths, found = np.diff(self.bounds), np.zeros(len(self.texts), np.int64)
        for benchmark in self.benchmarks.unique():
            own = np.asarray(pc.equal(self.benchmarks, benchmark).to_numpy(zero_copy_only=False), np.bool_)
            found[own] = ngram_size(self.settings.definition, lengths[own])
        return found

    @cached_property
    def windows(self) -> dict[int, Windows]:
        """For each size of n-grams, where all words but the last of each n-gram begin in the samples of that size."""
        return {
            size: Windows.of(self.tokens, self.bounds, size - 1, self.sizes[self.owners] == size)
            for size in np.unique(self.sizes).tolist()
        }

    def search(self, forms: pa.LargeStringArray, longest: npt.NDArray[np.int32]) -> Matches:
        """The runs of words that documents share with samples. Raises ``longest`` of the first word of each n-gram that
        is in a document to the length of the longest such run around the n-gram, in words."""
        numbers, bounds = self.read(forms)
        covered = np.zeros(len(numbers), np.uint8)
        found = [np.empty((0, COLUMNS), np.int64)]
        for size, windows in self.windows.items():
            given = numbers, bounds, self.tokens, self.bounds, self.owners, tuple(windows)
            found.append(find_spans(*given, size - 1, 0, size - 1, longest, covered))
        spans = np.concatenate(found)
        spans = spans[np.argsort(spans[:, DOCUMENT], kind="stable")]
        return Matches(np.arange(len(forms)), bounds, spans, covered.astype(np.bool_))

    def measured(self, longest: Integers, samples: range) -> dict[str, Any]:
        """What the definition says of some samples, by column. ``longest`` is that of all samples' words."""
        bounds = self.bounds[samples.start : samples.stop + 1]
        counts = np.append(0, np.cumsum(longest > 0))
        found = counts[bounds[1:]] - counts[bounds[:-1]]
        sizes = self.sizes[samples.start : samples.stop]
        ngrams = np.maximum(np.diff(bounds) - sizes + 1, 0)
        return {
            "ngram": sizes,
            "ngrams": ngrams,
            "contamination": found / np.maximum(ngrams, 1),
            "dirty": pa.array(are_dirty(self.settings.definition, found, ngrams)),
        }
