"""Texts are data: what a tokenizer makes of them is its plain reading, and the end token is ours alone."""

import json
from pathlib import Path

import pytest
import sentencepiece
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer as Plain

from curation.tokenizers.tokenizer import open_tokenizer
from schemas.errors import UserError
from tests.curation.packing.corpora import PROSE, byte_level, saved, sentence_piece, unigram

HOSTILE = ["</s>", "a</s>b", "</s></s>", "<s>", "<unk>", "<|end|>", "a <|end|><|end|> b"]
KINDS = {
    "byte-level BPE": byte_level(),
    "a model that holds the end token": unigram(),
    "SentencePiece": sentence_piece(),
    "a symbol of its user ends documents": sentence_piece("<|end|>"),
}
ENDS = {"a symbol of its user ends documents": "<|end|>"}


@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=30, deadline=None)
@given(texts=st.lists(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=12)), max_size=6))
def test_no_text_becomes_the_end_token(name: str, tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    path = saved(tmp_path_factory.getbasetemp() / "tokenizer", KINDS[name])
    tokenizer = open_tokenizer(path, ENDS.get(name))
    tokens, lengths = tokenizer.encoder().documents(texts)
    at = 0
    for text, length in zip(texts, lengths.tolist(), strict=True):
        found = tokens[at : at + length].tolist()
        at += length
        assert bool(found) or not text or name != "byte-level BPE"
        assert found[-1:] == [tokenizer.end_id] * bool(found)
        assert not tokenizer.special & set(found[:-1])
    assert at == len(tokens)


def test_bytes_come_back(tmp_path: Path) -> None:
    tokenizer = open_tokenizer(saved(tmp_path / "t.json", byte_level()))
    plain = Plain.from_str(byte_level().decode())
    for text in (*PROSE, *HOSTILE, "wéb\0 \r\n\t\U0001f33e"):
        tokens, _ = tokenizer.encoder().documents([text])
        assert plain.decode(tokens[:-1].tolist(), skip_special_tokens=False) == text


def test_sentence_piece_is_read_as_it_reads_itself(tmp_path: Path) -> None:
    tokenizer = open_tokenizer(saved(tmp_path / "t.model", sentence_piece()))
    plain = sentencepiece.SentencePieceProcessor(model_proto=sentence_piece())
    assert tokenizer.report().kind == "sentencepiece"
    assert (tokenizer.file, tokenizer.end_id) == ("tokenizer.model", plain.eos_id())
    for text in (*PROSE, *HOSTILE):
        tokens, _ = tokenizer.encoder().documents([text])
        assert tokens.tolist() == [*plain.encode(text), plain.eos_id()]


@pytest.mark.parametrize("end", ["</s>", "<|endoftext|>", "<|end_of_text|>", "<eos>"])
def test_the_end_token_is_found_by_its_usual_names(end: str, tmp_path: Path) -> None:
    assert open_tokenizer(saved(tmp_path / "t.json", byte_level(end))).end_token == end


def test_another_end_token_can_be_named(tmp_path: Path) -> None:
    path = saved(tmp_path / "t.json", byte_level("<doc>"))
    with pytest.raises(UserError, match="name another end token"):
        open_tokenizer(path)
    assert open_tokenizer(path, "<doc>").end_token == "<doc>"
    with pytest.raises(UserError, match="has no token <end>"):
        open_tokenizer(path, "<end>")


def test_two_end_tokens_are_not_chosen_among(tmp_path: Path) -> None:
    plain = Plain.from_str(byte_level().decode())
    plain.add_special_tokens(["<|endoftext|>"])
    path = saved(tmp_path / "t.json", plain.to_str().encode())
    with pytest.raises(UserError, match=r"has </s> and <\|endoftext\|>"):
        open_tokenizer(path)
    assert open_tokenizer(path, "<|endoftext|>").end_id == plain.token_to_id("<|endoftext|>")


def test_padding_and_truncation_in_the_file_are_not_for_packing(tmp_path: Path) -> None:
    plain = Plain.from_str(byte_level().decode())
    plain.enable_truncation(3)
    plain.enable_padding(length=50)
    path = saved(tmp_path / "t.json", plain.to_str().encode())
    text = "The miller grinds wheat"
    expected = Plain.from_str(byte_level().decode()).encode(text).ids
    assert open_tokenizer(path).encoder().documents([text])[0].tolist()[:-1] == expected


def test_a_character_that_is_called_special_is_read_and_one_that_ends_documents_is_said(tmp_path: Path) -> None:
    plain = Plain.from_str(byte_level().decode())
    plain.add_special_tokens(["w"])
    path = saved(tmp_path / "t.json", plain.to_str().encode())
    assert plain.token_to_id("w") in open_tokenizer(path).encoder().documents(["1w1"])[0]
    with pytest.raises(UserError, match="makes a special token of 'w'"):
        open_tokenizer(path, "w").encoder().documents(["1w1"])


def test_a_large_vocabulary_takes_four_bytes(tmp_path: Path) -> None:
    table = json.loads(byte_level())
    for number in range(len(table["model"]["vocab"]), 65_537):
        table["model"]["vocab"][f"\u2400{number}"] = number
    assert open_tokenizer(saved(tmp_path / "t.json", json.dumps(table).encode())).token_type == "int32"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is neither"),
        (b"no model", "is neither"),
        (sentence_piece()[:700], "is neither"),
        (b'{"model": ', "is not valid JSON"),
        (b'{"tokenizer_class": "LlamaTokenizer"}', "holds no tokenizer"),
        (None, "cannot be read"),
    ],
)
def test_what_is_no_tokenizer_is_said(content: bytes | None, said: str, tmp_path: Path) -> None:
    path = tmp_path / "tokenizer"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=said):
        open_tokenizer(path)
