"""Normal forms are Unicode's own, however many marks stand in a row, and take time that grows with the text."""

import sys
import unicodedata
from collections.abc import Callable

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from curation.dedup.near import families
from curation.filters.hosts import domains_of, host_of
from curation.filters.url import Url
from curation.rewrites.composing import LONG_RUN, nfc, nfkc, sort_marks
from curation.rewrites.normalise import Normalise
from tests.doubling import assert_linear

MARKS = "".join(character for character in map(chr, range(0x300, 0x20000)) if unicodedata.combining(character))
ODD = "\u0344\u0f73\u0f75\u0f81\uff9e\uff9f\u1161\u11a8"
"""Characters of class 0 that come apart into marks, and ones that join the character before them."""
RUNS = st.tuples(st.text(MARKS + ODD, max_size=8), st.integers(1, 60)).map(lambda run: run[0] * run[1])
TEXTS = st.lists(st.one_of(RUNS, st.sampled_from("aé각ꙗ\n \uff76ᾄ"), st.text(max_size=3)), max_size=6).map("".join)


@settings(max_examples=300)
@given(TEXTS)
@example("é" + "\u0315\u0300\u0344\u0323" * 200 + "a\u0301")
@example("\u0f71\u0f73" * 300)
@example("\uff76" + "\uff9e\u0301" * 300)
def test_composed_forms_equal_unicodes(text: str) -> None:
    assert nfc(text) == unicodedata.normalize("NFC", text)
    assert nfkc(text) == unicodedata.normalize("NFKC", text)
    for form in ("NFD", "NFKD"):
        assert unicodedata.normalize(form, sort_marks(text, form)) == unicodedata.normalize(form, text)


def test_every_mark_is_put_in_order() -> None:
    """No two classes of marks are left in disorder in a long run, so that nothing is left to be inserted."""
    for form in ("NFD", "NFKD"):
        for code in range(sys.maxunicode + 1):
            one = chr(code)
            apart = "" if 0xD800 <= code < 0xE000 else unicodedata.normalize(form, one)
            if apart and all(map(unicodedata.combining, apart)):
                run = ("\u0315\u0300" + one) * LONG_RUN * 2
                classes = [unicodedata.combining(mark) for mark in sort_marks(f"a{run}", form)[1:]]
                assert classes == sorted(classes), (form, hex(code))


@pytest.mark.parametrize("piece", ["\u0315\u0300", "\u0323\u0f73\u0344", "\uff9e\u0301", "\u3099\u0301\u0315"])
@pytest.mark.parametrize(
    "work",
    [
        nfc,
        nfkc,
        lambda text: Normalise().rewrite(pa.array([f"a{text}"], pa.large_string())),
        lambda text: families(pa.array([f"a{text}"], pa.large_string())),
    ],
    ids=["nfc", "nfkc", "normalise", "families"],
)
def test_twice_the_marks_take_twice_the_time(work: Callable[[str], object], piece: str) -> None:
    assert_linear(work, lambda size: piece * size, 10_000)


@pytest.mark.parametrize("piece", ["\u0315\u0300", "a.", "é.", "é", "\u00ad", ":", "@", "//", "[", "%"])
@pytest.mark.parametrize("head", ["http://a", ""])
def test_the_host_of_a_long_url_takes_time_that_grows_with_it(head: str, piece: str) -> None:
    """A name too long for the name system is no host; an ASCII name is looked up whole."""

    def work(text: str) -> None:
        url = head + text
        list(domains_of(host_of(url)))
        records = pa.RecordBatch.from_pydict({"url": pa.array([url])})
        Url(domains=("mill.example",), words=("mill",), subwords=("mill",)).measure(records)

    assert_linear(work, lambda size: piece * size, 50_000)


def test_a_host_of_any_length_that_names_have_is_found() -> None:
    long = ".".join(["a" * 60] * 3)
    assert host_of(f"http://bücher.{long}/{'é' * 5000}") == f"xn--bcher-kva.{long}"
    assert list(domains_of("a.b.c")) == ["a.b.c", "b.c", "c"]
    deep = "a." * 3000 + "mill.example"
    found = list(domains_of(deep))
    assert found[0] == deep
    assert found[-2:] == ["mill.example", "example"]
