"""Damaged files by the command line: whatever is damaged, the run ends with a word, and tells what was lost."""

import subprocess
from pathlib import Path

import pyarrow.dataset as ds
import pytest

from tests.benchmarks.corpora import GRISTMILL
from tests.curation.sources.damage import SAMPLES, damage

COUNT = 20


@pytest.mark.soak
@pytest.mark.parametrize("name", SAMPLES)
def test_damaged_files_end_no_run(name: str, tmp_path: Path) -> None:
    """Twenty damaged files beside a whole one, of which each document is kept."""
    sample = SAMPLES[name]()
    folder = tmp_path / "in"
    (folder / "whole").mkdir(parents=True)
    (folder / "whole" / sample.name).write_bytes(sample.data)
    spared: dict[str, frozenset[str]] = {f"whole/{sample.name}": frozenset(sample.texts)}
    for n in range(COUNT):
        damaged = damage(sample, f"{name}/command/{n}")
        (folder / f"{n:02}").mkdir()
        (folder / f"{n:02}" / sample.name).write_bytes(damaged.data)
        spared[f"{n:02}/{sample.name}"] = damaged.spared
    settings = ["dedup.exact=false", "dedup.near=false", "dedup.url=false", "max_quarantined=1", "normalise=false"]
    command = [GRISTMILL, "curate", "--input", str(folder), "--output", str(tmp_path / "out"), "--recipe", "none"]
    command += ["--allow-unreadable", "--workers", "0", *(word for one in settings for word in ("--set", one))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert "Traceback" not in done.stderr
    assert done.returncode == 0, done.stderr
    rows = ds.dataset(tmp_path / "out" / "documents").to_table(columns=["file", "text"]).to_pylist()
    for file, texts in spared.items():
        found = {row["text"] for row in rows if row["file"] == file or row["file"].startswith(file + "/")}
        assert texts <= found, file
