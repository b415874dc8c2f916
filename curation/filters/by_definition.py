"""Columns of signals measured by any definition; `columns.py` has those of the default definition."""

import threading
from functools import cache
from typing import NamedTuple

import pyarrow as pa

from curation.filters.columns import Address, address_of, batch_of
from curation.filters.definitions import QualityDefinition, RepetitionDefinition
from curation.kernels import quality, repeats
from curation.kernels.buffers import Texts, text_buffers
from curation.kernels.pieces import BREAKS, KEPT
from curation.kernels.quality import QualitySettings, StopWords, quality_values, stop_table
from curation.kernels.repeats import RepetitionSettings, repetition_values
from curation.kernels.word_splitters import Words
from curation.words.splitting import WordKind, words_in

_SYMBOLS = {
    "each": quality.EACH,
    "summed": quality.SUMMED,
    "containing": quality.CONTAINING,
    "alone": quality.ALONE,
}
_OVER = {"text": repeats.OVER_TEXT, "pieces": repeats.OVER_PIECES, "words": repeats.OVER_WORDS}
_TOP = {"each": repeats.TWICE, "once": repeats.ONCE, "replaced": repeats.REPLACED}
_DUPLICATES = {
    "later_apart": repeats.GREEDY,
    "later": repeats.LATER,
    "all": repeats.ALL,
    "covered": repeats.COVERED,
}


class _Split(NamedTuple):
    texts: pa.LargeStringArray
    words: Words


class _Last(threading.local):
    """The words of the latest column of this thread, by kind, which filters over the same texts share.

    The column is kept alive, so that no other column can have its address in memory.
    """

    address: Address = ()
    split: dict[WordKind, _Split]


_last = _Last()


def shared_words(texts: pa.LargeStringArray, kind: WordKind) -> Words:
    """The words of a column, split once for all filters that follow each other."""
    address = address_of(texts)
    if _last.address != address:
        _last.address, _last.split = address, {}
    if kind not in _last.split:
        _last.split[kind] = _Split(texts, words_in(texts, kind))
    return _last.split[kind].words


def quality_columns(texts: pa.LargeStringArray, definition: QualityDefinition) -> pa.RecordBatch:
    """The signals of gopher_quality by a definition."""
    words = shared_words(texts, definition.words)
    measured = quality_values(texts, words, *_quality_settings(definition))
    rows = {name: measured.row(name) for name in measured.names}
    if definition.counted_words is not None:
        firsts = shared_words(texts, definition.counted_words).firsts
        rows["words"] = (firsts[1:] - firsts[:-1]).astype(float)
    schema = definition.signals()
    return batch_of((rows[name] for name in schema.names), schema)


def repetition_columns(texts: pa.LargeStringArray, definition: RepetitionDefinition) -> pa.RecordBatch:
    """The signals of gopher_repetition by a definition."""
    words = shared_words(texts, definition.words)
    measured = repetition_values(texts, words, _repetition_settings(definition))
    schema = definition.signals()
    return batch_of(map(measured.row, schema.names), schema)


@cache
def _quality_settings(definition: QualityDefinition) -> tuple[QualitySettings, StopWords, Texts, Texts]:
    settings = QualitySettings(
        median=int(definition.word_length == "median"),
        in_bytes=int(definition.length_unit == "bytes"),
        count_punctuation=int(definition.count_punctuation),
        alpha_punctuation=int(definition.alpha_punctuation),
        symbol_punctuation=int(definition.symbol_punctuation),
        symbols=_SYMBOLS[definition.symbols],
        join_spaced=int(definition.join_spaced),
        breaks=BREAKS[definition.line_breaks],
        stripped=int(definition.strip_lines),
        bullet_kept=KEPT[definition.bullet_lines],
        ellipsis_kept=KEPT[definition.ellipsis_lines],
        ignore_case=int(definition.ignore_case),
        every_stop_word=int(definition.stop_words_counted == "all"),
    )
    stops = stop_table(definition.stop_words, definition.ignore_case)
    marks, bullets = _marks((*definition.ellipses, "#")), _marks(definition.bullets)
    return settings, stops, marks, bullets


def _marks(marks: tuple[str, ...]) -> Texts:
    return text_buffers(pa.array(marks, pa.large_string()))


@cache
def _repetition_settings(definition: RepetitionDefinition) -> RepetitionSettings:
    return RepetitionSettings(
        in_bytes=int(definition.length_unit == "bytes"),
        line_breaks=BREAKS[definition.line_breaks],
        line_kept=KEPT[definition.lines],
        paragraph_breaks=BREAKS[definition.paragraph_breaks],
        paragraph_kept=KEPT[definition.paragraphs],
        stripped=int(definition.strip_pieces),
        all_pieces=int(definition.duplicate_pieces == "all"),
        pieces_over=_OVER[definition.pieces_over],
        top_once=int(definition.top_least == 1),
        top_longest=int(definition.top_ties == "longest"),
        top_counted=_TOP[definition.top_counted],
        spaces=int(definition.spaces),
        duplicates=_DUPLICATES[definition.duplicate_ngrams],
        ngrams_over=_OVER[definition.ngrams_over],
        short_is_one=int(definition.short_texts == "one"),
    )
