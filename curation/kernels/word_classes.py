"""The roles of characters in splitting text into words, sentences and lines: the flags of `WordTables.kinds`."""

import numpy as np
import numpy.typing as npt

from curation.kernels import unicode

ALPHA = 1 << 0
"""A letter of a script that the rules cover."""
LOWER = 1 << 1
"""Lower-case, or of a script without case."""
UPPER = 1 << 2
"""Upper-case, or of a script without case."""
DIGIT = 1 << 3
"""0 to 9."""
PREFIX = 1 << 4
"""Split from the start of a word."""
SUFFIX = 1 << 5
"""Split from the end of a word."""
QUOTE = 1 << 6
BEFORE_DOT = 1 << 7
"""A full stop after this character is split from the end of a word."""
ICON = 1 << 8
"""Splits a word inside: dingbats, emoji, the ellipsis."""
SPACE = 1 << 9
LINE_BREAK = 1 << 10
LETTER = 1 << 11
"""Any letter of Unicode."""
SYMBOL = 1 << 12
"""Punctuation and controls as in datatrove: a word of only such characters does not count as a word."""
PUNCTUATION = 1 << 13
"""Categories P* of Unicode."""
SENTENCE_END = 1 << 14
LINE_END = 1 << 15
"""Terminal punctuation of a line, as in FineWeb."""

_LATIN = (
    "41-5a 61-7a c0-d6 d8-f6 f8-1bf 1c4-2af 1d00-1d25 1d6b-1d77 1d79-1d9a 1e00-1eff 2c60-2c7b 2c7e-2c7f a722-a76f "
    "a771-a787 a78b-a78e a790-a7b9 a7fa ab30-ab5a ab60-ab64 ff21-ff3a ff41-ff5a"
)
_GREEK_CYRILLIC = (
    "386 388-38a 38c 38e-38f 391-3a9 3ac-3af 3b1-3c9 3cc-3ce 400-401 403-40a 40c-40d 410-451 453-45a 45c-45d 490-491 "
    "496-497 4a2-4a3 4ae-4af 4ba-4bb 4d8-4d9 4e8-4e9"
)
_UNCASED = (
    "591-5f4 fb1d-fb4f "  # Hebrew
    "620-64a 66e-6d5 6e5-6ff 750-77f 8a0-8bd fb50-fbb1 fbd3-fd3d fd50-fdc7 fdf0-fdfb fe70-fefc 1ee00-1eebb "  # Arabic
    "900-9ff b80-cff d80-dff 1200-137f "  # scripts of India, Sinhala, Ethiopic
    "1100-11ff ac00-d7af "  # Hangul
    "2e80-2fdf 2ff0-30ff 31c0-31ef 3200-4dbf 4e00-9fff f900-faff fe30-fe4f 1f200-1f2ff 20000-2a6df 2a700-2ebef "
    "2f800-2fa1f"  # Chinese and Japanese
)
_QUOTES = "22 27 2c 60 ab b4 bb 2018-201a 201c-201e 2329-232a 27e6-27e7 3008-3011 3014-3015 ff08-ff09"
_PUNCTUATION = (
    "21 23 26 28-2a 3a-3c 3e-3f 5b 5d 5f 7b 7d a1 b7 bf 60c 61b 61f 66a 6d4 964 2026 3001-3002 ff01 ff0c ff1a-ff1b "
    "ff1f ff5e"
)
_DASHES = "2013-2014"
_ONLY_PREFIX = "24-25 2b 3d a3 a5 a7 e3f 20a0-20bf fdfc"
_ONLY_BEFORE_DOT = "25 2b 2d 30-39 7c b2"
_SYMBOLS = (
    "0-8 b-1f 21-2f 3a-40 5b-60 7b-9f ab b4 bb 2013-2014 2019 201c-201e 2026 2236 2501 25ba 3001-3002 3008-300d "
    "3010-3011 ff05 ff08-ff09 ff0c ff11 ff1a-ff1b ff5e"
)
_SENTENCE_ENDS = (
    "21 2e 3f 589 61f 6d4 700-702 7f9 964-965 104a-104b 1362 1367-1368 166e 1735-1736 1803 1809 1944-1945 1aa8-1aab "
    "1b5a-1b5b 1b5e-1b5f 1c3b-1c3c 1c7e-1c7f 203c-203d 2047-2049 2e2e 2e3c 3002 a4ff a60e-a60f a6f3 a6f7 a876-a877 "
    "a8ce-a8cf a92f a9c8-a9c9 aa5d-aa5f aaf0-aaf1 abeb fe52 fe56-fe57 ff01 ff0e ff1f ff61 10a56-10a57 11047-11048 "
    "110be-110c1 11141-11143 111c5-111c6 111cd 111de-111df 11238-11239 1123b-1123c 112a9 1144b-1144c 115c2-115c3 "
    "115c9-115d7 11641-11642 1173c-1173e 11a42-11a43 11a9b-11a9c 11c41-11c42 16a6e-16a6f 16af5 16b37-16b38 16b44 1bc9f "
    "1da88"
)
_MORE_LINE_ENDS = (
    "61d-61e 837 839 83d-83e 17d4-17d6 17d9-17da 1b7d-1b7e 2e53-2e54 10f55-10f59 10f86-10f89 11944 11946 11ef7-11ef8 "
    "11f43-11f44 16e98"
)


def kinds_table() -> npt.NDArray[np.uint16]:
    """The flags of each code point."""
    classes = unicode.tables().classes
    kinds = np.zeros(unicode.CODE_POINTS, np.uint16)
    for ranges in (_LATIN, _GREEK_CYRILLIC, _UNCASED):
        unicode.flag(kinds, ranges, ALPHA)
    cased = kinds & ALPHA != 0
    kinds[cased & (classes & unicode.LOWER != 0)] |= LOWER
    kinds[cased & (classes & unicode.UPPER != 0)] |= UPPER
    unicode.flag(kinds, _UNCASED, LOWER | UPPER)
    kinds[classes & unicode.ICON != 0] |= PREFIX | SUFFIX | ICON
    unicode.flag(kinds, "2026", PREFIX | SUFFIX | ICON)
    unicode.flag(kinds, _QUOTES, QUOTE | PREFIX | SUFFIX | BEFORE_DOT)
    unicode.flag(kinds, _PUNCTUATION, PREFIX | SUFFIX | BEFORE_DOT)
    unicode.flag(kinds, _DASHES, PREFIX | SUFFIX)
    unicode.flag(kinds, _ONLY_PREFIX, PREFIX)
    unicode.flag(kinds, _ONLY_BEFORE_DOT, BEFORE_DOT)
    kinds[kinds & LOWER != 0] |= BEFORE_DOT
    unicode.flag(kinds, "30-39", DIGIT)
    for bit, flag in ((unicode.SPACE, SPACE), (unicode.LINE_BREAK, LINE_BREAK), (unicode.LETTER, LETTER)):
        kinds[classes & bit != 0] |= flag
    kinds[classes & unicode.PUNCTUATION != 0] |= PUNCTUATION
    unicode.flag(kinds, _SENTENCE_ENDS, SENTENCE_END | LINE_END | SYMBOL)
    unicode.flag(kinds, _MORE_LINE_ENDS, LINE_END | SYMBOL)
    unicode.flag(kinds, _SYMBOLS, SYMBOL)
    return kinds
