"""Tokenizer files that are damaged, or made to do harm: one sentence each."""

import json
from pathlib import Path
from typing import Any

import pytest

from curation.packing.packing import MOST_LENGTH, pack
from curation.packing.training import train_tokenizer
from curation.tokenizers.tokenizer import MOST_TOKENS, open_tokenizer
from schemas.errors import UserError
from tests.curation.packing.corpora import Row, byte_level, saved, write_corpus

ADDED: dict[str, Any] = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}


def split(pattern: str) -> dict[str, Any]:
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}


def replaced(pattern: str) -> dict[str, Any]:
    return {"type": "Replace", "pattern": {"Regex": pattern}, "content": "x"}


def nested(levels: int) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "Sequence", "normalizers": []}
    for _ in range(levels):
        found = {"type": "Sequence", "normalizers": [found]}
    return found


TOP: list[dict[str, Any]] = [
    *({"added_tokens": value} for value in ([None], "abc", 5, [5], [[]], [{}], [{"special": True}])),
    {"added_tokens": [{**ADDED, "id": -1, "content": "</s>"}]},
    {"added_tokens": [{**ADDED, "id": "1", "content": "<x>"}]},
    {"added_tokens": [{**ADDED, "id": float("nan"), "content": "<x>"}]},
    {"added_tokens": [{**ADDED, "id": 0, "content": None}]},
    {"added_tokens": [{**ADDED, "id": 0, "content": "\ud800"}]},
    {"pre_tokenizer": split("((")},
    {"normalizer": replaced("((")},
    {"normalizer": nested(300)},
    {"model": "x"},
    {"model": None},
]
MODEL: list[dict[str, Any]] = [
    *({"vocab": value} for value in ([1, 2], None, "x", {"a": -5}, {"a": 2**40}, {"a": 2**32 - 1}, {"a": "b"}, {})),
    *({"type": value} for value in ("Nope", 5, None, [])),
    *({"merges": value} for value in ([["a"]], "x", 5, [None])),
    *({"unk_token": value} for value in ([1], {}, 5)),
    *({"unk_id": value} for value in ([1], {})),
]


@pytest.fixture
def table(tmp_path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(saved(tmp_path / "good.json", byte_level()).read_text())
    return found


def refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(UserError) as told:
        open_tokenizer(path)
    assert str(path) in str(told.value)
    assert len(str(told.value).splitlines()) == 1


@pytest.mark.parametrize("change", TOP, ids=lambda change: json.dumps(change)[:60])
def test_a_damaged_part_is_one_sentence(change: dict[str, Any], table: dict[str, Any], tmp_path: Path) -> None:
    refused(tmp_path / "tokenizer.json", json.dumps({**table, **change}).encode())


@pytest.mark.parametrize("change", MODEL, ids=lambda change: json.dumps(change)[:60])
def test_a_damaged_model_is_one_sentence(change: dict[str, Any], table: dict[str, Any], tmp_path: Path) -> None:
    refused(tmp_path / "tokenizer.json", json.dumps({**table, "model": {**table["model"], **change}}).encode())


@pytest.mark.parametrize(
    "content",
    [b"", b"12", b"[]", b"\0" * 100, b"{\xff\xfe}", b'{"a":' + b"[" * 100_000, b'{"a":' * 100_000, b'{"model": '],
    ids=lambda content: repr(content[:12]),
)
def test_a_file_that_is_no_tokenizer_is_one_sentence(content: bytes, tmp_path: Path) -> None:
    refused(tmp_path / "tokenizer.json", content)


@pytest.mark.parametrize(
    "change", [{"pre_tokenizer": split("(a|a|aa)+$")}, {"normalizer": replaced("(a+)+$")}], ids=["split", "replace"]
)
def test_an_exploding_regular_expression_is_one_sentence(
    change: dict[str, Any], table: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps({**table, **change}))
    encoder = open_tokenizer(path).encoder()
    with pytest.raises(UserError, match=r"the tokenizer fails at a text: .*retry-limit"):
        encoder.documents(["a" * 40 + "!"])


def test_numbers_that_are_too_large_are_refused(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "web", [Row("a", "a mill")])
    with pytest.raises(UserError, match="is too large: give at most 16,777,216 tokens"):
        train_tokenizer([corpus], MOST_TOKENS + 1, tmp_path / "own.json")
    tokenizer = open_tokenizer(saved(tmp_path / "tokenizer.json", byte_level()))
    with pytest.raises(UserError, match="is too large: give at most"):
        pack([corpus], tokenizer, MOST_LENGTH + 1, tmp_path / "out")
    with pytest.raises(UserError, match="threads are too many"):
        pack([corpus], tokenizer, 4, tmp_path / "out", threads=10**12)
