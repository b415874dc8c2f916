"""Encodings of the web: the published indexes to the last character, and damage that costs itself alone."""

import hashlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.sources.encodings import decode_as, encoding_of

SINGLE_BYTE = [
    "ibm866", *(f"iso-8859-{n}" for n in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)), "koi8-r", "koi8-u", "macintosh",
    "windows-874", *(f"windows-{n}" for n in range(1250, 1259)), "x-mac-cyrillic",
]  # fmt: skip
TEXTS = {
    "utf-8": "Die Mühle dreht sich im Fluß – für 水车 und 🌾.\n",
    "utf-16-le": "Die Mühle dreht sich im Fluß – für 水车 und 🌾.\n",
    "utf-16-be": "Die Mühle dreht sich im Fluß – für 水车 und 🌾.\n",
    "gbk": "水车在河里转动，石磨把谷物磨成面粉。 磨坊主€很早起来\n打开水闸。\n",
    "gb18030": "水车在河里转动，石磨把谷物磨成面粉。 𠀀 磨坊主\n很早起来。\n",
    "big5": "水車在河裡轉動，石磨把穀物磨成麵粉。 嘅 磨坊主\n打開水閘。\n",
    "euc_jp": "水車は川の流れで回り、石臼が①小麦を 髙 ﾌﾝ\n粉にひきます。丂\n",
    "shift_jis": "水車は川の流れで回り、石臼が①小麦を 髙 ﾌﾝ\n粉にひきます。\n",
    "iso2022_jp": "水車は川の流れで回り\n石臼が①小麦を粉にひきます\n",
    "euc_kr": "물레방아는 강에서 돌고 똠방각하 맷돌은\n곡식을 갈아 가루로 만든다.\n",
    "koi8-r": "Мельница стоит на реке\n",
    "cp1251": "Мельница стоит на реке\n",
    "cp1252": "Die Mühle – “alt”\n",
    "cp1255": "הטחנה עומדת ליד הנהר\n",
    "iso8859-11": "โรงสี “ข้าว”\n",
}
CODECS = {
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "iso8859-11": "cp874",
}


def _euc_jp(text: str) -> bytes:
    """As browsers encode; what Python's codec lacks, from Shift_JIS (JIS X 0208 with the rows of NEC and IBM)."""
    return b"".join(map(_euc_jp_character, text))


def _euc_jp_character(char: str) -> bytes:
    if char in "①髙":
        return {"①": b"\xad\xa1", "髙": b"\xfc\xe2"}[char]
    return char.encode("euc_jp")


def _iso_2022_jp(text: str) -> bytes:
    lines = (bytes(byte & 0x7F for byte in _euc_jp(line)) for line in text.split("\n")[:-1])
    return b"".join(b"\x1b$B" + line + b"\x1b(B\n" for line in lines)


def encoded(name: str) -> bytes:
    """The text of this encoding as bytes."""
    special: dict[str, Callable[[str], bytes]] = {"euc_jp": _euc_jp, "iso2022_jp": _iso_2022_jp}
    if name == "big5":
        return b"\xfb\x48".join(part.encode("big5hkscs") for part in TEXTS[name].split("嘅"))
    return special[name](TEXTS[name]) if name in special else TEXTS[name].encode(CODECS.get(name, name))


@pytest.mark.parametrize(
    ("label", "encoding"),
    [
        (" UTF-8\n", "utf-8"), ("unicode-1-1-utf-8", "utf-8"), ("ascii", "cp1252"), ("ISO-8859-1", "cp1252"),
        ("latin1", "cp1252"), ("iso-8859-9", "cp1254"), ("tis-620", "iso8859-11"), ("ks_c_5601-1987", "euc_kr"),
        ("windows-949", "euc_kr"), ("gb2312", "gbk"), ("x-gbk", "gbk"), ("gb18030", "gb18030"), ("x-sjis", "shift_jis"),
        ("windows-31j", "shift_jis"), ("big5-hkscs", "big5"), ("x-euc-jp", "euc_jp"), ("csiso2022jp", "iso2022_jp"),
        ("koi8-ru", "koi8-u"), ("utf-16", "utf-16-le"), ("unicodefffe", "utf-16-be"),
        ("x-mac-ukrainian", "mac-cyrillic"), ("iso-2022-kr", "replacement"), ("hz-gb-2312", "replacement"),
        ("utf-7", None), ("klingon", None), ("", None),
    ],
)  # fmt: skip
def test_labels_mean_what_the_standard_says(label: str, encoding: str | None) -> None:
    assert encoding_of(label) == encoding


def test_single_bytes_are_those_of_the_indexes() -> None:
    """SHA-256 over the lines "index pointer code-point" of the published indexes of 27 encodings."""
    rows = []
    for label in SINGLE_BYTE:
        table = decode_as(bytes(range(128, 256)), encoding_of(label) or "")
        rows += [f"{label} {n} {ord(char):X}" for n, char in enumerate(table) if char != "\ufffd"]
    assert len(rows) == 3342
    assert _sha256(rows) == "a5b761f278eb287b8e7152be7c41bd1b8b91e2b3570e338611a60992a1bcb794"


def _sha256(rows: list[str]) -> str:
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def _euc_kr_pair(n: int) -> bytes:
    return bytes((n // 190 + 0x81, n % 190 + 0x41))


def _gb18030_pair(n: int) -> bytes:
    return bytes((n // 190 + 0x81, n % 190 + (0x40 if n % 190 < 0x3F else 0x41)))


def _big5_pair(n: int) -> bytes:
    return bytes((n // 157 + 0x81, n % 157 + (0x40 if n % 157 < 0x3F else 0x62)))


def _euc_jp_pair(n: int) -> bytes:
    return bytes((n // 94 + 0xA1, n % 94 + 0xA1))


def _euc_jp_triple(n: int) -> bytes:
    return b"\x8f" + _euc_jp_pair(n)


def _iso_2022_jp_pair(n: int) -> bytes:
    return b"\x1b$B" + bytes((n // 94 + 0x21, n % 94 + 0x21))


def _shift_jis_pair(n: int) -> bytes:
    lead, trail = divmod(n, 188)
    return bytes((lead + (0x81 if lead < 0x1F else 0xC1), trail + (0x40 if trail < 0x3F else 0x41)))


JIS_X_0208 = "2c00c10ec4608a85dd9d252f747e95e5dfa740989135868b4fcda50fe39f7c68"


@pytest.mark.parametrize(
    ("encoding", "pointers", "spell", "sha256"),
    [
        ("euc_kr", 23750, _euc_kr_pair, "638570b6d1bb8497ea2eadba81415ef8f8db87c337542d812d90c660f5393ef6"),
        ("gb18030", 23940, _gb18030_pair, "ccc7902b57f559d6ae4d55f3215bd54d353858c83b40c5da51cfd6c55c25bb7b"),
        ("gbk", 23940, _gb18030_pair, "ccc7902b57f559d6ae4d55f3215bd54d353858c83b40c5da51cfd6c55c25bb7b"),
        ("big5", 19782, _big5_pair, "ca04f22f1b11c559e99e19b557ce5fa6654de5e9f938305ec637ce73170cc548"),
        ("euc_jp", 8836, _euc_jp_pair, JIS_X_0208),
        ("shift_jis", 8836, _shift_jis_pair, JIS_X_0208),
        ("iso2022_jp", 8836, _iso_2022_jp_pair, JIS_X_0208),
        ("euc_jp", 8836, _euc_jp_triple, "3263f9a858f7f0cf8e76ebf57baadb5f1c94f3056b96fdc518d7debaa66e9ee8"),
    ],
)
def test_pairs_are_those_of_the_indexes(
    encoding: str, pointers: int, spell: Callable[[int], bytes], sha256: str
) -> None:
    """SHA-256 over the lines "pointer code-point" of the published index.

    Big5 without A241 and A242, two slashes which come out as the full-width ones, and without the four codes of two
    characters each that the standard keeps outside the index.
    """
    rows = []
    for n in range(pointers):
        text = decode_as(spell(n), encoding)
        if "\ufffd" not in text and len(text) == 1 and not (encoding == "big5" and n in (5182, 5183)):
            rows.append(f"{n} {ord(text):X}")
    assert _sha256(rows) == sha256


@pytest.mark.parametrize(
    ("data", "encoding", "text"),
    [
        # characters that stand outside the indexes
        (b"\x88\x62\xa3\xe1", "big5", "Ê̄€"),
        (b"\x80\x81\x30\x81\x30\xff", "gb18030", "€\x80\ufffd"),
        (b"\xf0\x40\xa0\xfd\xb1", "shift_jis", "\ue000\ufffd\ufffdｱ"),
        (b"\x8e\xb1\x8f\xa2\xb7~", "euc_jp", "ｱ～~"),
        (b"a\x1b(I1\x1b(J\\~\x1b(B\\~", "iso2022_jp", "aｱ¥‾\\~"),
        (b"A\xff\x80", "x-user-defined", "A\uf7ff\uf780"),
        # a bad sequence takes along no more than the standard says
        (b"a\xc3(b\xe2\x82(\xff", "utf-8", "a\ufffd(b\ufffd(\ufffd"),
        (b"\x81<\xc8\xc9\xff\x81\xff<", "euc_kr", "\ufffd<훔\ufffd\ufffd<"),
        (b"\x81\x30\x81<\xb0\xa1\xfe\xff1", "gb18030", "\ufffd0\ufffd<啊\ufffd1"),
        (b"\x81\x30", "gb18030", "\ufffd"),
        (b"\xe3\x32\x9a\x36<", "gb18030", "\ufffd<"),
        (b"\x8f\xa2<\x8f\xa2\xff\x8e\xff<", "euc_jp", "\ufffd<\ufffd\ufffd<"),
        (b"\x81\xff<\xfc\xfc\x82<", "shift_jis", "\ufffd<\ufffd\ufffd<"),
        (b"\x1b$B\x1b(B<\x1b$B!\x1b(B<\x1b$Z", "iso2022_jp", "<\ufffd<\ufffd$Z"),
    ],
)
def test_beyond_the_indexes_it_decodes_as_the_standard_says(data: bytes, encoding: str, text: str) -> None:
    assert decode_as(data, encoding) == text


@pytest.mark.parametrize("encoding", TEXTS)
def test_text_comes_back_and_a_cut_costs_its_last_character(encoding: str) -> None:
    data, text = encoded(encoding), TEXTS[encoding]
    assert decode_as(data, encoding) == text
    for size in range(len(data)):
        cut = decode_as(data[:size], encoding)
        assert text.startswith(cut.rstrip("\ufffd$("))  # an escape sequence that was cut leaves its ASCII
        assert cut.count("\ufffd") <= (2 if encoding == "iso2022_jp" else 1)


@given(encoding=st.sampled_from(list(TEXTS)), place=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255))
def test_a_damaged_byte_costs_a_few_characters(encoding: str, place: float, byte: int) -> None:
    """In encodings of pairs a byte that was lost may pair the bytes behind it otherwise, up to the next ASCII."""
    data, text = bytearray(encoded(encoding) * 3), TEXTS[encoding] * 3
    data[int(place * len(data))] = byte
    damaged = decode_as(bytes(data), encoding)
    before = next((n for n, (a, b) in enumerate(zip(text, damaged, strict=False)) if a != b), len(text))
    after = next((n for n, (a, b) in enumerate(zip(text[::-1], damaged[::-1], strict=False)) if a != b), len(text))
    few = 4 if encoding.startswith("utf") else 1 if len(data) == len(text) else 40
    assert len(text) - before - after <= few
