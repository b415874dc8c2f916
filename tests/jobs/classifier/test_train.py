"""A classifier depends on its documents alone, and its figures on documents that it did not learn from."""

import json
import re
from pathlib import Path

import fasttext
import numpy as np
import pyarrow as pa
import pytest

from curation.fasttext.classifier import MODEL, in_classifiers_form, log_odds, read_classifier
from curation.fasttext.model import read_model
from curation.filters.quality import Quality
from curation.recipe import Recipe
from jobs.classifier.documents import DocumentSet
from jobs.classifier.train import TrainOptions, run
from schemas.errors import UserError

WORDS = {
    "good": "the mill grinds wheat rye river stone wheel water flour",
    "bad": "buy cheap now click here offer order",
}
MIXED = "and of a with for village day night"


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Documents of two kinds that share half of their words, each kind in two files."""
    folder, random = tmp_path_factory.mktemp("sets"), np.random.default_rng(3)
    for kind, own in WORDS.items():
        for part in range(2):
            with (folder / f"{kind}-{part}.jsonl").open("w") as lines:
                for number in range(60):
                    words = random.choice([*own.split(), *MIXED.split()], size=12)
                    lines.write(json.dumps({"id": f"{kind}-{part}-{number}", "text": " ".join(words)}) + "\n")
    return folder


def options(sets: Path, output: Path, **changed: object) -> TrainOptions:
    given: dict[str, object] = {
        "positive": [str(sets / "good-*.jsonl")],
        "negative": [str(sets / "bad-*.jsonl")],
        "reference": [str(sets / "*.jsonl")],
        "output": output,
        "held_out": 0.3,
        "seed": 0,
        "epochs": 5,
        "rate": 0.5,
        "dimensions": 4,
        "ngrams": 2,
        "buckets": 1000,
        "min_count": 1,
    }
    return TrainOptions(**{**given, **changed})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def trained(sets: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained") / "classifier"
    run(options(sets, folder))
    return folder


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_the_bytes_depend_on_documents_settings_and_seed_alone(sets: Path, trained: Path, tmp_path: Path) -> None:
    reversed_files = [str(sets / f"good-{part}.jsonl") for part in (1, 0)]
    run(options(sets, tmp_path / "again", positive=reversed_files))
    assert content(tmp_path / "again") == content(trained)
    run(options(sets, tmp_path / "other", seed=1))
    assert (tmp_path / "other" / MODEL).read_bytes() != (trained / MODEL).read_bytes()


def test_fasttext_reads_the_model_and_agrees(sets: Path, trained: Path) -> None:
    oracle, model = fasttext.load_model(str(trained / MODEL)), read_model(trained / MODEL)
    for documents in DocumentSet("all", [str(sets / "*.jsonl")]).read():
        for text, found in zip(
            documents.texts.to_pylist(), model.probabilities(documents.texts, ("positive",))[:, 0], strict=True
        ):
            labels, values = oracle.predict(" ".join(text.split()), k=2)
            assert found == pytest.approx(dict(zip(labels, values, strict=True))["__label__positive"], abs=1e-4)


def test_the_report_is_measured_on_documents_that_were_not_learned(sets: Path, trained: Path) -> None:
    report = json.loads((trained / "report.json").read_text())
    for label in ("positive", "negative"):
        assert report["trained"][label] + report["held_out"][label] + report["repeated"][label] == 120
        assert 0.15 < report["held_out"][label] / 120 < 0.45
    assert report["roc_auc"]["low"] < report["roc_auc"]["value"] <= report["roc_auc"]["high"] <= 1
    assert report["roc_auc"]["value"] > 0.9
    assert report["reference"] + report["reference_learned"] == 240


def test_a_document_whose_text_was_learned_is_not_measured_on(sets: Path, tmp_path: Path) -> None:
    """Copies under other ids fall on both sides of the division."""
    for kind in WORDS:
        rows = [json.loads(line) for line in (sets / f"{kind}-0.jsonl").read_text().splitlines()[:30]]
        copies = [{**row, "id": f"{row['id']}-copy-{n}"} for row in rows for n in range(8)]
        (tmp_path / f"{kind}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in [*rows, *copies]))
    every = [str(tmp_path / "good.jsonl"), str(sets / "good-1.jsonl")]
    run(
        options(
            sets, tmp_path / "out", positive=every, negative=[str(tmp_path / "bad.jsonl"), str(sets / "bad-1.jsonl")]
        )
    )
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["repeated"]["positive"] > 30


def test_nine_tenths_of_the_reference_is_below_the_percentile_of_nine_tenths(sets: Path, trained: Path) -> None:
    classifier, model = read_classifier(trained), read_model(trained / MODEL)
    learned = json.loads((trained / "report.json").read_text())["reference_learned"]
    scores = [log_odds(model, each.texts) for each in DocumentSet("all", [str(sets / "*.jsonl")]).read()]
    found = classifier.percentiles.of_scores(np.concatenate(scores))
    assert learned > 100
    assert 0.0 <= found.min() < 0.05
    assert (np.diff(found[np.argsort(np.concatenate(scores))]) >= 0).all()
    own = np.array(classifier.percentiles.scores)
    assert abs((classifier.percentiles.of_scores(own) >= 0.9).mean() - 0.1) < 0.002


def test_the_largest_percentile_counts_and_each_is_a_signal(sets: Path, trained: Path, tmp_path: Path) -> None:
    run(
        options(
            sets, tmp_path / "opposite", positive=[str(sets / "bad-*.jsonl")], negative=[str(sets / "good-*.jsonl")]
        )
    )
    both = Quality(classifiers=(str(trained), str(tmp_path / "opposite")), min_quality=0.9).with_file(Path())
    Recipe(name="own", steps=(both,)).check()
    for documents in DocumentSet("all", [str(sets / "good-0.jsonl")]).read():
        signals = both.measure(pa.RecordBatch.from_arrays([documents.texts], ["text"]))
        rows = np.array([signals[name].to_pylist() for name in ("quality_1", "quality_2")])
        assert signals["quality"].to_pylist() == rows.max(axis=0).tolist()
        assert rows[0].mean() > 0.6 > 0.4 > rows[1].mean()


@pytest.mark.parametrize("name", ["model.bin", "calibration.json", "manifest.json"])
def test_a_changed_classifier_is_refused(trained: Path, tmp_path: Path, name: str) -> None:
    for path in trained.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes() + (b" x" if path.name == name else b""))
    with pytest.raises(UserError, match=name):
        Quality(classifiers=(str(tmp_path),)).with_file(Path())


TOO_FEW: list[tuple[str, str, float, str]] = [
    ("positive", "one.jsonl", 0.01, "--positive has 1 document to train on: give at least 2"),
    ("positive", "two.jsonl", 0.01, "--positive leaves 0 documents to measure on"),
    ("reference", "empty.jsonl", 0.3, "--reference has no documents to calibrate with"),
]


@pytest.mark.parametrize(("which", "file", "held_out", "sentence"), TOO_FEW)
def test_too_few_documents_are_refused_and_nothing_is_written(
    sets: Path, tmp_path: Path, which: str, file: str, held_out: float, sentence: str
) -> None:
    (tmp_path / "one.jsonl").write_text('{"id": "stone", "text": "a mill"}\n')
    (tmp_path / "empty.jsonl").write_text('{"id": "x", "text": " "}\n')
    (tmp_path / "two.jsonl").write_text('{"id": "stone", "text": "a mill"}\n{"id": "wheel", "text": "mills"}\n')
    with pytest.raises(UserError, match=sentence):
        run(options(sets, tmp_path / "out", held_out=held_out, **{which: [str(tmp_path / file)]}))
    assert not (tmp_path / "out").exists()


def test_texts_in_both_sets_are_a_warning(sets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = [json.loads(line) for line in (sets / "bad-0.jsonl").read_text().splitlines()]
    copies = [{**row, "id": f"{row['id']}-copy"} for row in bad]
    (tmp_path / "both.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in copies))
    positive = [str(sets / "good-*.jsonl"), str(tmp_path / "both.jsonl")]
    run(options(sets, tmp_path / "out", positive=positive, held_out=0.1))
    found = re.search(r"--positive and --negative share (\d+) texts", capsys.readouterr().err)
    assert found is not None
    assert 40 <= int(found[1]) <= 60
    run(options(sets, tmp_path / "apart"))
    assert "share" not in capsys.readouterr().err


def test_an_unfinished_corpus_is_refused(sets: Path, tmp_path: Path) -> None:
    (tmp_path / "corpus" / ".work").mkdir(parents=True)
    with pytest.raises(UserError, match=r"corpus holds an unfinished run: run gristmill curate to its end"):
        run(options(sets, tmp_path / "out", reference=[str(tmp_path / "corpus")]))


def test_case_and_marks_do_not_join_words() -> None:
    texts = pa.array(["The MILL, (grinds).", 'É "x"/y'], pa.large_string())
    words = [text.split() for text in in_classifiers_form(texts).to_pylist()]
    assert words == [["the", "mill", ",", "(", "grinds", ")", "."], ["é", '"', "x", '"', "/", "y"]]
