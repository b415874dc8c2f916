"""A model of fastText identifies languages as fastText itself does, whatever its loss, shape and compression."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pyarrow as pa
import pytest
from fasttext import train_supervised
from fasttext.FastText import _FastText
from hypothesis import example, given, settings
from hypothesis import strategies as st

from curation.fasttext.files import find_model, forget_models
from curation.fasttext.model import read_model
from curation.filters.identifiers import known_labels
from curation.filters.language import Language
from curation.filters.lid_model import model_path
from schemas.errors import UserError

MEANING = 1e-4
"""Scores may differ by less; labels whose scores are closer may change places."""
LETTERS = ("abcdefgh", "äöüßéèçñ", "абвгдежз", "αβγδεζηθ", "漢字日本語文中国", "ابتثجحخد")
MADE = [(f"{chr(97 + n)}aa_Made", "".join(random.Random(n).sample(LETTERS[n % len(LETTERS)], 4))) for n in range(20)]
"""Labels of made-up languages, and the letters that each writes with."""
SHAPES: dict[str, dict[str, Any]] = {
    "softmax": {"loss": "softmax", "minn": 2, "maxn": 5},
    "softmax, few labels": {"loss": "softmax", "minn": 2, "maxn": 5, "dim": 24},
    "hierarchical": {"loss": "hs", "minn": 1, "maxn": 4},
    "hierarchical, few labels": {"loss": "hs", "minn": 2, "maxn": 4, "dim": 24},
    "one-vs-all": {"loss": "ova", "minn": 2, "maxn": 4},
    "negative sampling": {"loss": "ns", "minn": 2, "maxn": 3},
    "n-grams of words": {"loss": "softmax", "minn": 2, "maxn": 3, "wordNgrams": 3},
    "words alone": {"loss": "softmax", "minn": 0, "maxn": 0, "bucket": 0},
}
COMPRESSED: dict[str, dict[str, Any]] = {
    "compressed": {},
    "norms apart": {"qnorm": True},
    "output compressed": {"qnorm": True, "qout": True, "dsub": 4},  # fastText asks for 256 labels
    "pruned": {"cutoff": 400, "qnorm": True},
}
NAMES = [*SHAPES, *COMPRESSED]


def written(random_numbers: random.Random, letters: str) -> str:
    words = ("".join(random_numbers.choices(letters, k=random_numbers.randint(1, 6))) for _ in range(8))
    return " ".join(words)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Models that fastText trains, by name."""
    folder, draw, made = tmp_path_factory.mktemp("models"), random.Random(1), {}
    lines = [f"__label__{label} {written(draw, letters)}\n" for _ in range(20) for label, letters in MADE]
    (folder / "texts.txt").write_text("".join(lines), encoding="utf-8")
    many = [f"__label__{n:03}_Many {written(draw, LETTERS[n % 6])}\n" for n in range(256)]
    (folder / "many.txt").write_text("".join(many), encoding="utf-8")

    def train(texts: str = "texts.txt", **settings: Any) -> Any:
        asked = {"dim": 10, "bucket": 500, "epoch": 10, "lr": 1.0, "thread": 1, "verbose": 0, **settings}
        return train_supervised(str(folder / texts), **asked)

    for name, shape in SHAPES.items():
        made[name] = folder / f"{len(made)}.bin"
        train(**shape).save_model(str(made[name]))
    for name, compression in COMPRESSED.items():
        model = train("many.txt" if "qout" in compression else "texts.txt", loss="softmax", minn=2, maxn=4)
        model.quantize(**compression)
        made[name] = folder / f"{len(made)}.ftz"
        model.save_model(str(made[name]))
    return made


def identified(path: Path | str, texts: list[str]) -> list[tuple[str | None, float | None]]:
    batch = pa.RecordBatch.from_arrays([pa.array(texts, pa.large_string())], ["text"])
    found = Language(identifier=str(path), languages=()).measure(batch)
    return list(zip(found["language"].to_pylist(), found["language_score"].to_pylist(), strict=True))


def agrees(oracle: Any, text: str, label: str | None, score: float | None) -> bool:
    """Whether fastText says the same, or finds the label as likely as its own first one."""
    said = {name: min(value, 1) for value, name in oracle.predict(text.replace("\n", " ") + "\n", -1, 0.0, "strict")}
    found = said.get(f"__label__{label}", 0)
    return score is not None and max(abs(found - score), max(said.values()) - score) < MEANING


TEXTS = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=60),
    st.tuples(st.randoms(use_true_random=False), st.sampled_from(MADE)).map(
        lambda drawn: written(drawn[0], drawn[1][1])
    ),
)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=15, deadline=None)
@given(texts=st.lists(TEXTS, min_size=1, max_size=3))
@example(texts=["abc __label__aaa_Made </s> абв", "</s>", "__label__x", "a\x00b\tc\x0bd", "ÿ", "abc abc abc", "\u0301"])
def test_any_text_has_fasttexts_label_and_score(models: dict[str, Path], name: str, texts: list[str]) -> None:
    oracle = _FastText(str(models[name])).f
    for text, (label, score) in zip(texts, identified(models[name], texts), strict=True):
        if label is None:
            assert score is None
            words = text.replace("\0", " ").split("</s>")[0].split()
            assert all(word.startswith("__label__") or not word.strip("\x1c\x1d\x1e\x1f\x85\u00a0") for word in words)
        else:
            assert agrees(oracle, text, label, score), (text, label, score)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "output compressed"])
def test_made_up_languages_are_told_apart(models: dict[str, Path], name: str) -> None:
    oracle, draw = _FastText(str(models[name])).f, random.Random(2)
    texts = [written(draw, letters) for _ in range(5) for _, letters in MADE]
    found = identified(models[name], texts)
    assert all(agrees(oracle, text, *one) for text, one in zip(texts, found, strict=True))
    assert np.mean([label == wanted for (label, _), (wanted, _) in zip(found, MADE * 5, strict=True)]) > 0.5


def test_lid_176_as_a_file_says_what_the_default_says() -> None:
    texts = ["Die Mühle mahlt das Korn.", "The mill grinds.", "Сегодня хорошая погода", "粉挽き小屋", " \n", "7 = 7"]
    batch = pa.RecordBatch.from_arrays([pa.array(texts, pa.large_string())], ["text"])
    own, named = Language().measure(batch), identified(model_path(), texts)
    assert [label for label, _ in named] == own["language"].to_pylist()
    assert [score or 0 for _, score in named] == pytest.approx(
        own["language_score"].fill_null(0).to_pylist(), abs=MEANING
    )


def test_a_sum_that_is_kept_changes_no_bit(models: dict[str, Path]) -> None:
    texts = [written(random.Random(n), letters) for n in range(30) for _, letters in MADE]
    assert identified(models["softmax"], texts) == [identified(models["softmax"], [text])[0] for text in texts]


def test_a_large_matrix_stays_in_the_file(models: dict[str, Path]) -> None:
    _, _, _, vectors, _, _, _, _ = read_model(models["softmax"]).arrays
    assert len(vectors) > 1000
    assert not vectors.flags.owndata
    assert not vectors.flags.writeable


def test_the_labels_are_the_models_own(models: dict[str, Path]) -> None:
    path = str(models["softmax"])
    assert known_labels(path) == {label for label, _ in MADE}
    Language(identifier=path, languages=("baa_Made",)).check_languages()
    with pytest.raises(
        UserError, match=r"'en', which .*\.bin does not know: give labels of the model, .* 20, such as aaa_"
    ):
        Language(identifier=path).check_languages()


def test_a_remote_model_is_read_and_one_that_is_missing_is_named(models: dict[str, Path]) -> None:
    with fsspec.open("memory://models/lid.bin", "wb") as stream:
        stream.write(models["softmax"].read_bytes())
    assert identified("memory://models/lid.bin", ["abc"]) == identified(models["softmax"], ["abc"])
    assert find_model("memory://models/lid.bin").sha256 == find_model(str(models["softmax"])).sha256
    for missing in ("memory://models/none.bin", "nowhere/none.ftz", "nosuch://models/lid.bin"):
        with pytest.raises(UserError, match=f"the model {missing} cannot be read"):
            Language(identifier=missing).list_digests()


@pytest.mark.parametrize(
    ("damaged", "told"),
    [
        (lambda whole: b"", "is damaged, or not a model"),
        (lambda whole: b"<html>" * 100, "is not a model of fastText"),
        (lambda whole: whole[: len(whole) // 2], "is damaged, or not a model"),
        (lambda whole: whole[:-1], "is damaged, or not a model"),
        (lambda whole: whole[:300], "is damaged, or not a model"),
    ],
)
def test_another_file_is_refused_by_name(
    models: dict[str, Path], tmp_path: Path, damaged: Callable[[bytes], bytes], told: str
) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(damaged(models["softmax"].read_bytes()))
    forget_models()
    with pytest.raises(UserError, match=told) as raised:
        find_model(str(path)).model()
    assert str(path) in str(raised.value)


@pytest.mark.parametrize("name", ["hierarchical", "n-grams of words", "pruned"])
def test_a_file_with_damaged_bytes_is_refused_or_read_within_its_bounds(
    models: dict[str, Path], name: str, tmp_path: Path
) -> None:
    """Damage before the matrices; what the kernel reads beyond an array would crash this process."""
    whole, draw, refused = models[name].read_bytes(), random.Random(3), 0
    texts = pa.array([f"{written(draw, LETTERS[0])} </s>", "абв " * 40, "x" * 500], pa.large_string())
    for place in [*range(0, 100, 2), *(draw.randrange(len(whole)) for _ in range(30))]:
        damaged = bytearray(whole)
        damaged[place] = draw.choice([0, 1, 127, 128, 255])
        (tmp_path / "model.bin").write_bytes(damaged)
        try:
            labels, _ = read_model(tmp_path / "model.bin").likeliest(texts)
        except UserError:
            refused += 1
        else:
            assert (labels >= -1).all()
    assert 10 < refused < 75
