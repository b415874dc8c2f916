"""The manifest names the model that identified languages, unless it is the default one."""

import json
from pathlib import Path

import pyarrow.parquet as pq

from curation.engine.driver import curate
from curation.engine.manifest import job_json
from curation.filters.identifiers import model_digests
from curation.job import Execution
from curation.sources.inputs import Input
from jobs.corpus.job_file import make_job

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
