"""What a run takes: bytes that are shuffled, and memory, on the bench corpus of ../shared."""

from pathlib import Path

import pytest

from curation.engine.driver import curate
from curation.job import Execution
from curation.release.folder import WORK, Folder
from curation.sources.inputs import Input
from jobs.corpus.job_file import make_job
from tests.benchmarks.corpora import GRISTMILL, make_corpus
from tests.benchmarks.process import measure

pytestmark = pytest.mark.soak

SHUFFLED_SHARE = 0.12
"""14 bands of 16 bytes alone would be 9.6% of this corpus."""


def test_near_deduplication_shuffles_an_eighth_of_its_input_at_most(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus, size = make_corpus(tmp_path, 40)
    monkeypatch.setattr(Folder, "release", lambda folder: None)
    job = make_job([Input(glob=str(corpus / "*.jsonl.gz"))], "none", [])
    curate(job, str(tmp_path / "out"), Execution(workers=2))
    shuffled: dict[str, int] = {}
    for path in (tmp_path / "out" / WORK / "shuffle").rglob("*"):
        if path.is_file():
            shuffled[path.parent.name] = shuffled.get(path.parent.name, 0) + path.stat().st_size
    assert shuffled["bands"] > 0.05 * size, "what is counted is there"
    assert sum(shuffled.values()) < SHUFFLED_SHARE * size, {name: each / size for name, each in shuffled.items()}


def test_a_run_stays_within_its_memory(shared: Path, tmp_path: Path) -> None:
    """`make bench LARGE=1000` holds 2 GB of input to the same memory."""
    corpus, _ = make_corpus(tmp_path, 300)
    asked = ["--input", corpus / "*.jsonl.gz", "--output", tmp_path / "out", "--memory", "1.5GB"]
    run = measure([GRISTMILL, "curate", *asked])
    assert run.peak_proportional_bytes <= 1_500_000_000
