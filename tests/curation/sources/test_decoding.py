"""Which encoding a page is in: marks, declarations and evidence, in that order, and what damage may not change."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.sources.chunks import RecordError
from curation.sources.decoding import decode
from tests.curation.sources.test_encodings import TEXTS, encoded

GERMAN = "Die Mühle dreht sich im Fluß, und die Steine mahlen das Korn – für größere Räder, sagte der Müller. " * 6
RUSSIAN = "Мельница стоит на реке, и жернова мелют зерно. " * 6
JAPANESE = "水車は川の流れで回り、石臼が小麦を粉にひきます。\n" * 6
LABELS = {
    "utf-8": "utf-8", "gbk": "gb2312", "gb18030": "gb18030", "big5": "big5", "euc_jp": "euc-jp", "shift_jis": "sjis",
    "iso2022_jp": "iso-2022-jp", "euc_kr": "ks_c_5601-1987", "koi8-r": "koi8-r", "cp1251": "windows-1251",
    "cp1252": "latin1", "cp1255": "windows-1255", "iso8859-11": "tis-620",
}  # fmt: skip


@pytest.mark.parametrize(
    ("data", "charset", "text", "encoding"),
    [
        ("Grüße".encode(), "latin-1", "Grüße", "utf-8"),
        ("Grüße".encode("latin-1"), "iso-8859-1", "Grüße", "cp1252"),
        ("“so”".encode("cp1252"), "iso-8859-1", "“so”", "cp1252"),
        ("日本語のページ".encode("shift_jis"), "Shift_JIS", "日本語のページ", "shift_jis"),
        ("привет мир".encode("cp1251"), "windows-1251", "привет мир", "cp1251"),
        ("Grüße".encode("utf-16"), None, "Grüße", "utf-16-le"),
        ("\ufeffGrüße".encode(), None, "Grüße", "utf-8"),
        ("\ufeffGrüße".encode() + b"\xff", "gbk", "Grüße\ufffd", "utf-8"),
        ("<p>Grüße".encode("utf-16-be"), "UTF-16BE", "<p>Grüße", "utf-16-be"),
        ('<?xml version="1.0"?>ü'.encode("utf-16-le"), None, '<?xml version="1.0"?>ü', "utf-16-le"),
        (b"plain ASCII", "utf-16", "plain ASCII", "utf-8"),
        (b"\x80", "x-user-defined", "\uf780", "x-user-defined"),
    ],
)  # fmt: skip
def test_encodings(data: bytes, charset: str | None, text: str, encoding: str) -> None:
    assert decode(data, charset) == (text, encoding)


@pytest.mark.parametrize(
    "declaration",
    [
        '<meta charset="windows-1251">',
        "<META CHARSET = windows-1251 >",
        "<meta/charset='windows-1251'/>",
        '<meta http-equiv="Content-Type" content="text/html; charset=windows-1251">',
        '<meta content="text/html;charset=&quot;x" charset="cp1251" http-equiv=content-type>',
        "<!-- <meta charset=gbk> --><meta charset=windows-1251>",
        '<meta name="charset" content="charset=gbk"><meta charset=windows-1251>',
        "<meta charset=klingon><meta charset=windows-1251>",
        '<?xml version="1.0" encoding="windows-1251"?>',
        " " * 5000 + "<meta charset=windows-1251>",
    ],
)
@pytest.mark.parametrize("header", [None, "utf-8", "klingon"])
def test_a_page_declares_its_encoding(declaration: str, header: str | None) -> None:
    page = declaration + "привет"
    assert decode(page.encode("cp1251"), header) == (page, "cp1251")


def test_the_header_comes_before_the_page() -> None:
    page = "<meta charset=koi8-r>" + RUSSIAN
    assert decode(page.encode("cp1251"), "windows-1251") == (page, "cp1251")


@pytest.mark.parametrize("encoding", LABELS)
def test_a_declared_page_that_is_damaged_keeps_its_encoding(encoding: str) -> None:
    data, text = encoded(encoding) * 6, TEXTS[encoding] * 6
    for label in (LABELS[encoding], None):
        page = b"" if label else b"<meta charset=%s>\n" % LABELS[encoding].encode()
        place = data.index(b"\n", len(data) // 2)
        found, name = decode(page + data[:place] + b"\xff" + data[place:], label)
        assert name == encoding
        assert found.removeprefix(page.decode())[: len(text) // 3] == text[: len(text) // 3]
        assert found.endswith(text[-len(text) // 3 :])


@given(
    encoding=st.sampled_from([name for name in LABELS if name not in ("cp1252", "utf-8")]), cut=st.floats(0.2, 1)
)  # fmt: skip
def test_a_declared_page_that_is_cut_keeps_its_encoding(encoding: str, cut: float) -> None:
    data, text = encoded(encoding) * 6, TEXTS[encoding] * 6
    found, name = decode(data[: int(cut * len(data))], LABELS[encoding])
    assert name == encoding
    assert text.startswith(found.rstrip("\ufffd$("))


@given(cut=st.integers(1, 400), label=st.sampled_from([None, "utf-8", "iso-8859-1", "gbk"]))
def test_utf_8_that_is_cut_stays_utf_8(cut: int, label: str | None) -> None:
    data = "Mühle Fluß ".encode() + GERMAN.encode()[:cut]
    found, name = decode(data, label)
    assert name == "utf-8"
    assert ("Mühle Fluß " + GERMAN).startswith(found.removesuffix("\ufffd"))


@pytest.mark.parametrize("label", [None, "utf-8", "iso-8859-1", "gbk"])
def test_a_stray_byte_leaves_utf_8_as_it_is(label: str | None) -> None:
    damaged = GERMAN.encode().replace(b"das Korn", b"das\xa0Korn", 1)
    assert decode(damaged, label) == (GERMAN.replace("das Korn", "das\ufffdKorn", 1), "utf-8")


@pytest.mark.parametrize("header", [None, "utf-8"])
@pytest.mark.parametrize("meta", ["", "<meta charset=utf-8>"])
@pytest.mark.parametrize("encoding", ["gb18030", "big5", "euc_jp", "shift_jis", "euc_kr"])
def test_what_is_not_what_it_declares_is_detected(encoding: str, meta: str, header: str | None) -> None:
    one = JAPANESE.encode("cp932") if encoding == "shift_jis" else encoded(encoding) * 8
    for damage in (b"", b"\xff"):
        text, name = decode(meta.encode() + one + damage + one, header)
        assert name == encoding
        assert text.count("\ufffd") == len(damage)


@pytest.mark.parametrize("label", ["utf-8", None])
def test_western_pages_that_declare_utf_8_are_read(label: str | None) -> None:
    for text in ("Grüße", "“Mühle” – " * 9, "café"):
        page = "<meta charset=utf-8>" + text + "."
        assert decode(page.encode("cp1252"), label) == (page, "cp1252")
    assert decode(RUSSIAN.encode("koi8-r"), label) == (RUSSIAN, "koi8-r")


def test_seven_bits() -> None:
    japanese = TEXTS["iso2022_jp"]
    data = encoded("iso2022_jp")
    for page, header in ((data, "ISO-2022-JP"), (data, None)):
        assert decode(page, header) == (japanese, "iso2022_jp")
    meta = "<meta charset=iso-2022-jp>"
    assert decode(meta.encode() + data, None) == (meta + japanese, "iso2022_jp")
    assert decode(b"bold \x1b[1m ~{ text", None) == ("bold \x1b[1m ~{ text", "utf-8")
    assert decode(b"plain", "hz-gb-2312") == ("plain", "utf-8")
    for label in ("hz-gb-2312", "iso-2022-kr"):
        with pytest.raises(RecordError, match="browsers do not decode"):
            decode(b"~{<:Ky2;~} \x0e", label)


@pytest.mark.parametrize(
    "data",
    [b"\xff\xfe\x00\xd8", b"\x81\x8d\x8f", b"<meta charset=nonsense>\xff", bytes(range(256)) * 9, b"<meta \xff"],
)  # fmt: skip
@pytest.mark.parametrize("charset", [None, "nonsense", "utf-8", "utf-16", "shift_jis", "x-user-defined"])
def test_any_bytes_decode_to_valid_text(data: bytes, charset: Any) -> None:
    decode(data, charset)[0].encode()


@given(data=st.binary(max_size=300), charset=st.sampled_from([None, *LABELS.values()]))
def test_random_bytes_decode_to_valid_text(data: bytes, charset: str | None) -> None:
    text, _ = decode(data, charset)
    assert len(text.encode("utf-16-le")) <= 2 * len(data)
