"""No process of a command imports a module from the folder that its user stands in."""

import json
import os
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from schemas.module_path import without_current_folder
from tests.annotation.exports.datasets import MIXED, dataset
from tests.annotation.parts import empty_home
from tests.annotation.ports import free_port
from tests.curation.packing.corpora import byte_level, saved
from tests.jobs.calling import GRAIN

GRISTMILL = Path(sys.executable).with_name("gristmill")
ROWS = 900
"""More than 1 MB of documents: worker processes start."""


class Place:
    """A folder in which each module that a process could look for writes its name into ``marker`` when imported."""

    def __init__(self, folder: Path, names: set[str]):
        self.here, self.marker = folder / "here", folder / "imported"
        self.here.mkdir()
        for name in names:
            code = f"open({str(self.marker)!r}, 'a').write({name + ' '!r})\nraise ImportError('not this module')\n"
            (self.here / f"{name}.py").write_text(code)

    def run(self, *words: str | Path, **variables: str) -> str:
        """What a command prints that is called from the folder, and succeeds."""
        done = subprocess.run(
            [str(word) for word in words],
            cwd=self.here,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert not self.marker.exists(), f"{words} imported {self.marker.read_text()}"
        assert done.returncode == 0, done.stderr
        return done.stdout

    def gristmill(self, *words: str | Path, **variables: str) -> str:
        return self.run(GRISTMILL, *words, **variables)


def importable() -> set[str]:
    """The names of all modules of the library and of what is installed, but for our own."""
    names = {name for name in {*sys.stdlib_module_names, *packages_distributions()} if name.isidentifier()}
    return names - {"schemas", "curation", "annotation", "jobs", "tests"}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, importable())


@pytest.fixture
def crawl(tmp_path: Path) -> Path:
    folder = tmp_path / "crawl"
    folder.mkdir()
    for part in range(2):
        rows = [{"id": f"{part}-{row}", "text": f"{GRAIN}\nDay {part} {row}."} for row in range(ROWS)]
        (folder / f"{part}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def test_poison_is_noticed(place: Place) -> None:
    """The test of the test: a plain ``python -c`` does import from the folder."""
    with pytest.raises(AssertionError, match="imported html"):
        place.run(sys.executable, "-c", "import html")


@pytest.mark.soak
def test_no_command_on_documents_imports_from_the_current_folder(place: Place, crawl: Path, tmp_path: Path) -> None:
    out, tokenizer = tmp_path / "out", tmp_path / "tokenizer.json"
    saved(tokenizer, byte_level())
    two = ("--set", "unit_bytes=200000", "--set", "dedup.near=false", "--workers", "2")
    assert " of 1,800" in place.gristmill("curate", "--input", f"{crawl}/*.jsonl", "--output", out, *two)
    ids = tmp_path / "ids"
    ids.write_text("0-1\n")
    place.gristmill("takedown", out, "--doc-id", ids, "--output", tmp_path / "down", "--workers", "2")
    place.gristmill("verdict", crawl / "0.jsonl")
    place.gristmill("train-tokenizer", out, "--vocabulary", "300", "--output", tmp_path / "own.json")
    packed = (
        "pack",
        out,
        "--tokenizer",
        tokenizer,
        "--length",
        "32",
        "--output",
        tmp_path / "packed",
        "--threads",
        "2",
    )
    assert "sequences of 32 tokens" in place.gristmill(*packed)


@pytest.mark.soak
def test_no_command_on_datasets_imports_from_the_current_folder(place: Place, tmp_path: Path) -> None:
    dataset(tmp_path / "mill", MIXED)
    place.gristmill("dataset", "export", tmp_path / "mill", "--format", "trl-dpo", "--output", tmp_path / "dpo")
    assert "every row matches" in place.gristmill("dataset", "check", tmp_path / "dpo", "--format", "trl-dpo")


@pytest.mark.soak
def test_label_studio_imports_nothing_from_the_current_folder(place: Place, tmp_path: Path) -> None:
    home = empty_home(tmp_path / "studio")
    try:
        place.gristmill("studio", "start", "--home", home, "--port", str(free_port()))
    finally:
        place.gristmill("studio", "stop", "--home", home)


@pytest.mark.parametrize("entries", [".", pytest.param(f"{os.pathsep}/nowhere", marks=pytest.mark.soak)])
def test_a_relative_entry_of_pythonpath_is_left_out(entries: str, crawl: Path, tmp_path: Path) -> None:
    """As far as this is in our hands: before the first line of ours Python itself imports some modules."""
    earlier = "import re, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-P", "-c", earlier], capture_output=True, text=True, check=True)
    place = Place(tmp_path, importable() - {*loaded.stdout.split(), "sitecustomize", "usercustomize"})
    words = ("--input", f"{crawl}/*.jsonl", "--output", tmp_path / "out", "--workers", "2", "--set", "dedup.near=false")
    place.gristmill("curate", *words, PYTHONPATH=entries)


def test_the_folders_that_are_needed_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also for a user who stands in them, as in a checkout."""
    for needed in (Path(without_current_folder.__code__.co_filename).parents[1], Path(os.__file__).parent):
        monkeypatch.chdir(needed)
        monkeypatch.setenv("PYTHONPATH", ".")
        assert without_current_folder(["", str(needed), "/elsewhere"]) == [str(needed), "/elsewhere"]


def test_a_folder_that_is_named_absolutely_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert without_current_folder(["", str(tmp_path)]) == [str(tmp_path)]
    for entries in ("", os.pathsep, f"{os.pathsep}/elsewhere", f"../{tmp_path.name}"):
        monkeypatch.setenv("PYTHONPATH", entries)
        gone = [str(tmp_path)] if entries else []
        assert without_current_folder(["", str(tmp_path), "/elsewhere"]) == [
            each for each in (str(tmp_path), "/elsewhere") if each not in gone
        ]
