"""What a page about a corpus shows: drawn rows, histograms cut at thresholds, and marked passages."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.filters.rules import Rule, failures
from curation.kernels.listed_terms import hashes
from curation.reports.drawn import Draws
from curation.reports.histograms import histogram
from curation.reports.passages import differing, excerpt, joined, passages

numbers = st.one_of(
    st.lists(st.integers(0, 100_000).map(float), min_size=1, max_size=60),
    st.lists(st.floats(0, 1, width=32).map(float), min_size=1, max_size=60),
)
thresholds = st.one_of(st.integers(0, 1_000).map(float), st.floats(0, 1, width=32).map(float))


@given(numbers, thresholds, st.booleans())
def test_a_histogram_counts_each_value_once_and_on_its_side(values: list[float], at: float, at_least: bool) -> None:
    rule = Rule("r", "s", at_least=at) if at_least else Rule("r", "s", at_most=at)
    found = histogram(np.array(values), rule)
    failed = failures(pa.record_batch({"s": pa.array(values, pa.float32())}), [rule])[:, 0]
    assert sum(found.counts) == len(values)
    assert sum(count for count, fails in zip(found.counts, found.fails, strict=True) if fails) == failed.sum()
    assert list(found.edges) == sorted(found.edges)
    assert found.threshold in found.edges
    assert len(found.edges) == len(found.counts) + 1 == len(found.fails) + 1 <= 80


@given(st.lists(st.text("abc", max_size=4), max_size=30, unique=True), st.integers(1, 5), st.integers(1, 30))
def test_draws_do_not_depend_on_row_groups(ids: list[str], most: int, group: int) -> None:
    column, drawn = pa.array(ids, pa.string()), Draws[None](most)
    for start in range(0, len(ids), group):
        part = column.slice(start, group)
        drawn.add(None, "shard", np.arange(start, start + len(part)), hashes(part))
    expected = sorted(range(len(ids)), key=lambda row: int(hashes(column)[row]))[:most]
    assert [each.row for each in drawn.drawn().get(None, ())] == expected


@pytest.mark.parametrize(
    ("signal", "text", "marked"),
    [
        ("lorem_ipsum", "This is Lorem ipsum.", ["Lorem ipsum"]),
        ("curly_brackets", "a { b }", ["{", "}"]),
        ("duplicate_lines", "one\ntwo\none", ["one"]),
        ("duplicate_paragraphs", "one\ntwo\n\nthree\n\none\ntwo", ["one\ntwo"]),
        ("top_2_gram", "grain mill, bread, grain mill.", ["grain mill", "grain mill"]),
        ("duplicate_5_gram", "a b c d e x a b c d e", ["a b c d e"]),
        ("ellipsis_lines", "more of it...\nend.", ["it..."]),
        ("bullet_lines", "- one\ntwo\n  * three", ["-", "  *"]),
        ("line_punctuation", "An end.\nno end", ["end"]),
        ("alpha_words", "12 mills", ["12"]),
        ("words", "a few words", []),
        ("unknown_signal", "a few words", []),
    ],
)
def test_the_passages_that_a_rule_counts_are_found(signal: str, text: str, marked: list[str]) -> None:
    assert [text[start:end] for start, end in passages(signal, text)] == marked


@given(
    st.text("ab .\n", max_size=80),
    st.sampled_from(["top_2_gram", "duplicate_5_gram", "duplicate_lines", "short_lines", "line_punctuation"]),
    st.integers(1, 90),
)
def test_an_excerpt_is_a_stretch_of_the_text(text: str, signal: str, length: int) -> None:
    spans = passages(signal, text)
    assert spans == joined(spans)
    parts = excerpt(text, spans, length)
    shown = "".join(part.text for part in parts)
    assert shown.removeprefix("... ").removesuffix(" ...") in text
    if length >= len(text):
        assert shown == text
        assert [part.text for part in parts if part.marked] == [text[start:end] for start, end in spans]


@given(st.lists(st.sampled_from("abcde"), max_size=20), st.lists(st.sampled_from("abcde"), max_size=20))
def test_words_that_two_texts_share_stay_when_the_differing_ones_go(left: list[str], right: list[str]) -> None:
    texts = " ".join(left), " ".join(right)
    rest = []
    for text, spans in zip(texts, differing(*texts), strict=True):
        for start, end in reversed(spans):
            text = text[:start] + text[end:]
        rest.append(text.split())
    assert rest[0] == rest[1]


def test_differences_are_found_behind_a_long_beginning() -> None:
    same = "word " * 2_000
    own, theirs = differing(f"{same}mill", f"{same}bakery")
    assert own == [(10_000, 10_004)]
    assert theirs == [(10_000, 10_006)]
