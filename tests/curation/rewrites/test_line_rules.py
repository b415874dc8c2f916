"""Rules over lines, and replacements, equal their definitions in plain Python."""

import re

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from curation.judge import judge, reasons
from curation.recipe import Recipe
from curation.recipes.tables import make_recipe
from curation.rewrites.line_rules import COUNTERS, LineRules
from curation.rewrites.replace import Replace
from schemas import RECORDS
from schemas.errors import UserError
from tests.curation.peers.vectors import rewritten

PIECES = (
    "a word",
    "Ärger",
    "HELLO",
    "3K likes",
    "12345",
    "x" * 12,
    ".",
    "...",
    "…",
    " ",
    "\t",
    "\n",
    "\n",
    "\n\n",
    "日本",
)
TEXTS = st.lists(st.sampled_from(PIECES), max_size=20).map("".join)
MARKS = st.sampled_from([(), (".",), (".", "…"), ("...",)])
RULES = st.builds(
    LineRules,
    min_words=st.none() | st.integers(0, 3),
    max_words=st.none() | st.integers(0, 4),
    max_word_length=st.none() | st.sampled_from([5, 12]),
    max_capital_share=st.none() | st.sampled_from([0.0, 0.5, 1.0]),
    max_digit_share=st.none() | st.sampled_from([0.0, 0.5]),
    end_marks=MARKS,
    not_end_marks=MARKS,
    patterns=st.sampled_from([(), (COUNTERS,), ("hello", "ärger")]),
    case_sensitive=st.booleans(),
    max_pattern_words=st.none() | st.integers(1, 3),
    strip=st.booleans(),
)


def defined(text: str, rules: LineRules) -> str:
    """The lines that stay, straight from the definition."""
    kept = "\n".join(line for line in text.split("\n") if not line or stays(line, rules))
    return kept.strip() if rules.strip else kept


def stays(line: str, rules: LineRules) -> bool:
    words = line.split()
    flags = re.NOFLAG if rules.case_sensitive else re.IGNORECASE
    patterns = [pattern.replace(r"\W", "[^0-9A-Za-z_]") for pattern in rules.patterns]  # what \W is for RE2
    matched = any(re.search(pattern, line, flags) for pattern in patterns)
    most = rules.max_pattern_words
    return not (
        (rules.min_words is not None and len(words) < rules.min_words)
        or (rules.max_words is not None and len(words) > rules.max_words)
        or (rules.max_word_length is not None and max(map(len, words), default=0) > rules.max_word_length)
        or (rules.max_capital_share is not None and sum(map(str.isupper, line)) / len(line) > rules.max_capital_share)
        or (rules.max_digit_share is not None and sum(map(str.isdigit, line)) / len(line) > rules.max_digit_share)
        or (rules.end_marks and not line.rstrip().endswith(rules.end_marks))
        or (rules.not_end_marks and line.rstrip().endswith(rules.not_end_marks))
        or (matched and (most is None or len(words) <= most))
    )


@settings(max_examples=200, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=4), RULES)
@example(["", "\n", " \n \n"], LineRules(strip=False))
@example(["3K likes日本"], LineRules(patterns=(COUNTERS,)))
def test_line_rules_equal_their_definition(texts: list[str], rules: LineRules) -> None:
    column = pa.array(["before", *texts], pa.large_string()).slice(1)
    found = rules.rewrite(column)
    found.validate(full=True)
    assert found.to_pylist() == [defined(text, rules) for text in texts]


def test_without_rules_every_text_stays() -> None:
    texts = ["", "a\n\n b \r\n", " "]
    assert LineRules(strip=False).rewrite(pa.array(texts, pa.large_string())).to_pylist() == texts
    assert Replace().rewrite(pa.array(texts, pa.large_string())).to_pylist() == texts


@pytest.mark.parametrize(
    ("step", "text", "expected"),
    [
        (Replace(patterns=(r"\n{3,}",), replacement="\n\n"), "a\n\n\n\nb\n\nc", "a\n\nb\n\nc"),
        (Replace(patterns=(r"\[\d+\]", r"\[edit\]")), "One[1] two[edit] [x]", "One two [x]"),
        (Replace(patterns=(r"(\w+)@(\w+)",), replacement=r"\2 of \1"), "a@b", "b of a"),
        (Replace(patterns=("read more",), case_sensitive=False, by_line=True), "a\nRead More\n\nb", "a\n\nb"),
        (Replace(patterns=("x",), by_line=True, max_line_words=2), "x y z\nx y\nx", "x y z\n y"),
        (Replace(patterns=("^x",), by_line=True), "xa\nxb", "a\nb"),
        (LineRules(words="uax29", min_words=2), "日本\nnihon", "日本"),
    ],
)
def test_a_step_rewrites(step: LineRules | Replace, text: str, expected: str) -> None:
    assert rewritten(step, text) == expected


@pytest.mark.parametrize(
    ("step", "told"),
    [
        (LineRules(patterns=("(",)), "line_rules.patterns has '(', which is not a regular expression of RE2"),
        (Replace(patterns=("(?<=a)b",)), "replace.patterns has '(?<=a)b', which is not a regular expression of RE2"),
        (
            Replace(patterns=("(a)",), replacement=r"\2"),
            "replace.replacement is '\\\\2', which does not fit its patterns",
        ),
        (Replace(patterns=("@nowhere.txt",)), "the list nowhere.txt of the step replace cannot be read"),
    ],
)
def test_invalid_patterns_are_the_users_error(step: LineRules | Replace, told: str) -> None:
    with pytest.raises(UserError) as refused:
        step.read_lists()
    assert str(refused.value).startswith(told)


def test_invalid_settings_are_the_users_error() -> None:
    with pytest.raises(UserError, match="end mark without characters"):
        LineRules(end_marks=("",))
    with pytest.raises(UserError, match="max_line_words needs by_line"):
        Replace(max_line_words=2)


def test_a_recipe_may_rewrite_lines_twice_and_judge_what_went() -> None:
    steps = [
        {"use": "line_rules", "patterns": ["menu"]},
        {"use": "line_rules", "min_words": 2},
        {"use": "removed_words", "max_removed_words": 0.3},
    ]
    recipe = make_recipe("two", {"steps": steps, "normalise": False, "signals": False})
    assert isinstance(recipe, Recipe)
    texts = ["one two three four\nfive menu", "one two\nmenu of three\nsix", "one two three four\nsix"]
    columns = {"doc_id": ["a", "b", "c"], "text": texts, "source": ["web"] * 3, "file": ["f"] * 3, "offset": [0, 1, 2]}
    verdicts = judge(RECORDS.batch({**columns, "metadata": ["{}"] * 3}), recipe)
    assert verdicts.texts.to_pylist() == ["one two three four", "one two", "one two three four"]
    assert verdicts.signals["removed_words"].to_pylist() == pytest.approx([2 / 6, 4 / 6, 1 / 5])
    assert [[each["reason"] for each in row] for row in reasons(verdicts)] == [["removed_words"], ["removed_words"], []]
    with pytest.raises(UserError, match="the step redact more than once"):
        make_recipe("two", {"steps": [{"use": "redact"}, {"use": "redact"}]})
