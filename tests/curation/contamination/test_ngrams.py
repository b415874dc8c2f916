"""Contamination by n-grams of words is exactly that of GPT-3's and PaLM's definitions."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from curation.benchmarks.ngram_index import NgramIndex
from curation.benchmarks.ngrams import ngram_size
from curation.benchmarks.samples import Benchmark
from curation.benchmarks.settings import Definition, Settings
from curation.contamination import run
from curation.contamination.explanation import explain_search, read_search
from curation.contamination.scores import Scores
from curation.contamination.search import Searched, find_contamination
from curation.job import Execution
from tests.curation.contamination.naive import contaminated_ngrams, ngrams, word_list
from tests.curation.contamination.test_search import documents_of, samples_of
from tests.curation.packing.corpora import Row, everything, write_corpus

SAMPLE = "old miller of kale grinds oats for nine farms and each farm pays him well every year"
WORDS = SAMPLE.split()
assert len(WORDS) == 17, "ten 8-grams"
TRICKY = [
    "don't",
    "A_b",
    "\u6c34\u8eca\u306e\u7c73",
    "e\u0301\ufe0f",
    "\u0e01\u0e33",
    "\u0130\u1e9e",
    "4,5",
    "--",
    "\U0001f33e",
]
DEFINITIONS: tuple[Definition, ...] = ("gpt3", "palm")


def some(start: int, stop: int) -> str:
    return " ".join(WORDS[start:stop])


def measured(
    definition: Definition, benchmarks: dict[str, Sequence[str]], batches: Sequence[Sequence[str]]
) -> tuple[list[tuple[int, int, float, bool]], list[list[bool]], list[list[tuple[int, int]]]]:
    """By the index: of each sample the words of an n-gram, the number of n-grams, the share that is found and whether
    the sample is dirty; whether each word of each document is covered; and of each document the samples that share a
    run of words, with the length of the longest run."""
    texts = [text for each in benchmarks.values() for text in each]
    names = [name for name, each in benchmarks.items() for _ in each]
    index = NgramIndex(
        Settings(definition=definition), pa.array(texts, pa.large_string()), pa.array(names, pa.string())
    )
    longest = np.zeros(len(index.tokens), np.int32)
    covered, spans = [], []
    for batch in batches:
        found = index.search(index.form.texts(pa.array(batch, pa.large_string())), longest)
        covered += [found.covered[start:stop].tolist() for start, stop in pairwise(found.bounds)]
        rows = found.spans.tolist()
        spans += [[(row[1], row[4]) for row in rows if row[0] == number] for number in range(len(batch))]
        assert rows == sorted(rows, key=lambda row: row[0])
    columns = index.measured(longest.astype(np.int64), range(len(texts)))
    rows = [columns[name].tolist() for name in ("ngram", "ngrams", "contamination")]
    return list(zip(*rows, columns["dirty"].to_pylist(), strict=True)), covered, spans


def longest_run(sample: Sequence[str], document: Sequence[str], size: int) -> int:
    """The most words in a row that both have, 0 for fewer than an n-gram."""
    runs = [0]
    for start in range(len(sample)):
        for at in range(len(document)):
            equal = [own == other for own, other in zip(sample[start:], document[at:], strict=False)]
            runs.append(equal.index(False) if False in equal else len(equal))
    return max(runs) if max(runs) >= size else 0


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
PIECE = st.sampled_from([*WORDS[:4], *TRICKY]) | TEXT


@st.composite
def texts(draw: st.DrawFn) -> tuple[list[list[str]], list[str]]:
    """The samples of two benchmarks, and documents made of parts of them with other texts between."""
    join = draw(st.sampled_from([" ", "\n", ", "]))
    sample = st.lists(st.sampled_from(WORDS[: draw(st.sampled_from([1, 17]))]) | PIECE, max_size=30).map(join.join)
    benchmarks = [draw(st.lists(sample, max_size=3)) for _ in range(2)]
    documents = []
    for _ in range(draw(st.integers(0, 3))):
        parts = []
        for _ in range(draw(st.integers(0, 3))):
            part = draw(st.sampled_from([*benchmarks[0], *benchmarks[1], ""])).split(" ")
            start = draw(st.integers(0, 8))
            parts += [" ".join(part[start : start + draw(st.integers(0, 30))]), draw(PIECE)]
        documents.append(draw(st.sampled_from([str, str.upper]))(" ".join(parts)))
    return benchmarks, documents


@pytest.mark.parametrize("definition", DEFINITIONS)
@settings(max_examples=25, deadline=None)
@given(texts())
@example(([[some(0, 17)], []], [some(0, 8), some(8, 17)]))
@example(([["a " * 30] * 3, [" ".join(WORDS)]], ["a " * 50, ""]))
def test_what_is_found_is_what_the_definition_says(
    definition: Definition, both: tuple[list[list[str]], list[str]]
) -> None:
    check(definition, both)


@pytest.mark.soak
@pytest.mark.parametrize("definition", DEFINITIONS)
@settings(max_examples=1000, deadline=None)
@given(texts())
def test_what_is_found_in_many_texts_is_what_the_definition_says(
    definition: Definition, both: tuple[list[list[str]], list[str]]
) -> None:
    check(definition, both)


def check(definition: Definition, both: tuple[list[list[str]], list[str]]) -> None:
    benchmarks, documents = both
    given_samples = {f"b{number}": each for number, each in enumerate(benchmarks)}
    found, covered, spans = measured(definition, given_samples, [documents[:1], documents[1:]])
    expected = [row for each in benchmarks for row in contaminated_ngrams(definition, each, documents)]
    assert [(size, count, dirty) for size, count, _, dirty in found] == [
        (size, len(known), dirty) for size, known, dirty in expected
    ]
    assert [share for _, _, share, _ in found] == pytest.approx(
        [sum(known) / max(len(known), 1) for _, known, _ in expected]
    )
    samples = [word_list(text) for each in benchmarks for text in each]
    for document, inside, shared in zip(map(word_list, documents), covered, spans, strict=True):
        runs = [longest_run(own, document, row[0]) for own, row in zip(samples, expected, strict=True)]
        assert sorted(shared) == [(number, run) for number, run in enumerate(runs) if run]
        flags = [False] * len(document)
        for own, (size, _, _) in zip(samples, expected, strict=True):
            known = set(ngrams(own, size))
            for place, ngram in enumerate(ngrams(document, size)):
                if ngram in known:
                    flags[place : place + size] = [True] * size
        assert inside == flags


@pytest.mark.parametrize(
    ("lengths", "size"),
    [
        ([40] * 20, 13),
        ([10] + [40] * 19, 10),
        ([10] + [40] * 20, 13),
        ([9, 11] + [40] * 19, 11),
        ([3] + [40] * 19, 8),
        ([7], 8),
        ([8], 8),
        ([14], 13),
        ([], 8),
    ],
)
def test_n_is_the_fifth_percentile_of_lengths(lengths: list[int], size: int) -> None:
    assert ngram_size("gpt3", np.array(lengths, np.int64)) == size
    assert ngram_size("palm", np.array(lengths, np.int64)) == 8


@pytest.mark.parametrize(
    ("sample", "document", "dirty"),
    [
        (some(0, 17), some(2, 15), True),
        (some(0, 17), some(2, 14), False),
        (some(0, 8), f"x {some(0, 8).upper()}! x", True),
        (some(0, 8), f"x {some(0, 7)} x", False),
        (some(0, 7), some(0, 17), False),
        ("", some(0, 17), False),
    ],
    ids=["13 words", "12 words", "8 words", "7 of 8 words", "a sample of 7 words", "an empty sample"],
)
def test_gpt3_asks_for_any_ngram(sample: str, document: str, dirty: bool) -> None:
    [row], _, _ = measured("gpt3", {"quiz": [sample]}, [[document]])
    assert row[3] == dirty


@pytest.mark.parametrize(
    ("documents", "share", "dirty"),
    [
        ([some(0, 14)], 0.7, True),
        ([some(0, 13)], 0.6, False),
        ([some(0, 11), some(7, 17)], 0.7, True),
        ([some(0, 11), some(0, 11)], 0.4, False),
        ([some(0, 8), some(8, 17)], 0.3, False),
        ([some(0, 7)], 0.0, False),
    ],
)
def test_palm_asks_for_seven_of_ten_ngrams_in_all_documents(documents: list[str], share: float, dirty: bool) -> None:
    sample = {"quiz": [some(0, 17)]}
    for batches in ([documents], [[each] for each in reversed(documents)]):
        assert measured("palm", sample, batches)[0] == [(8, 10, pytest.approx(share), dirty)]


def test_each_place_of_a_repeated_ngram_counts() -> None:
    twice = f"{some(0, 8)} {some(0, 8)}"
    assert measured("palm", {"quiz": [twice]}, [[some(0, 8)]])[0] == [(8, 9, pytest.approx(2 / 9), False)]


def test_an_ngram_of_many_samples_is_found_in_a_text_that_repeats() -> None:
    samples = [f"{some(0, 9)} {number}" for number in range(100)]
    rows = measured("palm", {"quiz": samples}, [[f"{some(0, 9)} " * 30 + "5"]])[0]
    assert [share for _, _, share, _ in rows] == pytest.approx([1 if k == 5 else 2 / 3 for k in range(100)])


DOCUMENTS = {
    "first": f"They say: {some(0, 11)}.",
    "second": f"And\n{some(7, 17).upper()}; so it is.",
    "seven": some(0, 7),
    "nothing": "The wheel turns.",
}


def search(folder: Path, definition: Definition, output: str = "out", execution: Execution | None = None) -> Path:
    if not (folder / "corpus").exists():
        write_corpus(folder / "corpus", [Row(name, text) for name, text in DOCUMENTS.items()], files=2)
    samples = (f"The {some(0, 17)}?", some(0, 7), " ".join(reversed(WORDS)))
    benchmark = Benchmark(name="quiz", template="{text}", sample_ids=("0", "1", "2"), texts=samples)
    scores = Scores("model", "0" * 64, np.array([1.0, 0.0, np.nan]))
    find_contamination(
        str(folder / "corpus"),
        [Searched(benchmark=benchmark, sha256="0" * 64)],
        None,
        str(folder / output),
        Settings(definition=definition),
        [scores],
        execution,
    )
    return folder / output


def test_two_documents_make_a_sample_dirty_together(tmp_path: Path) -> None:
    output = search(tmp_path, "palm")
    first, *others = samples_of(output)
    assert (first["ngram"], first["ngrams"], first["dirty"], first["documents"]) == (8, 11, False, 2)
    assert first["contamination"] == pytest.approx(7 / 11)
    assert (first["tokens"], first["longest"]) == (18, 11)
    assert [(each["ngrams"], each["dirty"], each["documents"]) for each in others] == [(0, False, 0), (10, False, 0)]
    for span in first["spans"]:
        text = DOCUMENTS[span["doc_id"]].encode()
        assert text[span["start"] : span["end"]].decode() == span["passage"]
        own = first["text"].encode()[span["sample_start"] : span["sample_end"]].decode()
        assert word_list(own) == word_list(span["passage"])
        assert span["tokens"] == len(word_list(own))
    assert [span["doc_id"] for span in first["spans"]] == ["first", "second"]
    assert set(documents_of(output)) == {"first", "second"}
    assert (output / "documents.txt").read_text() == "first\nsecond\n"


def test_another_machine_makes_the_same_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = everything(search(tmp_path, "palm"))

    def forgotten(*given: Any) -> Any:
        index = run.prepare(*given)
        monkeypatch.setattr(run._Held, "key", "another search")
        return index

    monkeypatch.setattr("curation.contamination.search.prepare", forgotten)
    assert everything(search(tmp_path, "palm", "again")) == whole


def test_both_subsets_are_compared(tmp_path: Path) -> None:
    rows = pq.read_table(search(tmp_path, "gpt3") / "subsets.parquet").to_pylist()
    assert [(row["subset"], row["length"], row["samples"], row["mean"]) for row in rows] == [
        ("clean", 8, 1, 0.0),
        ("dirty", 8, 1, 1.0),
    ]
    assert [row["z"] for row in rows] == pytest.approx([-1, 1])
    assert [row["evident"] for row in rows] == [None, None]


def test_both_texts_are_explained(tmp_path: Path) -> None:
    output = str(search(tmp_path, "gpt3"))
    found = read_search(output)
    assert found is not None
    [lines] = explain_search(output, found, "quiz/0")
    assert lines[0] == "quiz/0: 18 words, dirty: 63.6% of 11 8-grams are in the corpus"
    assert any(line.endswith(": 11 words") for line in lines)
    [lines] = explain_search(output, found, "second")
    assert lines[1].endswith(": 10 words")


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_the_bytes_do_not_depend_on_workers(tmp_path: Path, definition: Definition) -> None:
    alone = everything(search(tmp_path, definition, execution=Execution(workers=0)))
    for name, execution in {
        "workers": Execution(workers=2),
        "beam": Execution(beam_options=("--runner=FnApiRunner",)),
    }.items():
        assert everything(search(tmp_path, definition, name, execution)) == alone
