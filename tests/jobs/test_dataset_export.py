"""``gristmill dataset export``, ``check``, ``upgrade`` and ``mix`` as their user meets them."""

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from tests.annotation.exports.datasets import MIXED, dataset, older
from tests.jobs import calling

Call = Callable[..., int]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Call:
    """Runs a command in this process, beside the dataset `mill`; returns its exit code."""
    dataset(tmp_path / "mill")
    monkeypatch.chdir(tmp_path)

    def run(*words: str | Path) -> int:
        return calling.call("dataset", *words, monkeypatch=monkeypatch)

    return run


def test_an_export_and_its_check(call: Call, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("export", "mill", "--format", "trl-dpo", "--output", "mill-dpo") == 0
    assert capsys.readouterr().out == (
        "mill-dpo: train, 5 rows of 5 comparisons\nmill-dpo: test, 1 row of 1 comparison\n"
        "TRL's DPOTrainer does not use comparison_id, margin, weight, chosen_safe and rejected_safe: columns for code "
        "of your own.\n1 comparison has no degree: the margin is 0 there, as in the loss without one.\n"
        "1 comparison has an answer that begins or ends with white space: a chat template that trims messages, as "
        "those of Llama 3 and Gemma do, trains without it.\n"
    )
    assert call("check", "mill-dpo", "--format", "trl-dpo") == 0
    told = capsys.readouterr()
    assert told.out == (
        "read back by trl 1.16.0 and datasets 5.2.0\n6 rows, 6 comparisons, 0 left out\nevery row matches the dataset\n"
    )


def test_a_check_by_the_documented_schema_says_so(call: Call, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("export", "mill", "--format", "llama-factory", "--output", "out", "--margin", "none") == 0
    assert "  left out, not_alternating: 1 (left_out.jsonl)\n" in capsys.readouterr().out
    assert call("check", "out", "--format", "llama-factory") == 0
    assert capsys.readouterr().out.startswith(
        "read back by datasets 5.2.0, by the documented schema of LLaMA-Factory; its own loader was not run\n"
        "5 rows, 6 comparisons, 1 left out\n"
    )


def test_faults_are_shown_and_the_exit_code_is_1(call: Call, capsys: pytest.CaptureFixture[str]) -> None:
    call("export", "mill", "--format", "nemo-rl", "--output", "out")
    rows = Path("out/train.jsonl").read_bytes().splitlines(keepends=True)
    Path("out/train.jsonl").write_bytes(b"".join(rows[1:]))
    capsys.readouterr()
    assert call("check", "out", "--format", "nemo-rl") == 1
    told = capsys.readouterr()
    assert "  row_lost: 1\n" in told.out
    assert "train mill/a: the export has no row for it\n" in told.out
    assert told.err == "gristmill: out does not match the dataset: 2 faults\n"


def test_the_dataset_may_lie_elsewhere(call: Call, capsys: pytest.CaptureFixture[str]) -> None:
    call("export", "mill", "--format", "hh", "--output", "far/out")
    capsys.readouterr()
    assert call("check", "far/out", "--format", "hh") == 2
    assert "give --dataset DIR" in capsys.readouterr().err
    assert call("check", "far/out", "--format", "hh", "--dataset", "mill") == 0


def test_an_older_version_is_read_with_a_word_and_upgraded(
    call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    older(tmp_path / "old")
    assert call("export", "old", "--format", "hf", "--output", "out") == 0
    assert capsys.readouterr().err.startswith(
        "old: comparisons version 1 read as version 2 (gristmill dataset upgrade writes that version)\n"
    )
    assert call("upgrade", "old", "--output", "new") == 0
    assert capsys.readouterr().out == "new: comparisons version 1, now 2\n"
    manifest = json.loads(Path("new/manifest.json").read_text())
    assert (manifest["tables"], manifest["upgraded"]) == ({"comparisons": 2}, {"comparisons": 1})
    with pa.memory_map("new/comparisons/train.arrow") as file:
        [row] = pa.ipc.open_file(file).read_all().to_pylist()
    assert (row["source"], row["weight"]) == ("mill", 1.0)
    assert call("export", "new", "--format", "hf", "--output", "again") == 0
    assert "version" not in capsys.readouterr().err


def test_a_newer_version_is_refused(call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    older(tmp_path / "new", version=3)
    assert call("export", "new", "--format", "hf", "--output", "out") == 2
    assert "comparisons version 3 is newer than this Gristmill, which reads up to 2: upgrade Gristmill" in (
        capsys.readouterr().err
    )


def test_what_is_no_dataset_is_said(call: Call, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("export", "nothing", "--format", "hf", "--output", "out") == 2
    assert "nothing holds no dataset" in capsys.readouterr().err
    data = Path("mill/comparisons/train.arrow")
    data.write_bytes(data.read_bytes()[:-100])
    assert call("export", "mill", "--format", "hf", "--output", "out") == 2
    assert "mill/comparisons/train.arrow is damaged: its SHA-256 is not" in capsys.readouterr().err


def test_a_mixture_and_its_table(call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("Who sows?", "Who reaps now?", "Why bake?", "What is bran?", "Is it late?")
    other = [
        {**row, "comparison_id": f"other/{place}", "source": "other", "prompt": [{"role": "user", "content": question}]}
        for place, (row, question) in enumerate(zip(MIXED, asked, strict=False))
    ]
    dataset(tmp_path / "other", other)
    Path("mix.toml").write_text(
        'name = "flour"\nseed = 3\n'
        '[[source]]\nname = "own"\ndatasets = ["mill"]\nshare = 0.5\nall = true\n'
        '[[source]]\nname = "rest"\ndatasets = ["other"]\nshare = 0.5\n'
    )
    assert call("mix", "mix.toml", "--output", "flour") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "flour: 10 comparisons to train on, 1 held out"
    assert " ".join(lines[1].split()) == "source share epochs rows different rows could be drawn near held out"
    assert lines[2].split() == ["own", "50.0%", "1.00", "5", "5", "5", "0"]
    assert lines[-1] == "8 pairs of prompts compared, 0 of them alike"
    assert call("export", "flour", "--format", "trl-reward", "--output", "out") == 0
    assert call("check", "out", "--format", "trl-reward") == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name = 1", "mix.toml: mixture.name is 1: give a text"),
        ('name = "a"\ncolour = 1', "mixture has no field 'colour'"),
        ("name", "mix.toml is not valid TOML"),
        ('name = "a"\n[[source]]\nname = "x"\ndatasets = ["nothing"]\nshare = 1', "nothing holds no dataset"),
    ],
)
def test_a_broken_recipe_is_said(call: Call, text: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("mix.toml").write_text(text)
    assert call("mix", "mix.toml", "--output", "out") == 2
    assert said in capsys.readouterr().err


def test_an_example_is_printed(call: Call, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("mix", "--example", "safety") == 0
    assert "share = 0.9" in capsys.readouterr().out
    assert call("mix", "--example", "honesty") == 2
    assert "there is no example honesty: choose helpfulness or safety" in capsys.readouterr().err
    assert call("mix") == 2
    assert "--example helpfulness prints a recipe" in capsys.readouterr().err


def test_an_upgrade_copies_what_the_manifest_says_and_nothing_from_elsewhere(
    call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path("mill/manifest.json")
    whole = json.loads(path.read_text())
    Path("evil.txt").write_text("x")
    outside, missing = "names a file outside of its folder", "nothing.txt is missing: restore the original file"
    for name, said in {"../evil.txt": outside, str(tmp_path / "evil.txt"): outside, "nothing.txt": missing}.items():
        whole["files"][name] = {"sha256": "0" * 64}
        path.write_text(json.dumps(whole))
        assert call("upgrade", "mill", "--output", "new/out") == 2
        assert said in capsys.readouterr().err
        del whole["files"][name]
    assert not Path("new").exists()
