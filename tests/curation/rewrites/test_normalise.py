"""Normalising: what changes, that it ends, and that the gate before ftfy hides nothing from it."""

import re
import unicodedata

import ftfy
import pyarrow as pa
import pytest
from ftfy.badness import MOJIBAKE_CATEGORIES, is_bad
from hypothesis import example, given, settings
from hypothesis import strategies as st

from curation.kernels.odd_characters import NOT_NFC
from curation.rewrites.normalise import _ENCODING_ONLY, Normalise, _repair_line, _TextBuffers
from curation.rewrites.suspicious import _MENTIONED, tables

ODD = "".join(MOJIBAKE_CATEGORIES.values()).replace("-", "")
MIXED = st.text(
    st.one_of(
        st.sampled_from(ODD + "aZ9 .œŒÂÃÎÐØÙà√≈‚вГўВЂβā€Ж\n\r\t\0\x0b\x85\x9d\ufeff"), st.characters(codec="utf-8")
    )
)
BROKEN = st.tuples(
    st.text(st.characters(codec="utf-8", min_codepoint=0x20), max_size=20),
    st.sampled_from(
        ["latin-1", "cp1252", "cp1251", "cp1250", "cp1253", "cp1254", "cp1257", "iso-8859-2", "macroman", "cp437"]
    ),
).map(lambda pair: pair[0].encode().decode(pair[1], "replace"))


def normalised(*texts: str | None, **options: bool) -> list[str]:
    rewritten = Normalise(**options).rewrite(pa.array(texts, pa.large_string()))
    rewritten.validate(full=True)
    return rewritten.to_pylist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain\ttext\n", "plain\ttext\n"),
        ("He said â€œnoâ€\x9d.", "He said “no”."),
        ("It’s “fine” — naïve café… €5, 10 °C", "It’s “fine” — naïve café… €5, 10 °C"),
        ("schÃ¶n und groÃŸ", "schön und groß"),
        ("Ð¿Ñ€Ð¸Ð²ÐµÑ‚, Ð¼Ð¸Ñ€", "привет, мир"),
        ("cafe\u0301", "café"),
        ("\u1112\u1161\u11ab", "한"),
        ("a\r\nb\rc\x0cd", "a\nb\nc\nd"),
        ("a\0b\x1fc\x7fd\ufeffe\u206af", "abcdef"),
        ("good “line”\nbad lineâ€™s end\ngood", "good “line”\nbad line’s end\ngood"),
        ("", ""),
        ("œuvre, cœur, «été»", "œuvre, cœur, «été»"),
        ("日本語のテキスト", "日本語のテキスト"),
    ],
)
def test_examples(text: str, expected: str) -> None:
    assert normalised(text) == [expected]


def test_only_what_is_asked_for_changes() -> None:
    text = "cafe\u0301 lineâ€™s\r\n"
    assert normalised(text, nfc=False, mojibake=False, control_characters=False) == [text]
    assert normalised(text, mojibake=False, control_characters=False) == [unicodedata.normalize("NFC", text)]
    assert normalised(text, nfc=False, control_characters=False) == ["cafe\u0301 line’s\r\n"]
    assert normalised(text, nfc=False, mojibake=False) == ["cafe\u0301 lineâ€™s\n"]


def test_nothing_is_copied_where_nothing_changes() -> None:
    for text in ("plain ASCII " * 100, "“Quotes”, naïve…" * 100):
        texts = pa.array([text, text], pa.large_string())
        assert Normalise().rewrite(texts) is texts


def test_nulls_and_slices() -> None:
    texts = pa.array(["x", "a\r\nb", None, "cafe\u0301", "y"], pa.large_string())
    assert Normalise().rewrite(texts).to_pylist() == ["x", "a\nb", None, "café", "y"]
    assert Normalise().rewrite(texts[1:4]).to_pylist() == ["a\nb", None, "café"]
    assert Normalise().rewrite(texts[5:]).to_pylist() == []


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(MIXED, BROKEN), max_size=4))
@example(["Ã\u0000©", "A\u0303©x"])
def test_twice_is_once(texts: list[str]) -> None:
    once = normalised(*texts)
    assert normalised(*once) == once


@settings(max_examples=300, deadline=None)
@given(st.one_of(MIXED, BROKEN))
def test_no_control_characters_are_left_and_all_is_nfc(text: str) -> None:
    [clean] = normalised(text)
    assert not [c for c in clean if unicodedata.category(c) == "Cc" and c not in "\n\t"]
    assert unicodedata.is_normalized("NFC", clean)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(MIXED, BROKEN), min_size=1, max_size=3))
def test_a_row_does_not_depend_on_its_neighbours(texts: list[str]) -> None:
    assert normalised(*texts) == [normalised(text)[0] for text in texts]


@settings(max_examples=1000, deadline=None)
@given(st.one_of(BROKEN, st.text(st.sampled_from(ODD + "aZ9 .œŒÂÃÎÐØÙà√≈‚вГўВЂβā€Ж²°™¢ìâÄ¡\xa0"), max_size=8)))
def test_the_gate_opens_for_all_that_ftfy_finds_bad(text: str) -> None:
    """Also the law that lets lines be repaired one by one: a line without a hit is as ftfy would leave it."""
    flagged = {place for _, place in _TextBuffers.of(pa.array([text], pa.large_string())).scan()[1].tolist()}
    if any(is_bad(line) for line in text.split("\n")):
        assert flagged
    if not flagged:
        assert ftfy.fix_text(text, _ENCODING_ONLY) == text


@settings(max_examples=500, deadline=None)
@given(st.text(st.characters(codec="latin-1", min_codepoint=0x20, max_codepoint=0x9F)))
@example("\x8a\x81")
def test_the_short_cut_for_windows_1252_goes_the_way_of_ftfy(line: str) -> None:
    assert ftfy.fix_text(_repair_line(line), _ENCODING_ONLY) == ftfy.fix_text(line, _ENCODING_ONLY)


def test_all_points_of_the_categories_are_known() -> None:
    every = "".join(map(chr, [*range(0x80, 0xD800), *range(0xE000, 0x10000)]))
    for members in MOJIBAKE_CATEGORIES.values():
        assert set(re.findall(f"[{members}]", every)) <= set(_MENTIONED)


def test_every_character_that_nfc_may_change_is_marked() -> None:
    kinds = tables().kinds
    for point in (*range(0x80, 0xD800), *range(0xE000, 0x20000)):
        text = chr(point)
        if not unicodedata.is_normalized("NFC", text):
            assert kinds[point] & NOT_NFC
        for parts in [unicodedata.decomposition(text)]:
            if parts and not parts.startswith("<"):
                composed = "".join(chr(int(part, 16)) for part in parts.split())
                if unicodedata.normalize("NFC", composed) == text:
                    assert kinds[ord(composed[-1])] & NOT_NFC
