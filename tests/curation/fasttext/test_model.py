"""Our reading of fastText's models gives fastText's own probabilities."""

from pathlib import Path

import fasttext
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.fasttext.model import read_model
from curation.fasttext.writing import Trained, write_model
from curation.filters.lid_model import model_path
from schemas.errors import UserError

WORDS = ("the", "mill", "grinds", "naïve", "日本", "</s>", "__label__positive", "__label__x", "a", "ελπίδα", "🙂", "-")
TEXTS = st.lists(st.sampled_from([*WORDS, "  ", "\n", "\t", "\r\n", "\x0b", "unknown"]), max_size=12).map(" ".join)
ADDED = 2e-5
"""fastText adds 0.00001 to each probability before it is returned, and rounds sums of float32 in another order."""


def of_random_numbers(path: Path, ngrams: int, dimensions: int, labels: int) -> Path:
    """A model with random numbers, as if trained."""
    random = np.random.default_rng(ngrams)
    words = [(word.encode(), 2) for word in ("</s>", "the", "mill", "grinds", "naïve", "日本")]
    trained = Trained(
        words=words,
        labels=[(label, 1) for label in ("positive", "negative", "other")[:labels]],
        inputs=random.normal(size=(len(words) + 37, dimensions)).astype(np.float32),
        outputs=random.normal(size=(labels, dimensions)).astype(np.float32),
        epochs=1,
        min_count=1,
        ngrams=ngrams,
    )
    write_model(path, trained)
    return path


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Few labels and many (their products with the rows are made ahead, or not), n-grams of words, and lid.176, which
    is compressed and pruned, has n-grams of characters, and a tree of labels."""
    folder = tmp_path_factory.mktemp("models")
    shapes = ((1, 16, 2), (2, 16, 3), (5, 16, 2), (2, 2, 3))
    made = [of_random_numbers(folder / f"{number}.bin", *shape) for number, shape in enumerate(shapes)]
    return [*made, model_path()]


@settings(max_examples=25, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_the_probabilities_are_those_of_fasttext(models: list[Path], texts: list[str]) -> None:
    for path in models:
        oracle, model = fasttext.load_model(str(path)), read_model(path)
        found = model.probabilities(pa.array(texts, pa.large_string()), model.labels)
        for text, row in zip(texts, found, strict=True):
            if not [word for word in text.split("</s>")[0].split() if not word.startswith("__label__")]:
                assert np.isnan(row).all()
                continue
            labels, values = oracle.predict(" ".join(text.split()), k=-1)
            wanted = dict(zip((label.removeprefix("__label__") for label in labels), values, strict=True))
            assert row == pytest.approx([wanted.get(label, 0) for label in model.labels], abs=max(ADDED, 1e-4))


@pytest.mark.parametrize("content", [b"", b"no model", b"\xba\x16\x4f\x2f\x0c\0\0\0"])
def test_what_is_no_model_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(content)
    with pytest.raises(UserError, match="model"):
        read_model(path)


def test_a_model_that_ends_early_is_refused_wherever_it_ends(tmp_path: Path) -> None:
    content = of_random_numbers(tmp_path / "whole.bin", 2, 4, 2).read_bytes()
    for length in range(0, len(content), 97):
        path = tmp_path / "part.bin"
        path.write_bytes(content[:length])
        with pytest.raises(UserError, match="model"):
            read_model(path)


def test_a_count_that_no_label_has_is_refused(tmp_path: Path) -> None:
    """The tree of labels would have a node that is its own child."""
    whole, label = bytearray(model_path().read_bytes()), b"__label__en\0"
    place = whole.index(label) + len(label)
    whole[place : place + 8] = (1 << 62).to_bytes(8, "little")
    path = tmp_path / "model.ftz"
    path.write_bytes(whole)
    with pytest.raises(UserError, match="it is damaged, or not a model"):
        read_model(path)
