"""Filters by the user's lists: words and phrases of a text, regular expressions, substrings of a url."""

import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from curation.filters.pattern import Pattern
from curation.filters.url_substrings import UrlSubstrings
from curation.filters.word_list import WordList
from curation.lists.list_files import entries_of
from curation.recipe import Recipe
from jobs.corpus.job_file import load_recipe
from schemas.errors import UserError
from tests.curation.peers.vectors import failed, measured
from tests.doubling import assert_linear

LISTED = ("ass", "strap on", "été", "a", "on a b")
PIECES = (
    "ass",
    "Ass",
    "saddle",
    "strap",
    "on",
    "a",
    "b",
    "ÉTÉ",
    "_",
    "9",
    "-",
    "!",
    " ",
    " ",
    " ",
    "\n",
    "\u00a0",
    "漢",
)


def counted(text: str, case_sensitive: bool) -> int:
    """Listed words and phrases from left to right, the longest at each place, straight from the definition."""
    fold = (lambda word: word) if case_sensitive else str.lower
    words = [fold(word) for word in re.findall(r"\w+", text)]
    listed = {tuple(fold(entry).split()) for entry in LISTED}
    found = place = 0
    while place < len(words):
        size = max((len(entry) for entry in listed if tuple(words[place : place + len(entry)]) == entry), default=0)
        found += size > 0
        place += max(size, 1)
    return found


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join), st.booleans())
@example("on a b on a", True)
def test_words_are_counted_as_defined(text: str, case_sensitive: bool) -> None:
    step = WordList(words=LISTED, case_sensitive=case_sensitive)
    assert measured(step, text)["listed_words"] == counted(text, case_sensitive)


@pytest.mark.parametrize(
    ("text", "letters", "spaces", "none"),
    [
        ("An ass, my ass!", 2, 0, 2),
        ("The ass and the saddle", 1, 1, 1),
        ("He passes strap-on tests", 1, 0, 1),
        ("Our strap on, strap onto", 1, 2, 2),
        ("漢ass字", 0, 0, 1),
        ("", 0, 0, 0),
    ],
)
def test_boundaries_say_what_is_around_a_word(text: str, letters: int, spaces: int, none: int) -> None:
    for boundaries, expected in (("letters", letters), ("spaces", spaces), ("none", none)):
        step = WordList(words=("ass", "strap on"), boundaries=boundaries)  # type: ignore[arg-type]
        assert measured(step, text)["listed_words"] == expected, boundaries


def test_a_share_counts_the_words_of_phrases() -> None:
    step = WordList(words=("strap on",), max_words=None, max_share=0.4)
    assert measured(step, "strap on a horse, ok")["listed_words_share"] == pytest.approx(0.4)
    assert failed(step, "strap on a horse, ok") == []
    assert failed(step, "strap on a horse") == ["listed_words_share"]
    assert measured(step, "!")["listed_words_share"] is None


def test_a_long_list_finds_the_same_words_as_a_short_one() -> None:
    many = tuple(f"word{number}" for number in range(20_000))
    for boundaries in ("letters", "spaces"):
        assert measured(WordList(words=many, boundaries=boundaries), "word7 word70000 Word19999")["listed_words"] == 2  # type: ignore[arg-type]
    assert measured(WordList(words=many[:1000], boundaries="none"), "aword7b ")["listed_words"] == 1


def test_lists_come_from_files_and_their_digests_stand_in_the_manifest(tmp_path: Path) -> None:
    words, patterns = tmp_path / "words.txt", tmp_path / "patterns.txt"
    words.write_text("# of the mill\nchaff\nstrap on\n", encoding="utf-8")
    patterns.write_text("lorem ipsum\n", encoding="utf-8")
    steps = (WordList(words=(f"@{words}",)), Pattern(patterns=(f"@{patterns}", r"\n{9}")))
    recipe = Recipe(name="lists", steps=steps)
    recipe.read_lists()
    before = recipe.list_digests()
    assert list(before) == [str(words), str(patterns)]
    assert failed(steps[0], "Chaff is here") == ["listed_words"]
    assert failed(steps[1], "lorem ipsum") == failed(steps[1], "a" + "\n" * 9) == ["pattern"]
    words.write_text("grain\n", encoding="utf-8")
    assert failed(steps[0], "Chaff is here") == ["listed_words"]
    recipe.read_lists()
    assert failed(steps[0], "Chaff is here") == []
    assert recipe.list_digests()[str(words)] != before[str(words)]
    assert entries_of((f"@{words}", " x"), "other") == ("grain", " x")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("pattern.patterns=(", "pattern.patterns has '(', which is not a regular expression of RE2"),
        ("word_list.words=@nowhere.txt", "the list nowhere.txt of the step word_list cannot be read"),
    ],
)
def test_an_invalid_list_is_refused_before_anything_is_read(change: str, told: str, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('[[steps]]\nuse = "pattern"\n[[steps]]\nuse = "word_list"\n', encoding="utf-8")
    with pytest.raises(UserError) as refused:
        load_recipe(str(own), [change])
    assert str(refused.value).startswith(told)


def test_patterns_are_measured_in_texts_lines_and_paragraphs() -> None:
    step = Pattern(patterns=("spam", "b{2}"), case_sensitive=False)
    found = measured(step, "Spam bb\n\n \nspam b\nham\n\n")
    assert found["pattern_matches"] == 3
    assert found["pattern_share"] == pytest.approx(10 / 23)
    assert found["pattern_lines"] == pytest.approx(2 / 3)
    assert found["pattern_paragraphs"] == 1
    assert set(measured(step, "").values()) == {0, None}
    assert Pattern().rules() == WordList().rules() == UrlSubstrings().rules() == ()
    assert failed(Pattern(patterns=("é",), min_matches=1, max_matches=None), "e") == ["few_matches"]


@pytest.mark.parametrize(
    ("settings", "url", "count"),
    [
        ({"substrings": ("bad", "worse")}, "https://www.BAD.example/bad", 1),
        ({"substrings": ("bad", "worse")}, "https://badworse.example", 2),
        ({"substrings": ("bad", "badworse", "worse")}, "https://badworse.example", 1),
        ({"substrings": ("Bad",), "case_sensitive": True}, "https://bad.example", 0),
        ({"substrings": ("bad",), "whole_words": True}, "https://bad.example/badly", 1),
        ({"substrings": ("bad",), "whole_words": True}, "https://my_bad.example/badly", 0),
        ({"substrings": ("bad",), "ignored": "-."}, "https://b-a.d", 1),
        ({"substrings": ("bad",)}, None, 0),
    ],
)
def test_substrings_of_a_url(settings: dict[str, object], url: str | None, count: int) -> None:
    step = UrlSubstrings(**settings)  # type: ignore[arg-type]
    assert measured(step, "", url)["url_substrings"] == count
    assert bool(failed(step, "", url)) == (count > 0)


def naive_substrings(listed: tuple[str, ...], url: str, whole_words: bool) -> int:
    """From left to right, the longest substring at each place, without overlap."""
    found, place = set[str](), 0
    edges = {place for place in range(len(url) + 1) if _in_word(url, place - 1) != _in_word(url, place)}
    while place < len(url):
        standing = [
            each
            for each in listed
            if url.startswith(each, place) and (not whole_words or {place, place + len(each)} <= edges)
        ]
        match = max(standing, key=len, default="")
        found |= {match} - {""}
        place += len(match) or 1
    return len(found)


def _in_word(url: str, place: int) -> bool:
    return 0 <= place < len(url) and (url[place].isalnum() or url[place] == "_")


@settings(deadline=None)
@given(
    st.lists(st.text("aab-é_|(", max_size=7), max_size=6).map(tuple), st.text("aab-é_|(", max_size=40), st.booleans()
)
@example(("abcdef", "abcde", "abcd", "abc", "b"), "abcdefabcdeabcabd", False)
@example(("a-b", "a"), "a-b_a-b", True)
def test_substrings_of_a_url_are_those_of_a_naive_program(listed: tuple[str, ...], url: str, whole_words: bool) -> None:
    step = UrlSubstrings(substrings=listed, whole_words=whole_words)
    assert measured(step, "", url)["url_substrings"] == naive_substrings(listed, url, whole_words)


def test_a_url_of_any_length_takes_time_in_proportion() -> None:
    step = UrlSubstrings(substrings=tuple(f"{first}{second}ill" for first in "mgtb" for second in "aeiou"))
    assert_linear(lambda url: measured(step, "", url), lambda size: "mi" * size, 50_000)
