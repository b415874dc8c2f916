"""Labels and scores are fastText's own, the sums of whose floats may differ in their last bits."""

from pathlib import Path

import pytest
from fasttext.FastText import _FastText
from hypothesis import example, given, settings
from hypothesis import strategies as st

from curation.filters.identifiers import LID_176
from curation.filters.lid_model import model_path, read_model
from schemas.errors import UserError
from tests.curation.filters.identified import (
    Agrees,
    check_only_the_first_characters_are_seen,
    check_texts,
    identified,
    read_sentences,
)

MEANING = 1e-5


@pytest.fixture(scope="module")
def agrees() -> Agrees:
    model = _FastText(str(model_path())).f

    def agrees(text: str, label: str | None, score: float | None) -> bool:
        """Whether fastText says the same, or finds the label as likely as its own first one."""
        said = {name: value for value, name in model.predict(text.replace("\n", " ") + "\n", 2, 0.0, "strict")}
        return f"__label__{label}" in said and abs(min(max(said.values()), 1.0) - (score or 0)) < MEANING

    return agrees


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=80), min_size=1, max_size=3))
@example(["one __label__en </s> two", "</s>", "__label__de", "a\x00b\tc\x0bd", "ÿ", "the the the the"])
def test_any_text_has_fasttexts_label_and_score(agrees: Agrees, texts: list[str]) -> None:
    check_texts(texts, identified(texts, LID_176), agrees)


def test_only_the_first_characters_are_seen(agrees: Agrees) -> None:
    check_only_the_first_characters_are_seen(LID_176, agrees)


def test_a_blank_text_has_no_language() -> None:
    assert identified(["", " \n\t "], LID_176) == [(None, None), (None, None)]


def test_another_file_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "model.bin"
    other.write_bytes(bytes(200))
    with pytest.raises(UserError, match="is not fastText's language model"):
        read_model(other)


def test_sentences_in_many_languages(agrees: Agrees, shared: Path) -> None:
    texts = [each["text"] for each in read_sentences(shared)][::7]
    check_texts(texts, identified(texts, LID_176), agrees)
