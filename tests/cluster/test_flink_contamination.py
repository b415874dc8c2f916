"""A search for benchmarks on a Flink cluster writes the bytes of a local run."""

import json
import subprocess
from pathlib import Path

import numpy as np
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
    quiz.write_text("\n".join(json.dumps({"id": number, "text": known[17 * number]}) for number in range(300)))
    tokenizer = saved(tmp_path / "tokenizer.json", byte_level())
    asked: list[str | Path] = ["contamination", corpus, "--benchmark", quiz, "--tokenizer", tokenizer]
    here, there = tmp_path / "here", tmp_path / "there"
    subprocess.run([GRISTMILL, *asked, "--output", here], check=True)
    assert max(pq.read_table(here / "samples.parquet")["contamination_50"].to_pylist()) == 1
    with flink(environment, tmp_path / "flink") as at_work:
        options = [
            "--runner=PortableRunner",
            f"--job_endpoint={at_work.job_endpoint}",
            "--parallelism=2",
            "--environment_type=EXTERNAL",
            f"--environment_config={at_work.pool}",
        ]
        subprocess.run([GRISTMILL, *asked, "--output", there, "--", *options], check=True)
        assert [state for _, state in at_work.jobs()] == ["FINISHED"]
    assert digest(there) == digest(here)
