"""The tables agree with Python's own where its Unicode is as old as theirs; decoding undoes encoding."""

import unicodedata
from itertools import pairwise

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from numba import njit

from curation.kernels import unicode
from curation.kernels.buffers import text_buffers, text_column
from curation.kernels.unicode import decode, tables

CHARACTERS = [chr(point) for point in range(0x32000) if not 0xD800 <= point < 0xE000]
KNOWN = [character for character in CHARACTERS if unicodedata.category(character) != "Cn"]


def has(character: str, flag: int) -> bool:
    return bool(tables().classes[ord(character)] & flag)


def test_classes_are_pythons() -> None:
    for character in CHARACTERS:
        assert has(character, unicode.SPACE) == character.isspace(), ascii(character)
        assert has(character, unicode.LINE_BREAK) == (len(f"a{character}b".splitlines()) == 2), ascii(character)
    for character in map(chr, range(0x3000)):  # below, no character was added since Unicode 14 but a few
        category = unicodedata.category(character)
        if category == "Cn" or not has(character, 0xFFFF):
            continue
        assert has(character, unicode.LETTER) == character.isalpha(), ascii(character)
        assert has(character, unicode.NUMBER) == category.startswith("N"), ascii(character)
        assert has(character, unicode.PUNCTUATION) == category.startswith("P"), ascii(character)
        word = category[0] in "LNM" or character == "_"
        assert has(character, unicode.WORD) == word, ascii(character)


def test_lower_case_is_pythons() -> None:
    lower = tables().lower
    for character in map(chr, range(0x1C80)):
        if len(character.lower()) == 1:
            assert chr(lower[ord(character)]) == character.lower()
    assert chr(lower[ord("\U00010400")]) == "\U00010428"


def test_scripts_without_spaces() -> None:
    assert all(has(character, unicode.SPACELESS) for character in "漢字ひらカタกำລາວမြန်ភាសា々ㄅ")
    assert not any(has(character, unicode.SPACELESS) for character in "aé한яא१123๑。、_ \U0001f600")


@njit
def _decode_all(data, size):  # type: ignore[no-untyped-def]
    points = np.empty(size, np.uint32)
    count = i = 0
    while i < data.shape[0]:
        points[count], i = decode(data, i)
        count += 1
    return points[:count]


@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_decoding_undoes_encoding(text: str) -> None:
    data = np.frombuffer(text.encode(), np.uint8)
    assert _decode_all(data, len(data)).tolist() == [ord(character) for character in text]


@given(st.lists(st.text(max_size=8), max_size=6), st.integers(0, 3), st.integers(0, 6), st.booleans())
def test_buffers_of_a_slice(texts: list[str], start: int, length: int, wide: bool) -> None:
    column = pa.array(texts, pa.large_string() if wide else pa.string()).slice(start, length)
    data, offsets = text_buffers(column)
    assert [bytes(data[i:j]).decode() for i, j in pairwise(offsets)] == column.to_pylist()
    assert not data.flags.writeable
    assert not offsets.flags.writeable
    assert text_column(data, offsets).to_pylist() == column.to_pylist()
