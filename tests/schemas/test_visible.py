"""What a terminal is shown: nothing hidden, and ordinary text as it is."""

import json
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.visible import visible, visible_json, visible_lines

SEEN_CATEGORY_CF = {0x0600, 0x0601, 0x0602, 0x0603, 0x0604, 0x0605, 0x06DD, 0x070F, 0x0890, 0x0891, 0x08E2}
"""Signs that Unicode counts among format characters although they are drawn: Prepended_Concatenation_Mark."""
SEEN_CATEGORY_CF |= {0x110BD, 0x110CD}


def test_every_control_format_separator_and_surrogate_is_shown_and_no_other_character_is_touched() -> None:
    hidden = {"Cc", "Cf", "Zl", "Zp", "Cs"}
    for code in range(sys.maxunicode + 1):
        category = unicodedata.category(chr(code))
        if category in hidden and code not in SEEN_CATEGORY_CF:
            assert visible(chr(code)).isascii(), hex(code)
            assert visible(chr(code)).isprintable(), hex(code)
        elif category != "Cn" and not 0x13430 <= code <= 0x1345F:  # marks among the controls of hieroglyphs
            assert visible(chr(code)) == chr(code), hex(code)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;owned\x07", r"\x1b]0;owned\x07"),
        ("\x9b31m", r"\x9b31m"),
        ("invoice\u202egpj.exe", r"invoice\u202egpj.exe"),
        ("a\u200bb\u2028c\u2066d", r"a\u200bb\u2028c\u2066d"),
        ("one\r\ntwo\tthree", r"one\r\ntwo\tthree"),
        ("pay\u200dpal", r"pay\u200dpal"),
        ("\u200d\u200d", r"\u200d\u200d"),
        ("\udcff.txt", r"\udcff.txt"),
        ("\U000e0041", r"\U000e0041"),
    ],
)
def test_what_hides_or_steers_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "Zürich, 100 % – «ja»\u00a0!",
        "e\u0301 and a\u0323\u0307",
        "\U0001f469\u200d\U0001f469\u200d\U0001f467 \u2764\ufe0f\u200d\U0001f525",
        "\U0001f44d\U0001f3fd \U0001f1e8\U0001f1ed",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian: "I want"
        "\u0915\u094d\u200d\u0937",  # Devanagari with a joiner
        "שלום, مرحبا, 你好, สวัสดี",
        r"C:\new\table",
    ],
)
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert visible(text) == visible_lines(text) == visible_json(text) == text


@given(st.text())
def test_what_is_shown_holds_nothing_hidden_and_stays_the_same_when_shown_again(text: str) -> None:
    assert visible(visible(text)) == visible(text)
    assert "\n" not in visible(text)
    assert visible_lines(text).count("\n") == text.count("\n")
    assert [visible(line) for line in text.split("\n")] == visible_lines(text).split("\n")


@given(st.recursive(st.text() | st.integers(), lambda inner: st.dictionaries(st.text(), inner) | st.lists(inner)))
def test_json_keeps_its_values(value: object) -> None:
    written = json.dumps(value, ensure_ascii=False, indent=1)
    assert json.loads(visible_json(written)) == value
    assert visible_lines(visible_json(written)) == visible_json(written)
