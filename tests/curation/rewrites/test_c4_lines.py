"""C4's rules over lines equal their definition in plain Python."""

import re

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from curation.rewrites.c4_lines import C4Lines

NOTICES = ("terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies")
CITATION = re.compile(r"\[[0-9]*]|\[edit]|\[citation needed]")


def defined(text: str, rules: C4Lines) -> str:
    """The rewrite, straight from its definition."""
    kept = []
    for raw in text.splitlines():
        line = raw.strip()
        words = line.split()
        if rules.max_word_length and any(len(word) > rules.max_word_length for word in words):
            continue
        if rules.remove_citations:
            line = CITATION.sub("", line)
        if rules.terminal_punctuation and (not line.endswith((".", "?", "!", '"', "'")) or line.endswith("...")):
            continue
        if len(words) < rules.min_words:
            continue
        if rules.javascript and "javascript" in line.lower():
            continue
        if rules.policy and any(notice in line.lower() for notice in NOTICES):
            continue
        kept.append(line)
    return "\n".join(kept).strip()


PIECES = (
    *(
        "a word",
        "one two three",
        "naïve 日本",
        "x" * 12,
        ".",
        "?",
        "!",
        "...",
        '"',
        "'",
        "[1]",
        "[]",
        "[edit]",
        "[ed",
        "]",
    ),
    *(
        "[citation needed]",
        "[[2]",
        "JavaScript",
        "javascripT",
        "java script",
        "Terms of Use",
        "terms-of use",
        "COOKIE POLICY",
    ),
    *(
        "We use cookies",
        "uses  cookies",
        "use of Cookies",
        "privacy policy",
        "rivacy policy",
        " ",
        "  ",
        "\n",
        "\n\n",
        "\r\n",
    ),
    *("\t", "\u00a0", "\u2028", "\x0b", "\x1c", "\x1f", "\x85", "fvk", "K\u0130"),
)
TEXTS = st.lists(st.sampled_from(PIECES), max_size=25).map("".join)
RULES = st.builds(
    C4Lines,
    terminal_punctuation=st.booleans(),
    min_words=st.integers(0, 4),
    max_word_length=st.sampled_from([0, 11, 12, 1000]),
    remove_citations=st.booleans(),
    javascript=st.booleans(),
    policy=st.booleans(),
)


@settings(max_examples=250, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=4), RULES)
@example(["", " \n ", "[1] [2] [3]\nsome more words\n[1] [2] [3]"], C4Lines(terminal_punctuation=False))
def test_it_equals_its_definition(texts: list[str], rules: C4Lines) -> None:
    column = pa.array(["before", *texts], pa.large_string()).slice(1)
    rewritten = rules.rewrite(column)
    rewritten.validate(full=True)
    assert rewritten.to_pylist() == [defined(text, rules) for text in texts]


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_twice_is_once_where_no_citation_hides_another(text: str) -> None:
    rules = C4Lines(remove_citations=False)
    once = rules.rewrite(pa.array([text], pa.large_string()))
    assert rules.rewrite(once).to_pylist() == once.to_pylist()


@pytest.mark.parametrize(("length", "kept"), [(1000, True), (1001, False)])
def test_a_word_may_have_1000_characters(length: int, kept: bool) -> None:
    line = "é" * length + " and more."
    assert bool(C4Lines().rewrite(pa.array([line], pa.large_string()))[0].as_py()) == kept


def test_no_rows() -> None:
    assert C4Lines().rewrite(pa.array([], pa.large_string())).to_pylist() == []
