"""How often a document is taken: by a column, by buckets with epochs, and by a curve, within a number of tokens."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.packing.corpus import Columns, ParquetCorpus
from curation.packing.manifest import Manifest
from curation.packing.order import order
from curation.packing.packing import pack
from curation.packing.shares import Mixture, MixtureSource, shares
from curation.packing.weights import Weights, buckets, curve, scale, weigh
from curation.tokenizers.tokenizer import open_tokenizer
from schemas.errors import UserError
from tests.curation.engine.test_takedown import run, write
from tests.curation.packing.corpora import byte_level, copies, saved
from tests.curation.packing.test_order import tokenised
from tests.curation.test_laws import rows

DOCUMENTS = st.lists(st.tuples(st.integers(0, 6), st.integers(1, 9)), min_size=1, max_size=40)
"""Values and lengths."""


@pytest.fixture
def tokenizer(tmp_path: Path) -> Path:
    return saved(tmp_path / "tokenizer.json", byte_level())


def arrays(documents: list[tuple[int, int]]) -> tuple[Any, Any]:
    values, lengths = zip(*documents, strict=True)
    return np.array(values, np.float64), np.array(lengths, np.int64)


@given(documents=DOCUMENTS, number=st.integers(1, 12), by_tokens=st.booleans())
def test_a_bucket_is_a_documents_percentile(documents: list[tuple[int, int]], number: int, by_tokens: bool) -> None:
    """Against the definition: the share below a value, and half of those that equal it."""
    values, lengths = arrays(documents)
    counts = lengths if by_tokens else np.ones_like(lengths)
    weighed = list(zip(values.tolist(), counts.tolist(), strict=True))
    expected = []
    for value in values.tolist():
        below = sum(count for other, count in weighed if other < value)
        equal = sum(count for other, count in weighed if other == value)
        middle = (below + Fraction(equal, 2)) / sum(count for _, count in weighed)
        expected.append(int(middle * number))
    assert buckets(values, counts, number).tolist() == expected


@given(documents=DOCUMENTS, most=st.floats(0.2, 8), share=st.floats(0, 1))
def test_scaling_keeps_proportions_up_to_the_cap(documents: list[tuple[int, int]], most: float, share: float) -> None:
    epochs, lengths = arrays(documents)
    tokens = int(share * most * lengths[epochs > 0].sum())
    scaled = scale(epochs, lengths, most, tokens)
    assert (scaled * lengths).sum() == pytest.approx(tokens, abs=1e-6)
    assert (scaled <= most).all()
    assert (scaled[epochs == 0] == 0).all()
    free = (scaled < most) & (epochs > 0)
    if free.any():
        factors = scaled[free] / epochs[free]
        assert factors == pytest.approx(factors[0])
        capped = (scaled == most) & (epochs > 0)
        assert (epochs[capped] * factors[0] >= most * (1 - 1e-9)).all(), "only what the factor takes above the cap"


@given(number=st.integers(1, 50), drop=st.floats(0, 0.95), power=st.floats(0, 6))
def test_a_curve_is_the_mean_of_its_power_over_each_bucket(number: int, drop: float, power: float) -> None:
    found = curve(number, drop, power)
    places = (np.arange(number * 2000) + 0.5) / (number * 2000)
    powers = np.where(places > drop, np.maximum(places - drop, 0) ** power, 0).reshape(number, -1)
    assert found == pytest.approx(powers.mean(axis=1), abs=2e-3)
    assert (np.diff(found) >= -1e-12).all(), "a better bucket is never taken less"


def test_the_curve_of_dolma_3_drops_two_fifths_and_stops_at_seven() -> None:
    values = np.arange(1000, dtype=np.float64)
    lengths = np.full(1000, 10, np.int32)
    found = weigh(Weights(column="quality", buckets=20, power=4, mean=1.5), None, values, lengths, "web")
    of_bucket = found.epochs.reshape(20, 50)
    assert (of_bucket == of_bucket[:, :1]).all()
    assert (of_bucket[:8] == 0).all()
    assert (np.diff(of_bucket[8:, 0]) >= 0).all()
    assert of_bucket[-1, 0] == 7
    assert found.epochs.mean() == pytest.approx(1.5)
    assert found.whole == 15_000


@settings(max_examples=60, deadline=None)
@given(
    documents=DOCUMENTS,
    cap=st.none() | st.sampled_from([1.0, 2.5, 7.0]),
    tokens=st.none() | st.integers(1, 600),
    seed=st.integers(0, 5),
)
def test_a_document_is_taken_as_often_as_its_weight_says(
    documents: list[tuple[int, int]], cap: float | None, tokens: int | None, seed: int
) -> None:
    values, lengths = arrays(documents)
    if not values.any():
        return
    corpus = tokenised(lengths.tolist(), [0] * len(lengths), ["web"])
    weights = Weights(column="quality")
    source = MixtureSource(name="web", path="", share=1, max_epochs=cap, weights=weights)
    weighted = {"web": weigh(weights, cap, values, corpus.lengths, "web")}
    [taken] = shares(["web"], corpus.totals(), Mixture(source=(source,), tokens=tokens), weighted)
    times = np.bincount(order(corpus, [taken], seed, weighted), minlength=len(corpus))
    asked = weighted["web"].scaled(taken.taken)
    assert (np.abs(times - asked) < 1).all()
    if tokens is None:
        meant = np.minimum(values, cap or values.max())
        assert asked == pytest.approx(meant, rel=0.02 + 1 / (meant @ lengths), abs=0.02), "less than a token is cut off"
    levels = len(set(np.floor(asked).tolist()))
    assert taken.taken - levels * int(lengths.max()) < int((times * lengths).sum()) <= taken.taken
    again = np.random.default_rng(seed).permutation(len(lengths))
    other = tokenised(lengths[again].tolist(), [0] * len(lengths), ["web"])
    other.digests[:] = corpus.digests[again]
    moved = {"web": weigh(weights, cap, values[again], other.lengths, "web")}
    assert again[order(other, [taken], seed, moved)].tolist() == order(corpus, [taken], seed, weighted).tolist()


def packed(corpus: Path, tokenizer: Path, output: Path, weights: Weights, **source: Any) -> Manifest:
    mixed = Mixture(source=(MixtureSource(name="web", path=str(corpus), share=1, weights=weights, **source),))
    corpora = [ParquetCorpus(path=str(corpus), name="web", columns=Columns(value=weights.column))]
    return pack(corpora, open_tokenizer(tokenizer), 1, output, mixture=mixed)


def test_clusters_of_near_duplicates_are_rehydrated(tmp_path: Path, tokenizer: Path) -> None:
    """FineWeb2 takes a document of a cluster of four three times."""
    text = " ".join(f"word{number}" for number in range(90))
    write(tmp_path / "in", [[(f"{text} end{number}", None) for number in range(4)] + [("a mill", None)]])
    corpus = run(tmp_path / "in", tmp_path / "corpus")
    report = packed(corpus, tokenizer, tmp_path / "out", Weights(column="rehydration_weight"))
    sizes = {row["doc_id"]: row["near_cluster_size"] for row in rows(corpus, "documents")}
    assert sorted(sizes.values()) == [1, 4]
    times = [copy.doc_id for copy in copies(tmp_path / "out")]
    assert {sizes[name]: times.count(name) for name in sizes} == {1: 1, 4: 3}
    [source] = report.sources
    assert [(each.least, each.most, each.documents, each.epochs) for each in source.buckets] == [
        (1.0, 1.0, 1, 1.0),
        (3.0, 3.0, 1, 3.0),
    ]
    assert not source.short


def test_a_signal_of_the_documents_that_were_kept_gives_the_buckets(tmp_path: Path, tokenizer: Path) -> None:
    """Signals are also of removed documents, and so have other rows than the documents."""
    texts = [("a mill " * 30, None), *((" ".join(["stone"] * count), None) for count in (1, 2, 3, 4)), ("a", None)]
    write(tmp_path / "in", [[*texts, texts[0], texts[2]]])
    corpus = run(tmp_path / "in", tmp_path / "corpus", ['signals=["words"]'])
    weights = Weights(column="words", epochs=(0, 1, 2), missing=0)
    report = packed(corpus, tokenizer, tmp_path / "out", weights)
    words = {row["doc_id"]: len(row["text"].split()) for row in rows(corpus, "documents")}
    assert sorted(words.values()) == [1, 1, 2, 3, 4, 60]
    times = [copy.doc_id for copy in copies(tmp_path / "out")]
    assert sorted((words[name], times.count(name)) for name in words) == [
        (1, 0),
        (1, 0),
        (2, 1),
        (3, 1),
        (4, 2),
        (60, 2),
    ]
    [source] = report.sources
    assert [(each.least, each.most) for each in source.buckets] == [(1, 1), (2, 3), (4, 60)]
    assert report.ledger["documents"]["left_out"] == 2


@pytest.mark.parametrize(
    ("weights", "source", "message"),
    [
        ({"column": "quality"}, {}, "2 documents of web have no value in quality: give the epochs of such documents"),
        ({"column": "colour"}, {}, "has no column colour by which to weight its documents: name one of quality, score"),
        ({"column": "text"}, {}, "column text is string, and weights.column takes numbers"),
        ({"column": "score"}, {}, "score of web holds -1, and weights are epochs from 0 to 1,000"),
        ({"column": "score", "buckets": 4, "mean": 5.5}, {}, "gives at most 5.25 epochs: lower mean or drop"),
        (
            {"column": "score", "buckets": 4, "drop": 0.99},
            {"max_epochs": 1.0},
            "lower mean or drop, or raise max_epochs",
        ),
        ({"column": "score", "epochs": (0.001, 0.0)}, {}, "the weights of web leave no token"),
        ({"column": "score", "epochs": (0, 8)}, {"max_epochs": 7.0}, "raise max_epochs or lower the epochs"),
    ],
)
def test_weights_that_cannot_be_are_one_sentence(
    weights: dict[str, Any], source: dict[str, Any], message: str, tmp_path: Path, tokenizer: Path
) -> None:
    table = pa.table({"text": ["a"] * 4, "quality": [1.0, None, 2.0, float("nan")], "score": [-1, 1, 2, 3]})
    pq.write_table(table, tmp_path / "corpus.parquet")
    with pytest.raises(UserError, match=message):
        packed(tmp_path / "corpus.parquet", tokenizer, tmp_path / "out", Weights(**weights), **source)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"epochs": (1.0,), "buckets": 3}, "epochs and buckets exclude each other"),
        ({"buckets": 0}, "buckets is 0: give a number from 1 to 1000"),
        ({"epochs": (1.0,) * 1001}, "epochs has 1,001 numbers"),
        ({"epochs": (-1.0,)}, "-1 epochs: give numbers from 0 to 1,000"),
        ({"missing": float("nan")}, "nan epochs"),
        ({"epochs": (0.0, 0.0)}, "all epochs are 0"),
        ({"buckets": 4, "drop": 1.0}, "drop is 1"),
        ({"buckets": 4, "power": -1.0}, "power is -1"),
        ({"buckets": 4, "mean": 0.0}, "mean is 0"),
    ],
)
def test_settings_that_cannot_be_are_one_sentence(weights: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        Weights(column="quality", **weights)
