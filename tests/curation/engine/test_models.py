"""The manifest names the model that identified languages, unless it is the default one, and a run uses no other."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from curation.engine.driver import Watch, curate
from curation.engine.manifest import job_json
from curation.fasttext.model_file import empty_model, write_model
from curation.filters.identifiers import model_digests
from curation.filters.model_files import forget_models
from curation.job import Execution
from curation.sources.inputs import Input
from jobs.corpus.job_file import make_job
from schemas.errors import RunError, UserError

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

    def run(*watch: Watch) -> None:
        job = make_job([source], recipe, ["language.min_score=0.5"])
        curate(job, str(out), Execution(workers=workers), *watch)

    @contextmanager
    def another(*_: object) -> Iterator[None]:
        write_model(model, empty_model([b"mill"], labels=("eng_Latn", "zul_Latn")))
        forget_models()
        yield

    with pytest.raises(RunError, match=r"the list or model \S+model\.bin has changed since the run began: restore it"):
        run(another)
    with pytest.raises(UserError, match=r"differs: list or model \S+model\.bin has changed"):
        run()
    write_model(model, empty_model(labels=("eng_Latn", "zul_Latn")))
    run()
    assert pq.read_table(out / "documents")["language"].to_pylist() == ["eng_Latn"] * 3
    assert json.loads((out / "manifest.json").read_text())["job"]["lists"] == {str(model): first}
