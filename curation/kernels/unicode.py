"""Tables of code points for kernels, and decoding of UTF-8.

Categories are those of Unicode 14 (`categories.py`), case is Arrow's; neither depends on the running Python.
"""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from numba import uint32

from curation.kernels import categories
from curation.kernels.compiled import inline

LETTER = 1 << 0
"""Categories L*."""
NUMBER = 1 << 1
"""Categories N*."""
WORD = 1 << 2
"""Letters, numbers, underscore and combining marks."""
LOWER = 1 << 3
UPPER = 1 << 4
SPACE = 1 << 5
"""White space, as in `str.isspace`."""
PUNCTUATION = 1 << 6
"""Categories P*."""
SPACELESS = 1 << 7
"""Letters and marks of scripts without spaces between words: in shingles, each is a word."""
LINE_BREAK = 1 << 8
"""Line ends, as in `str.splitlines`."""
ICON = 1 << 9
"""Category So: dingbats, emoji, arrows and the like."""

CODE_POINTS = 0x110000
_CASED = (range(0x3000), range(0xA600, 0xAC00), range(0xFB00, 0xFFFE), range(0x10400, 0x1EA00))
"""Ranges that contain all upper- and lower-case letters."""

_SPACES = "9-d 1c-20 85 a0 1680 2000-200a 2028-2029 202f 205f 3000"
_LINE_BREAKS = "a-d 1c-1e 85 2028-2029"
_SPACELESS = (
    "e00-eff "  # Thai, Lao
    "1000-109f a9e0-a9ff aa60-aa7f "  # Myanmar
    "1780-17ff "  # Khmer
    "1950-19df 1a20-1aaf aa80-aadf "  # Tai Le, New Tai Lue, Tai Tham, Tai Viet
    "1b00-1b7f a980-a9df "  # Balinese, Javanese
    "3005-3007 3021-3029 3031-303c "  # Han iteration marks, numerals, kana repeat marks
    "3040-30ff 31f0-31ff 1b000-1b16f ff66-ff9f "  # Hiragana, Katakana
    "3100-312f 31a0-31bf "  # Bopomofo
    "3400-4dbf 4e00-9fff f900-faff 20000-3ffff "  # Han
    "a000-a48f"  # Yi
)


class Tables(NamedTuple):
    """Tables of all code points; read-only."""

    classes: npt.NDArray[np.uint16]
    """The flags of each code point, such as `LETTER | WORD | LOWER`."""
    lower: npt.NDArray[np.uint32]
    """The lower-case code point of each code point."""


def flag(classes: npt.NDArray[Any], ranges: str, bit: int) -> None:
    """Sets a bit for ranges of code points, as written in `categories.py`."""
    for item in ranges.split():
        first, _, last = item.partition("-")
        classes[int(first, 16) : int(last or first, 16) + 1] |= bit


@cache
def tables() -> Tables:
    """The tables, made once per process (about 10 ms)."""
    classes = np.zeros(CODE_POINTS, np.uint16)
    flag(classes, categories.LETTERS, LETTER | WORD)
    flag(classes, categories.NUMBERS, NUMBER | WORD)
    flag(classes, categories.MARKS, WORD)
    flag(classes, "5f", WORD)
    spaceless = np.zeros(CODE_POINTS, np.uint16)
    flag(spaceless, _SPACELESS, SPACELESS)
    spaceless[(classes & WORD) == 0] = 0
    spaceless[0xE50:0xE5A] = spaceless[0xED0:0xEDA] = 0  # Thai and Lao digits make numbers
    classes |= spaceless
    flag(classes, categories.PUNCTUATION, PUNCTUATION)
    flag(classes, categories.OTHER_SYMBOLS, ICON)
    flag(classes, _SPACES, SPACE)
    flag(classes, _LINE_BREAKS, LINE_BREAK)

    lower = np.arange(CODE_POINTS, dtype=np.uint32)
    for cased in _CASED:
        part = slice(cased.start, cased.stop)
        characters = _characters(np.arange(cased.start, cased.stop, dtype="<u4"))
        classes[part] |= _truth(pc.utf8_is_lower(characters)) * np.uint16(LOWER)
        classes[part] |= _truth(pc.utf8_is_upper(characters)) * np.uint16(UPPER)
        lower[part] = np.frombuffer(_joined(pc.utf8_lower(characters)).decode().encode("utf-32-le"), "<u4")
    for table in (classes, lower):
        table.flags.writeable = False
    return Tables(classes, lower)


def _characters(points: npt.NDArray[np.uint32]) -> pa.LargeStringArray:
    """One string per code point."""
    data = points.tobytes().decode("utf-32-le").encode()
    widths = 1 + (points >= 0x80) + (points >= 0x800) + (points >= 0x10000)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(widths)])
    return pa.LargeStringArray.from_buffers(len(points), pa.py_buffer(offsets), pa.py_buffer(data))


def _truth(array: pa.BooleanArray) -> npt.NDArray[np.bool_]:
    return np.asarray(array.to_numpy(zero_copy_only=False))


def _joined(array: pa.LargeStringArray) -> bytes:
    """The bytes of all strings of an array made by Arrow (it starts at 0)."""
    end = int(np.frombuffer(array.buffers()[1], np.int64)[len(array)])
    return array.buffers()[2].slice(0, end).to_pybytes()


@inline
def decode(data, i):
    """The code point that starts at data[i] (valid UTF-8) and the index after it."""
    byte = uint32(data[i])
    if byte < 0x80:
        return byte, i + 1
    if byte < 0xE0:
        return uint32(((byte & 0x1F) << 6) | (data[i + 1] & 0x3F)), i + 2
    if byte < 0xF0:
        return uint32(((byte & 0x0F) << 12) | ((data[i + 1] & 0x3F) << 6) | (data[i + 2] & 0x3F)), i + 3
    return (
        uint32(
            ((byte & 0x07) << 18) | ((data[i + 1] & 0x3F) << 12) | ((data[i + 2] & 0x3F) << 6) | (data[i + 3] & 0x3F)
        ),
        i + 4,
    )
