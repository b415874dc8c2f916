"""Against corpora whose duplicates are known: recall, false merges, and equal bytes however a job runs."""

import shutil
from pathlib import Path

import pyarrow.dataset as ds
import pytest

from tests.benchmarks.corpora import GRISTMILL, make_corpus
from tests.benchmarks.process import measure
from tests.benchmarks.truth import quality
from tests.curation.test_laws import digest


def curate(corpus: Path, out: Path, *more: str) -> int:
    """Runs the command; returns the peak memory of its processes in bytes."""
    return measure([GRISTMILL, "curate", "--input", corpus / "*.jsonl.gz", "--output", out, *more]).peak_bytes


def test_articles_with_known_near_duplicates(shared: Path, tmp_path: Path) -> None:
    """1,000 articles of which 10 pairs are near-duplicates (chrisjmccormick/MinHash): all found, and no other."""
    folder = shared / "data" / "near_duplicates"
    curate(folder, tmp_path / "out", "--recipe", "none")
    rows = ds.dataset(sorted((tmp_path / "out" / "rejects" / "duplicates").glob("*.parquet"))).to_table().to_pylist()
    found = {frozenset((row["doc_id"], row["survivor"])) for row in rows}
    pairs = (folder / "articles_1000.pairs").read_text().splitlines()
    assert found == {frozenset(pair.split()) for pair in pairs}


@pytest.mark.parametrize("megabytes", [10, pytest.param(60, marks=pytest.mark.soak)])
def test_planted_duplicates_are_found_and_others_are_not(shared: Path, tmp_path: Path, megabytes: int) -> None:
    corpus, _ = make_corpus(tmp_path, megabytes)
    peak = curate(corpus, tmp_path / "out", "--recipe", "none")
    found = quality(tmp_path / "out", corpus / "truth.jsonl")
    assert found.exact_recall == 1
    assert found.near_recall_09 >= 0.99
    assert found.near_recall_08 >= 0.93
    assert found.dissimilar_joined <= 0.02
    assert found.unplanted_lost <= 0.001
    rejects = ds.dataset(sorted((tmp_path / "out" / "rejects" / "duplicates").glob("*.parquet")))
    near = rejects.to_table(filter=ds.field("stage") == "near")["survivor_similarity"].to_pylist()
    assert min(near) >= 0.65
    assert peak < 2.5e9


@pytest.mark.soak
def test_equal_bytes_however_it_runs(shared: Path, tmp_path: Path) -> None:
    corpus, _ = make_corpus(tmp_path, 15)
    ways = {
        "one": ["--workers", "1"],
        "two": ["--workers", "2"],
        "none": ["--workers", "0"],
        "partitions-7": ["--partitions", "7"],
        "partitions-101": ["--partitions", "101"],
        "processes": ["--", "--direct_running_mode=multi_processing", "--direct_num_workers=2"],
        "threads": ["--", "--direct_running_mode=multi_threading", "--direct_num_workers=2"],
    }
    digests = {}
    for name, options in ways.items():
        curate(corpus, tmp_path / name, *options)
        digests[name] = digest(tmp_path / name)
        shutil.rmtree(tmp_path / name)
    assert all(found == digests["one"] for found in digests.values())
