"""Words are those of spaCy's English tokeniser: the examples below are its own answers, and ``make soak`` asks it anew.

In one thing they differ. After cutting a text, spaCy joins words that make an emoticon or another special text, the
longest match first. In spaCy 3.8 a rejected match, which overlaps a better one or holds white space, still keeps later
matches apart: ``Tokenizer._filter_special_spans`` marks the words of every match as seen. The kernel ignores rejected
matches, as does ``Tokenizer.explain``, which spaCy documents as equal. Of 150,000 real lines 2 have other words for it.
"""

import gzip
import json
import random
from pathlib import Path
from typing import Any

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
EXAMPLES = """
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


@pytest.mark.parametrize("line", EXAMPLES.strip().split("\n"))
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


def test_stop_words_are_marked() -> None:
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


@pytest.fixture(scope="module")
def spacy() -> Any:
    """spaCy's English tokeniser."""
    from spacy import blank  # takes seconds to import

    return blank("en").tokenizer


def explained(spacy: Any, text: str) -> list[str]:
    """The words by spaCy's slow way, for each run without white space."""
    return [word for run in text.split() for _, word in spacy.explain(run)]


def differing(spacy: Any, lines: list[str]) -> list[str]:
    """The lines whose words are not those of spaCy's tokeniser; checks that each has the words of `explained`."""
    different = []
    for line, words in zip(lines, cut(*lines), strict=True):
        if words != [token.text for token in spacy(line) if not token.is_space]:
            assert words == explained(spacy, line), line
            different.append(line)
    return different


REJECTED_MATCHES = {
    ":-(:)": (":-( :)", ":-( : )"),  # "(:" overlaps ":-(", and keeps ":)" apart
    "''''#²": ("'' '' # ²", "'' ' ' # ²"),  # the second and third mark overlap the first two
    "url : o.O.x": ("url : o. O.x", "url : o . O.x"),  # ": o" holds a space
}
"""What the kernel and what spaCy makes of some texts, as of version 3.8."""


@pytest.mark.soak
@pytest.mark.parametrize(("text", "words"), REJECTED_MATCHES.items())
def test_a_rejected_match_keeps_nothing_apart(spacy: Any, text: str, words: tuple[str, str]) -> None:
    assert [" ".join(cut(text)[0]), " ".join(token.text for token in spacy(text))] == list(words)
    assert explained(spacy, text) == cut(text)[0]


MARKS = "'\"`´’‘“”«»()[]{}<>:;=-_^|\\/.,!?*+~#@$£€¥%&§°²³☂…–—·¿¡\xa0\u3000\u2009\xad\u0301\u200b"
LETTERS = " 0123abcxyzABCXYZéßЖд日本語ไทยก😀"
PARTS = """
:) :( :-) (: ;-) <3 :P xD ^_^ o.O -_- ¯\\(ツ)/¯ US$ C$ km² m/s °C 5kg 10am a.m. p.m. e.g. i.e. U.S. Mr. Ph.D.
don't I'm 've 'll n't it's y'all gonna cannot o'clock and/or w/o '' 'Cause 'em C++ .. ... -- http:// www. .com
me@mill.example 1.2.3.4 :8080 /a?b=c #x @y
"""
PIECES = [*MARKS, *LETTERS, *PARTS.split()]
"""What lines are made of at random: marks, emoticons, units, abbreviations, contractions, parts of urls."""


@pytest.mark.soak
def test_random_lines_have_spacys_words(spacy: Any) -> None:
    draw = random.Random(15)
    lines = ["".join(draw.choices(PIECES, k=draw.randrange(1, 14))) for _ in range(40_000)]
    assert len(differing(spacy, lines)) < len(lines) / 500


@pytest.mark.soak
def test_real_lines_have_spacys_words(spacy: Any, shared: Path) -> None:
    """Web text, sentences in many languages, and the source of web pages."""
    lines = set()
    for name, field in (("web/c4_600", "text"), ("languages/sentences", "text"), ("pages/articles_60", "html")):
        with gzip.open(shared / "data" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as rows:
            lines.update(line for row in rows for line in json.loads(row)[field].split("\n") if len(line) < 2000)
    chosen = random.Random(15).sample(sorted(lines), 30_000)
    assert len(differing(spacy, chosen)) <= 3
