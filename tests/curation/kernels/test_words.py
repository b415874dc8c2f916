"""Words are those of spaCy's English tokeniser: the examples below are its own answers."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.kernels.affixes import LONGEST_CHUNK, LONGEST_SPECIAL
from curation.kernels.buffers import text_buffers
from curation.kernels.english import special_cases
from curation.kernels.word_tables import word_tables
from curation.kernels.words import (
    AFTER_BREAK,
    AFTER_SPACES,
    ENDS_SENTENCE,
    HAS_LETTER,
    IS_PUNCTUATION,
    LENGTH_SHIFT,
    NOT_SYMBOL,
    STOP_WORD_SHIFT,
    words_of,
)

# Each line is a text as spaCy 3.8 splits it: bars stand between words without a space.
SPACY = """
The cat sat|.
Mr. Smith|'s dog did|n't bark|, e.g. at 5 p.m.
It|’s a well|-|known fact|; we|’ll see|!
U.S. and US|. but I. am
Wo|n't you go|?|"
(|see "|page|" [|12|]|)
$|3,000.50 or 5|€|, US$|20 and 30|%
5|km at 10|m/s +1 x+ 5|+
http://www.example.com/a_b?c=d#e (|www.example.org|) a@b.example|,
end|.|Then left|/|right and/or a|:|b 3:4
wait|... what|.. so|… no
state|-|of|-|the|-|art -- a|--|b 1|-|2 —|word|—
:) :-(|, hello|:) <3
©|2019 20|°|C ☂|rain
he|'d|'ve gon|na can|not c'm|on y'|all
#|hashtag @user a_b _|c|_
日本語|。 ไทย naïve|!
'|quoted|' `|`|double|''
1.2.3.4/x-y 10.0.0.1|/|x|-|y
the|=|sign x*y 2|*|3 a|<|b
Dec. 8|a.m. 8|am option|-|a.
"""


def cut(*texts: str) -> list[list[str]]:
    """The words of each text, by the lengths that the kernel gives."""
    _, infos, counts = words_of(*text_buffers(pa.array(texts, pa.large_string())), *word_tables())
    lengths = iter((infos >> LENGTH_SHIFT).tolist())
    found = []
    for text, count in zip(texts, counts.tolist(), strict=True):
        rest, words = "".join(text.split()), []
        for _ in range(count):
            length = next(lengths)
            words.append(rest[:length])
            rest = rest[length:]
        assert not rest, "every character that is no white space is in a word"
        found.append(words)
    return found


@pytest.mark.parametrize("line", SPACY.strip().split("\n"))
def test_words_are_spacys(line: str) -> None:
    assert cut(line.replace("|", "")) == [line.replace("|", " ").split()]


def test_special_texts_make_their_words() -> None:
    cases = special_cases()
    assert list(map(list, cases.values())) == cut(*cases)
    for text, words in cases.items():
        assert "".join(words) == text
        assert len(text.encode()) <= LONGEST_SPECIAL


TEXTS = st.text(st.sampled_from("abcdefXYZ019 .,'’-…!?:;/()$%@\t\n\u00a0\u2028éßЖ日ไ😀"), max_size=60)


@settings(max_examples=200, deadline=None)
@given(TEXTS, TEXTS)
def test_words_of_two_lines_are_those_of_each(one: str, other: str) -> None:
    first, second, both = cut(one, other, f"{one}\n{other}")
    assert both == first + second


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_cut_whole(text: str) -> None:
    cut(text)


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_equal_words_have_equal_hashes(text: str) -> None:
    hashes, _, _ = words_of(*text_buffers(pa.array([text], pa.large_string())), *word_tables())
    (words,) = cut(text)
    assert len(set(hashes.tolist())) == len(set(words))


def flags(text: str) -> list[int]:
    _, infos, _ = words_of(*text_buffers(pa.array([text], pa.large_string())), *word_tables())
    return [int(info) & ((1 << STOP_WORD_SHIFT) - 1) for info in infos]


def test_what_a_word_is_made_of() -> None:
    start = AFTER_BREAK
    assert flags("word") == [HAS_LETTER | NOT_SYMBOL | start]
    assert flags("1984") == [NOT_SYMBOL | start]
    assert flags("© —") == [NOT_SYMBOL | start, IS_PUNCTUATION]
    assert flags(".") == [IS_PUNCTUATION | ENDS_SENTENCE | start]
    assert flags("...") == [IS_PUNCTUATION | start]
    assert flags("a\r\n b  c") == [HAS_LETTER | NOT_SYMBOL | flag for flag in (start, AFTER_BREAK, AFTER_SPACES)]


def test_stop_words_are_told_apart_from_others() -> None:
    _, infos, _ = words_of(*text_buffers(pa.array(["the The of. haven't thee"], pa.large_string())), *word_tables())
    numbers = [int(info) >> STOP_WORD_SHIFT & 15 for info in infos]
    assert numbers == [1, 0, 4, 0, 7, 0, 0]


def test_words_and_arrays_may_be_long() -> None:
    url = "http://example.com/" + "a" * 3000
    assert cut(url, "-" * 2000, "x! " * 3000) == [[url], ["-" * 2000], ["x", "!"] * 3000]


def test_a_slice_of_a_column_is_cut_like_its_texts() -> None:
    texts = ["first text.", "second, text", "third"]
    column = pa.array(texts, pa.large_string()).slice(1, 1)
    assert words_of(*text_buffers(column), *word_tables())[2].tolist() == [3]
    assert words_of(*text_buffers(column.slice(0, 0)), *word_tables())[2].tolist() == []


def test_a_run_longer_than_spacy_reads_is_cut_so_that_it_takes_bounded_memory() -> None:
    texts = ["é" * LONGEST_CHUNK, "é" * (LONGEST_CHUNK + 1), f"{'é' * (2 * LONGEST_CHUNK)} é"]
    _, infos, counts = words_of(*text_buffers(pa.array(texts, pa.large_string())), *word_tables())
    assert counts.tolist() == [1, 2, 3]
    assert (infos >> LENGTH_SHIFT).tolist() == [LONGEST_CHUNK, LONGEST_CHUNK, 1, LONGEST_CHUNK, LONGEST_CHUNK, 1]
