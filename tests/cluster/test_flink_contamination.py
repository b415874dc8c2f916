"""A search for benchmarks on a Flink cluster writes the bytes of a local run, by each kind of definition."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.cluster.corpus import sentences
from tests.cluster.flink import flink
from tests.cluster.running import GRISTMILL
from tests.curation.packing.corpora import Row, byte_level, saved, write_corpus
from tests.curation.test_laws import digest

pytestmark = pytest.mark.soak


def test_the_bytes_are_the_local_ones(environment: Path, tmp_path: Path) -> None:
    known = sentences(np.random.default_rng(3))
    texts = ["\n".join(known[start : start + 6]) for start in range(0, 3000, 6)]
    corpus = write_corpus(tmp_path / "corpus", [Row(f"d{number}", text) for number, text in enumerate(texts)], files=6)
    quiz = tmp_path / "quiz.jsonl"
    asked = [f"{known[17 * number]} {known[17 * number + 1]}" for number in range(300)]
    quiz.write_text("\n".join(json.dumps({"id": number, "text": text}) for number, text in enumerate(asked)))
    tokenizer = saved(tmp_path / "tokenizer.json", byte_level())
    kinds: dict[str, list[str | Path]] = {"llama2": ["--tokenizer", tokenizer], "palm": [], "decon": []}
    for name, more in kinds.items():
        search(corpus, quiz, tmp_path / f"{name}-here", "--definition", name, *more)
    assert max(samples(tmp_path, "llama2")["contamination_50"].to_pylist()) == 1
    assert max(samples(tmp_path, "palm")["contamination"].to_pylist()) == 1
    assert any(samples(tmp_path, "decon")["contaminated"].to_pylist())
    with flink(environment, tmp_path / "flink") as at_work:
        options = [
            "--runner=PortableRunner",
            f"--job_endpoint={at_work.job_endpoint}",
            "--parallelism=2",
            "--environment_type=EXTERNAL",
            f"--environment_config={at_work.pool}",
        ]
        for name, more in kinds.items():
            search(corpus, quiz, tmp_path / f"{name}-there", "--definition", name, *more, "--", *options)
        assert [state for _, state in at_work.jobs()] == ["FINISHED"] * len(kinds)
    for name in kinds:
        assert digest(tmp_path / f"{name}-there") == digest(tmp_path / f"{name}-here")


def search(corpus: Path, quiz: Path, output: Path, *words: str | Path) -> None:
    options: list[str | Path] = ["contamination", corpus, "--benchmark", quiz, "--output", output, *words]
    subprocess.run([GRISTMILL, *options], check=True)


def samples(folder: Path, name: str) -> pa.Table:
    return pq.read_table(folder / f"{name}-here" / "samples.parquet")
