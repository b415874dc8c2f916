"""A search by the definition of decon: what documents repeat is scored and found at its place, on every runner."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from curation.benchmarks.samples import Benchmark
from curation.benchmarks.settings import Settings
from curation.contamination.explanation import explain_search, read_search
from curation.contamination.found_matches import SHOWN
from curation.contamination.scores import Scores
from curation.contamination.search import Searched, find_contamination
from curation.job import Execution
from tests.curation.benchmarks.test_decon import ANSWER, OTHERS, PASSAGE, QUESTION
from tests.curation.contamination.naive import word_list
from tests.curation.contamination.test_search import documents_of, samples_of
from tests.curation.packing.corpora import Row, everything, write_corpus

OTHER = "Which stone turns, the bedstone or the runner stone above it, and how is the gap between both of them set?"
FAR = " ".join(OTHERS[:300])
PLANTED = {
    "all": f"Note: {PASSAGE}\n\n{QUESTION.upper()}\n- {ANSWER}\nSo it is.",
    "no answer": f"{PASSAGE} {QUESTION} {FAR} {ANSWER}",
    "question": f"They ask:\n{QUESTION}",
    "edited": QUESTION.replace("Kale", "Leek").replace("sacks", "bags") + ANSWER,
    "other": OTHER,
    "nothing": FAR,
    "empty": "",
}
BEST = ("question", "answer", "passage")


def search(
    folder: Path,
    documents: dict[str, str] = PLANTED,
    output: str = "out",
    execution: Execution | None = None,
    copies: int = 1,
) -> Path:
    if not (folder / "corpus").exists():
        write_corpus(folder / "corpus", [Row(name, text) for name, text in documents.items()], files=2)
    rows = [(QUESTION, ANSWER, PASSAGE)] * copies + [(OTHER, "", ""), ("Why?", "So.", ""), ("", "", "")]
    questions, answers, passages = zip(*rows, strict=True)
    ids = tuple(map(str, range(len(rows))))
    benchmark = Benchmark(name="quiz", template="", sample_ids=ids, texts=questions, answers=answers, passages=passages)
    scores = Scores("model", "0" * 64, np.array([1.0, *[0.0] * (len(rows) - 1)]))
    find_contamination(
        str(folder / "corpus"),
        [Searched(benchmark=benchmark, sha256="0" * 64)],
        None,
        str(folder / output),
        Settings(definition="decon"),
        [scores],
        execution,
    )
    return folder / output


def test_each_part_is_scored_and_at_its_place(tmp_path: Path) -> None:
    output = search(tmp_path)
    first, other, *others = samples_of(output)
    assert [first[name] for name in ("score", *(f"{part}_score" for part in BEST))] == [1, 1, 1, 1]
    assert (first["contaminated"], first["documents"], first["left_out"]) == (True, 2, False)
    assert first["words"] == sum(len(word_list(part)) for part in (QUESTION, ANSWER, PASSAGE))
    best, second = first["matches"][0], first["matches"][1]
    assert (best["doc_id"], second["doc_id"]) == ("all", "no answer")
    text = PLANTED["all"].encode()
    for part, own in zip(best["parts"], (QUESTION, ANSWER, PASSAGE), strict=True):
        assert text[part["start"] : part["end"]].decode() == part["extract"]
        assert word_list(part["extract"]) == word_list(own)
    assert [part["score"] for part in second["parts"]] == [1, 0, 1]
    assert (second["parts"][1]["start"], second["parts"][1]["extract"]) == (None, None)
    assert second["score"] == pytest.approx(0.8)
    assert (other["score"], other["answer_score"], other["passage_score"]) == (1, None, None)
    for row in others:
        assert (row["left_out"], row["score"], row["question_score"], row["contaminated"]) == (True, 0, None, False)


def test_contaminated_documents_are_listed(tmp_path: Path) -> None:
    output = search(tmp_path)
    found = documents_of(output)
    assert sorted(found) == ["all", "no answer", "other"]
    assert (output / "documents.txt").read_text().split("\n")[:-1] == [
        row["doc_id"] for path in sorted((output / "documents").iterdir()) for row in pq.read_table(path).to_pylist()
    ]
    [match] = found["other"]["matches"]
    assert PLANTED["other"].encode()[match["start"] : match["end"]].decode() == OTHER[:-1]
    assert (match["sample_id"], match["score"], found["other"]["score"]) == ("1", 1, 1)


def test_the_subsets_have_the_scores_of_the_model(tmp_path: Path) -> None:
    rows = pq.read_table(search(tmp_path) / "subsets.parquet").to_pylist()
    assert [(row["subset"], row["samples"], row["mean"]) for row in rows] == [
        ("left out", 2, 0.0),
        ("clean", 0, None),
        ("contaminated", 2, 0.5),
    ]


def test_a_common_question_is_listed_ten_times_and_counted(tmp_path: Path) -> None:
    documents = {f"d{number:02}": f"{number} {QUESTION} {ANSWER}" for number in range(30)}
    output = search(tmp_path, documents, copies=25)
    rows = samples_of(output)[:25]
    assert {(row["documents"], len(row["matches"])) for row in rows} == {(30, 10)}
    assert {(each["samples"], len(each["matches"])) for each in documents_of(output).values()} == {(25, 10)}


def test_a_text_that_repeats_takes_bounded_time(tmp_path: Path) -> None:
    documents = {"words": "a " * 2_000_000, "question": f"{QUESTION} " * 20_000, "word": "a" * 4_000_000}
    first = samples_of(search(tmp_path, documents, copies=20))[0]
    assert (first["documents"], first["question_score"]) == (0, 1)
    assert len(first["matches"][0]["parts"][0]["extract"]) <= SHOWN


def test_both_texts_are_explained(tmp_path: Path) -> None:
    output = str(search(tmp_path))
    found = read_search(output)
    assert found is not None
    [lines] = explain_search(output, found, "quiz/0")
    assert lines[0] == "quiz/0: 91 words, contaminated: score 1.000, contaminated from 0.800"
    assert lines[1] == "  documents that contaminate it: 2; what documents repeat:"
    assert [line.split(",")[0].strip() for line in lines if ", score" in line][:3] == list(BEST)
    assert any(line == "    answer, score 0.000, not found" for line in lines)
    assert any(line.startswith("      document: THE OLD MILLER") for line in lines)
    [lines] = explain_search(output, found, "other")
    assert lines == [
        "other (corpus) contaminates samples: 1:",
        f"  quiz/1, bytes 0 to {len(OTHER) - 1}: score 1.000",
    ]
    [lines] = explain_search(output, found, "quiz/2")
    assert lines == ["quiz/2: 2 words, left out: too short to be compared"]


def test_the_bytes_do_not_depend_on_workers_or_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = everything(search(tmp_path, execution=Execution(workers=0)))
    for name, execution in {
        "workers": Execution(workers=2),
        "beam": Execution(beam_options=("--runner=FnApiRunner",)),
    }.items():
        assert everything(search(tmp_path, output=name, execution=execution)) == alone
    monkeypatch.setattr("curation.contamination.search.PART_BYTES", 1)
    divided = search(tmp_path, output="divided")
    assert (divided / "samples.parquet").read_bytes() == (tmp_path / "out" / "samples.parquet").read_bytes()
