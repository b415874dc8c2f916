"""Each signal equals its definition in plain Python, and what is measured does not depend on how the column lies."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from curation.filters import columns
from curation.filters.gopher_quality import GopherQuality
from curation.filters.identifiers import PY3LANGID
from curation.filters.language import Language
from curation.kernels.measured import Measured
from curation.kernels.signals import gopher_values, page_values
from curation.recipe import STEPS, Filter
from tests.curation.filters.definitions import DEFINITIONS, MARKS

WORDS = (
    "a",
    "the",
    "to",
    "of",
    "with",
    "have",
    "Alpha",
    "betas",
    "naïve",
    "日本",
    "ελπίδα",
    "1984",
    "lorem",
    "Ipsum",
    "ß",
)
SPACES = (
    " ",
    " ",
    " ",
    " ",
    "  ",
    "\n",
    "\n",
    "\n\n",
    "\n\n\n",
    "\r\n",
    "\t",
    "\x0b",
    "\x1f",
    "\u00a0",
    "\u2028",
    "\x85",
)
TEXTS = st.lists(
    st.one_of(st.sampled_from(WORDS), st.sampled_from(WORDS), st.sampled_from(MARKS)).flatmap(
        lambda word: st.sampled_from(SPACES).map(lambda space: word + space)
    ),
    max_size=80,
).map("".join)
ELSEWHERE = ("url", "rights", "robots", "url_substrings", "word_list", "pattern", "language")
FILTERS = [step for step in (each() for each in STEPS) if isinstance(step, Filter) and step.use not in ELSEWHERE]
"""The filters whose signals have a definition in plain Python. Those with lists and models have tests of their own."""


def batch(texts: list[str]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array(texts, pa.large_string())], ["text"])


def measured(texts: list[str]) -> list[dict[str, float | None]]:
    column = batch(texts)
    rows: list[dict[str, float | None]] = [{} for _ in texts]
    for one in FILTERS:
        for row, values in zip(rows, one.measure(column).to_pylist(), strict=True):
            row.update(values)
    return rows


@settings(max_examples=150, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=4), st.text(st.sampled_from(" \n\t"), max_size=3))
@example([""], "")
@example(["\n\n", "   ", "...", "# # #", "- a\n- a\n- a\n"], "")
@example(["Hello .  The . \n\n The . ? ! ) The ."], "")
@example(["the to of " * 40, "the to of with have " * 30 + "a " * 30], "")
def test_signals_equal_their_definitions(texts: list[str], lead: str) -> None:
    texts = [lead + text for text in texts]
    for text, found in zip(texts, measured(texts), strict=True):
        expected = {name: value for define in DEFINITIONS for name, value in define(text).items()}
        undefined = {name for name, value in expected.items() if value is None}
        assert {name for name, value in found.items() if value is None} == undefined, repr(text)
        for name in expected.keys() - undefined:
            assert found.pop(name) == pytest.approx(expected[name], rel=1e-6), (name, text)
        assert set(found) == undefined


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=120), min_size=3, max_size=6))
def test_a_row_has_the_same_values_alone_in_a_slice_and_among_others(texts: list[str]) -> None:
    together = measured(texts)
    assert [measured([text])[0] for text in texts] == together
    column = batch(texts).slice(1, 2)
    for one in FILTERS:
        names = one.signals.names
        assert one.measure(column).to_pylist() == [{name: row[name] for name in names} for row in together[1:3]]


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_measured_within_the_declared_ranges(text: str) -> None:
    for one in (*FILTERS, Language(), Language(identifier=PY3LANGID)):
        values = one.measure(batch([text]))
        assert values.schema.equals(one.signals, check_metadata=True)
        for field in one.signals:
            assert field.metadata[b"description"]
            value = values[field.name][0].as_py()
            if value is None or isinstance(value, str):
                continue
            low, high = field.metadata[b"range"].decode().split("..")
            assert float(low) <= value
            assert not high or value <= float(high)


def test_filters_over_one_column_read_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def counted_gopher(texts: pa.LargeStringArray, parts: int) -> Measured:
        read.append("gopher")
        return gopher_values(texts, parts)

    def counted_page(texts: pa.LargeStringArray, before: Measured | None, parts: int) -> Measured:
        read.append("page")
        return page_values(texts, before, parts)

    monkeypatch.setattr(columns, "gopher_values", counted_gopher)
    monkeypatch.setattr(columns, "page_values", counted_page)
    column = batch(["one column, read once for each kernel"])
    for one in FILTERS:
        one.measure(column)
    assert read == ["gopher", "page"]
    GopherQuality().measure(batch(["another column"]))
    assert read == ["gopher", "page", "gopher"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS, st.booleans()), min_size=1, max_size=5))
def test_what_was_measured_before_a_rewrite_changes_nothing_behind_it(pairs: list[tuple[str, str, bool]]) -> None:
    column = batch([before for before, _, _ in pairs])
    rewritten = batch([before if kept else after for before, after, kept in pairs])
    alone = page_values(rewritten["text"])
    behind = page_values(rewritten["text"], gopher_values(column["text"]))
    np.testing.assert_array_equal(alone.values, behind.values)


def test_long_words_and_many_words_need_no_more_than_room() -> None:
    long = "x" * 5000 + "-" + "y" * 5000
    many = "word! " * 5000
    rows = measured([long, many, "!" * 3000, "short"])
    assert [row["words"] for row in rows] == [2, 5000, 0, 1]
    assert rows[0]["mean_word_length"] == 5000
    assert rows[1]["alpha_words"] == 0.5
