"""Splitting into words by kernels and by libraries for one language."""

import gzip
import json
import warnings
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from curation.kernels.buffers import text_buffers
from curation.recipes.published import usual_splitter
from curation.words import libraries
from curation.words.splitting import WORD_KINDS, words_in
from schemas.errors import UserError

TEXTS = {
    "jieba": "我来到北京清华大学，2024年。\nabc def",
    "sudachi": "東京都に住んでいます。 彼はABCを3回見た。",
    "pythainlp": "ผมชอบหนังสือเล่มนี้มาก เพราะเรื่องดี 12",
    "khmercut": "ខ្ញុំចូលចិត្តសៀវភៅនេះណាស់ ព្រោះវាមានរឿងល្អ។ abc",
    "laonlp": "ຂ້ອຍມັກປຶ້ມນີ້ຫຼາຍ ເພາະມັນມີເລື່ອງດີ abc",
    "kiwi": "북핵 외교를 전담하는 별도 조직이 있다.",
    "syllables": "ང་ཚོས་ မြန်မာနိုင်ငံ၊ (abc) ၁၂။ །",
    "elided": "L'été d’hiver, aujourd'hui 'dit-il' 90's l' — «l'homme»",
    "spaced": "Grüße, L'été\u00a0— «Привет», 3.5km! http://mill.example/a?b",
}
KINDS = [pytest.param(kind, marks=pytest.mark.soak if kind == "kiwi" else ()) for kind in TEXTS]
"""Loading kiwi takes seconds."""


def split(texts: list[str], kind: str) -> list[list[str]]:
    column = pa.array(texts, pa.large_string())
    words, data = words_in(column, kind), bytes(text_buffers(column)[0])
    found = [data[start:end].decode() for start, end in zip(words.starts, words.ends, strict=True)]
    return [found[a:b] for a, b in zip(words.firsts, words.firsts[1:], strict=False)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_character_but_white_space_is_in_a_word(kind: str) -> None:
    [words] = split([TEXTS[kind]], kind)
    text = "".join(TEXTS[kind].split())
    if kind == "kiwi":  # two morphemes may share a character
        assert set(text) == set("".join(words))
    else:
        assert "".join(words) == text
    assert len(words) > 5


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_is_split_by_itself(kind: str) -> None:
    text = TEXTS[kind]
    every = split([text, "", f"{text} {text}", text], kind)
    assert every[0] == every[3] == split([text], kind)[0]
    assert every[1] == []
    assert split(["x", text], kind)[1] == every[0]


def test_syllables_are_those_of_the_script() -> None:
    [words] = split([TEXTS["syllables"]], "syllables")
    assert words == ["ང་", "ཚོས་", "မြန်", "မာ", "နိုင်", "ငံ", "၊", "(abc)", "၁၂", "။", "།"]


def test_an_elision_is_a_word() -> None:
    texts = ["L'été d’hiver", "", "'dit-il' l' 90's", "dell'arte"]
    assert split(texts, "elided") == [
        ["L'", "été", "d’", "hiver"],
        [],
        ["'", "dit", "-", "il", "'", "l", "'", "90", "'s"],
        ["dell'", "arte"],
    ]


def test_words_of_a_library_are_those_that_it_is_known_for() -> None:
    assert split(["我来到北京清华大学"], "jieba") == [["我", "来到", "北京", "清华大学"]]
    assert split(["ภาษาไทยง่ายนิดเดียว"], "pythainlp") == [["ภาษาไทย", "ง่าย", "นิดเดียว"]]
    assert split(["国家公務員"], "sudachi") == [["国家", "公務", "員"]]


def test_a_long_text_in_japanese_is_split_in_pieces() -> None:
    """SudachiPy itself refuses texts of more than 49,149 bytes."""
    line = "東京都に住んでいます。\n"
    [words] = split([line * 3000], "sudachi")
    assert words == split([line], "sudachi")[0] * 3000


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(libraries.SOURCES, "jieba", libraries.Source(("no-such-package",), libraries._chinese))
    libraries._versions.cache_clear()
    with pytest.raises(UserError, match=r"needs no-such-package: install .*gristmill\[languages\]"):
        words_in(pa.array(["北京"]), "jieba")
    libraries._versions.cache_clear()


def test_every_kind_of_recipes_is_known() -> None:
    assert {*TEXTS, "spacy_en", "white_space", "uax29", "characters"} <= set(WORD_KINDS)
    assert set(libraries.SOURCES) <= set(WORD_KINDS)


@pytest.mark.soak
def test_numbers_of_words_are_within_a_twentieth_of_spacys(shared: Path) -> None:
    """Of every language for which spaCy has a tokeniser that needs no other package. Japanese is split by the same
    library there; Chinese and Thai are left out, since spaCy splits the first by characters and the second not."""
    import spacy

    by_language: dict[str, list[str]] = defaultdict(list)
    with gzip.open(shared / "data/languages/sentences.jsonl.gz", "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            by_language[row["lang"]].append(row["text"])
    off, compared = {}, 0
    for language, texts in sorted(by_language.items()):
        tokens = _tokens(spacy, language)
        if tokens is None or language in ("zh", "th", "en"):
            continue
        compared += 1
        theirs = sum(len(tokens(text)) for text in texts)
        ours = sum(map(len, split(texts, "sudachi" if language == "ja" else usual_splitter(language))))
        if abs(ours / theirs - 1) > 0.05:
            off[language] = ours / theirs
    assert compared > 50
    assert not off


def _tokens(spacy: Any, language: str) -> Callable[[str], list[str]] | None:
    """spaCy's tokeniser of a language; None if it needs another package. Languages that spaCy does not know have its
    multilingual one, as in datatrove."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            blank = spacy.blank(language)
        except ImportError as error:
            if "E048" not in str(error):
                return None
            blank = spacy.blank("xx")
    return lambda text: [token.text for token in blank.make_doc(text) if token.text.strip()]
