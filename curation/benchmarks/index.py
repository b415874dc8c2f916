"""The index over all samples: their tokens, where each window of ten tokens occurs in them, and the strings that a text
must hold to share a window with them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation.benchmarks.settings import BUDGET, LENGTHS, WIDTH, Settings, least_tokens
from curation.benchmarks.texts import Form
from curation.kernels.buffers import text_buffers
from curation.kernels.byte_grams import STEP, gram_filter, hold_strings, string_hashes
from curation.kernels.token_spans import find_spans, hash_table, window_hashes
from curation.tokenizers.surfaces import has_fixed_bytes
from curation.tokenizers.tokenizer import Encoder, Tokenizer

Integers = npt.NDArray[np.int64]
BATCH = 256
"""Texts that are tokenised together."""


class Windows(NamedTuple):
    """The windows of all samples: `hash_table` of their different hashes; window k begins at
    places[starts[k]:starts[k + 1]] of the samples' tokens."""

    slots: npt.NDArray[np.uint64]
    numbers: npt.NDArray[np.int32]
    starts: Integers
    places: Integers

    @classmethod
    def of(
        cls, tokens: npt.NDArray[np.int32], bounds: Integers, width: int, chosen: npt.NDArray[np.bool_] | None = None
    ) -> "Windows":
        """The windows of ``width`` tokens in samples, of which sample s has tokens[bounds[s]:bounds[s + 1]]; those
        that begin with a ``chosen`` token, or all."""
        hashes, places = window_hashes(tokens, bounds, width)
        if chosen is not None:
            hashes, places = hashes[chosen[places]], places[chosen[places]]
        order = np.argsort(hashes, kind="stable")
        different, starts = np.unique(hashes[order], return_index=True)
        slots, numbers = _table(different)
        return cls(slots, numbers, np.append(starts, len(order)).astype(np.int64), places[order])


DOCUMENT, SAMPLE, PLACE, AT, TOKENS, MISMATCHES = range(6)
"""The columns of spans, see `find_spans`: the number of the text, the sample, the first token of the span in the sample
and in the text, the number of tokens, and how many of them differ."""


class Matches(NamedTuple):
    """What texts share with samples: which texts were read, the bounds of the tokens of each of them, the spans, and
    whether each token lies in a span."""

    read: npt.NDArray[np.intp]
    bounds: Integers
    spans: Any
    covered: npt.NDArray[np.bool_]


class Grams(NamedTuple):
    """The strings of which a text that shares a window with a sample holds at least one, as for `hold_strings`."""

    lengths: int
    shift: np.uint64
    bits: npt.NDArray[np.uint64]
    slots: npt.NDArray[np.uint64]
    numbers: npt.NDArray[np.int32]
    firsts: Integers
    places: Integers
    string_slots: npt.NDArray[np.uint64]
    string_numbers: npt.NDArray[np.int32]

    @classmethod
    def of(cls, grams: npt.NDArray[np.uint64], places: Integers, lengths: Integers, strings: Any) -> "Grams":
        """From `string_hashes`; ``places`` are the bytes before each gram and the bytes of its string."""
        order = np.lexsort([places[:, 1], places[:, 0], grams])
        grams, places = grams[order], places[order]
        new = np.ones(len(order), np.bool_)
        new[1:] = (grams[1:] != grams[:-1]) | (places[1:] != places[:-1]).any(axis=1)
        different, firsts = np.unique(grams[new], return_index=True)
        used = sum(1 << length // STEP for length in set(lengths.tolist()))
        ends = np.append(firsts, new.sum()).astype(np.int64)
        shift, bits = gram_filter(different)
        return cls(used, np.uint64(shift), bits, *_table(different), ends, places[new], *_table(np.unique(strings)))


@dataclass(frozen=True, eq=False)
class Index:
    """The index over the samples with these ``texts``."""

    settings: Settings
    tokenizer: Tokenizer
    texts: pa.LargeStringArray

    @cached_property
    def encoder(self) -> Encoder:
        return self.tokenizer.encoder()

    @cached_property
    def form(self) -> Form:
        return Form.of(self.settings.normalise, self.encoder)

    @cached_property
    def forms(self) -> pa.LargeStringArray:
        """The samples as they are compared."""
        return self.form.texts(self.texts)

    def build(self) -> None:
        """Makes all parts of the index, which processes that are forked later share."""
        _ = self.windows, self.owners, self.grams

    @cached_property
    def _tokenised(self) -> tuple[npt.NDArray[np.int32], Integers]:
        tokens = [places[:, 0] for places in self._places]
        return np.concatenate([np.empty(0, np.int32), *tokens]), np.cumsum([0, *map(len, tokens)], dtype=np.int64)

    @cached_property
    def _places(self) -> list[npt.NDArray[np.int32]]:
        """The tokens of each sample with their places, see `Encoder.places`."""
        return [self.encoder.places(text) for text in self.forms.to_pylist()]

    @property
    def tokens(self) -> npt.NDArray[np.int32]:
        """The tokens of all samples."""
        return self._tokenised[0]

    @property
    def bounds(self) -> Integers:
        """Sample s has tokens[bounds[s]:bounds[s + 1]]."""
        return self._tokenised[1]

    @cached_property
    def owners(self) -> npt.NDArray[np.int32]:
        """The sample of each token."""
        return np.repeat(np.arange(len(self.texts), dtype=np.int32), np.diff(self.bounds))

    @cached_property
    def windows(self) -> Windows:
        return Windows.of(self.tokens, self.bounds, WIDTH)

    @cached_property
    def grams(self) -> tuple[Grams, Grams] | None:
        """The strings with a blank inside, which are searched at the starts of words only, and the other strings. None
        if a text can share a window with a sample without sharing a string with it."""
        if not has_fixed_bytes(self.tokenizer, plain=self.settings.normalise == "words"):
            return None
        unknown = self.tokenizer.unknown_id
        if unknown is not None and (self.tokens == unknown).any():
            return None
        if self._are_cut(self.forms).any():
            return None
        starts, ends = self._insides()
        grams, before, lengths, strings = string_hashes(text_buffers(self.forms)[0], starts, ends)
        if not lengths.all():
            return None
        places, words = np.column_stack([before, ends - starts]), before > 0
        return (
            Grams.of(grams[words], places[words], lengths[words], strings[words]),
            Grams.of(grams[~words], places[~words], lengths[~words], strings[~words]),
        )

    def _insides(self) -> tuple[Integers, Integers]:
        """The bytes of the samples' forms that each window's tokens stand for wherever they occur: without a blank at
        the start, which the first word of a text lacks, and without a first or last token that may be a part of a
        character."""
        starts: list[Integers] = [np.empty(0, np.int64)]
        ends: list[Integers] = [np.empty(0, np.int64)]
        begins = text_buffers(self.forms)[1]
        for number, text in enumerate(self.forms.to_pylist()):
            count = int(self.bounds[number + 1] - self.bounds[number]) - WIDTH + 1
            if count < 1:
                continue
            spans = self._places[number].astype(np.int64)
            data = np.frombuffer(text.encode(), np.uint8)
            characters = np.append(np.flatnonzero((data & 0xC0) != 0x80), len(data))
            first, last = characters[spans[:, 1]], characters[spans[:, 2]]
            odd = np.append(0, np.cumsum(data >= 0x80))
            whole = (odd[first] == odd[last]) & (first < last)
            after = characters[(spans[:, 2] + (first == last)).clip(max=len(characters) - 1)]
            start = np.where(whole, first + (data[first.clip(max=len(data) - 1)] == ord(" ")), after)[:count]
            end = np.where(whole, last, first)[WIDTH - 1 :]
            starts.append(begins[number] + start)
            ends.append(begins[number] + np.maximum(start, end))
        return np.concatenate(starts), np.concatenate(ends)

    def candidates(self, forms: pa.LargeStringArray) -> npt.NDArray[np.bool_]:
        """Whether each text, in the form in which it is compared, may share a window with a sample."""
        if self.grams is None:
            return np.ones(len(forms), np.bool_)
        found = self._are_cut(forms)
        for everywhere, grams in enumerate(self.grams):
            if len(grams.places):
                hold_strings(*text_buffers(forms), bool(everywhere), tuple(grams), found)
        return found

    def _are_cut(self, forms: pa.LargeStringArray) -> npt.NDArray[np.bool_]:
        """Whether each text is cut inside a string that would become a special token: a tokenizer may put a blank
        before each part, which the text does not have."""
        found = np.zeros(len(forms), np.bool_)
        for name in self._cutting:
            found |= pc.match_substring(forms, name).to_numpy(zero_copy_only=False)
        return found

    @cached_property
    def _cutting(self) -> tuple[str, ...]:
        return self.encoder.cutting()

    def places(self, form: str) -> Integers:
        """The tokens of a text in the form in which it is compared, with their places, see `Encoder.places`."""
        return self.encoder.places(form).astype(np.int64)

    def search(self, forms: pa.LargeStringArray, longest: npt.NDArray[np.int32]) -> Matches:
        """What texts, in the form in which they are compared, share with samples. Raises ``longest``, the longest span
        of each token of the samples."""
        read = np.flatnonzero(self.candidates(forms))
        tokens, bounds = tokenise(self.encoder, forms.take(pa.array(read)))
        return Matches(read, bounds, *self.spans(tokens, bounds, longest))

    def measured(self, longest: Integers, samples: range) -> dict[str, Any]:
        """The contamination of some samples, by column. ``longest`` is that of all samples' tokens."""
        bounds = self.bounds[samples.start : samples.stop + 1]
        return {f"contamination_{length}": each for length, each in contaminations(longest, bounds).items()}

    def spans(self, tokens: npt.NDArray[np.int32], bounds: Integers, longest: npt.NDArray[np.int32]) -> tuple[Any, Any]:
        """The spans that documents share with samples, see `find_spans`, and whether each token of the documents lies
        in a span. Raises ``longest``, the longest span of each token of the samples."""
        covered = np.zeros(len(tokens), np.uint8)
        given = tokens, bounds, self.tokens, self.bounds, self.owners, tuple(self.windows)
        found = find_spans(*given, WIDTH, BUDGET, 0, longest, covered)
        return found, covered.astype(np.bool_)


def rows_by_text(numbers: Integers) -> Iterator[slice]:
    """The rows of each text, from the ``numbers`` of the rows' texts, which ascend.

    >>> list(rows_by_text(np.array([0, 0, 3])))
    [slice(0, 2, None), slice(2, 3, None)]
    """
    firsts = np.flatnonzero(np.diff(numbers, prepend=-1))
    for first, stop in pairwise([*firsts.tolist(), len(numbers)]):
        yield slice(first, stop)


def _table(keys: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int32]]:
    slots, numbers = hash_table(keys)
    return slots, numbers


def contaminations(longest: Integers, bounds: Integers) -> dict[int, Any]:
    """The share of each sample's tokens that lie in a span that counts for L, by L. A sample without tokens has 0.

    ``longest`` is the longest span of each token; sample s has the tokens bounds[s]:bounds[s + 1].
    """
    sizes = np.diff(bounds)
    found = {}
    for length in LENGTHS:
        counts = np.concatenate([[0], np.cumsum(longest >= least_tokens(length))])
        found[length] = (counts[bounds[1:]] - counts[bounds[:-1]]) / np.maximum(sizes, 1)
    return found


def tokenise(encoder: Encoder, texts: pa.LargeStringArray) -> tuple[npt.NDArray[np.int32], Integers]:
    """The tokens of all texts, and the bounds of each text's tokens."""
    tokens: list[npt.NDArray[np.int32]] = [np.empty(0, np.int32)]
    lengths: list[Integers] = [np.zeros(1, np.int64)]
    for start in range(0, len(texts), BATCH):
        part = encoder.plain(texts.slice(start, BATCH).to_pylist())
        tokens.append(part[0].astype(np.int32))
        lengths.append(part[1].astype(np.int64))
    return np.concatenate(tokens), np.cumsum(np.concatenate(lengths))
