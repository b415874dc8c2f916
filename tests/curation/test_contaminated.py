"""A recipe that removes or cuts contaminated documents agrees with a search of the corpus, and obeys a run's laws."""

import json
import os
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from curation.benchmarks import carried
from curation.benchmarks.passages import without
from curation.benchmarks.samples import verbalise
from curation.benchmarks.settings import Settings
from curation.contamination.search import Searched, find_contamination
from curation.engine import driver
from curation.engine.driver import curate
from curation.job import Execution, Job
from curation.release.lookup import Lookup
from curation.reports.explain import explain
from curation.sources.inputs import Input
from curation.tokenizers.tokenizer import open_tokenizer
from jobs.benchmark_rows import benchmark_rows
from jobs.corpus.job_file import make_job
from jobs.corpus.takedown import TakedownOptions
from jobs.corpus.takedown import run as take_down
from schemas.errors import UserError
from tests.curation.filters.test_contaminated import KALE, KINDS, PLAIN, STONES, skipping, write_files
from tests.curation.packing.corpora import PROSE, everything
from tests.jobs.calling import call

TEXTS = {
    "exact": f"They say: {KALE} So it is.",
    **{f"{number} skipped": f"They say: {skipping(number)} So it is." for number in range(1, 6)},
    "rewrapped": KALE.replace(" ", "\n"),
    "lower": KALE.lower().replace(",", ""),
    "first half": KALE[:50],
    "second half": f"and {KALE[50:]}",
    "both": f"{STONES} é {PLAIN} – {KALE}",
    "nothing": PROSE[0],
    "plain": PLAIN,
}


APART = ("--runner=DirectRunner", "--direct_running_mode=multi_processing")
"""Workers that share nothing with this process."""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with two files of documents, a benchmark and a tokenizer."""
    rows = [{"id": name, "text": text} for name, text in TEXTS.items()]
    for part in (0, 1):
        (tmp_path / f"in-{part}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows[part::2]))
    write_files(tmp_path)
    return tmp_path


def job(place: Path, kind: str | None = "palm", *changes: str, before: str = "", **more: Any) -> Job:
    """A job whose only step is ``contaminated``, after the TOML ``before``; without a step if ``kind`` is None."""
    lines = [before]
    if kind is not None:
        lines += ["[[steps]]", 'use = "contaminated"', 'benchmarks = ["quiz.jsonl"]']
        lines += [f"{name} = {json.dumps(value)}" for name, value in {**KINDS[kind], **more}.items()]
    (place / "own.toml").write_text("\n".join([*lines, "[dedup]", "near = false"]))
    return make_job([Input(glob=str(place / "in-*.jsonl"))], str(place / "own.toml"), changes, {"unit_bytes": 500})


def column(folder: Path, table: str, name: str) -> dict[str, Any]:
    rows = pq.read_table(folder / table).select(["doc_id", name]).to_pylist()
    return {row["doc_id"]: row[name] for row in rows}


def listed(place: Path, corpus: Path, kind: str) -> dict[str, list[tuple[int, int]]]:
    """The documents that ``gristmill contamination`` lists, with their passages."""
    quiz = verbalise("quiz", benchmark_rows(place / "quiz.jsonl"), None, None)
    asked = {name: value for name, value in KINDS[kind].items() if name != "tokenizer"}
    tokenizer = open_tokenizer(place / "tokenizer.json") if "tokenizer" in KINDS[kind] else None
    searched = [Searched(benchmark=quiz, sha256="0" * 64)]
    find_contamination(str(corpus), searched, tokenizer, str(place / "found"), Settings(**asked))
    found = column(place / "found", "documents", "passages")
    return {doc_id: [(each["start"], each["end"]) for each in passages] for doc_id, passages in found.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_it_removes_and_cuts_what_the_search_of_the_corpus_lists(place: Path, kind: str) -> None:
    for name, asked in (
        ("whole", job(place, None)),
        ("less", job(place, kind)),
        ("cut", job(place, kind, action="cut")),
    ):
        curate(asked, str(place / name), Execution(workers=0))
    texts = column(place / "whole", "documents", "text")
    assert texts == TEXTS
    found = listed(place, place / "whole", kind)
    assert set(found) >= {"exact", "both"}
    assert column(place / "less", "documents", "text") == {
        name: text for name, text in texts.items() if name not in found
    }
    assert set(column(place / "less", "rejects", "reason").items()) == {(name, "contaminated") for name in found}
    cut = {name: without(text.encode(), found.get(name, [])).decode() for name, text in texts.items()}
    left = {name: text for name, text in cut.items() if any(map(str.isalnum, text))}
    assert column(place / "cut", "documents", "text") == left
    assert column(place / "cut", "rejects", "reason") == dict.fromkeys(cut.keys() - left.keys(), "little_left")
    sizes = column(place / "cut", "signals", "contaminated_bytes")
    assert sizes == {name: len(text.encode()) - len(cut[name].encode()) for name, text in texts.items()}


@pytest.mark.parametrize(
    "execution",
    [
        Execution(workers=0),
        Execution(workers=2),
        Execution(beam_options=("--runner=FnApiRunner",)),
        pytest.param(Execution(beam_options=APART), marks=pytest.mark.soak),
    ],
    ids=["again", "workers", "beam", "processes"],
)
@pytest.mark.parametrize("kind", ["llama2", "gpt3"])
def test_the_bytes_do_not_depend_on_workers_or_runners(place: Path, kind: str, execution: Execution) -> None:
    curate(job(place, kind, action="cut"), str(place / "alone"), Execution(workers=0))
    curate(job(place, kind, action="cut"), str(place / "other"), execution)
    assert everything(place / "other") == everything(place / "alone")


@pytest.mark.usefixtures("another_thread")
def test_workers_that_are_not_forked_get_the_samples(place: Path) -> None:
    curate(job(place), str(place / "alone"), Execution(workers=0))
    curate(job(place), str(place / "other"), Execution(workers=1))
    assert everything(place / "other") == everything(place / "alone")


def test_forked_workers_share_one_index(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make = carried.make_index

    def noted(*given: Any) -> Any:
        with (place / "made").open("a") as made:
            made.write(f"{os.getpid()}\n")
        return make(*given)

    monkeypatch.setattr(carried, "make_index", noted)
    monkeypatch.setattr(carried, "_held", type(carried._held)())
    curate(job(place), str(place / "out"), Execution(workers=2))
    assert (place / "made").read_text() == f"{os.getpid()}\n"


def test_explain_names_the_sample_and_the_place(place: Path) -> None:
    for action in ("remove", "cut"):
        curate(job(place, action=action), str(place / action), Execution(workers=0))
    place_of = f"bytes 10 to {10 + len(KALE) - 1}"
    for action in ("remove", "cut"):
        lookup = Lookup(str(place / action))
        [row] = lookup.find("exact")
        lines = list(explain(lookup, row))
        assert lines[2] == f"  shared with samples: quiz/s0; the longest span at {place_of}"
    assert lines[1] == f"  cut out of its text: 1 passage of samples, {len(KALE) - 1} bytes in all"
    [row] = lookup.find("nothing")
    assert len(list(explain(lookup, row))) == 1


def test_what_if_moves_a_threshold_as_another_run_would(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    curate(job(place), str(place / "out"), Execution(workers=0))
    for longest in (12, 13, 22, 23):
        changed = f"contaminated.max_longest={longest}"
        curate(job(place, "palm", changed), str(place / changed), Execution(workers=0))
        kept = len(column(place / changed, "documents", "text"))
        capsys.readouterr()
        assert call("what-if", place / "out", "--set", changed, "--json", monkeypatch=monkeypatch) == 0
        [case] = json.loads(capsys.readouterr().out)["cases"]
        assert (case["kept"]["documents"], case["exact"]) == (kept, True)


def test_a_report_marks_the_passage(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "in-0.jsonl").unlink()
    (place / "in-1.jsonl").write_text(json.dumps({"id": "é", "text": f"Él: {KALE}"}) + "\n")
    curate(job(place), str(place / "out"), Execution(workers=0))
    assert call("report", place / "out", "--output", place / "page.html", monkeypatch=monkeypatch) == 0
    page = (place / "page.html").read_text()
    assert f"Él: <mark>{KALE.removesuffix('.')}</mark>." in page


def test_a_missing_benchmark_is_one_sentence(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    job(place)
    (place / "quiz.jsonl").unlink()
    given = ("--input", place / "in-0.jsonl", "--output", place / "out", "--recipe", place / "own.toml")
    assert call("curate", *given, monkeypatch=monkeypatch) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert "quiz.jsonl cannot be read" in said[0]
    assert not (place / "out").exists()


def test_a_takedown_recognises_copies_by_what_the_cut_left_of_them(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One document passes, a copy of what is left of it fails a rule about its url, whole."""
    rows = [
        {"id": "kept", "text": f"{PLAIN} {KALE}", "url": "https://mill.example/1"},
        {"id": "copy", "text": f"{PLAIN} {STONES.removesuffix('?')}.", "url": "https://spam.example/1"},
        {"id": "other", "text": PROSE[0], "url": "https://spam.example/2"},
    ]
    for path in place.glob("in-*.jsonl"):
        path.unlink()
    (place / "in-0.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    url = '[[steps]]\nuse = "url"\nhosts = ["spam.example"]\n'
    curate(job(place, action="cut", before=url), str(place / "out"), Execution(workers=0))
    assert column(place / "out", "documents", "text") == {"kept": f"{PLAIN} ."}
    (place / "ids").write_text("kept\n")
    given = {**dict.fromkeys(TakedownOptions.__dataclass_fields__), "near": False, "workers": 0, "progress": "none"}
    asked = {**given, "release": str(place / "out"), "doc_ids": place / "ids", "against": ()}
    monkeypatch.chdir(place.parent)
    with pytest.raises(UserError, match=r"quiz\.jsonl cannot be read: .* run it in the folder of the recipe"):
        take_down(TakedownOptions(**{**asked, "output": str(place / "down")}))  # type: ignore[arg-type]
    monkeypatch.chdir(place)
    take_down(TakedownOptions(**{**asked, "output": str(place / "down")}))  # type: ignore[arg-type]
    assert column(place / "down", "rejects", "reason") == {"kept": "doc_id", "copy": "same_text", "other": "host"}
    assert column(place / "down", "rejects", "text") == {"kept": None, "copy": None, "other": PROSE[0]}
    take_down(TakedownOptions(**{**asked, "output": str(place / "forked"), "workers": 2}))  # type: ignore[arg-type]
    assert everything(place / "forked") == everything(place / "down")
    with (place / "quiz.jsonl").open("a") as quiz:
        quiz.write('{"text": "one more"}\n')
    with pytest.raises(UserError, match=r"quiz\.jsonl is another file than the recipe asks for"):
        take_down(TakedownOptions(**{**asked, "output": str(place / "again")}))  # type: ignore[arg-type]


def test_a_takedown_of_a_corpus_whose_documents_were_removed_needs_no_benchmark(place: Path) -> None:
    curate(job(place), str(place / "out"), Execution(workers=0))
    (place / "quiz.jsonl").unlink()
    (place / "ids").write_text("plain\n")
    given = {**dict.fromkeys(TakedownOptions.__dataclass_fields__), "near": False, "workers": 0, "progress": "none"}
    asked = {**given, "release": str(place / "out"), "doc_ids": place / "ids", "against": ()}
    take_down(TakedownOptions(**{**asked, "output": str(place / "down")}))  # type: ignore[arg-type]
    assert column(place / "down", "rejects", "reason")["plain"] == "doc_id"


def test_releases_are_compared_if_the_same_passages_were_cut(place: Path) -> None:
    curate(job(place, action="cut"), str(place / "first"), Execution(workers=0))

    def against(**more: Any) -> None:
        asked = job(place, action="cut", **more)
        again = make_job(
            asked.inputs, str(place / "own.toml"), [], {"unit_bytes": 500, "against": [str(place / "first")]}
        )
        curate(again, str(place / f"next-{len(list(place.iterdir()))}"), Execution(workers=0))

    against()
    against(max_share=0.5)
    with pytest.raises(UserError, match="deduplicated with other settings"):
        against(definition="gpt3")
    with (place / "quiz.jsonl").open("a") as quiz:
        quiz.write('{"text": "one more"}\n')
    with pytest.raises(UserError, match="deduplicated with other settings"):
        against()


def test_an_interrupted_run_resumes_with_the_same_benchmark_only(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    curate(job(place), str(place / "whole"), Execution(workers=0))
    with monkeypatch.context() as broken:
        broken.setattr(driver, "_account_for", lambda *given: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            curate(job(place), str(place / "out"), Execution(workers=0))
    content = (place / "quiz.jsonl").read_text()
    (place / "quiz.jsonl").write_text(content.replace("miller", "baker"))
    with pytest.raises(UserError, match=r"holds an interrupted run that differs: .*sha256"):
        curate(job(place), str(place / "out"), Execution(workers=0))
    (place / "quiz.jsonl").write_text(content)
    curate(job(place), str(place / "out"), Execution(workers=0))
    assert everything(place / "out") == everything(place / "whole")


def test_a_file_that_cannot_be_read_is_refused_before_the_run(place: Path) -> None:
    with pytest.raises(UserError, match=r"step contaminated: quiz, row 1 has no field answer, which"):
        job(place, template="{text} {answer}")
    with pytest.raises(UserError, match=r"the tokenizer .*other\.json cannot be read"):
        job(place, "llama2", tokenizer="other.json")
    with pytest.raises(UserError, match=r"quiz\.jsonl is another file than the recipe asks for"):
        job(place, sha256=["0" * 64])
    with pytest.raises(UserError, match=r"name a field of ids that every row has$"):
        job(place, id_field="name")
    (place / "quiz.jsonl").write_text("{")
    with pytest.raises(UserError, match=r"quiz\.jsonl, row 1 cannot be read"):
        job(place)
    (place / "quiz.jsonl").unlink()
    with pytest.raises(UserError, match=r"the benchmark .*quiz\.jsonl cannot be read: No such file"):
        job(place)
