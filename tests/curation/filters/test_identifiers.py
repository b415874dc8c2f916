"""py3langid's labels and probabilities are its own, for any text; what an identifier is called and knows is checked."""

import lzma
import time
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from curation.filters.identifiers import LID_176, PY3LANGID, UNDETERMINED, known_labels
from curation.filters.language import Language
from curation.filters.ngram_model import ngram_model, ngram_model_path, read_ngram_model
from curation.filters.rules import failures
from schemas.errors import UserError
from tests.curation.filters.identified import (
    Agrees,
    check_only_the_first_characters_are_seen,
    check_texts,
    identified,
    read_sentences,
)
from tests.curation.hostile_texts import HOSTILE
from tests.doubling import assert_linear

MEANING = 1e-4
"""Scores may differ by less; labels whose scores are closer may change places."""
CODES = {"kik": "ki", "gug": "gn"}
"""What Gristmill calls two of py3langid's languages: by the two letters of ISO 639-1, as lid.176 does."""


@pytest.fixture(scope="module")
def agrees() -> Agrees:
    model = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)

    def agrees(text: str, label: str | None, score: float | None) -> bool:
        """Whether py3langid says the same, or finds the label as likely as its own first one."""
        said = {CODES.get(name, name): value for name, value in model.rank(text)}
        if label == UNDETERMINED:  # py3langid finds all languages equally likely
            return score == 0 and max(said.values()) < 3 / len(said)
        return (
            label in said and score is not None and max(abs(said[label] - score), max(said.values()) - score) < MEANING
        )

    return agrees


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=80), min_size=1, max_size=3))
@example(["THE MILL IS OLD", "İSTANBUL'DA", "Ⅷ", "cafe\u0301", "\u0315\u0300" * 40, "a\x00b\tc", "\U0010fffd", "7 = 7"])
@example(["the mill " * 100, "a" * 1000, "\u0301"])
def test_any_text_has_py3langids_label_and_score(agrees: Agrees, texts: list[str]) -> None:
    check_texts(texts, identified(texts, PY3LANGID), agrees)


def test_only_the_first_characters_are_seen(agrees: Agrees) -> None:
    check_only_the_first_characters_are_seen(PY3LANGID, agrees)


def test_a_text_has_the_same_answer_alone_and_in_a_slice() -> None:
    texts = ["Die Mühle mahlt das Korn.", "", "Le moulin moud le grain.", "The mill grinds.", "\ue000"]
    together = identified(texts, PY3LANGID)
    assert together == [identified([text], PY3LANGID)[0] for text in texts]
    batch = pa.RecordBatch.from_arrays([pa.array(texts, pa.large_string())], ["text"]).slice(2, 2)
    found = Language(identifier=PY3LANGID).measure(batch)
    assert found["language"].to_pylist() == ["fr", "en"] == [label for label, _ in together[2:4]]


def test_a_blank_text_has_no_language_and_an_unknown_one_is_rejected() -> None:
    step = Language(identifier=PY3LANGID)
    batch = pa.RecordBatch.from_arrays([pa.array(["", " \n\t ", "~~~"], pa.large_string())], ["text"])
    found = step.measure(batch)
    assert found.to_pylist() == [
        *[{"language": None, "language_score": None}] * 2,
        {"language": UNDETERMINED, "language_score": 0},
    ]
    assert failures(found, step.rules()).tolist() == [[False, False], [False, False], [True, True]]


@pytest.mark.parametrize("name", ["a letter", "NUL", "C1", "marks out of order", "Hangul in parts", "byte order marks"])
def test_a_hostile_text_takes_time_in_proportion(name: str) -> None:
    """All characters are read here; a recipe reads the first thousand."""
    assert_linear(lambda text: identified([text], PY3LANGID, 1_000_000), HOSTILE[name], 100_000)


def test_a_megabyte_of_one_character_costs_what_its_head_costs() -> None:
    identified(["a"], PY3LANGID)
    started = time.process_time()
    assert identified(["a" * 1_000_000], PY3LANGID) == identified(["a" * 1000], PY3LANGID)
    assert time.process_time() - started < 0.5


def test_labels_are_those_of_lid_176_where_both_know_a_language() -> None:
    known = known_labels(PY3LANGID)
    assert {"en", "zh", "no", "nn", "he", "ki", "gn", "zxx", UNDETERMINED} <= known
    assert len(known & known_labels(LID_176)) == 108
    assert set(ngram_model().labels) | {UNDETERMINED} == known


def test_an_unknown_identifier_or_language_is_refused() -> None:
    with pytest.raises(UserError, match=r"language.identifier is 'cld2': give lid\.176"):
        Language(identifier="cld2")
    Language(identifier=PY3LANGID, languages=("nso",)).check_languages()
    with pytest.raises(UserError, match=r"language\.languages has 'ceb', which py3langid does not know"):
        Language(identifier=PY3LANGID, languages=("ceb",)).check_languages()
    with pytest.raises(UserError, match=r"'nso', which lid\.176 does not know"):
        Language(languages=("nso",)).check_languages()


@pytest.mark.parametrize("content", [b"", b"x", lzma.compress(b"x"), ngram_model_path().read_bytes()[:-100_000]])
def test_another_file_is_refused(content: bytes, tmp_path: Path) -> None:
    other = tmp_path / "model.npz.xz"
    other.write_bytes(content)
    with pytest.raises(UserError, match=r"is not a language model of py3langid 0\.4: install py3langid again"):
        read_ngram_model(other)


def right(sentences: list[dict[str, str]], identifier: str) -> float:
    """The share of sentences whose language is identified; lid.176 and py3langid know Bokmål as Norwegian."""
    found = identified([each["text"] for each in sentences], identifier)
    wanted = [{"nb": "no"}.get(each["lang"], each["lang"]) for each in sentences]
    return sum(label == lang for lang, (label, _) in zip(wanted, found, strict=True)) / len(found)


def test_sentences_in_many_languages(agrees: Agrees, shared: Path) -> None:
    sentences = read_sentences(shared)
    assert right(sentences, PY3LANGID) >= 0.92
    assert right(sentences, LID_176) == pytest.approx(0.795, abs=0.001)
    few = [each["text"] for each in sentences[::20]]
    check_texts(few, identified(few, PY3LANGID), agrees)
