"""``gristmill dataset import`` as its user meets it."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from jobs.cli import main

Call = Callable[..., int]

MAPPING = """
version = 2
prompt = "question"
first = "a.text"
second = "b.text"
preferred = "winner"
first_model = "a.model"
second_model = "b.model"
weight = 0.5

[preference]
model_a = "first"
model_b = "second"
both = "tie"

[degrees]
model_a = "better"
model_b = "slightly_better"
"""


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Call:
    """Runs the command in this process, in a folder with files to import; returns its exit code."""

    def run(*words: str | Path) -> int:
        monkeypatch.setattr(sys, "argv", ["gristmill", "dataset", "import", *map(str, words)])
        monkeypatch.chdir(tmp_path)
        try:
            main()
        except SystemExit as stop:
            return stop.code if isinstance(stop.code, int) else 1
        return 0

    for name, question in (("train", "What is rye?"), ("test", "Who sang?")):
        asked = f"\n\nHuman: {question}\n\nAssistant: "
        rows = [{"chosen": f"{asked}A.", "rejected": f"{asked}B."}, {"chosen": asked, "rejected": f"{asked}B."}]
        (tmp_path / f"{name}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    answers = {"a": {"text": "A.", "model": "old"}, "b": {"text": "B.", "model": "new"}}
    battles = [{"question": "Why?", "winner": each, **answers} for each in ("model_b", "both", "model_c")]
    (tmp_path / "battles.json").write_text(json.dumps(battles))
    (tmp_path / "arena.toml").write_text(MAPPING)
    return run


def test_it_writes_a_dataset_and_says_what_was_left_out(
    call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("train.jsonl", "--held-out", "test.jsonl", "--schema", "hh", "--output", "out") == 0
    assert capsys.readouterr().out.splitlines() == [
        "out: 2 comparisons, 1 to train on and 1 held out",
        "2 of 4 pairs left out",
        "  empty_answer: 2",
    ]
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["format"] == "gristmill.comparisons"
    assert [each["name"] for each in manifest["imports"]] == ["anthropic-hh"]


def test_a_mapping_says_how_rows_are_laid_out(call: Call, tmp_path: Path) -> None:
    assert call("battles.json", "--schema", "arena.toml", "--output", "out", "--name", "arena-may") == 0
    [row] = pq.read_table(tmp_path / "out" / "comparisons" / "train.parquet").to_pylist()
    told = ("chosen", "chosen_model", "degree", "weight", "source", "batch", "protocol_version")
    assert [row[name] for name in told] == ["B.", "new", "slightly_better", 0.5, "arena-may", "battles", "arena-2"]
    rejects = pq.read_table(tmp_path / "out" / "rejects.parquet").to_pylist()
    assert [(row["row"], row["reason"], row["message"]) for row in rejects] == [
        (2, "tie", "neither answer is better"),
        (3, "unreadable", "winner is 'model_c', which is none of preference"),
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("train.jsonl", "--schema", "hhh"),
            "there is no schema 'hhh' (did you mean 'hh'?): choose from hh, summarize",
        ),
        (("train.jsonl", "--schema", "no.toml"), "the mapping no.toml cannot be read: No such file or directory"),
        (("train.jsonl", "--schema", "broken.toml"), "broken.toml is not valid TOML"),
        (("train.jsonl", "--schema", "odd.toml"), "odd.toml: mapping has no field 'chose' (did you mean 'chosen'?)"),
        (("train.jsonl", "--schema", "half.toml"), "half.toml: the mapping cannot be: chosen needs rejected"),
        (("train.jsonl", "--schema", "zero.toml"), "zero.toml: version is 0: give a whole number from 1"),
        (("train.jsonl", "--schema", "shp"), "no row of train.jsonl can be read as shp"),
        (("missing.jsonl", "--schema", "hh"), "'missing.jsonl' cannot be read (No such file or directory)"),
        (("train.jsonl",), "Missing option '--schema'"),
        (("--schema", "hh"), "Missing argument 'FILE...'"),
    ],
)
def test_mistakes_end_with_2(
    words: tuple[str, ...], said: str, call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.toml").write_text("= 1")
    (tmp_path / "odd.toml").write_text('chose = "a"')
    (tmp_path / "half.toml").write_text('prompt = "q"\nchosen = "a"')
    (tmp_path / "zero.toml").write_text("version = 0")
    assert call(*words, "--output", "out") == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
