"""``gristmill contamination`` as its user meets it."""

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.dataset as ds
import pytest

from tests.curation.packing.corpora import PROSE, Row, byte_level, saved, write_corpus
from tests.jobs import calling

Call = Callable[..., int]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Call:
    """Runs a command beside a corpus, a tokenizer and two benchmarks; returns its exit code."""
    write_corpus(tmp_path / "corpus", [Row(f"d{number}", text) for number, text in enumerate(PROSE[:2])])
    saved(tmp_path / "tokenizer.json", byte_level())
    monkeypatch.chdir(tmp_path)
    Path("quiz.jsonl").write_text(
        "".join(json.dumps({"id": k, "text": text}) + "\n" for k, text in enumerate(PROSE[:3]))
    )
    Path("short.csv").write_text("id,question,answer\na,Why?,So.\n")
    Path("model.csv").write_text("id,score,benchmark\n0,1,quiz\n1,1,quiz\n2,0,quiz\n")

    def run(*words: str) -> int:
        return calling.call(*words, monkeypatch=monkeypatch)

    return run


GIVEN = ("contamination", "corpus", "--tokenizer", "tokenizer.json", "--output", "out")


def test_it_prints_the_subsets_of_each_benchmark(call: Call, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(*GIVEN, "--benchmark", "quiz.jsonl", "--benchmark", "s=short.csv", "--scores", "model.csv") == 0
    said = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert said[0] == ["samples", "L", "clean", "not", "clean", "not", "dirty", "dirty", "evidence"]
    assert said[1] == ["quiz,", "model", "10", "1", "2", "1", "2", "no"]
    assert said[2] == ["mean", "score,", "all", "66.7%", "0.0%", "100.0%", "0.0%", "100.0%"]
    assert said[3] == ["Z", "-1.41", "+1.00", "-1.41", "+1.00"]
    assert ["s", "10", "1", "0", "1", "0"] in said
    assert said[-1][:4] == ["out:", "2", "of", "2"]
    assert call("verify", "out") == 0
    assert "out: a search for benchmarks" in capsys.readouterr().out
    assert call("explain", "out", "quiz/1") == 0
    assert "sample:   A sluice lets water" in capsys.readouterr().out


@pytest.mark.parametrize(("definition", "size"), [("gpt3", "13"), ("palm", "8")])
def test_ngrams_need_no_tokenizer(call: Call, definition: str, size: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--definition", definition, "--benchmark", "quiz.jsonl", "--scores", "model.csv", "--output", "out")
    assert call("contamination", "corpus", *words) == 0
    said = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert said == [
        ["samples", "N", "clean", "dirty"],
        ["quiz,", "model", size, "1", "2"],
        ["mean", "score,", "all", "66.7%", "0.0%", "100.0%"],
        ["Z", "-1.41", "+1.00"],
        ["out:", "2", "of", "2", "documents", "share", "a", "passage", "with", "a", "sample"],
    ]
    assert call("verify", "out") == 0
    assert call("explain", "out", "quiz/1") == 0
    assert "dirty: 100.0% of" in capsys.readouterr().out


def test_decon_takes_the_fields_of_the_parts(call: Call, capsys: pytest.CaptureFixture[str]) -> None:
    asked = [" ".join(PROSE[:3]), " ".join(reversed(calling.GRAIN.split())), "Why?"]
    write_corpus(Path("long"), [Row("d0", f"They ask: {asked[0]}"), Row("d1", calling.GRAIN)])
    rows = [{"id": k, "ask": text, "reply": "Mill it is."} for k, text in enumerate(asked)]
    Path("parts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    given = ("contamination", "long", "--definition", "decon", "--output", "out")
    assert call(*given, "--benchmark", "quiz=parts.jsonl", "--question", "ask", "--scores", "model.csv") == 0
    said = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert said == [
        ["samples", "left", "out", "clean", "contaminated"],
        ["quiz,", "model", "1", "1", "1"],
        ["mean", "score,", "all", "66.7%", "0.0%", "100.0%", "100.0%"],
        ["Z", "-1.41", "+0.71", "+0.71"],
        ["out:", "1", "of", "2", "documents", "contaminate", "a", "sample"],
    ]
    assert call("verify", "out") == 0
    assert call("explain", "out", "quiz/0") == 0
    assert "question, score 1.000, bytes 10 to" in capsys.readouterr().out
    more = ("--benchmark", "quiz=parts.jsonl", "--question", "ask", "--answer", "reply", "--output", "more")
    assert call("contamination", "long", "--definition", "decon", *more) == 0
    assert call("explain", "more", "quiz/0") == 0
    assert "answer, score 0.000, not found" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--definition", "llama2"), "--definition llama2 compares tokens: give the model's --tokenizer PATH"),
        (("--definition", "palm", "--tokenizer", "tokenizer.json"), "compares lower-case words: leave out --tokenizer"),
        (("--definition", "gpt3", "--normalise", "none"), "compares lower-case words: leave out --normalise none"),
        (("--definition", "gpt3", "--end-token", "x"), "--definition gpt3 compares lower-case words: leave out --end"),
        (("--definition", "decon", "--tokenizer", "tokenizer.json"), "lower-case words: leave out --tokenizer"),
        (("--definition", "decon", "--template", "{text}"), "name fields as --question, --answer and --passage"),
        (("--definition", "palm", "--answer", "text"), "--answer is for --definition decon"),
        (("--definition", "decon", "--passage", "body"), "quiz, row 1 has no field body, which is asked for"),
    ],
)
def test_each_definition_has_its_own_options(
    call: Call, words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("contamination", "corpus", "--benchmark", "quiz.jsonl", "--output", "out", *words) == 2
    shown = capsys.readouterr().err
    assert said in shown
    assert shown.count("\n") == 1


def test_scores_of_any_scale_and_of_some_samples(call: Call, capsys: pytest.CaptureFixture[str]) -> None:
    Path("half.csv").write_text("id,score\n0,85.3\n1,12\n")
    Path("short.jsonl").write_text('{"id": "a", "text": "Why?"}\n')
    words = ("--definition", "palm", "--benchmark", "quiz.jsonl", "--scores", "half.csv", "--output", "half")
    assert call("contamination", "corpus", *words) == 0
    said = capsys.readouterr().out
    assert "mean score, all 48.65" in said
    assert "half lacks the scores of 1 of 3 samples of quiz, and counts only the others" in said
    assert call(*GIVEN, "--benchmark", "short.jsonl") == 0
    assert "short: 1 sample has 10 tokens or fewer: no text can match" in capsys.readouterr().out


def test_contaminated_documents_are_taken_down(call: Call) -> None:
    texts = [calling.GRAIN, PROSE[0], f"{calling.GRAIN[:80]} {PROSE[1]}"]
    Path("in.jsonl").write_text(
        "".join(json.dumps({"id": f"d{k}", "text": text}) + "\n" for k, text in enumerate(texts))
    )
    assert call("curate", "--input", "in.jsonl", "--recipe", "none", "--output", "curated") == 0
    words = ("--tokenizer", "tokenizer.json", "--benchmark", "quiz.jsonl", "--output", "out")
    assert call("contamination", "curated", *words) == 0
    listed = Path("out/documents.txt").read_text().splitlines()
    ids = {row["text"]: row["doc_id"] for row in ds.dataset("curated/documents").to_table().to_pylist()}
    assert sorted(listed) == sorted([ids[texts[1]], ids[texts[2]]])
    assert call("takedown", "curated", "--doc-id", "out/documents.txt", "--output", "clean") == 0
    assert ds.dataset("clean/documents").to_table()["text"].to_pylist() == texts[:1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--benchmark", "none.jsonl"), "'none.jsonl' cannot be read"),
        (("--benchmark", "quiz.jsonl", "--benchmark", "quiz.jsonl"), "two benchmarks are named quiz"),
        (("--benchmark", "quiz.jsonl", "--scores", "short.csv"), "short, row 1: the benchmark quiz has no sample 'a'"),
        (("--benchmark", "quiz.jsonl", "--tokenizer", "quiz.jsonl"), "quiz.jsonl"),
        (("--benchmark", "quiz.jsonl", "--output", "corpus"), "the output corpus is not empty"),
        (("--benchmark", "quiz.jsonl", "--text-column", "body"), "has no column body"),
        (("--benchmark", "quiz.jsonl", "--", "--runner=Nowhere"), "Nowhere"),
    ],
)
def test_a_mistake_is_one_sentence(
    call: Call, words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(*GIVEN, *words) == 2
    shown = capsys.readouterr().err
    assert said in shown
    assert shown.count("\n") == 1


def test_a_benchmark_without_rows_is_refused(call: Call, capsys: pytest.CaptureFixture[str]) -> None:
    Path("none.jsonl").write_text("\n")
    assert call(*GIVEN, "--benchmark", "none.jsonl") == 2
    assert "none.jsonl has no rows" in capsys.readouterr().err


def test_an_unreadable_row_is_named(call: Call, capsys: pytest.CaptureFixture[str]) -> None:
    Path("broken.jsonl").write_text('{"text": "a"}\n{"text": \n')
    assert call(*GIVEN, "--benchmark", "broken.jsonl") == 2
    assert "broken.jsonl, row 2 cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize("content", [None, b"short"])
def test_an_incomplete_search_is_not_explained(
    content: bytes | None, call: Call, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(*GIVEN, "--benchmark", "quiz.jsonl") == 0
    Path("out/samples.parquet").unlink()
    if content is not None:
        Path("out/samples.parquet").write_bytes(content)
    assert call("explain", "out", "quiz/1") == 2
    said = "is missing" if content is None else "has 5 bytes"
    assert f"out/samples.parquet {said}" in capsys.readouterr().err


def test_an_unknown_id_is_not_explained(call: Call, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(*GIVEN, "--benchmark", "quiz.jsonl") == 0
    assert call("explain", "out", "quiz/9") == 2
    assert "no contaminated document 'quiz/9'" in capsys.readouterr().err
