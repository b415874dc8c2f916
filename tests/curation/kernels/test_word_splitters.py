"""Words by each definition: examples as other programs answer, and laws that hold for any text."""

import re

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.kernels.buffers import text_buffers
from curation.kernels.word_splitters import WordKind, words_in
from tests.curation.kernels.test_words import EXAMPLES

UAX29 = r"""
The quick (|“|brown|”|) fox can’t jump 32.3 feet|, right|?
They're 3.5 km away|.|.|. aren't they|? e.g|. a.b.c 1,000.50 1|.|a a|.|1 a:b 1|:|2
snake_case _private __init__ x2y 2x 1_000 _1 a_ _
don't '|quoted|' rock'n'roll o|' 5|' '|tis
http|:|/|/|example.org|/|a_b|?|c|=|1|&|d|=|2 me|@|mill.example #|tag $|5 5|% C|+|+ A|/|B
naïve Straße ελπίδα Привет мир שלום צה"ל ג'ירפה
日|本|語|の|文 カタカナ テスト ひ|ら|が|な 한국어 문장
ไ|ท|ย ភា|សា မြ|န်|မာ
e\u0301a a\u00ad\u00adb a\u200db 🇩🇪|🇫🇷|🇦 👩\u200d👩\u200d👧 ☂\ufe0f ❤\ufe0f\u200d🔥
tab and\u00a0no|-|break a b c 10\u202f000
٣٫١٤ ๑๒ Ⅷ ② 1⁄2 x|² №|5
"""
"""Texts as uniseg 0.10.1 (Unicode 16) splits them: bars stand between words without a space."""
KINDS: tuple[WordKind, ...] = WordKind.__args__  # type: ignore[attr-defined]
TEXTS = st.one_of(st.text(max_size=60), st.text(st.sampled_from("ab1é日 \n\t.,'_\"-\u00a0\u0301\u200d"), max_size=60))


def split(text: str, kind: WordKind) -> list[str]:
    column = pa.array(["before it", text, "and after"], pa.large_string()).slice(1, 1)
    data, _ = text_buffers(column)
    words = words_in(column, kind)
    assert words.firsts.tolist() == [0, len(words.starts)]
    pairs = zip(words.starts.tolist(), words.ends.tolist(), strict=True)
    return [bytes(data[start:end]).decode() for start, end in pairs]


@pytest.mark.parametrize("line", UAX29.strip().split("\n"))
def test_words_lie_between_the_boundaries_of_unicode(line: str) -> None:
    line = re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), line)
    words = [word for word in re.split("[ |\u00a0]+", line) if word]
    text = line.replace("|", "")
    assert split(text, "uax29_marks") == words
    assert split(text, "alphanumeric") == [word for word in words if word[0].isalnum()]
    assert split(text, "uax29") == [word for word in words if any(map(str.isalnum, word))]


@pytest.mark.parametrize("line", EXAMPLES.strip().split("\n"))
def test_english_words_are_where_the_default_kernel_finds_them(line: str) -> None:
    assert split(line.replace("|", ""), "spacy_en") == re.split(r" +|\|", line)


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_plain_definitions(text: str) -> None:
    assert split(text, "white_space") == text.split()
    assert split(text, "characters") == [letter for letter in text if not letter.isspace()]
    pieces = re.split("[\0 \t-\r]", text)
    assert split(text, "fasttext") == [piece for piece in pieces if piece and piece[0].isalnum()]
    if text.isascii():
        assert split(text, "ascii_runs") == re.findall("[0-9A-Za-z]+", text)
    else:
        assert split(text, "ascii_runs") == split(text, "uax29")


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_only_white_space_lies_between_words_with_marks(text: str) -> None:
    for kind in ("uax29_marks", "spacy_en"):
        assert re.sub(r"\s", "", "".join(split(text, kind))) == re.sub(r"\s", "", text)


@settings(max_examples=50, deadline=None)
@given(st.lists(TEXTS, max_size=5))
def test_a_text_has_the_same_words_alone_and_among_others(texts: list[str]) -> None:
    column = pa.array([*texts, None], pa.large_string())
    data, _ = text_buffers(column)
    for kind in KINDS:
        words = words_in(column, kind)
        found = [bytes(data[start:end]).decode() for start, end in zip(words.starts, words.ends, strict=True)]
        assert found == [word for text in texts for word in split(text, kind)]
        assert len(words.firsts) == len(texts) + 2
        assert words.firsts[-1] == len(found)
