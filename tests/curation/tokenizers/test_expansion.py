"""A tokenizer's normaliser is bounded: a text of one letter does not become gigabytes."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, normalizers
from tokenizers.normalizers import NFC, NFKC, NFKD, BertNormalizer, Lowercase, Nmt, Prepend, Replace, StripAccents

from curation.tokenizers.expansion import UNICODE, _replacement_factor, longest_mapping
from curation.tokenizers.tokenizer import open_tokenizer
from schemas.errors import UserError
from tests.curation.packing.corpora import PROSE, byte_level, saved, sentence_piece

USUAL = {
    "Llama": [Prepend("\u2581"), Replace(" ", "\u2581")],
    "ALBERT": [
        Replace("``", '"'),
        Replace("''", '"'),
        NFKD(),
        StripAccents(),
        Lowercase(),
        Replace(Regex(" {2,}"), " "),
    ],
    "CLIP": [NFC(), Replace(Regex(r"\s+"), " "), Lowercase()],
    "BERT": [BertNormalizer()],
    "T5": [Nmt(), NFKC(), Replace(Regex(" {2,}"), "\u2581")],
}


def normalised(steps: list[Any]) -> bytes:
    tokenizer = Tokenizer.from_str(byte_level().decode())
    tokenizer.normalizer = normalizers.Sequence(steps)
    return tokenizer.to_str().encode()


def compiled(longest: int) -> bytes:
    """A map of SentencePiece whose trie is left out."""
    return (0).to_bytes(4, "little") + b"a\0" + b"b" * longest + b"\0c\0"


@pytest.mark.parametrize("name", USUAL)
def test_the_normalisers_of_known_models_are_taken(name: str, tmp_path: Path) -> None:
    open_tokenizer(saved(tmp_path / "t.json", normalised(USUAL[name])))


@pytest.mark.parametrize(
    "steps",
    [
        [Replace("a", "aa")] * 30,
        [Replace("a", "a" * 1000)],
        [Replace(Regex("(?=a)"), "a")] * 30,
        [Replace(Regex("b*"), "a")] * 30,
        [normalizers.Sequence([Replace("a", "aaaa")]), normalizers.Sequence([Replace("a", "aaaa")] * 3)],
    ],
)
def test_a_normaliser_that_multiplies_a_text_is_refused(steps: list[Any], tmp_path: Path) -> None:
    path = saved(tmp_path / "t.json", normalised(steps))
    with pytest.raises(
        UserError, match=r"t\.json cannot be used: its normaliser can make a text [0-9,]+ times as long"
    ):
        open_tokenizer(path)


def test_a_compiled_map_is_bounded_too(tmp_path: Path) -> None:
    assert longest_mapping(compiled(500)) == 500
    table = json.loads(byte_level())
    table["normalizer"] = {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(compiled(500)).decode()}
    with pytest.raises(UserError, match="500 times as long"):
        open_tokenizer(saved(tmp_path / "t.json", json.dumps(table).encode()))


def test_a_sentencepiece_model_is_bounded_too(tmp_path: Path) -> None:
    open_tokenizer(saved(tmp_path / "usual.model", sentence_piece()))
    rules = tmp_path / "rules.tsv"
    rules.write_text("61\t" + " ".join(["61"] * 500) + "\n")  # a to 500 of it
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([line.replace("a", "e") for line in PROSE]),
        model_writer=model,
        vocab_size=60,
        normalization_rule_tsv=str(rules),
        minloglevel=2,
    )
    with pytest.raises(UserError, match=r"odd\.model cannot be used: its normaliser can make a text 500 times as long"):
        open_tokenizer(saved(tmp_path / "odd.model", model.getvalue()))


@given(
    pattern=st.sampled_from(["a", "aa", "a*", "a|", "(?=a)", r"\b", "^", "$", "a+", "[ab]", "b?", "(?<=b)a"]),
    literal=st.booleans(),
    content=st.text("ab", max_size=5),
    text=st.text("ab ", min_size=1, max_size=20),
)
def test_a_replacement_lengthens_a_text_no_more_than_predicted(
    pattern: str, literal: bool, content: str, text: str
) -> None:
    told = _replacement_factor({"pattern": {"String" if literal else "Regex": pattern}, "content": content})
    made = Replace(pattern if literal else Regex(pattern), content).normalize_str(text)
    assert len(made) <= told * len(text) + len(content)


@given(st.characters(exclude_categories=["Cs"]))
def test_a_form_of_unicode_makes_no_more_of_a_character(character: str) -> None:
    for form in (NFKC(), NFKD()):
        assert len(form.normalize_str(character)) <= UNICODE
