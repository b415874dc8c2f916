"""A corpus with markup and quotes in every column, and its tables."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from curation.release.lookup import Lookup
from jobs.corpus.look_tables import CorpusTables, Name
from tests.jobs.calling import GRAIN, call
from tests.jobs.look.corpus import QUOTES, Rows, shards
from tests.jobs.test_evaluation_report import EVIL

COUNT = 60
HOSTS = ("mill.example", "www.mill.example", "windmill.example", "b\u00fccher.example")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of two sources with kept documents, exact copies and short texts, all with markup in every column. Its
    name has characters of globs."""
    tmp_path = tmp_path_factory.mktemp("look")
    for source in range(2):
        rows: list[dict[str, str]] = []
        for n in range(COUNT):
            url = f"https://{HOSTS[n % len(HOSTS)]}/{EVIL}/{source}/{n}"
            text = f"{GRAIN}\n{EVIL} {QUOTES} source {source}, number {n}."
            rows.append({"id": f"kept {source} {n} {EVIL}", "text": text, "url": url})
            rows.append({"id": f"copy {source} {n}", "text": text, "url": f"{url}/again"})
            rows.append({"id": f"short {source} {n} {QUOTES}", "text": f"{EVIL} {n}"})
        rows.append({"id": f"long {source}", "text": f"{GRAIN}\n" * 400 + str(source)})
        (tmp_path / f"{source}.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    output = tmp_path / "out[1]*"
    job = {"output": str(output), "recipe": "gopher"}
    inputs = [{"glob": str(tmp_path / "0.jsonl"), "source": EVIL}, {"glob": str(tmp_path / "1.jsonl"), "source": "web"}]
    lines = [f"{name} = {json.dumps(value)}" for name, value in job.items()]
    for each in inputs:
        lines += ["[[input]]", *(f"{name} = {json.dumps(value)}" for name, value in each.items())]
    lines += ["[set]", "near = false"]
    (tmp_path / "job.toml").write_text("\n".join(lines), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        given = ("curate", tmp_path / "job.toml", "--workers", "0", "--progress", "none")
        assert call(*given, monkeypatch=patch) == 0
    return output


@pytest.fixture(scope="module")
def lookup(folder: Path) -> Lookup:
    return Lookup(str(folder))


@pytest.fixture(scope="module")
def rows(lookup: Lookup) -> Rows:
    """All rows of the tables in their order, as Arrow reads them."""
    tables: tuple[Name, ...] = ("documents", "rejects")
    return {
        table: [row for path in shards(lookup, table) for row in pq.read_table(path, partitioning=None).to_pylist()]
        for table in tables
    }


@pytest.fixture(scope="module")
def tables(lookup: Lookup) -> Iterator[CorpusTables]:
    with closing(CorpusTables.of(lookup)) as opened:
        yield opened
