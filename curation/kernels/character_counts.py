"""Counts of kinds of characters and of words, and lengths of lines."""

from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.kernels import unicode
from curation.kernels.buffers import text_buffers
from curation.kernels.compiled import kernel
from curation.kernels.lines import count_characters, line_end, strip
from curation.kernels.unicode import decode
from curation.kernels.word_tables import word_tables

LETTER, NUMBER, DIGIT, CAPITAL, SPACE, BRACKET = (1 << bit for bit in range(6))
CHARACTERS = ("characters", "stripped", "letter", "number", "digit", "capital", "space", "bracket")
"""Rows of `character_counts`."""
LINES = ("lines", "longest", "line_characters", "long")
"""Rows of `line_lengths`."""
WORDS = ("words", "longest")
"""Rows of `word_lengths`."""
_DECIMALS = (
    "30-39 660-669 6f0-6f9 7c0-7c9 966-96f 9e6-9ef a66-a6f ae6-aef b66-b6f be6-bef c66-c6f ce6-cef d66-d6f de6-def "
    "e50-e59 ed0-ed9 f20-f29 1040-1049 1090-1099 17e0-17e9 1810-1819 1946-194f 19d0-19d9 1a80-1a89 1a90-1a99 1b50-1b59 "
    "1bb0-1bb9 1c40-1c49 1c50-1c59 a620-a629 a8d0-a8d9 a900-a909 a9d0-a9d9 a9f0-a9f9 aa50-aa59 abf0-abf9 ff10-ff19 "
    "104a0-104a9 10d30-10d39 11066-1106f 110f0-110f9 11136-1113f 111d0-111d9 112f0-112f9 11450-11459 114d0-114d9 "
    "11650-11659 116c0-116c9 11730-11739 118e0-118e9 11950-11959 11c50-11c59 11d50-11d59 11da0-11da9 16a60-16a69 "
    "16ac0-16ac9 16b50-16b59 1d7ce-1d7ff 1e140-1e149 1e2f0-1e2f9 1e950-1e959 1fbf0-1fbf9"
)
_OTHER_DIGITS = (
    "b2-b3 b9 1369-1371 19da 2070 2074-2079 2080-2089 2460-2468 2474-247c 2488-2490 24ea 24f5-24fd 24ff 2776-277e "
    "2780-2788 278a-2792 10a40-10a43 10e60-10e68 11052-1105a 1f100-1f10a"
)
"""Superscripts, and digits in circles, parentheses and before full stops."""
_OTHER_CAPITALS = "1f130-1f149 1f150-1f169 1f170-1f189"
_BRACKETS = "28-29 5b 5d 7b 7d 27e8-27e9"


@cache
def character_kinds() -> npt.NDArray[np.uint8]:
    """The flags of each code point: letters and numbers of Unicode, digits and capitals as `str.isdigit` and
    `str.isupper` tell them, white space, and brackets of four kinds."""
    classes = unicode.tables().classes
    kinds = np.zeros(unicode.CODE_POINTS, np.uint8)
    for source, flag in (
        (unicode.LETTER, LETTER),
        (unicode.NUMBER, NUMBER),
        (unicode.UPPER, CAPITAL),
        (unicode.SPACE, SPACE),
    ):
        kinds[classes & source != 0] |= flag
    for ranges, flag in (
        (_DECIMALS, DIGIT),
        (_OTHER_DIGITS, DIGIT),
        (_OTHER_CAPITALS, CAPITAL),
        (_BRACKETS, BRACKET),
    ):
        unicode.flag(kinds, ranges, flag)
    kinds.flags.writeable = False
    return kinds


@kernel
def _count_characters(data, offsets, kinds, classes, out):
    tally = np.zeros(6, np.int64)
    for d in range(offsets.shape[0] - 1):
        i, end = offsets[d], offsets[d + 1]
        first, last = strip(data, i, end, kinds)
        out[0, d] = count_characters(data, i, end)
        out[1, d] = count_characters(data, first, last)
        tally[:] = 0
        while i < end:
            point, i = decode(data, i)
            flags = classes[point]
            for bit in range(6):
                tally[bit] += (flags >> bit) & 1
        out[2:, d] = tally


@kernel
def _measure_lines(data, offsets, kinds, long, out):
    for d in range(offsets.shape[0] - 1):
        i, end = offsets[d], offsets[d + 1]
        lines = longest = total = wide = 0
        while i < end:
            stop, following = line_end(data, i, end, kinds)
            length = count_characters(data, i, stop)
            lines += 1
            total += length
            longest = max(longest, length)
            wide += length >= long
            i = following
        out[0, d], out[1, d], out[2, d], out[3, d] = lines, longest, total, wide


@kernel
def _measure_words(data, offsets, classes, out):
    for d in range(offsets.shape[0] - 1):
        i, end = offsets[d], offsets[d + 1]
        words = longest = length = 0
        while i < end:
            point, i = decode(data, i)
            if classes[point] & SPACE:
                length = 0
                continue
            words += length == 0
            length += 1
            longest = max(longest, length)
        out[0, d], out[1, d] = words, longest


def character_counts(texts: pa.LargeStringArray) -> dict[str, npt.NDArray[np.int64]]:
    """The number of characters of each text, without the white space at its ends, and of each kind."""
    data, offsets = text_buffers(texts)
    out = np.empty((len(CHARACTERS), len(texts)), np.int64)
    _count_characters(data, offsets, word_tables().kinds, character_kinds(), out)
    return dict(zip(CHARACTERS, out, strict=True))


def line_lengths(texts: pa.LargeStringArray, long: int) -> dict[str, npt.NDArray[np.int64]]:
    """The number of lines of each text (as in `str.splitlines`), the characters of the longest and of all, and the
    number of lines of at least ``long`` characters."""
    data, offsets = text_buffers(texts)
    out = np.empty((len(LINES), len(texts)), np.int64)
    _measure_lines(data, offsets, word_tables().kinds, long, out)
    return dict(zip(LINES, out, strict=True))


def word_lengths(texts: pa.LargeStringArray) -> dict[str, npt.NDArray[np.int64]]:
    """The number of words of each text between white space, and the characters of the longest."""
    data, offsets = text_buffers(texts)
    out = np.empty((len(WORDS), len(texts)), np.int64)
    _measure_words(data, offsets, character_kinds(), out)
    return dict(zip(WORDS, out, strict=True))
