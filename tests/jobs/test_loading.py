"""Finished folders in the tools that people use: datasets, pandas, polars, DuckDB, and the Hub's command."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import fsspec
import pandas as pd  # type: ignore[import-untyped]
import polars as pl
import pyarrow.parquet as pq
import pytest
import yaml

from curation.release.manifest import CARD_FILES
from tests.architecture.tree import ROOT
from tests.jobs.calling import call
from tests.jobs.test_kills import names

EVERYTHING = """
[sites]
kinds = ["email"]
per_thousand_words = 2
min_documents = 1
[[steps]]
use = "gopher_quality"
[dedup]
pieces = { unit = "line" }
"""
SHARED = "The same long sentence stands at the end of several documents of this small corpus."


def words(number: int, of: int = 70) -> str:
    """A text that passes the rules, and is like no other one."""
    return " ".join(f"the w{number}x{place} of" for place in range(of))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A corpus with every table of a run, in several shards, one run against it, and a takedown of it."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        return made(tmp_path_factory.mktemp("folders"), monkeypatch)


def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    (tmp_path / "own.toml").write_text(EVERYTHING)
    first = [{"text": f"{words(n)}\n{SHARED}", "url": f"http://m{n}.example/{n}"} for n in range(9)]
    first += [{"text": "short"}, {"text": f"{words(20)} anna@stone-mill.org", "url": "http://mail.example/"}]
    second = [{"text": words(n), "url": f"http://n{n}.example/{n}"} for n in (0, 30)]
    for name, rows in (("first", first), ("second", second)):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows) + "broken\n")
        asked = ["--input", tmp_path / f"{name}.jsonl", "--output", tmp_path / name, "--recipe", tmp_path / "own.toml"]
        asked += ["--set", "unit_bytes=3000", "--set", "max_quarantined=0.5", "--workers", "0", "--progress", "none"]
        if name == "second":
            asked += ["--against", tmp_path / "first"]
        assert call("curate", *asked, monkeypatch=monkeypatch) == 0
    (tmp_path / "hosts.txt").write_text("m1.example\n")
    asked = ["--host", tmp_path / "hosts.txt", "--output", tmp_path / "less", "--workers", "0", "--progress", "none"]
    assert call("takedown", tmp_path / "first", *asked, monkeypatch=monkeypatch) == 0
    return {name: tmp_path / name for name in ("first", "second", "less")}


def tables(folder: Path) -> dict[str, int]:
    """The tables that have rows, and how many, by the files of the folder."""
    found: dict[str, int] = {}
    for path in folder.rglob("*.parquet"):
        name = path.relative_to(folder).parts[0]
        found[name] = found.get(name, 0) + pq.read_metadata(path).num_rows
    return {name: rows for name, rows in found.items() if rows}


def front_matter(folder: Path) -> dict[str, Any]:
    return dict(yaml.safe_load((folder / "README.md").read_text().split("---\n")[1]))


def test_datasets_loads_each_table_after_a_run_a_takedown_and_a_card(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    datasets = pytest.importorskip("datasets")
    seen = set()
    for name, folder in folders.items():
        expected = tables(folder)
        assert len(list((folder / "documents").iterdir())) > 1 or name == "second"
        for carded in (False, True):
            moved = tmp_path / "moved" / f"{name}-{carded}"
            shutil.copytree(folder, moved)
            if carded:
                assert call("card", moved, monkeypatch=monkeypatch) == 0
            cache = str(tmp_path / "cache")
            loaded = {
                table: datasets.load_dataset(str(moved), table, cache_dir=cache)["train"]
                for table in datasets.get_dataset_config_names(str(moved))
            }
            assert {table: rows.num_rows for table, rows in loaded.items()} == expected
            default = datasets.load_dataset(str(moved), cache_dir=cache)
            assert list(default) == ["train"]
            documents = [text for path in sorted(moved.glob("documents/*")) for text in texts(path)]
            assert default["train"]["text"] == loaded["documents"]["text"] == documents
            assert front_matter(moved)["size_categories"] == ["n<1K"]
        seen |= expected.keys()
    assert seen == {*("documents", "rejects", "signals", "cuts", "sites", "sketches", "quarantine", "taken_down")}


def texts(shard: Path) -> list[str]:
    return pq.read_table(shard, partitioning=None)["text"].to_pylist()


def test_pandas_polars_and_duckdb_open_the_documents(folders: dict[str, Path]) -> None:
    folder = folders["first"] / "documents"
    expected = [row for path in sorted(folder.iterdir()) for row in pq.read_table(path, partitioning=None).to_pylist()]
    assert len({row["doc_id"] for row in expected}) == 9
    assert pl.read_parquet(folder).to_dicts() == expected
    assert pl.scan_parquet(folder / "*.parquet").select("text").collect()["text"].to_list() == [
        row["text"] for row in expected
    ]
    found = duckdb.sql(f"from '{folder}/*.parquet'")
    assert [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()] == expected
    read = pd.read_parquet(folder)
    assert read.columns.tolist() == list(expected[0])
    assert read["text"].tolist() == [row["text"] for row in expected]
    assert read["near_cluster_size"].tolist() == [row["near_cluster_size"] for row in expected]


def test_the_file_is_the_same_on_any_file_system_and_may_be_edited(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, local, remote = folders["first"].parent, tmp_path / "local", f"memory://{tmp_path.name}/remote"
    asked = ["--input", source / "first.jsonl", "--recipe", source / "own.toml", "--workers", "0"]
    asked += ["--set", "unit_bytes=3000", "--set", "max_quarantined=0.5", "--progress", "none"]
    assert call("curate", *asked, "--output", remote, monkeypatch=monkeypatch) == 0
    with fsspec.open(f"{remote}/README.md") as stream:
        assert stream.read() == (folders["first"] / "README.md").read_bytes()
    assert call("verify", remote, monkeypatch=monkeypatch) == 0
    shutil.copytree(folders["first"], local)
    (local / "README.md").write_text("My own words.")
    assert call("verify", local, monkeypatch=monkeypatch) == 0
    assert call("curate", *asked, "--output", local, monkeypatch=monkeypatch) == 0
    assert (local / "README.md").read_text() == "My own words."


def test_a_corpus_without_documents_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`datasets` refuses to load a table without rows: only that of the documents is listed nevertheless."""
    (tmp_path / "none.jsonl").write_text("")
    asked = ["--input", tmp_path / "none.jsonl", "--output", tmp_path / "out", "--workers", "0", "--progress", "none"]
    assert call("curate", *asked, monkeypatch=monkeypatch) == 0
    assert [each["config_name"] for each in front_matter(tmp_path / "out")["configs"]] == ["documents"]
    assert "\n0 documents, 0 words" in (tmp_path / "out" / "README.md").read_text()


def test_a_recipe_of_any_name_is_only_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = tmp_path / "_b_|<script>\n---\n.toml"
    recipe.write_text("")
    (tmp_path / "in.jsonl").write_text('{"text": "mill"}\n')
    asked = ["--input", tmp_path / "in.jsonl", "--output", tmp_path / "out", "--recipe", recipe]
    asked += ["--workers", "0", "--progress", "none"]
    assert call("curate", *asked, monkeypatch=monkeypatch) == 0
    text = (tmp_path / "out" / "README.md").read_text()
    assert text.count("\n---\n") == 1
    assert "\\_b\\_\\|&lt;script&gt;" in text


def test_the_hub_knows_the_options_of_the_commands_that_the_page_shows() -> None:
    page = (ROOT / "jobs/corpus/README.md").read_text()
    shown = re.findall(r"^hf (\w+) (.*)$", page, re.MULTILINE)
    assert [name for name, _ in shown] == ["upload", "sync"]
    for name, rest in shown:
        command = [str(Path(sys.executable).with_name("hf")), name, "--help"]
        help_ = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        for option in ["--exclude", *re.findall(r"--[a-z-]+", rest)]:
            assert option in help_


def test_nothing_else_is_added(folders: dict[str, Path]) -> None:
    for folder in folders.values():
        loose = [path for path in names(folder) if path.endswith(CARD_FILES)]
        assert loose == [str(folder / "README.md")]
