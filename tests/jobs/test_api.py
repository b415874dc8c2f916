"""The Python API says what the commands say."""

import json
from pathlib import Path

import pytest

import jobs
from schemas.errors import UserError

TEXT = "Grain is ground between two stones, and the flour is sifted with care before it is sold to the bakers. "


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "corpus.jsonl"
    path.write_text("".join(json.dumps({"id": f"d{n}", "text": TEXT * 3 + f"Sack {n // 2}."}) + "\n" for n in range(4)))
    return path


def test_curate_and_explain(corpus: Path, tmp_path: Path) -> None:
    ledger = jobs.curate(str(corpus), tmp_path / "out", recipe="none", changes=["near=false"], workers=0)
    assert ledger.total("read")[0] == 4
    assert ledger.total("kept")[0] == 2
    (first,) = (line for line in jobs.explain(tmp_path / "out", "d1") if line.startswith("d1"))
    assert first.endswith("it has the same text as d0 (corpus.jsonl at 0).")
    assert jobs.explain(tmp_path / "out", "nobody") == []


def test_verdicts_come_in_order(corpus: Path) -> None:
    found = list(jobs.verdicts(str(corpus), recipe="gopher"))
    assert [verdict["doc_id"] for verdict in found] == ["d0", "d1", "d2", "d3"]
    assert {reason["stage"] for reason in found[0]["reasons"]} == {"gopher_repetition"}


def test_mistakes_are_told_apart_from_bugs(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="did you mean 'none'"):
        jobs.curate(str(corpus), tmp_path / "out", recipe="non")
    with pytest.raises(AttributeError):
        jobs.curated  # noqa: B018
