"""``gristmill dataset import`` as its user meets it."""

import csv
import gzip
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import zstandard

from annotation.dataset.master import load
from annotation.exports import export
from tests.annotation.imports.published import A, B, alpaca_eval, battle, kto
from tests.jobs import calling

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
        monkeypatch.chdir(tmp_path)
        return calling.call("dataset", "import", *words, monkeypatch=monkeypatch)

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
    ], "and no field is unused, no verdict opposite"
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
        (3, "unreadable", "winner is 'model_c', which preference does not name"),
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("train.jsonl", "--schema", "hhh"),
            "there is no schema 'hhh' (did you mean 'hh'?): choose from hh, summarize",
        ),
        (("train.jsonl", "--schema", "no.toml"), "no.toml cannot be read: No such file or directory"),
        (("train.jsonl", "--schema", "broken.toml"), "broken.toml is not valid TOML"),
        (("train.jsonl", "--schema", "odd.toml"), "odd.toml: mapping has no field 'chose' (did you mean 'chosen'?)"),
        (("train.jsonl", "--schema", "half.toml"), "half.toml: the mapping cannot be used: chosen needs rejected"),
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


ORCA = [{"system": "You are an AI assistant.", "question": "Why?", "chosen": "A.", "rejected": "B."}]
ARENA = """first = "conversation_a"
second = "conversation_b"
preferred = "winner"
[preference]
model_a = "first"
model_b = "second"
tie = "tie"
"tie (bothbad)" = "tie"
"""


def lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))


def test_a_system_s_message_is_used_or_left_out_on_purpose(
    call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines(tmp_path / "orca.jsonl", ORCA)
    plain = 'prompt = "question"\nchosen = "chosen"\nrejected = "rejected"\n'
    (tmp_path / "plain.toml").write_text(plain)
    assert call("orca.jsonl", "--schema", "plain.toml", "--output", "out") == 2
    assert capsys.readouterr().err == (
        "gristmill: orca.jsonl: row 1 has a text in system, which the mapping does not use: "
        'add system = "system" to put it before the prompt, or ignore = ["system"] to leave it out\n'
    )
    assert not (tmp_path / "out").exists()
    asked = {"role": "user", "content": "Why?"}
    for added, expected in (
        ('system = "system"', [{"role": "system", "content": "You are an AI assistant."}, asked]),
        ('ignore = ["system"]', [asked]),
    ):
        (tmp_path / "mapped.toml").write_text(plain + added)
        output = tmp_path / added[:3]
        assert call("orca.jsonl", "--schema", "mapped.toml", "--output", output) == 0
        [row] = pq.read_table(output / "comparisons" / "train.parquet").to_pylist()
        assert row["prompt"] == expected


def test_battles_without_a_prompt_of_their_own(call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    same = {"asked": "What is rye?"}
    battles = [battle("model_b"), battle("tie (bothbad)"), battle("model_a", **same), battle("model_b", **same)]
    battles.append(battle("model_a"))
    lines(tmp_path / "battles.jsonl", battles)
    (tmp_path / "own.toml").write_text(ARENA)
    for schema in ("own.toml", "arena"):
        assert call("battles.jsonl", "--schema", schema, "--output", tmp_path / f"out-{schema}") == 0
        rows = pq.read_table(tmp_path / f"out-{schema}" / "comparisons" / "train.parquet").to_pylist()
        assert [row["chosen"] for row in rows] == [B, A, B, A]
        said = capsys.readouterr().out
        assert "1 pair of answers has opposite verdicts: comparisons that prefer either answer" in said
        assert "fields that are not used: anony, judge, language" in said
        assert json.loads((tmp_path / f"out-{schema}" / "manifest.json").read_text())["opposite_verdicts"] == 1
        assert "1 pair of answers has opposite verdicts" in (tmp_path / f"out-{schema}" / "README.md").read_text()


def test_nothing_to_train_on_is_said_with_the_reasons(
    call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines(tmp_path / "ties.jsonl", [battle("tie"), battle("tie"), battle("model_a", A, "")])
    lines(tmp_path / "held.jsonl", [battle("model_a")])
    for held_out in ([], ["--held-out", "held.jsonl"]):
        assert call("ties.jsonl", *held_out, "--schema", "arena", "--output", "out") == 2
        assert capsys.readouterr().err == (
            "gristmill: there is nothing to train on: 0 of 3 pairs became comparisons (2 tie, 1 empty_answer; "
            "row 1 of ties: neither answer is better)\n"
        )
        assert not (tmp_path / "out").exists()
    lines(tmp_path / "both.jsonl", [battle("model_a")])
    assert call("both.jsonl", "--held-out", "held.jsonl", "--schema", "arena", "--output", "out") == 2
    assert "(1 near_held_out; row 1 of both: the prompt is close to a held-out one)" in capsys.readouterr().err


def test_a_table_of_alpaca_eval_s(call: Call, tmp_path: Path) -> None:
    """Its numbers are texts in CSV, and go from 1 to 2."""
    with (tmp_path / "judged.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, alpaca_eval(1))
        writer.writeheader()
        writer.writerows(alpaca_eval(each) for each in (1.000006748, 2.0, 1.5, 1, "", "nan"))
    (tmp_path / "judged.csv.zst").write_bytes(zstandard.compress((tmp_path / "judged.csv").read_bytes()))
    for name in ("judged.csv", "judged.csv.zst"):
        assert call(name, "--schema", "alpaca-eval", "--output", tmp_path / f"out-{name}") == 0
        rows = pq.read_table(tmp_path / f"out-{name}" / "comparisons" / "train.parquet").to_pylist()
        assert [(row["comparison_id"], row["chosen"]) for row in rows] == [
            ("alpaca-eval/judged/00000001", A),
            ("alpaca-eval/judged/00000002", B),
            ("alpaca-eval/judged/00000004", A),
        ]
        rejects = pq.read_table(tmp_path / f"out-{name}" / "rejects.parquet").to_pylist()
        assert [(row["row"], row["reason"]) for row in rejects] == [(3, "tie"), (5, "unreadable"), (6, "unreadable")]


def test_real_preferences_of_alpaca_eval_give_the_model_s_wins(call: Call, tmp_path: Path, shared: Path) -> None:
    """A model wins where its published preference is above 1.5."""
    path = shared / "data" / "evaluation" / "alpaca_eval_preferences.csv.gz"
    with gzip.open(path, "rt") as file:
        judged = [row for row in csv.DictReader(file) if row["model"].startswith("Mixtral")]
    rows = [{**alpaca_eval(float(row["preference"])), "instruction": f"Question {row['row']}"} for row in judged]
    lines(tmp_path / "judged.jsonl", rows)
    assert call("judged.jsonl", "--schema", "alpaca-eval", "--output", "out") == 0
    chosen = Counter(pq.read_table(tmp_path / "out" / "comparisons" / "train.parquet")["chosen"].to_pylist())
    wins = sum(float(row["preference"]) > 1.5 for row in judged)
    assert chosen == {B: wins, A: sum(float(row["preference"]) < 1.5 for row in judged)}
    assert 0 < wins < len(rows)


def test_unpaired_feedback_is_paired_within_a_prompt_and_comes_back(call: Call, tmp_path: Path) -> None:
    """Rows of one prompt that stand apart are paired in their order; the export for KTO has the same rows again."""
    rows = [
        *(kto("good 1", True), kto("other", True, "Who?"), kto("bad 1", False), kto("bad 2", False)),
        *(kto("good 2", True), kto("good 3", True), kto("bad other", False, "Who?"), kto("alone", False, "When?")),
    ]
    lines(tmp_path / "kto.jsonl", rows)
    assert call("kto.jsonl", "--schema", "kto", "--output", "out") == 0
    kept = pq.read_table(tmp_path / "out" / "comparisons" / "train.parquet").to_pylist()
    assert {(row["comparison_id"], row["chosen"], row["rejected"]) for row in kept} == {
        ("kto/kto/00000001", "good 1", "bad 1"),
        ("kto/kto/00000002", "other", "bad other"),
        ("kto/kto/00000004", "good 2", "bad 2"),
    }
    rejects = pq.read_table(tmp_path / "out" / "rejects.parquet").to_pylist()
    assert {row["message"] for row in rejects} == {"no further row with the same prompt has the other label"}
    assert [(row["row"], row["reason"]) for row in rejects] == [(6, "unpaired"), (8, "unpaired")]
    exported = export(load(tmp_path / "out"), tmp_path / "again", "trl-kto")
    assert exported.splits["train"].rows == 6
    again = {
        (row["prompt"][0]["content"], row["completion"][0]["content"], row["label"])
        for row in pq.read_table(tmp_path / "again" / "train.parquet").to_pylist()
    }
    left = {"good 3", "alone"}
    assert again == {(row["prompt"], row["completion"], row["label"]) for row in rows if row["completion"] not in left}
