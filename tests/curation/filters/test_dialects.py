"""Settings by which the filters count as other projects do."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.filters.c4 import C4Pages
from curation.filters.characters import Characters
from curation.filters.comments import Comments
from curation.filters.fineweb import Fineweb
from curation.filters.line_lengths import LineLengths
from curation.filters.madlad import Madlad
from schemas.errors import UserError
from tests.curation.peers.vectors import failed, measured


@pytest.mark.parametrize(
    ("text", "punkt", "marks"),
    [
        ("", 0, 0),
        (" \n ", 0, 0),
        ("No mark", 1, 0),
        ("One. Two! Three? ", 3, 3),
        ("One.\nTwo.", 2, 2),
        ("One.Two.", 1, 2),
        ("Three sentences...but it is one.", 1, 4),
        ("It ended... But it went on. Wait... what?", 3, 8),
        ("Dr. Roberts met Mr. Miller at 5 p.m. on Main St. today.", 1, 6),
        ("She lives in the U.S. with J. Smith. He does not.", 2, 5),
        ('"Is it?" he said. (It is.) So be it.', 4, 4),
        ("It costs 3. 5 are here. In 1984. Then more.", 3, 4),
        ("What?! No!!", 2, 4),
    ],
)
def test_sentences_are_counted_by_punkt_or_by_marks(text: str, punkt: int, marks: int) -> None:
    assert measured(C4Pages(sentences="punkt"), text)["sentences"] == punkt
    assert measured(C4Pages(sentences="marks"), text)["sentences"] == marks


@settings(max_examples=80, deadline=None)
@given(st.text(st.sampled_from("a.!? \n\"')"), max_size=60), st.text(max_size=40))
def test_any_text_has_sentences(text: str, other: str) -> None:
    for each in (text, other):
        found = measured(C4Pages(sentences="punkt"), each)["sentences"]
        assert (found > 0) == bool(each.strip())
        assert found <= len(re.findall("[.!?]", each)) + len(each.splitlines())
        assert measured(C4Pages(sentences="marks"), each)["sentences"] == len(re.findall("[.!?]", each))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from(["a", "long line", ".", ";", "…", " ", "\n", "\n"]), max_size=20).map("".join),
    st.integers(0, 12),
    st.sampled_from([(".",), (";", "…"), ("e",)]),
)
def test_lines_are_judged_by_other_marks_and_lengths(text: str, short: int, marks: tuple[str, ...]) -> None:
    found = measured(Fineweb(end_marks=marks, short_line_characters=short), text)
    lines = [line for line in text.split("\n") if line.strip()]
    if lines:
        assert found["line_punctuation"] == pytest.approx(sum(line.endswith(marks) for line in lines) / len(lines))
        assert found["short_lines"] == pytest.approx(sum(len(line) <= short for line in lines) / len(lines))
    else:
        assert found["line_punctuation"] is found["short_lines"] is None


def test_a_text_without_any_mark_may_pass() -> None:
    text = "one line that is long enough to be no short one\n" * 3
    assert "line_punctuation" in failed(Fineweb(), text)
    assert "line_punctuation" not in failed(Fineweb(line_punct_exclude_zero=True), text)
    assert measured(Fineweb(line_punct_exclude_zero=True), "a.\nb")["line_punctuation"] == 0.5
    with pytest.raises(UserError, match="end_marks has 'ab': give single characters"):
        Fineweb(end_marks=("ab",))


@pytest.mark.parametrize(
    ("style", "text", "comments", "characters"),
    [
        ("c", "x = 1; // one\n/* two\nlines */ y", 2, len(" one") + len(" two\nlines ") + 1),
        ("c", "s = \"// no\"; c = '/*'; # no", 0, 0),
        ("c", 's = "a\\"// no"; //é', 1, 1),
        ("c", "/* open", 1, len(" open")),
        ("c", "a / b", 0, 0),
        ("hash", "x = 1  # one\n# two\n", 2, len(" one two") + 1),
        ("hash", "s = '# no' // no", 0, 0),
        ("hash", "it's open\n# one", 1, len(" one")),
    ],
)
def test_comments(style: str, text: str, comments: int, characters: int) -> None:
    found = measured(Comments(style=style), text)  # type: ignore[arg-type]
    assert found["comments"] == comments
    assert found["comment_share"] == pytest.approx(characters / len(text))


def test_sentences_are_questionable_for_patterns_and_languages() -> None:
    text = "The mill of the village grinds the grain of its farmers. Copyright of the mill, all rights of the miller. "
    text += "The farmers bring all their wheat to the mill. The bakers buy the flour of the miller for their bread. "
    text += "Heute ist das Wetter schön. "
    found = measured(Madlad(patterns=("Copyright",), languages=True), text)
    assert found["split_sentences"] == 5
    assert found["cursed_sentences"] == pytest.approx(0.2)
    assert found["foreign_sentences"] == pytest.approx(0.2)
    assert found["questionable_sentences"] == pytest.approx(0.4)
    assert failed(Madlad(), text) == []
    assert failed(Madlad(patterns=("Copyright",), languages=True), text) == ["questionable_sentences"]
    assert failed(Madlad(), "One sentence.") == ["few_split_sentences", "questionable_sentences"]


def test_line_breaks_and_long_lines_count_as_asked() -> None:
    text = "x" * 200 + "\n" + "y" * 199 + "\r\n" + "z" * 300
    assert measured(LineLengths(), text) == {"mean_line_length": 233, "longest_line": 300, "long_lines": 2}
    assert measured(LineLengths(count_line_breaks=True), text)["mean_line_length"] == pytest.approx(702 / 3)
    assert measured(LineLengths(long_line_characters=300), text)["long_lines"] == 1
    assert failed(LineLengths(min_long_lines=3, max_mean_length=None), text) == ["few_long_lines"]


@given(st.text(max_size=60))
def test_kinds_of_characters_are_pythons(text: str) -> None:
    found = measured(Characters(), text)
    for name, kind in (("letter_share", str.isalpha), ("digit_share", str.isdigit), ("capital_share", str.isupper)):
        if text:
            assert found[name] == pytest.approx(sum(map(kind, text)) / len(text))
        else:
            assert found[name] is None
