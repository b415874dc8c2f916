"""What each cluster is given, and what its run is held against."""

import subprocess
from pathlib import Path

import pytest

from tests.cluster.corpus import write_corpus
from tests.cluster.environment import make_environment
from tests.cluster.running import GRISTMILL
from tests.curation.test_laws import digest, rows

SIZE = 100_000_000


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_environment(tmp_path_factory.mktemp("workers") / "environment")


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus") / "in", SIZE)


@pytest.fixture(scope="session")
def local(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The files of a local run over the corpus, which has something of everything."""
    output = tmp_path_factory.mktemp("local") / "out"
    subprocess.run([GRISTMILL, "curate", "--input", corpus / "*.jsonl", "--output", output], check=True)
    assert rows(output, "documents")
    stages = {row["stage"] for row in rows(output, "rejects")}
    assert {"gopher_quality", "exact", "near"} <= stages
    return digest(output)
