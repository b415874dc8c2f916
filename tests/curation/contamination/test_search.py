"""A search of a corpus: what is planted is found as the definition says, on every runner, with the same bytes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from curation.benchmarks.samples import Benchmark
from curation.benchmarks.settings import LENGTHS, Normalise, Settings
from curation.contamination.explanation import explain_search, read_search
from curation.contamination.search import PART_BYTES, Searched, find_contamination
from curation.job import Execution
from curation.tokenizers.tokenizer import open_tokenizer
from tests.curation.contamination.naive import longest_spans, words
from tests.curation.packing.corpora import PROSE, Row, byte_level, everything, saved, write_corpus

SAMPLE = "The old miller of Kale grinds oats for nine farms, and each farm pays him 4 sacks for every 90 that he makes."
OTHER = "Which stone turns, the bedstone or the runner stone above it, and how is the gap between both of them set?"


def skipping(*places: int) -> str:
    """The sample with other words at some places."""
    return " ".join("zzz" if place in places else word for place, word in enumerate(SAMPLE.split()))


PLANTED = {
    "exact": f"They say: {SAMPLE} So it is.",
    "skipped": f"They say: {skipping(12)} So it is.",
    "rewrapped": SAMPLE.replace(" ", "\n"),
    "lower": SAMPLE.lower().replace(",", ""),
    "first half": SAMPLE[:50],
    "second half": f"and {SAMPLE[50:]}",
    "nothing": PROSE[0],
    "empty": "",
}


def search(
    folder: Path,
    documents: dict[str, str],
    samples: Sequence[str] = (SAMPLE, OTHER, "", "Why?"),
    normalise: Normalise = "words",
    output: str = "out",
    execution: Execution | None = None,
) -> Path:
    if not (folder / "corpus").exists():
        write_corpus(folder / "corpus", [Row(name, text) for name, text in documents.items()], files=2)
    tokenizer = open_tokenizer(saved(folder / "tokenizer.json", byte_level()))
    ids = tuple(str(number) for number in range(len(samples)))
    benchmark = Benchmark(name="quiz", template="{text}", sample_ids=ids, texts=tuple(samples))
    searched = [Searched(benchmark=benchmark, sha256="0" * 64)]
    find_contamination(
        str(folder / "corpus"), searched, tokenizer, str(folder / output), Settings(normalise=normalise), (), execution
    )
    return folder / output


def samples_of(output: Path) -> list[dict[str, Any]]:
    return pq.read_table(output / "samples.parquet").to_pylist()  # type: ignore[no-any-return]


def documents_of(output: Path) -> dict[str, dict[str, Any]]:
    shards = [pq.read_table(path).to_pylist() for path in sorted((output / "documents").iterdir())]
    return {row["doc_id"]: row for rows in shards for row in rows}


@pytest.mark.parametrize("name", PLANTED)
@pytest.mark.parametrize("normalise", ["words", "none"])
def test_what_is_planted_is_found_as_the_definition_says(tmp_path: Path, name: str, normalise: Normalise) -> None:
    output = search(tmp_path, {name: PLANTED[name]}, normalise=normalise)
    encoder = open_tokenizer(tmp_path / "tokenizer.json").encoder()
    form = (lambda text: words(text, lead=True)) if normalise == "words" else str
    own, other = (encoder.plain([form(text)])[0].tolist() for text in (SAMPLE, PLANTED[name]))
    longest, _ = longest_spans(own, other)
    row, *others = samples_of(output)
    assert row["tokens"] == len(own)
    assert row["longest"] == max(longest)
    for length in LENGTHS:
        count = sum(each >= max(length, 11) for each in longest)
        assert row[f"contamination_{length}"] == pytest.approx(count / len(own))
    assert row["documents"] == any(longest)
    assert [each["contamination_10"] for each in others] == [0, 0, 0]
    assert set(documents_of(output)) == ({name} if any(longest) else set())


def test_a_passage_is_at_its_place_in_both_texts(tmp_path: Path) -> None:
    output = search(tmp_path, PLANTED)
    row = samples_of(output)[0]
    assert row["contamination_10"] == 1
    assert {span["doc_id"] for span in row["spans"]} == set(PLANTED) - {"nothing", "empty"}
    for span in row["spans"]:
        text = PLANTED[span["doc_id"]].encode()
        assert text[span["start"] : span["end"]].decode() == span["passage"]
        own = SAMPLE.encode()[span["sample_start"] : span["sample_end"]].decode()
        if not span["mismatches"]:
            assert words(own) == words(span["passage"])
    document = documents_of(output)["exact"]
    [passage] = document["passages"]
    assert SAMPLE[:-1] in PLANTED["exact"].encode()[passage["start"] : passage["end"]].decode()


def test_without_normalising_another_wrapping_hides_a_match(tmp_path: Path) -> None:
    row = samples_of(search(tmp_path, {"rewrapped": PLANTED["rewrapped"]}, normalise="none"))[0]
    assert row["contamination_10"] == 0


@pytest.mark.parametrize(
    "execution",
    [Execution(workers=2), Execution(beam_options=("--runner=FnApiRunner",))],
    ids=["workers", "beam"],
)
def test_the_bytes_do_not_depend_on_workers_or_runners(tmp_path: Path, execution: Execution) -> None:
    alone = everything(search(tmp_path, PLANTED, execution=Execution(workers=0)))
    assert everything(search(tmp_path, PLANTED, output="again", execution=execution)) == alone


def test_an_interrupted_search_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = everything(search(tmp_path, PLANTED))
    with monkeypatch.context() as broken:
        broken.setattr("curation.contamination.search._finish", lambda *given: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            search(tmp_path, PLANTED, output="again")
    assert everything(search(tmp_path, PLANTED, output="again")) == whole


def test_a_common_passage_is_listed_ten_times_and_counted(tmp_path: Path) -> None:
    output = search(tmp_path, {f"d{number:02}": f"{number} {SAMPLE}" for number in range(30)}, samples=[SAMPLE] * 25)
    rows = samples_of(output)
    assert [row["documents"] for row in rows] == [30] * 25
    assert [len(row["spans"]) for row in rows] == [10] * 25
    assert {(each["samples"], len(each["spans"])) for each in documents_of(output).values()} == {(25, 10)}


def test_one_character_repeated_takes_bounded_time(tmp_path: Path) -> None:
    """Each token of the documents begins a window of half of the samples."""
    output = search(tmp_path, {"long": "a" * 100_000, "words": "a " * 50_000}, samples=["a" * 60, "a " * 40] * 50)
    assert [row["contamination_10"] for row in samples_of(output)] == [1.0] * 100
    assert [each["passages"] for each in documents_of(output).values()] == [
        [{"start": 0, "end": 100_000}],
        [{"start": 0, "end": 99_999}],
    ]


def test_a_corpus_without_documents_and_a_benchmark_without_samples(tmp_path: Path) -> None:
    assert samples_of(search(tmp_path, {}, samples=[])) == []


def test_both_texts_are_explained(tmp_path: Path) -> None:
    output = str(search(tmp_path, PLANTED))
    found = read_search(output)
    assert found is not None
    [lines] = explain_search(output, found, "quiz/0")
    assert sum(line.startswith("    sample: ") for line in lines) == 6
    assert any("miller of Kale grinds" in line for line in lines if line.startswith("    document: "))
    [lines] = explain_search(output, found, "exact")
    assert lines[0].startswith("exact (corpus) shares a span with samples: 1")
    assert list(explain_search(output, found, "nothing")) == []
    assert read_search(str(tmp_path / "corpus")) is None


def test_parts_divide_files_without_a_change_of_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = search(tmp_path, PLANTED)
    monkeypatch.setattr("curation.contamination.search.PART_BYTES", 1)
    divided = search(tmp_path, PLANTED, output="divided")
    assert PART_BYTES > 1
    assert (divided / "samples.parquet").read_bytes() == (whole / "samples.parquet").read_bytes()
