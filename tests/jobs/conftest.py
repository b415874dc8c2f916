"""A small corpus, as files and curated."""

import json
from pathlib import Path

import pytest

from tests.jobs.calling import GRAIN, call


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Five documents: one good, an exact and a near copy of it, one too short, one broken record."""
    lines = [
        json.dumps({"id": "good", "text": GRAIN, "url": "https://mill.example/1", "extra": {"b": 1, "a": [2]}}),
        json.dumps({"id": "copy", "text": GRAIN, "url": "https://mill.example/2"}),
        json.dumps({"id": "close", "text": GRAIN.replace("friends", "good friends"), "date": "2024-05-06"}),
        json.dumps({"id": "short", "text": "Flour and bread."}),
        '{"id": "broken", "text": "no end',
    ]
    path = tmp_path / "in" / "part.jsonl"
    path.parent.mkdir()
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def curated(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    out = tmp_path / "out"
    assert call("curate", "--input", corpus, "--output", out, monkeypatch=monkeypatch) == 0
    return out
