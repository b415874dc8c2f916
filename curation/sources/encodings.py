"""The encodings of the web, by label, and their decoders, as in the WHATWG Encoding Standard.

Python's codecs do most of the work. This module adds what they lack or map otherwise than the standard's indexes, and
the number of bytes that a bad sequence takes, which decides whether its neighbours survive. Encodings have their Python
names. Source: https://encoding.spec.whatwg.org, indexes of 2024-09-18.
"""

import codecs
import re
from collections.abc import Callable, Mapping

from resiliparse.parse.encoding import map_encoding_to_html5

REPLACEMENT = "replacement"
"""Name for the encodings that the standard refuses to decode (ISO-2022-KR, ISO-2022-CN, HZ)."""

_REPLACED = ("csiso2022kr", "hz-gb-2312", "iso-2022-cn", "iso-2022-cn-ext", "iso-2022-kr", "replacement")
_UNKNOWN_TO_RESILIPARSE = {
    "x-mac-cyrillic": "mac-cyrillic",
    "x-mac-ukrainian": "mac-cyrillic",
    "x-user-defined": "x-user-defined",
    **dict.fromkeys(_REPLACED, REPLACEMENT),
}
_SINGLE_BYTE_CODECS = {"iso8859-11": "cp874"}


def encoding_of(label: str) -> str | None:
    """The encoding of a label, or None if the standard does not know the label.

    >>> encoding_of(" KS_C_5601-1987"), encoding_of("latin1"), encoding_of("hz-gb-2312"), encoding_of("klingon")
    ('euc_kr', 'cp1252', 'replacement', None)
    """
    label = label.strip("\t\n\f\r ").lower()
    return _UNKNOWN_TO_RESILIPARSE.get(label) or map_encoding_to_html5(label, False)


def decode_as(data: bytes, encoding: str) -> str:
    """Decodes bytes, with U+FFFD for each bad sequence.

    ``encoding`` is a name that `encoding_of` returns, other than REPLACEMENT.
    """
    if encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        return data.decode(encoding, "replace")
    if decoder := MULTI_BYTE.get(encoding):
        return decoder(data)
    return _by_table(data, _single_byte_table(encoding))


_tables: dict[str, str] = {}


def _single_byte_table(encoding: str) -> str:
    """The character of each of the 256 bytes; U+FFFE for a byte that the encoding does not use."""
    table = _tables.get(encoding)
    if table is None:
        if encoding == "x-user-defined":
            table = bytes(range(128)).decode() + "".join(map(chr, range(0xF780, 0xF800)))
        else:
            codec = _SINGLE_BYTE_CODECS.get(encoding, encoding)
            table = bytes(range(256)).decode(codec, "replace").replace("\ufffd", "\ufffe")
        if encoding.startswith("cp") or encoding in _SINGLE_BYTE_CODECS:  # a byte without a character is a control
            table = "".join(chr(n) if n < 0xA0 and char == "\ufffe" else char for n, char in enumerate(table))
        table = table.translate({"koi8-u": {0x255D: 0x45E, 0x256C: 0x40E}}.get(encoding, {}))
        if encoding == "cp1255":
            table = table[:0xCA] + "\u05ba" + table[0xCB:]
        _tables[encoding] = table
    return table


def _bad_bytes(data: bytes, start: int) -> int:
    """Length of a bad sequence of a two-byte encoding: a second byte that is ASCII is read again."""
    return 2 if start + 1 < len(data) and data[start + 1] >= 0x80 else 1


Decoder = Callable[[bytes], str]


def _decoder(
    codec: str, replace: Callable[[bytes, int], tuple[str, int]], fixes: Mapping[int, int | str] | None = None
) -> Decoder:
    """A decoder by one of Python's codecs. ``replace`` returns the text and the length of a bad sequence; ``fixes`` are
    the characters that the standard decodes otherwise than the codec."""

    def handle(error: UnicodeError) -> tuple[str, int]:
        assert isinstance(error, UnicodeDecodeError)
        text, size = replace(error.object, error.start)
        return text, min(error.start + size, len(error.object))

    name = f"gristmill-{codec}"
    codecs.register_error(name, handle)
    return lambda data: data.decode(codec, name) if fixes is None else data.decode(codec, name).translate(fixes)


def _replace_euc_kr(data: bytes, start: int) -> tuple[str, int]:
    return "\ufffd", 1 if data[start] in b"\x80\xff" else _bad_bytes(data, start)


_GB18030_FIXES = str.maketrans(
    "\ue5e5\ue78d\ue78e\ue78f\ue790\ue791\ue792\ue793\ue794\ue795\ue796\ue7c7"
    "\ue81e\ue826\ue82b\ue82c\ue832\ue843\ue854\ue864",
    "\u3000\ufe10\ufe12\ufe11\ufe13\ufe14\ufe15\ufe16\ufe17\ufe18\ufe19\u1e3f"
    "\u9fb4\u9fb5\u9fb6\u9fb7\u9fb8\u9fb9\u9fba\u9fbb",
)
_DIGITS = b"0123456789"


def _replace_gb18030(data: bytes, start: int) -> tuple[str, int]:
    if data[start] == 0x80:
        return "€", 1
    if data[start] == 0xFF:
        return "\ufffd", 1
    four = data[start : start + 4]
    if four[1:2] and four[1] in _DIGITS:
        whole = all(a <= b <= c for a, b, c in zip(b"\x81\x30\x81\x30", four, b"\xfe\x39\xfe\x39", strict=False))
        return "\ufffd", 4 if whole else 1
    return "\ufffd", _bad_bytes(data, start)


_BIG5_FIXES = str.maketrans("•､‾∼♁☉¥¢£", "‧﹑¯～⊕⊙￥￠￡")
_BIG5_CODES = bytes.fromhex(
    "877a877b877c877d877e87a187a287a387a487a587a687a787a887a987aa87ab87ac87ad87ae87af87b087b187b287b387b487b587b687b7"
    "87b887b987ba87bb87bc87bd87be87bf87c087c187c287c387c487c587c687c787c887c987ca87cb87cc87cd87ce87cf87d087d187d287d3"
    "87d487d587d687d787d887d987da87db87dc87dd87de87df8e698e6f8e7e8eab8eb48ecd8ed08f578f698f6e8fcb8fcc8ffe906d907a90dc"
    "90f191bf924492af92b092b192b292c892d1944794ca95d9964496ed96fc9b769b789b7b9bc69bde9bec9bf69c429c539c629c689c6b9c77"
    "9cbc9cbd9cd09d579d5a9dc49ea99eef9efd9f609f669fcb9fd8a063a077a0d5a0dfa0e4a3c0a3c1a3c2a3c3a3c4a3c5a3c6a3c7a3c8a3c9"
    "a3caa3cba3cca3cda3cea3cfa3d0a3d1a3d2a3d3a3d4a3d5a3d6a3d7a3d8a3d9a3daa3dba3dca3dda3dea3dfa3e0a3e1c6cfc6d3c6d5c6d7"
    "c6dec6dffa5ffa66fabdfac5fad5fb48fbb8fbf3fbf9fc4ffc6cfcb9fce2fcf1fdb7fdb8fdbbfdf1fe52fe6ffeaafedd"
)
_BIG5_CHARACTERS = (
    "㡵𡵓𣚞𦀡㻬𥣞㫵竼龗𤅡𨤍𣇪𠪊𣉞䌊蒄龖鐯䤰蘓墖靊鈘秐稲晠権袝瑌篅枂稬剏遆㓦珄𥶹瓆鿇垳䤯呌䄱𣚎堘穲𧭥讏䚮𦺈"
    "䆁𥶙箮𢒼鿈𢓁𢓉𢓌鿉蔄𣖻䂴鿊䓡𪷿拁灮鿋箸簆糎緒縝者耨菁蒨萏覦覩起都銹靜響鼖蔃兙兛兝兞鍮瑹浧禛邗靝瀞嬨爁"
    "矗纇駖釔惞澶輶侻營鄄鷰菏尐秣婧輋筑拐恢痹汊鬮鼗僭弌蠏拎瑨煢牐␀␁␂␃␄␅␆␇␈␉␊␋␌␍␎␏␐␑␒␓"
    "␔␕␖␗␘␙␚␛␜␝␞␟␡€廴无癶隶〃仝倩偽包卄卿嘅婷幵廐彘悤撐晴杞沜渝港煮猪瑜瓩砉"
)
_BIG5_MISSING = {_BIG5_CODES[2 * n : 2 * n + 2]: character for n, character in enumerate(_BIG5_CHARACTERS)}
"""Characters of the standard's index that Python's codec lacks."""


def _replace_big5(data: bytes, start: int) -> tuple[str, int]:
    if character := _BIG5_MISSING.get(data[start : start + 2]):
        return character, 2
    return "\ufffd", 1 if data[start] in b"\x80\xff" else _bad_bytes(data, start)


_SHIFT_JIS_FIXES = str.maketrans(dict.fromkeys("\uf8f0\uf8f1\uf8f2\uf8f3", "\ufffd"))


def _replace_shift_jis(data: bytes, start: int) -> tuple[str, int]:
    return "\ufffd", _bad_bytes(data, start)


def _replace_euc_jp(data: bytes, start: int) -> tuple[str, int]:
    if 0xA1 <= data[start] <= 0xFE:
        return _by_shift_jis(data[start : start + 2]) or "\ufffd", _bad_bytes(data, start)
    if data[start] == 0x8F and data[start + 1 : start + 2] > b"\xa0" and data[start + 1] < 0xFF:
        return "\ufffd", 1 + _bad_bytes(data, start + 1)
    return "\ufffd", _bad_bytes(data, start) if data[start] in b"\x8e\x8f" else 1


def _by_shift_jis(pair: bytes) -> str | None:
    """A character of the rows that NEC and IBM added, which Python has only in Shift_JIS; None for a bad pair."""
    if len(pair) < 2 or not 0xA1 <= pair[1] <= 0xFE:
        return None
    row, cell = pair[0] - 0xA1, pair[1] - 0xA1
    lead, trail = row // 2, cell + 94 * (row % 2)
    lead += 0x81 if lead < 0x1F else 0xC1
    trail += 0x40 if trail < 0x3F else 0x41
    try:
        return bytes((lead, trail)).decode("cp932")
    except UnicodeDecodeError:
        return None


_BY_EUC_JP = _decoder("euc_jp", _replace_euc_jp, str.maketrans("〜‖−¢£¬", "～∥－￠￡￢"))


def _decode_euc_jp(data: bytes) -> str:
    return _BY_EUC_JP(data.replace(b"\x8f\xa2\xb7", b"\xa1\xc1"))  # two codes of U+FF5E; Python takes the first for "~"


_ESCAPE = re.compile(rb"\x1b(\(B|\(J|\(I|\$@|\$B)")
_PAIRS = re.compile(rb"((?:[\x21-\x7e]{2})+)|[\x21-\x7e]?[^\x21-\x7e]|[\x21-\x7e]\Z")
_HIGH_BIT = bytes(n | 0x80 for n in range(256))
_ASCII = bytes(range(128)).decode().translate(dict.fromkeys((0x0E, 0x0F, 0x1B), "\ufffe"))
_ROMAN = _ASCII.translate({0x5C: "¥", 0x7E: "‾"})
_KATAKANA = "\ufffe" * 0x21 + "".join(map(chr, range(0xFF61, 0xFFA0)))
_ONE_BYTE_SETS = {b"(B": _ASCII, b"(J": _ROMAN, b"(I": _KATAKANA}


def _decode_iso_2022_jp(data: bytes) -> str:
    first, *rest = _ESCAPE.split(data)
    pieces = [_by_table(first, _ASCII)]
    for escape, segment in zip(rest[::2], rest[1::2], strict=True):
        if table := _ONE_BYTE_SETS.get(escape):
            pieces.append(_by_table(segment, table))
        else:
            pieces += (
                _decode_euc_jp(run[1].translate(_HIGH_BIT)) if run[1] else "\ufffd" for run in _PAIRS.finditer(segment)
            )
    return "".join(pieces)


def _by_table(data: bytes, table: str) -> str:
    return codecs.charmap_decode(data, "replace", table)[0]


_GB18030 = _decoder("gb18030", _replace_gb18030, _GB18030_FIXES)
MULTI_BYTE: dict[str, Decoder] = {
    "big5": _decoder("big5hkscs", _replace_big5, _BIG5_FIXES),
    "euc_jp": _decode_euc_jp,
    "euc_kr": _decoder("cp949", _replace_euc_kr),
    "gb18030": _GB18030,
    "gbk": _GB18030,
    "iso2022_jp": _decode_iso_2022_jp,
    "shift_jis": _decoder("cp932", _replace_shift_jis, _SHIFT_JIS_FIXES),
}
"""Decoders of the encodings with more than one byte per character."""
