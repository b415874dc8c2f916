"""The command ``gristmill evaluation leaderboard``: length-controlled win rates, and ratings of others beside."""

import csv
import json
import os
from pathlib import Path

import pytest

from tests.annotation.evaluation.test_length_control import annotations, written
from tests.jobs.calling import call


@pytest.fixture
def others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """Imported judgments of alpaca_eval, in the current folder as ``others``."""
    monkeypatch.chdir(tmp_path)
    rows = [*annotations("long", "one", "old"), *annotations("short", "two", "old")]
    Path("annotations.json").write_text(json.dumps(rows))
    written(tmp_path)
    Path("arena.csv").write_text("model,rating\none,1200\nnobody,900\n")
    assert call("evaluation", "import", "annotations.json", "--output", "others", monkeypatch=monkeypatch) == 0
    capsys.readouterr()
    return tmp_path / "others"


BASELINE = ("--length-controlled", "old")
HARD = ("--difficulty", "instruction_difficulty.csv", "--instructions", "alpaca_eval.json")


def test_the_page_and_the_terminal_have_the_same_numbers(
    others: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = (*BASELINE, *HARD, "--imported", "arena.csv")
    assert call("evaluation", "report", others, *options, "--output", "out", monkeypatch=monkeypatch) == 0
    assert call("verify", "out", monkeypatch=monkeypatch) == 0
    capsys.readouterr()
    assert call("evaluation", "leaderboard", others, *options, "--csv", monkeypatch=monkeypatch) == 0
    printed = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    names = ("leaderboard", "length_controlled", "imported_ratings")
    held = [row for name in names for row in csv.DictReader(Path("out", f"{name}.csv").read_text().splitlines())]
    assert [{**row, "number": ""} for row in printed] == [{**row, "number": ""} for row in held]
    rates = [row for row in held if row["measure"] == "length-controlled win rate"]
    assert [(row["model"], row["opponent"]) for row in rates] == [("one", "old"), ("two", "old")]
    page = Path("out", "report.html").read_text()
    assert all(f'id="n{row["number"]}"' in page for row in held)
    assert "Length-controlled win rates" in page
    assert "imported, arena.csv" in page
    chosen = json.loads(Path("out", "manifest.json").read_text())["choices"]
    assert chosen["length_control"][0] == "old"
    assert chosen["imported"][0].startswith("arena.csv, SHA-256 ")
    for row in held:
        assert call("evaluation", "why", "out", row["number"], monkeypatch=monkeypatch) == 0


def test_ratings_of_others_are_a_column_of_their_own(
    others: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("evaluation", "leaderboard", others, *BASELINE, "--imported", "arena.csv", monkeypatch=monkeypatch) == 0
    printed = capsys.readouterr().out
    assert "imported, arena.csv" in " ".join(printed.split())
    [one] = [line for line in printed.splitlines() if line.startswith("one ") and "1,200" in line]
    assert one.split()[1] == "1"
    assert "length-controlled win rates of AlpacaEval 2" in printed
    assert "difficulty estimated from 1 other model of the source" in printed


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--difficulty", "instruction_difficulty.csv"), "belong to --length-controlled"),
        ((*BASELINE, "--instructions", "alpaca_eval.json"), "--instructions belongs to --difficulty"),
        ((*BASELINE, "--variant", "old"), "old is the baseline itself"),
        ((*BASELINE, "--variant", "new"), "no source compares a model 'new'"),
        (("--imported", "arena.csv", "--imported", "arena.csv"), "two files of --imported have the name arena.csv"),
        ((*BASELINE, "--difficulty", "instruction_difficulty.csv"), "is not the place of one of any instructions"),
    ],
)
def test_a_mistake_is_one_sentence(
    words: tuple[str, ...],
    message: str,
    others: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert call("evaluation", "leaderboard", others, *words, monkeypatch=monkeypatch) == 2
    assert message in capsys.readouterr().err


def test_a_rating_of_others_leads_to_no_votes(
    others: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also if its file has the name of a source, or a name that is not UTF-8."""
    Path("sub").mkdir()
    Path("sub", "others").write_text('{"model": "one", "rating": 1200}\n')
    odd = os.fsdecode(b"h\xff.csv")
    Path("arena.csv").rename(odd)
    words = ("--imported", Path("sub", "others"), "--imported", odd, "--output", "out")
    assert call("evaluation", "report", others, *words, monkeypatch=monkeypatch) == 0
    rows = list(csv.DictReader(Path("out", "imported_ratings.csv").read_text().splitlines()))
    assert [row["source"] for row in rows] == ["others"] * 3 + ["h\\udcff.csv"] * 3
    for row in rows:
        capsys.readouterr()
        assert call("evaluation", "why", "out", row["number"], monkeypatch=monkeypatch) == 0
        assert capsys.readouterr().out.endswith("made from no rows of votes.parquet\n")


def test_folders_whose_names_are_not_utf_8_are_read(others: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = os.fsdecode(b"odd\xff")
    others.rename(odd)
    assert call("evaluation", "report", odd, "--output", odd + "-report", monkeypatch=monkeypatch) == 0
    assert call("evaluation", "why", odd + "-report", "1", monkeypatch=monkeypatch) == 0
    assert {
        row["source"] for row in csv.DictReader(Path(odd + "-report", "leaderboard.csv").read_text().splitlines())
    } == {"odd\\udcff"}
