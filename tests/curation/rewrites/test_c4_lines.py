"""C4's rules over lines equal their definition in plain Python."""

import dataclasses
import re

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from curation.filters.c4 import C4Pages
from curation.judge import judge, reasons
from curation.recipe import Recipe
from curation.rewrites.c4_lines import C4Lines
from schemas import RECORDS
from schemas.errors import UserError

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
        if rules.terminal_punctuation and not line.endswith(rules.end_marks):
            continue
        if rules.terminal_punctuation and line.endswith("...") and not rules.ellipsis:
            continue
        if len(line.split() if rules.words_after_citations else words) < rules.min_words:
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
    *("…", "é…", "\t", "\u00a0", "\u2028", "\x0b", "\x1c", "\x1f", "\x85", "fvk", "K\u0130"),
)
TEXTS = st.lists(st.sampled_from(PIECES), max_size=25).map("".join)
RULES = st.builds(
    C4Lines,
    terminal_punctuation=st.booleans(),
    end_marks=st.sampled_from([C4Lines().end_marks, (".", "?", "!", '"'), ("…", "é"), ()]),
    ellipsis=st.booleans(),
    words_after_citations=st.booleans(),
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


def test_an_end_mark_is_one_character() -> None:
    with pytest.raises(UserError, match=r"end_marks has '\.\.\.': give single characters"):
        C4Lines(end_marks=("...",))


def test_no_rows() -> None:
    assert C4Lines().rewrite(pa.array([], pa.large_string())).to_pylist() == []


def record(text: str) -> pa.RecordBatch:
    columns = {"doc_id": "a", "text": text, "source": "web", "file": "f", "offset": 0, "metadata": "{}"}
    return RECORDS.batch({name: [value] for name, value in columns.items()})


def clean_page(text: str, rules: C4Lines, lorem_ipsum: bool, curly_brackets: bool) -> str | None:
    """C4's code in its own order: the page's reason, or None where the rules over lines let it pass."""
    for line in defined(text, dataclasses.replace(rules, javascript=False, policy=False)).split("\n"):
        lower = line.lower()
        if lorem_ipsum and "lorem ipsum" in lower:
            return "lorem_ipsum"
        if rules.javascript and "javascript" in lower:
            continue
        if curly_brackets and "{" in line:
            return "curly_bracket"
    return None


CONDEMNING = st.lists(
    st.sampled_from(
        [*PIECES, "Lorem Ipsum", "lorem ipsum dolor", "{", "}", " privacy policy {", "JavaScript {", "javascript lorem"]
    ),
    max_size=25,
).map("".join)


@settings(max_examples=250, deadline=None)
@given(CONDEMNING, RULES, st.booleans(), st.booleans())
@example("We use cookies: function() { return 1; }.", C4Lines(), True, True)
@example("Please enable JavaScript: function() { return 1; }.", C4Lines(), True, True)
@example("Lorem ipsum by JavaScript is here.", C4Lines(), True, True)
def test_a_page_goes_where_it_goes_in_the_order_of_c4s_code(
    text: str, rules: C4Lines, lorem_ipsum: bool, curly_brackets: bool
) -> None:
    pages = C4Pages(min_sentences=None, lorem_ipsum=lorem_ipsum, curly_brackets=curly_brackets)
    recipe = Recipe(name="c4", normalise=None, signals=False, steps=(rules, pages))
    judged = judge(record(text), recipe)
    found = {each["reason"] for each in reasons(judged)[0]} & {"lorem_ipsum", "curly_bracket"}
    expected = clean_page(text, rules, lorem_ipsum, curly_brackets)
    assert bool(found) == (expected is not None)
    if expected is None:
        assert judged.texts.to_pylist() == [defined(text, rules)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("We use cookies, and lorem ipsum dolor too.", "lorem_ipsum"),
        ("This site needs JavaScript for lorem ipsum.", "lorem_ipsum"),
        ("Our privacy policy is {here}.", "curly_bracket"),
        ("This site needs JavaScript for {all}.", None),
        ("Our privacy policy is {here} by JavaScript.", None),
    ],
)
def test_the_recipe_judges_the_page_before_it_drops_the_notice(line: str, reason: str | None) -> None:
    page = "\n".join(f"The mill of village {number} grinds the grain of its farmers." for number in range(6))
    judged = judge(record(f"{page}\n{line}"), Recipe(name="c4", steps=(C4Lines(), C4Pages())))
    assert [each["reason"] for each in reasons(judged)[0]] == ([reason] if reason else [])
    if reason is None:
        assert judged.texts.to_pylist() == [page]


def test_without_the_page_rules_notices_go_as_before() -> None:
    text = "One line that stays.\nOur privacy policy is {here}.\nWe use cookies and lorem ipsum."
    pages = C4Pages(min_sentences=None, lorem_ipsum=False, curly_brackets=False)
    for steps in ((C4Lines(),), (C4Lines(), pages), (pages, C4Lines())):
        judged = judge(record(text), Recipe(name="c4", steps=steps))
        assert judged.texts.to_pylist() == ["One line that stays."]
