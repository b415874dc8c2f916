"""Nearly equal responses have their differences marked, and the marks say nothing but that."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.protocols.differences import find_differences
from annotation.protocols.rendering import render_responses
from tests.annotation.protocols.test_faithfulness import PIECES, visible

MARK = re.compile(r'<mark class="gm-diff">|</mark>')
WORDS = st.lists(PIECES, min_size=12, max_size=40)


@given(words=WORDS, at=st.integers(0, 39), other=PIECES)
def test_marks_change_no_sign_and_depend_on_no_order(words: list[str], at: int, other: str) -> None:
    one, two = "".join(words), "".join([*words[:at], other, *words[at + 1 :]])
    pair = render_responses(one, two)
    assert render_responses(two, one) == pair[::-1]
    plain = tuple(MARK.sub("", each) for each in pair)
    assert [visible(each) for each in plain] == [visible(each) for each in pair]
    assert plain[0] == MARK.sub("", render_responses(one, "x")[0]) or "gm-plain" in plain[0]


def test_words_code_and_formulas_are_marked() -> None:
    base = "The **stone** of the mill turns `fast`, grinds $x^2$ of grain\n\n1. flour\n2. bran\n\n```py\nrun(1)\n```"
    other = base.replace("fast", "slow").replace("x^2", "x^3").replace("bran", "hulls").replace("run(1)", "run(2)")
    for html in render_responses(base, other):
        marked = re.findall('<mark class="gm-diff">(.*?)</mark>', html)
        assert marked[1].startswith("<math")
        assert [marked[0], *marked[2:]] in (["fast", "bran", "1"], ["slow", "hulls", "2"])


@pytest.mark.parametrize(
    ("first", "second"),
    [("a b c", "d e f"), ("same words here", "same words here"), ("", ""), ("a " * 5000, "a " * 4999), ("a b", "")],
)
def test_other_texts_have_no_marks(first: str, second: str) -> None:
    assert find_differences(first, second) == ([], [])
    assert "<mark" not in "".join(render_responses(first, second))


@given(first=st.lists(st.sampled_from("abcd"), max_size=30), second=st.lists(st.sampled_from("abcd"), max_size=30))
def test_what_is_not_marked_is_equal(first: list[str], second: list[str]) -> None:
    texts = " ".join(first), " ".join(second)
    spans = find_differences(*texts)
    rest = []
    for text, own in zip(texts, spans, strict=True):
        for begin, end in reversed(own):
            text = text[:begin] + text[end:]
        rest.append(text.split())
    assert spans == ([], []) or rest[0] == rest[1]
