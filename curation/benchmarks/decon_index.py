"""The index over all references for the definition of decon (`decon`): the words and the weighted n-grams of their
questions, answers and passages."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.benchmarks import decon
from curation.benchmarks.decon import Floats, Integers
from curation.benchmarks.texts import Form
from curation.benchmarks.vocabulary import Vocabulary
from curation.kernels.part_overlaps import find_overlaps, number_ngrams

_COLUMNS = ("text", "answer", "passage")
"""The columns of a reference's question, answer and passage."""
_WIDTHS = (decon.QUESTION_NGRAM, decon.ANSWER_NGRAM, decon.PASSAGE_NGRAM)


class Overlaps(NamedTuple):
    """The matches of documents with references, see `find_overlaps`, and the bounds of the documents' words."""

    places: Integers
    scores: Floats
    bounds: Integers


class Ngrams(NamedTuple):
    """The n-grams of a part of all references: `number_ngrams`; the references of n-gram n are
    owners[starts[n]:starts[n + 1]], sorted; and its weight."""

    slots: npt.NDArray[np.int32]
    places: Integers
    starts: Integers
    owners: Integers
    weights: Integers

    @classmethod
    def of(cls, words: npt.NDArray[np.int32], bounds: Integers, width: int, references: int) -> "Ngrams":
        """From the words of a part, of which reference r has words[bounds[r]:bounds[r + 1]]; ``references`` of them
        are not left out."""
        slots, places, numbers = number_ngrams(words, bounds, width)
        owners = np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))
        held = numbers >= 0
        pairs = np.unique(numbers[held].astype(np.int64) * (len(bounds) - 1) + owners[held])
        number, owner = np.divmod(pairs, max(len(bounds) - 1, 1))
        starts = np.searchsorted(number, np.arange(len(places) + 1))
        return cls(slots, places, starts, owner, decon.weights(references, np.diff(starts)))

    def totals(self, references: int) -> Integers:
        """The weight of all different n-grams of each reference."""
        counted = np.bincount(self.owners, np.repeat(self.weights, np.diff(self.starts)), references)
        return counted.astype(np.int64)  # of numbers below 2^53, which are exact


@dataclass(frozen=True, eq=False)
class DeconIndex:
    """The index over ``samples``, the references, with the columns REFERENCES."""

    samples: pa.Table

    form = Form("words")

    def build(self) -> None:
        """Makes all parts of the index, which processes that are forked later share."""
        _ = self._tables

    @cached_property
    def vocabulary(self) -> Vocabulary:
        return Vocabulary.of(pa.concat_arrays(self._forms))

    @cached_property
    def _forms(self) -> list[pa.LargeStringArray]:
        return [self.form.texts(self.samples[part].combine_chunks()) for part in _COLUMNS]

    @cached_property
    def _read(self) -> list[tuple[npt.NDArray[np.int32], Integers]]:
        return [self.vocabulary.read(forms) for forms in self._forms]

    @cached_property
    def lengths(self) -> Integers:
        """The words of each part of each reference: shape (references, 3)."""
        return np.column_stack([np.diff(bounds) for _, bounds in self._read])

    @cached_property
    def has_parts(self) -> npt.NDArray[np.bool_]:
        """Whether each reference has each part: shape (references, 3)."""
        found: npt.NDArray[np.bool_] = self.lengths >= [decon.QUESTION_NGRAM, 1, decon.PASSAGE_NGRAM]
        return found

    @cached_property
    def left_out(self) -> npt.NDArray[np.bool_]:
        """Whether each reference is left out: it has few words or few different ones, or its question no n-gram."""
        words = np.concatenate([words for words, _ in self._read])
        owners = np.concatenate([_owners(bounds) for _, bounds in self._read])
        short: npt.NDArray[np.bool_] = self.lengths.sum(axis=1) < decon.LEAST_WORDS
        few = _different(words, owners, len(self.samples)) < decon.LEAST_DIFFERENT
        return short | few | ~self.has_parts[:, 0]

    @cached_property
    def thresholds(self) -> Floats:
        """The score from which each reference is contaminated."""
        return decon.thresholds(self.lengths.sum(axis=1))

    @cached_property
    def _tables(self) -> tuple[Any, ...]:
        """The arguments of `find_overlaps` about references."""
        count, used = len(self.samples), int((~self.left_out).sum())
        parts = []
        for words, bounds in self._read:
            kept = ~self.left_out[_owners(bounds)]
            lengths = np.where(self.left_out, 0, np.diff(bounds))
            parts.append((words[kept], np.append(0, np.cumsum(lengths))))
        grams = tuple(Ngrams.of(*part, width, used) for part, width in zip(parts, _WIDTHS, strict=True))
        questions = np.bincount(grams[0].owners, minlength=count)
        answers = _different(parts[1][0], _owners(parts[1][1]), count)
        passages = self.has_parts[:, 2].tolist()
        shares = [decon.shares(*each) for each in zip(questions.tolist(), answers.tolist(), passages, strict=True)]
        settings = (*_WIDTHS, decon.STEP, decon.MISSES, decon.PASSAGE_MISSES, decon.most_references(used))
        return (
            (*(words for words, _ in parts), parts[1][1]),
            tuple(map(tuple, grams)),
            (*settings, decon.SHORT, decon.NEAR, decon.AROUND),
            self.lengths,
            np.column_stack([each.totals(count) for each in grams]),
            np.array(shares, np.float64).reshape(-1, len(decon.PARTS)),
            decon.question_needs(self.lengths[:, 0]),
        )

    def search(self, forms: pa.LargeStringArray) -> Overlaps:
        """The best match of each document, in the form in which it is compared, with each reference whose question it
        repeats far enough."""
        words, bounds = self.vocabulary.read(forms)
        places, scores = find_overlaps(words, bounds, *self._tables)
        return Overlaps(places, scores, bounds)


def _owners(bounds: Integers) -> Integers:
    return np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))


def _different(words: npt.NDArray[np.int32], owners: Integers, count: int) -> Integers:
    """The different words of each of ``count`` references."""
    pairs = np.unique(owners << 32 | words)
    return np.bincount(pairs >> 32, minlength=count)
