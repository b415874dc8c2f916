"""Documents that hold no string of a sample need not be tokenised: what is found is what tokenising all of them finds,
with any tokenizer and any text."""

from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from curation.benchmarks.index import Index, tokenise
from curation.benchmarks.settings import Normalise, Settings
from curation.benchmarks.texts import Form
from curation.tokenizers.surfaces import has_fixed_bytes
from curation.tokenizers.tokenizer import Tokenizer, open_tokenizer
from tests.curation.contamination.naive import longest_spans, words
from tests.curation.packing.corpora import PROSE, byte_level, losing_line_feeds, saved, sentence_piece, unigram


def llama() -> bytes:
    """A SentencePiece model with the settings of Llama 2's: no normalisation, unknown characters as bytes."""
    return sentence_piece(
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        split_digits=True,
        allow_whitespace_only_pieces=True,
    )


TOKENIZERS: dict[str, Callable[[], bytes]] = {
    "llama": llama,
    "byte_level": byte_level,
    "sentence_piece": sentence_piece,
    "unigram": unigram,
    "losing": losing_line_feeds,
}
TRICKY = ["</s>", "\U0001f33e" * 3, "\u3000", "e\u0301\ufe0f", "\u0130I\u0131", "\u1e9e\u023a", "\r\n", "_", "\u2581"]
ODD = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from([*TRICKY, "a" * 40])
PIECE = st.sampled_from([*PROSE[:3], *PROSE[0].split()]) | ODD


@cache
def tokenizer(name: str) -> Tokenizer:
    with TemporaryDirectory() as folder:
        return open_tokenizer(saved(Path(folder) / "tokenizer", TOKENIZERS[name]()))


def index(name: str, normalise: Normalise, samples: list[str]) -> Index:
    return Index(Settings(normalise=normalise), tokenizer(name), pa.array(samples, pa.large_string()))


@st.composite
def texts(draw: st.DrawFn) -> tuple[list[str], list[str]]:
    """Samples, and documents that hold parts of them, changed here and there."""
    samples = ["".join(draw(st.lists(PIECE, max_size=6))) for _ in range(draw(st.integers(0, 3)))]
    documents = []
    for _ in range(draw(st.integers(0, 3))):
        parts = []
        for _ in range(draw(st.integers(0, 3))):
            part = draw(st.sampled_from([*samples, ""]))
            start = draw(st.integers(0, 20))
            parts += [part[start : start + draw(st.integers(0, 200))], draw(PIECE)]
        change = draw(st.sampled_from([str, str.upper, lambda text: text.replace(" ", "\n")]))
        documents.append(change("".join(parts)))
    return samples, documents


FIXED = ("llama", "byte_level")
"""Tokenizers with fixed bytes, with which not all documents are tokenised."""


@pytest.mark.parametrize("normalise", get_args(Normalise))
@pytest.mark.parametrize("name", FIXED)
@settings(max_examples=12)
@given(texts())
@example((["\U0001f33e" * 12], ["a" + "\U0001f33e" * 12]))
def test_candidates_are_all_documents_that_share_a_span(
    name: str, normalise: Normalise, both: tuple[list[str], list[str]]
) -> None:
    check_candidates(name, normalise, both)


@pytest.mark.soak
@pytest.mark.parametrize("normalise", get_args(Normalise))
@pytest.mark.parametrize("name", TOKENIZERS)
@settings(max_examples=200)
@given(texts())
def test_candidates_of_any_tokenizer_are_all_documents_that_share_a_span(
    name: str, normalise: Normalise, both: tuple[list[str], list[str]]
) -> None:
    check_candidates(name, normalise, both)


def check_candidates(name: str, normalise: Normalise, both: tuple[list[str], list[str]]) -> None:
    samples, documents = both
    made = index(name, normalise, samples)
    forms = made.form.texts(pa.array(documents, pa.large_string()))
    tokens, bounds = tokenise(made.encoder, forms)
    rows = [tokens[start:stop].tolist() for start, stop in pairwise(bounds)]
    own = [made.tokens[a:b].tolist() for a, b in pairwise(made.bounds)]
    chosen = made.candidates(forms)
    expected = [0] * len(made.tokens)
    for row, candidate in zip(rows, chosen, strict=True):
        found = [each for sample in own for each in longest_spans(sample, row)[0]]
        assert candidate or not any(found)
        expected = [max(pair) for pair in zip(expected, found, strict=True)]
    longest = np.zeros(len(made.tokens), np.int32)
    made.spans(*tokenise(made.encoder, forms.take(pa.array(np.flatnonzero(chosen)))), longest)
    assert longest.tolist() == expected


@settings(max_examples=40)
@given(ODD | st.text(), st.booleans())
def test_words_are_compared_without_case_white_space_and_punctuation(text: str, lead: bool) -> None:
    form = Form("words", lead)
    assert form.texts(pa.array(["x", text], pa.large_string()).slice(1)).to_pylist() == [words(text, lead)]


@settings(max_examples=40)
@given(ODD | st.text(), st.booleans())
def test_each_word_comes_from_its_place(text: str, lead: bool) -> None:
    form = Form("words", lead)
    plain = words(text, lead)
    starts = [place for place in range(len(plain)) if plain[place] != " "]
    spans = np.array([[start, start + 1] for start in starts], np.int64).reshape(-1, 2)
    data = text.encode()
    for (start, end), place in zip(form.places(text, spans).tolist(), starts, strict=True):
        assert words(data[start:end].decode()) == plain[place]


@pytest.mark.parametrize("name", TOKENIZERS)
@settings(max_examples=20)
@given(st.lists(PIECE, max_size=6).map("".join))
def test_tokens_have_the_same_places_as_in_the_text(name: str, text: str) -> None:
    encoder = tokenizer(name).encoder()
    places = encoder.places(text)
    assert places[:, 0].tolist() == encoder.plain([text])[0].tolist()
    assert (places[:, 1] <= places[:, 2]).all()
    assert places[:, 2].max(initial=0) <= len(text)


@pytest.mark.parametrize("name", TOKENIZERS)
def test_a_first_word_has_the_tokens_that_it_has_inside_of_a_text(name: str) -> None:
    sample = PROSE[0]
    made = index(name, "words", [sample])
    longest = np.zeros(len(made.tokens), np.int32)
    made.spans(
        *tokenise(made.encoder, made.form.texts(pa.array([f"Mills: {sample} Yes."], pa.large_string()))), longest
    )
    assert (longest == len(made.tokens)).all()


def test_which_tokenizers_have_fixed_bytes() -> None:
    assert all(has_fixed_bytes(tokenizer(name), plain=plain) for name in FIXED for plain in (True, False))
    assert not has_fixed_bytes(tokenizer("losing"), plain=True), "SentencePiece's default normalises characters"
    assert all(index(name, normalise, [PROSE[0]]).grams for name in FIXED for normalise in get_args(Normalise))
    assert index("unigram", "none", ["Unknown letters \u00e9" * 3]).grams is None, "unknown tokens stand for any letter"


def test_a_text_that_is_cut_inside_a_special_token_is_tokenised(tmp_path: Path) -> None:
    """SentencePiece puts a blank before each part of such a text, which the text does not have."""
    content = sentence_piece("</e>", normalization_rule_name="identity", remove_extra_whitespaces=False)
    ending = open_tokenizer(saved(tmp_path / "tokenizer", content), "</e>")
    sample = "a mill< /e> b and so on"
    made = Index(Settings(normalise="none"), ending, pa.array([sample], pa.large_string()))
    document = sample.replace("< /", "</")
    row = made.encoder.plain([document])[0].tolist()
    assert any(longest_spans(made.tokens.tolist(), row)[0])
    assert made.grams is not None
    forms = pa.array([document, document[:9]], pa.large_string())
    assert made.candidates(forms).tolist() == [True, False]
    assert Index(Settings(normalise="none"), ending, forms).grams is None
