"""The manifest names the model that identified languages, unless it is the default one, and a run uses no other."""

import hashlib
import json
import pickle
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation.engine.carried_files import receive_files, send_files
from curation.engine.driver import curate
from curation.engine.manifest import job_json
from curation.fasttext import files
from curation.fasttext.files import forget_models
from curation.fasttext.writing import empty_model, write_model
from curation.filters.identifiers import model_digests
from curation.job import Execution, Job
from curation.release.folder import Folder
from curation.sources.inputs import Input
from jobs.corpus.job_file import make_job
from schemas.errors import UserError

TEXTS = (
    "Die Mühle mahlt das Korn zu Mehl.",
    "The mill grinds the grain into flour.",
    "Ngiyabonga kakhulu ngosizo lwakho.",
)


def written(folder: Path, texts: tuple[str, ...] = TEXTS) -> Input:
    lines = (json.dumps({"id": str(n), "text": text}) for n, text in enumerate(texts))
    (folder / "in.jsonl").write_text("".join(f"{line}\n" for line in lines))
    return Input(glob=str(folder / "in.jsonl"))


def test_the_default_identifier_leaves_the_manifest_as_it_was(tmp_path: Path) -> None:
    asked = job_json(make_job([written(tmp_path)], "fineweb", []))
    [step] = [step for step in asked["recipe"]["steps"] if step["use"] == "language"]
    assert step == {"use": "language", "languages": ["en"], "min_score": 0.65, "characters": 1000}
    assert asked["lists"] == {}


def test_a_run_identifies_languages_by_py3langid_and_says_so(tmp_path: Path) -> None:
    recipe = {"steps": [{"use": "language", "identifier": "py3langid", "languages": ["zu"]}], "dedup": {}}
    job, out = make_job([written(tmp_path)], recipe, ["language.min_score=0.5"]), tmp_path / "out"
    curate(job, str(out), Execution(workers=2))
    assert pq.read_table(out / "documents")["language"].to_pylist() == ["zu"]
    assert pq.read_table(out / "rejects/filters")["language"].to_pylist() == ["de", "en"]
    asked = json.loads((out / "manifest.json").read_text())["job"]
    assert asked["recipe"]["steps"][0]["identifier"] == "py3langid"
    assert asked["lists"] == model_digests("py3langid")


@pytest.mark.parametrize("workers", [0, 2])
def test_a_run_identifies_languages_by_a_file_and_by_no_other(tmp_path: Path, workers: int) -> None:
    model, out = tmp_path / "model.bin", tmp_path / "out"
    write_model(model, empty_model(labels=("eng_Latn", "zul_Latn")))
    first = hashlib.sha256(model.read_bytes()).hexdigest()
    recipe = {"steps": [{"use": "language", "identifier": str(model), "languages": ["eng_Latn"]}], "dedup": {}}
    source = written(tmp_path)

    def asked() -> Job:
        return make_job([source], recipe, ["language.min_score=0.5"])

    before = asked()
    files._held.clear()
    write_model(model, empty_model([b"mill"], labels=("eng_Latn", "zul_Latn")))
    with pytest.raises(UserError, match=r"the model \S+model\.bin has changed since the recipe was read: restore"):
        curate(before, str(out), Execution(workers=workers))
    with pytest.raises(UserError, match=r"differs: list or model \S+model\.bin has changed"):
        curate(asked(), str(out), Execution(workers=workers))
    write_model(model, empty_model(labels=("eng_Latn", "zul_Latn")))
    curate(asked(), str(out), Execution(workers=workers))
    assert pq.read_table(out / "documents")["language"].to_pylist() == ["eng_Latn"] * 3
    assert json.loads((out / "manifest.json").read_text())["job"]["lists"] == {str(model): first}


@pytest.mark.parametrize("remote", [False, True])
def test_a_worker_identifies_languages_by_a_file_that_it_does_not_have(tmp_path: Path, remote: bool) -> None:
    """As on a cluster: the job comes as a pickle, and the model from the output folder."""
    model, url = tmp_path / "model.bin", "memory://identifiers/model.bin"
    write_model(model, empty_model(labels=("eng_Latn", "zul_Latn")))
    with fsspec.open(url, "wb") as stream:
        stream.write(model.read_bytes())
    steps = [{"use": "language", "identifier": url if remote else str(model), "languages": ["eng_Latn"]}]
    recipe, folder = make_job([written(tmp_path)], {"steps": steps}, []).recipe, Folder(str(tmp_path / "out"))
    send_files(folder, recipe.carried_files())
    model.unlink()
    fsspec.filesystem("memory").rm(url)
    forget_models()
    files._held.clear()
    at_worker = pickle.loads(pickle.dumps(recipe))
    texts = pa.RecordBatch.from_pydict({"text": pa.array(["The mill"], pa.large_string())})
    with pytest.raises(UserError, match=r"model\.bin cannot be read"):
        at_worker.steps[0].measure(texts)
    receive_files(folder, at_worker.carried_files())
    assert at_worker.steps[0].measure(texts)["language"].to_pylist() == ["eng_Latn"]
    assert at_worker.list_digests() == {steps[0]["identifier"]: at_worker.carried_files()[0].sha256}
