"""The steps of a user's own obey the laws of any step: bytes, explanations, takedowns and resumes."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation.engine.carried_files import receive_files, send_files
from curation.engine.driver import curate
from curation.fasttext import files
from curation.fasttext.training import LabelledTexts, Training
from curation.fasttext.writing import write_model
from curation.filters.fasttext import Fasttext
from curation.job import Execution, Job
from curation.release.folder import Folder
from curation.release.lookup import Lookup
from curation.reports.explain import explain
from curation.sources.inputs import Input
from jobs.corpus.job_file import make_job
from jobs.corpus.takedown import TakedownOptions
from jobs.corpus.takedown import run as take_down
from schemas.errors import UserError

GOOD, BAD = "The mill grinds wheat with stones, document {}", "Buy cheap flour now! Click here! Offer {}"
SIGNALS = """
import pyarrow as pa
import pyarrow.compute as pc

def marks(documents):
    return pa.table({"exclamations": pc.count_substring(documents["text"], "!")})

def moody(documents):
    fails = [1 / (text.find("document 7") < 0) for text in documents["text"].to_pylist()]
    return pa.table({"mood": fails})
"""
RECIPE = """
[[steps]]
use = "function"
file = "signals.py"
function = "marks"
max = {exclamations = 1}

[[steps]]
use = "fasttext"
model = "model.bin"
labels = {wanted = "positive"}
min = {wanted = 0.5}

[dedup]
near = false
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with an input of good and bad documents, a recipe with a function and a model, and both files."""
    rows = [{"id": f"d{n}", "text": (BAD if n % 3 == 0 else GOOD).format(n)} for n in range(40)]
    for part in (0, 1):
        lines = "".join(f"{json.dumps(row)}\n" for row in rows[part::2])
        (tmp_path / f"in-{part}.jsonl").write_text(lines)
    own = tmp_path / "recipe"
    own.mkdir()
    (own / "signals.py").write_text(SIGNALS)
    (own / "own.toml").write_text(RECIPE)
    with LabelledTexts() as texts:
        for label, text in enumerate((GOOD, BAD)):
            texts.add(pa.array([text.format("")] * 3, pa.large_string()), label)
        labels = ("positive", "negative")
        write_model(own / "model.bin", texts.train(labels, Training(), np.arange(6), lambda steps: None))
    return tmp_path


def job(place: Path, recipe: str = "own.toml") -> Job:
    return make_job([Input(glob=str(place / "in-*.jsonl"))], str(place / "recipe" / recipe), [], {"unit_bytes": 1000})


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


BEAM = ("--runner=DirectRunner", "--direct_running_mode=multi_processing")


@pytest.mark.parametrize(
    "other",
    [Execution(workers=2), pytest.param(Execution(beam_options=BEAM), marks=pytest.mark.soak)],
    ids=["workers", "beam"],
)
def test_the_bytes_do_not_depend_on_workers_or_runners(place: Path, other: Execution) -> None:
    for name, execution in (("alone", Execution(workers=0)), ("other", other)):
        curate(job(place), str(place / name), execution)
    assert content(place / "alone") == content(place / "other")
    signals = pq.read_table(place / "alone" / "signals").select(["doc_id", "exclamations", "wanted"]).to_pylist()
    assert {row["doc_id"]: row["exclamations"] for row in signals} == {
        f"d{n}": 2.0 if n % 3 == 0 else 0.0 for n in range(40)
    }
    assert all((row["wanted"] < 0.5) == (row["exclamations"] > 1) for row in signals)


def test_a_finished_corpus_needs_neither_function_nor_model(place: Path) -> None:
    """What explains and takes down reads the manifest, which holds names, thresholds and digests."""
    asked = job(place)
    curate(asked, str(place / "out"), Execution(workers=0))
    for name in ("signals.py", "model.bin", "own.toml"):
        (place / "recipe" / name).unlink()
    [lines] = [list(explain(lookup, row)) for lookup in [Lookup(str(place / "out"))] for row in lookup.find("d3")]
    assert lines[0].endswith("was removed by marks, for high_exclamations.")
    assert lines[1].startswith("  marks: high_exclamations: exclamations is 2, the recipe asks for at most 1 (by marks")
    assert lines[2].startswith("  fasttext: low_wanted: wanted is ")
    held = json.loads((place / "out" / "manifest.json").read_text())["job"]["recipe"]["steps"]
    assert [step["sha256"] for step in held] == [step.sha256 for step in asked.recipe.steps]  # type: ignore[union-attr]
    assert "source" not in held[0]
    assert "file" not in held[1]
    (place / "ids").write_text("d1\n")
    given = dict.fromkeys(TakedownOptions.__dataclass_fields__)
    options = {"release": str(place / "out"), "output": str(place / "less"), "doc_ids": place / "ids", "against": ()}
    take_down(TakedownOptions(**{**given, **options, "near": False, "workers": 0, "progress": "none"}))  # type: ignore[arg-type]
    left = pq.read_table(place / "less" / "signals")
    assert len(left) == 39
    assert left.schema.names == pq.read_table(place / "out" / "signals").schema.names


def test_a_crash_names_the_document_and_its_repair_is_another_job(place: Path) -> None:
    recipe = RECIPE.replace('"marks"', '"moody"').replace("exclamations = 1", "mood = 1")
    (place / "recipe" / "moody.toml").write_text(recipe)
    with pytest.raises(UserError, match=r"moody of signals.py fails on the document d7 \(.*in-1.jsonl at \d+\): Zero"):
        curate(job(place, "moody.toml"), str(place / "out"), Execution(workers=2))
    (place / "recipe" / "signals.py").write_text(SIGNALS.replace("1 / (", "1 * ("))
    with pytest.raises(UserError, match=r"holds an interrupted run that differs: .*sha256"):
        curate(job(place, "moody.toml"), str(place / "out"), Execution(workers=0))


def test_a_model_that_changes_or_lacks_a_label_is_refused(place: Path) -> None:
    asked = job(place)
    files._held.clear()
    (place / "recipe" / "model.bin").write_bytes(b"another")
    with pytest.raises(UserError, match=r"model\.bin (has changed since the recipe was read|cannot be read)"):
        curate(asked, str(place / "out"), Execution(workers=0))
    with pytest.raises(UserError, match="model"):
        job(place)


def test_a_worker_reads_a_model_from_the_output_folder(place: Path) -> None:
    """Other machines do not have the user's files."""
    own, folder = job(place).recipe, Folder(str(place / "out"))
    send_files(folder, own.carried_files())
    (place / "recipe" / "model.bin").unlink()
    texts = pa.RecordBatch.from_pydict({"text": pa.array(["The mill grinds wheat"], pa.large_string())})
    [step] = [step for step in own.steps if isinstance(step, Fasttext)]
    files._held.clear()
    with pytest.raises(UserError, match=r"model\.bin cannot be read"):
        step.measure(texts)
    receive_files(folder, own.carried_files())
    assert step.measure(texts)["wanted"][0].as_py() > 0.5
