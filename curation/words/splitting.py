"""Splits the texts of a column into words, by the kernels' definitions of a word or by a library for one language."""

import re
from collections.abc import Iterator
from itertools import accumulate
from typing import Literal, cast, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.kernels import word_breaks
from curation.kernels.buffers import text_buffers
from curation.kernels.word_splitters import WordKind as KernelWordKind
from curation.kernels.word_splitters import Words, find_english_words
from curation.kernels.word_splitters import words_in as kernel_words
from curation.kernels.word_tables import spaced_tables
from curation.words.libraries import Library, Span, spans

WordKind = Literal[KernelWordKind, "spaced", "elided", "syllables", Library]
"""What a word is: as the kernels define it, or

- ``spaced``: as ``spacy_en`` without English contractions, abbreviations and emoticons: for languages with spaces;
- ``elided``: as ``spaced``, and cut after an apostrophe between letters: for French, Italian and Catalan;
- ``syllables``: of Tibetan, Burmese and Shan, for which no library carries its dictionary; other scripts are split at
  white space;
- ``jieba`` (Chinese), ``sudachi`` (Japanese), ``pythainlp`` (Thai), ``khmercut`` (Khmer), ``laonlp`` (Lao), ``kiwi``
  (morphemes of Korean): the words of these libraries, the extra ``languages``.
"""
WORD_KINDS: tuple[str, ...] = get_args(WordKind)

_MYANMAR = "\u1000-\u1021\u103f\u1050\u1051\u105a-\u105d\u1061\u1065\u1066\u106e-\u1070\u1075-\u1081"
"""Consonants of the Myanmar script."""
_MARKS = (
    "\u102b-\u1038\u103a-\u103e\u1056-\u1059\u105e-\u1060\u1062-\u1064\u1067-\u106d\u1071-\u1074\u1082-\u108d\u108f"
)
_SYLLABLE = re.compile(
    "[\u0f00-\u0f0a\u0f15-\u0fff]+\u0f0b?|[\u0f0b-\u0f14]+|"  # Tibetan: up to its tsheg, which belongs to the syllable
    # Burmese: a consonant with its marks, consonants stacked below it, and a final consonant (one that is killed)
    f"[{_MYANMAR}](?:\u1039[{_MYANMAR}]|[{_MYANMAR}](?=\u1037?\u103a|\u1039)|[{_MARKS}])*|"
    "[\u1040-\u1049]+|[\u1022-\u109f]|[^\\s\u0f00-\u109f]+"
)


def words_in(texts: pa.Array, kind: str) -> Words:
    """The words of each text of a string column, by a kind of WORD_KINDS; a null has none.

    Raises UserError if the library of ``kind`` is not installed.

    >>> words_in(pa.array(["L'été. Was it 3km?"]), "spaced").firsts.tolist()
    [0, 7]
    """
    if kind in get_args(KernelWordKind):
        return kernel_words(texts, cast(KernelWordKind, kind))
    if kind in ("spaced", "elided"):
        data, offsets = text_buffers(texts)
        words = Words(*find_english_words(data, offsets, *spaced_tables(), word_breaks.break_table()))
        return words if kind == "spaced" else _cut_at_apostrophes(data, words)
    return _located(texts, kind)


def _cut_at_apostrophes(data: npt.NDArray[np.uint8], words: Words) -> Words:
    """Cuts words after an apostrophe (straight or curly) that is between two letters."""
    letters = (data >= 0x80) | ((data | 0x20) - np.uint8(0x61) < 26)
    straight = np.flatnonzero(data[1:-1] == 0x27) + 1
    curly = np.flatnonzero((data[1:-3] == 0xE2) & (data[2:-2] == 0x80) & (data[3:-1] == 0x99)) + 1
    marks = np.concatenate([straight, curly])
    cuts = np.concatenate([straight + 1, curly + 3])
    order = np.argsort(cuts)
    marks, cuts = marks[order], cuts[order]
    of = np.searchsorted(words.starts, cuts, "right") - 1
    known = np.append(words.starts, 0)[of], np.append(words.ends, 0)[of]  # of is -1 before the first word
    inside = letters[marks - 1] & letters[cuts] & (of >= 0) & (known[0] < marks) & (cuts < known[1])
    cuts, of = cuts[inside], of[inside]
    return Words(
        words.firsts + np.searchsorted(of, words.firsts),
        np.sort(np.concatenate([words.starts, cuts])),
        np.sort(np.concatenate([words.ends, cuts])),
    )


def _located(texts: pa.Array, kind: str) -> Words:
    """The words that Python code finds in each text."""
    offsets = text_buffers(texts)[1]
    firsts, starts, ends = [0], list[int](), list[int]()
    for text, offset in zip(texts.to_pylist(), offsets.tolist(), strict=False):
        found = list(_syllables(text) if kind == "syllables" else spans(kind, text)) if text else []
        places = _byte_places(text or "", offset)
        starts += [places[start] for start, _ in found]
        ends += [places[end] for _, end in found]
        firsts.append(len(starts))
    return Words(np.array(firsts, np.int64), np.array(starts, np.int64), np.array(ends, np.int64))


def _byte_places(text: str, offset: int) -> list[int]:
    """The index in the column's bytes of each character, and of the end of the text."""
    if text.isascii():
        return list(range(offset, offset + len(text) + 1))
    return list(accumulate((len(character.encode()) for character in text), initial=offset))


def _syllables(text: str) -> Iterator[Span]:
    """The syllables of a text.

    >>> text = "ང་ཚོས་ မြန်မာနိုင်ငံ 12"
    >>> [text[start:end] for start, end in _syllables(text)]
    ['ང་', 'ཚོས་', 'မြန်', 'မာ', 'နိုင်', 'ငံ', '12']
    """
    return (match.span() for match in _SYLLABLE.finditer(text))
