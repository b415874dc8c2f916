"""A recipe that removes contaminated documents by decon's scores removes what ``gristmill contamination`` lists."""

import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings

from curation.contamination.found_matches import FoundMatches
from curation.engine.driver import curate
from curation.filters.contaminated import Contaminated
from curation.filters.rules import failures
from curation.job import Execution, Job
from curation.release.lookup import Lookup
from curation.reports.explain import explain
from curation.sources.inputs import Input
from jobs.corpus.job_file import make_job
from schemas.errors import UserError
from tests.curation.benchmarks.test_decon import ANSWER, OTHERS, PASSAGE, QUESTION, index, quizzes
from tests.curation.contamination.naive_decon import Parts
from tests.curation.packing.corpora import everything
from tests.jobs.calling import call

OTHER = "Which stone turns, the bedstone or the runner stone above it, and how is the gap between both of them set?"
TEXTS = {
    "all": f"É: {PASSAGE}\n\n{QUESTION.upper()}\n- {ANSWER}\nSo it is.",
    "no passage": f"They ask: {QUESTION} They say: {ANSWER}",
    "no answer": f"{PASSAGE} {QUESTION} {' '.join(OTHERS[:300])} {ANSWER}",
    "question": f"They ask:\n{QUESTION}",
    "edited": QUESTION.replace("Kale", "Leek").replace("sacks", "bags") + ANSWER,
    "other": f"{OTHER} They ask.",
    "both": f"{OTHER}\n{PASSAGE} {QUESTION} {ANSWER}",
    "better second": f"{QUESTION} {ANSWER}\n{OTHER}",
    "nothing": " ".join(OTHERS),
}
FIELDS = ("--question", "ask", "--answer", "reply", "--passage", "about")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the test, with two files of documents and a benchmark."""
    monkeypatch.chdir(tmp_path)
    rows = [{"id": name, "text": text} for name, text in TEXTS.items()]
    for part in (0, 1):
        Path(f"in-{part}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows[part::2]))
    parts = [(QUESTION, ANSWER, PASSAGE), (OTHER, "", ""), ("Why?", "So.", "")]
    quiz = [{"key": f"s{k}", "ask": ask, "reply": reply, "about": about} for k, (ask, reply, about) in enumerate(parts)]
    Path("quiz.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in quiz))
    return tmp_path


def job(place: Path, *changes: str, with_step: bool = True, **more: Any) -> Job:
    """A job whose only step is ``contaminated``, or that has no step."""
    step = {"use": "contaminated", "benchmarks": ["quiz.jsonl"], "definition": "decon", "id_field": "key"}
    step |= {"question": "ask", "answer": "reply", "passage": "about", **more}
    lines = ["[[steps]]", *(f"{name} = {json.dumps(value)}" for name, value in step.items())] if with_step else []
    (place / "own.toml").write_text("\n".join([*lines, "[dedup]", "near = false"]))
    return make_job([Input(glob=str(place / "in-*.jsonl"))], str(place / "own.toml"), changes, {"unit_bytes": 500})


def made(place: Path, output: str, *changes: str, workers: int = 0, **more: Any) -> Path:
    curate(job(place, *changes, **more), str(place / output), Execution(workers=workers))
    return place / output


def column(folder: Path, table: str, name: str) -> dict[str, Any]:
    rows = pq.read_table(folder / table).select(["doc_id", name]).to_pylist()
    return {row["doc_id"]: row[name] for row in rows}


def test_it_removes_exactly_what_the_search_of_the_corpus_lists(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, less = made(place, "whole", with_step=False), made(place, "less")
    assert column(whole, "documents", "text") == TEXTS
    words = ("contamination", "whole", "--benchmark", "quiz.jsonl", "--definition", "decon", "--id-field", "key")
    assert call(*words, *FIELDS, "--output", "found", monkeypatch=monkeypatch) == 0
    found = {row["doc_id"]: row for row in pq.read_table("found/documents").to_pylist()}
    assert found.keys() == {"all", "no passage", "no answer", "other", "both", "better second"}
    assert column(less, "rejects", "reason") == dict.fromkeys(found, "contaminated")
    assert column(less, "documents", "text") == {name: text for name, text in TEXTS.items() if name not in found}
    signals = {row["doc_id"]: row for row in pq.read_table(less / "signals").to_pylist()}
    for name, row in signals.items():
        own = {key.removeprefix("contaminated_"): value for key, value in row.items() if "contaminated_" in key}
        if name not in found:
            assert own == {"score": 0, "samples": 0, "sample": None, "start": None, "end": None}
            continue
        best = found[name]["matches"][0]
        assert (own["score"], own["samples"]) == (np.float32(found[name]["score"]), found[name]["samples"])
        assert own["sample"] == f"quiz/{best['sample_id']}"
        assert (own["start"], own["end"]) == (best["start"], best["end"])
    assert [signals[name]["contaminated_samples"] for name in ("both", "better second")] == [2, 2]
    assert signals["better second"]["contaminated_sample"] == "quiz/s1"


@pytest.mark.parametrize("workers", [0, 2])
def test_the_bytes_do_not_depend_on_the_workers(place: Path, workers: int) -> None:
    assert everything(made(place, "other", workers=workers)) == everything(made(place, "alone"))


def searched(references: Sequence[Parts], documents: Sequence[str]) -> list[dict[str, Any]]:
    """The rows that a search lists for these documents, which are named by their numbers."""
    made = index(references)
    numbers = list(map(str, range(len(documents))))
    columns = {"doc_id": numbers, "source": numbers, "text": pa.array(documents, pa.large_string())}
    return FoundMatches(made, made.samples).search(pa.RecordBatch.from_pydict(columns)).to_pylist()


@settings(max_examples=40, deadline=None)
@given(quizzes())
@example(([(QUESTION, ANSWER, PASSAGE), (OTHER, "", ""), (QUESTION, "", "")], [*TEXTS.values(), "", "..."]))
def test_signals_are_those_of_the_search(both: tuple[list[Parts], list[str]]) -> None:
    references, documents = both
    rows = [
        (number, {"id": str(number - 1), "question": question, "answer": answer, "passage": passage})
        for number, (question, answer, passage) in enumerate(references, 1)
    ]
    with TemporaryDirectory() as folder:
        (Path(folder) / "quiz.jsonl").touch()
        asked = Contaminated(benchmarks=("quiz.jsonl",), definition="decon")
        step = asked.with_files(Path(folder), lambda path: iter(rows))
    signals = step.measure(pa.RecordBatch.from_pydict({"text": pa.array(documents, pa.large_string())}))
    found = {int(row["doc_id"]): row for row in searched(references, documents)}
    assert np.flatnonzero(failures(signals, step.rules()).any(axis=1)).tolist() == sorted(found)
    for number, row in found.items():
        [own] = signals.slice(number, 1).to_pylist()
        best = row["matches"][0]
        assert own["contaminated_score"] == np.float32(row["score"])
        assert own["contaminated_samples"] == row["samples"]
        assert own["contaminated_sample"] == f"quiz/{best['sample_id']}"
        assert (own["contaminated_start"], own["contaminated_end"]) == (best["start"], best["end"])


def test_what_if_moves_the_score_as_another_run_would(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made(place, "out")
    counts = []
    for score in ("0", "0.8", "0.85", "0.95", "1", "none"):
        changed = f"contaminated.max_score={score}"
        kept = len(column(made(place, f"out-{score}", changed), "documents", "text"))
        capsys.readouterr()
        assert call("what-if", "out", "--set", changed, "--json", monkeypatch=monkeypatch) == 0
        [case] = json.loads(capsys.readouterr().out)["cases"]
        assert (case["kept"]["documents"], case["exact"]) == (kept, True)
        counts.append(kept)
    assert counts == sorted(counts)
    assert (len(set(counts)) > 2, counts[0], counts[-2:]) == (True, 3, [len(TEXTS)] * 2)


def test_explain_and_the_report_name_and_mark_the_question(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lookup = Lookup(str(made(place, "out")))
    [row] = lookup.find("all")
    start = TEXTS["all"].encode().index(QUESTION.upper()[:-1].encode())
    at = f"bytes {start} to {start + len(QUESTION) - 1}"
    lines = list(explain(lookup, row))
    assert lines[2] == f"  contaminates samples: quiz/s0; the highest score is 1.000, with the question at {at}"
    [row] = lookup.find("both")
    assert list(explain(lookup, row))[2].startswith("  contaminates samples: quiz/s0 and 1 more; the highest score is")
    [row] = lookup.find("question")
    assert len(list(explain(lookup, row))) == 1
    assert call("report", "out", "--output", "page.html", monkeypatch=monkeypatch) == 0
    assert f"<mark>{QUESTION.upper()[:-1]}</mark>?" in Path("page.html").read_text()


def test_a_takedown_needs_no_benchmark(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(place, "out")
    (place / "quiz.jsonl").unlink()
    (place / "ids").write_text("question\n")
    assert call("takedown", "out", "--doc-id", "ids", "--output", "down", monkeypatch=monkeypatch) == 0
    assert column(place / "down", "documents", "text").keys() == {"edited", "nothing"}
    assert column(place / "down", "rejects", "reason")["question"] == "doc_id"


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"answer": "body"}, r"step contaminated: quiz, row 1 has no field body, which is asked for"),
        ({"question": None}, r"step contaminated: quiz, row 1 has no field question, prompt or text: name the field"),
        ({"id_field": "name"}, r"step contaminated: quiz, row 1 has no name: name a field of ids that every row has$"),
    ],
)
def test_a_field_that_a_row_lacks_is_named(place: Path, changed: dict[str, Any], says: str) -> None:
    asked = {name: "none" if value is None else value for name, value in changed.items()}
    with pytest.raises(UserError, match=says):
        job(place, **asked)
