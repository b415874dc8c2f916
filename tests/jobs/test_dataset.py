"""``gristmill dataset build`` as its user meets it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.annotation.written import pair, snapshot, votes
from tests.jobs import calling

Call = Callable[..., int]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Call:
    """Runs the command in this process, with campaigns written down in place of journals; returns its exit code."""
    asked: list[int | None] = []

    def load(folder: Path, as_of: int | None = None) -> object:
        asked.append(as_of)
        pairs = [
            pair("p"),
            pair("q", split="held_out", prompt=[{"role": "user", "content": "What is rye?"}]),
            pair("r"),
        ]
        return snapshot(pairs, [*votes("p", "f3 f2 s1"), *votes("q", "s1 s1 s1")], name=folder.name)

    def run(*words: str | Path) -> int:
        monkeypatch.setattr("jobs.dataset.build.load", load)
        monkeypatch.setattr("jobs.dataset.build.read_and_record", lambda folder: folder)
        monkeypatch.chdir(tmp_path)
        return calling.call("dataset", "build", *words, monkeypatch=monkeypatch)

    return run


def test_it_writes_a_dataset_and_says_what_is_in_it(
    call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("mill", "--output", "out") == 0
    assert capsys.readouterr().out.splitlines() == [
        "out: 2 comparisons, 1 to train on and 1 held out",
        "1 of 3 pairs unresolved",
        "  too_few_votes: 1",
    ]
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["campaigns"][0]["name"] == "mill"


def test_the_order_of_campaigns_and_a_revision_change_no_byte(call: Call, tmp_path: Path) -> None:
    assert call("mill", "river", "--output", "one") == call("river", "mill", "--output", "two") == 0
    for name in ("manifest.json", "README.md", "comparisons/train.arrow", "comparisons/held_out.parquet"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert call("mill", "--output", "three", "--as-of", "7") == call("mill", "--output", "four") == 0
    assert (tmp_path / "three" / "manifest.json").read_bytes() == (tmp_path / "four" / "manifest.json").read_bytes()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("mill", "river", "--output", "out", "--as-of", "3"), "--as-of is a revision of one campaign's journal"),
        (("mill", "mill", "--output", "out"), "two campaigns are named mill"),
        (("mill",), "Missing option '--output'"),
        (("--output", "out"), "Missing argument"),
        (("mill", "--output", "."), "is not empty"),
    ],
)
def test_mistakes_end_with_2(
    words: tuple[str, ...], said: str, call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert call(*words) == 2
    assert said in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
