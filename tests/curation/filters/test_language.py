"""Labels and scores are fastText's own, the sums of whose floats may differ in their last bits."""

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from fasttext.FastText import _FastText
from hypothesis import example, given, settings
from hypothesis import strategies as st

from curation.filters.language import Language
from curation.filters.lid_model import model_path, read_model
from schemas.errors import UserError

MEANING = 1e-5


@pytest.fixture(scope="module")
def oracle() -> Any:
    return _FastText(str(model_path())).f


def identified(texts: list[str], characters: int = 1000) -> list[tuple[str | None, float | None]]:
    batch = pa.RecordBatch.from_arrays([pa.array(texts, pa.large_string())], ["text"])
    found = Language(characters=characters).measure(batch)
    return list(zip(found["language"].to_pylist(), found["language_score"].to_pylist(), strict=True))


def agrees(oracle: Any, text: str, label: str | None, score: float | None) -> bool:
    """Whether fastText says the same, or finds the label as likely as its own first one."""
    said = {name: value for value, name in oracle.predict(text.replace("\n", " ") + "\n", 2, 0.0, "strict")}
    return f"__label__{label}" in said and abs(min(max(said.values()), 1.0) - (score or 0)) < MEANING


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=80), min_size=1, max_size=3))
@example(["one __label__en </s> two", "</s>", "__label__de", "a\x00b\tc\x0bd", "ÿ", "the the the the"])
def test_any_text_has_fasttexts_label_and_score(oracle: Any, texts: list[str]) -> None:
    for text, (label, score) in zip(texts, identified(texts), strict=True):
        if label is None:
            assert not text.strip(" \n\t\r\v\f\0")
        else:
            assert agrees(oracle, text, label, score), (text, label, score)


def test_only_the_first_characters_are_seen(oracle: Any) -> None:
    english, russian = "The weather is fine and we go out. ", "Сегодня хорошая погода, и мы идём гулять. "
    text = english * 3 + russian * 40
    assert identified([text], len(english) * 3)[0][0] == "en"
    assert identified([text])[0][0] == "ru"
    for characters in (1, 2, len(english) * 3 + 7, 10_000):
        label, score = identified([text], characters)[0]
        assert agrees(oracle, text[:characters], label, score)


def test_a_blank_text_has_no_language() -> None:
    assert identified(["", " \n\t "]) == [(None, None), (None, None)]


def test_another_file_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "model.bin"
    other.write_bytes(bytes(200))
    with pytest.raises(UserError, match="is not fastText's language model"):
        read_model(other)


def test_sentences_in_many_languages(oracle: Any, shared: Path) -> None:
    with gzip.open(shared / "data" / "languages" / "sentences.jsonl.gz", "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines][::7]
    for text, (label, score) in zip(texts, identified(texts), strict=True):
        assert agrees(oracle, text, label, score), (text, label, score)
