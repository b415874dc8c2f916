"""``gristmill pack``, ``pack-export`` and ``train-tokenizer`` as their user meets them."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.curation.packing.corpora import Row, byte_level, everything, losing_line_feeds, saved, write_corpus
from tests.jobs import calling

GRISTMILL = Path(sys.executable).with_name("gristmill")
Call = Callable[..., int]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Call:
    """Runs a command in this process, beside two corpora and a tokenizer; returns its exit code."""
    write_corpus(tmp_path / "web", [Row(f"w{number}", f"web mill {number}") for number in range(40)] + [Row("e", "")])
    write_corpus(tmp_path / "books", [Row(f"b{number}", f"a book of mills {number}") for number in range(10)])
    saved(tmp_path / "tokenizer.json", byte_level())

    def run(*words: str) -> int:
        monkeypatch.chdir(tmp_path)
        return calling.call(*words, monkeypatch=monkeypatch)

    return run


def test_it_packs_and_says_what_each_source_gave(call: Call, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("pack", "web", "books", "--tokenizer", "tokenizer.json", "--length", "16", "--output", "out") == 0
    said = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert said[0].split() == ["source", "documents", "tokens", "asked", "share", "epochs"]
    assert [line.split()[:2] for line in said[1:3]] == [["books", "10"], ["web", "41"]]
    assert said[3] == "empty: 1 documents"
    assert re.fullmatch(r"divided: \d+ documents \(\d+.\d%\); \d+ of them would fit into one sequence", said[4])
    assert said[5] == "padding: 0 tokens (0.0%)"
    assert said[6].endswith("tokens, which fill no sequence")
    assert said[7].startswith("out: ")


def test_best_fit_cuts_long_documents_alone_and_says_so(
    call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("pack", "web", "books", "--tokenizer", "tokenizer.json", "--length", "12", "--packing", "best-fit")
    assert call(*words, "--output", "out") == 0
    said = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert re.fullmatch(r"divided: 10 documents \(20\.0%\); 0 of them would fit into one sequence", said[4])
    assert re.fullmatch(r"padding: [1-9]\d* tokens \(\d+\.\d%\)", said[5])
    assert said[6] == "left at the end: 0 tokens, which fill no sequence"
    assert call("verify", "out") == 0
    assert "all as they were written" in capsys.readouterr().out
    assert call("pack-export", "out", "--format", "megatron", "--output", "mill") == 0
    assert re.match(r"mill.bin and mill.idx: 50 documents in 60 sequences, \d+ tokens", capsys.readouterr().out)


def test_threads_change_no_byte_and_a_seed_does(call: Call, tmp_path: Path) -> None:
    for name, more in {"one": (), "two": ("--threads", "2"), "three": ("--seed", "1")}.items():
        assert call("pack", "web", "--tokenizer", "tokenizer.json", "--length", "16", "--output", name, *more) == 0
    one, two, three = (everything(tmp_path / name) for name in ("one", "two", "three"))
    assert one == two != three


def test_a_mixture_file_says_what_is_taken(call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "plans").mkdir()
    (tmp_path / "plans" / "mix.toml").write_text(
        '[[source]]\nname = "crawl"\npath = "../web"\nshare = 1\nall = true\n'
        '[[source]]\nname = "library"\npath = "../books"\nshare = 3\nmax_epochs = 2\n'
    )
    words = ["pack", "--mixture", "plans/mix.toml", "--tokenizer", "tokenizer.json", "--length", "8", "--output", "out"]
    assert call(*words) == 0
    said = capsys.readouterr().out
    rows = {line.split()[0]: line.split() for line in said.splitlines()[1:3]}
    assert rows["crawl"][3] == "25.0%"
    assert rows["crawl"][5] == "1.00"
    assert rows["library"][5] == "2.00"
    assert "library is short: max_epochs of 2 allows no more" in said


def test_what_was_packed_goes_to_megatron(call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("pack", "books", "--tokenizer", "tokenizer.json", "--length", "4", "--output", "out") == 0
    capsys.readouterr()
    assert call("pack-export", "out", "--format", "megatron", "--output", "sets/mill") == 0
    assert capsys.readouterr().out.startswith("sets/mill.bin and sets/mill.idx: 10 documents, ")
    assert sorted(path.name for path in (tmp_path / "sets").iterdir()) == ["mill.bin", "mill.idx"]


def test_a_tokenizer_is_trained_and_packs(call: Call, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("train-tokenizer", "web", "books", "--vocabulary", "300", "--output", "own.json") == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].endswith("</s> ends a document")
    size = said[0].split()[1]
    assert said[1:] == [f"the documents yield only {size} of the 300 tokens asked for"]
    assert call("pack", "web", "--tokenizer", "own.json", "--length", "8", "--output", "out") == 0


def test_what_the_tokenizer_does_to_texts_is_said(
    call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "piece").mkdir()
    saved(tmp_path / "piece" / "tokenizer.model", losing_line_feeds())
    write_corpus(tmp_path / "odd", [Row("a", "mill\nstone"), Row("b", "\U0001f33e </s></s>"), Row("c", "wheel")])
    words = ("pack", "odd", "--tokenizer", "piece", "--begin-token", "<s>", "--length", "4", "--output", "out")
    assert call(*words) == 0
    said = capsys.readouterr().out.splitlines()
    compared = "1 of 3 documents that were decoded and compared"
    assert said[2].startswith("unknown to the tokenizer: ")
    assert said[3:6] == [
        "control tokens in the texts, packed as ordinary characters: 2: </s> (2)",
        f"the tokenizer loses line feeds, so that lists, code and verse run together: {compared}",
        f"the tokenizer puts unknown tokens in the place of characters: {compared}",
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("pack", "--tokenizer", "tokenizer.json", "--output", "out"), "say what to pack"),
        (("pack", "web", "--mixture", "m.toml", "--tokenizer", "tokenizer.json", "--output", "out"), "not both"),
        (("pack", "--mixture", "m.toml", "--tokenizer", "tokenizer.json", "--output", "out"), "m.toml cannot be read"),
        (("pack", "--mixture", "odd.toml", "--tokenizer", "tokenizer.json", "--output", "out"), "did you mean 'share'"),
        (("pack", "web", "--tokenizer", "none.json", "--output", "out"), "none.json cannot be read"),
        (("pack", "web", "--tokenizer", "tokenizer.json", "--output", "books"), "is not empty"),
        (("pack", "web", "--tokenizer", "tokenizer.json", "--output", "out", "--length", "0"), "--length"),
        (("pack", "web", "--tokenizer", "tokenizer.json", "--output", "out", "--seed", "-1"), "--seed is -1: give a"),
        (("pack", "blank", "--tokenizer", "tokenizer.json", "--output", "out"), "no document yields a token: "),
        (("pack", "web", "--tokenizer", "wrong.json", "--output", "out"), "wrong.json are not as tokenizers writes"),
        (("dataset", "mix", "mix.toml", "--output", "out"), "mix.toml: seed is -1: give a whole number of 0 or more"),
        (("pack", "web", "--tokenizer", "tokenizer.json", "--output", "out"), "give a smaller --length"),
        (("pack", "gone", "--tokenizer", "tokenizer.json", "--output", "out"), "there is no corpus gone"),
        (("pack-export", "web", "--format", "megatron", "--output", "mill"), "manifest.json is missing"),
        (("train-tokenizer", "web", "--vocabulary", "9", "--output", "own.json"), "give at least 257 tokens"),
    ],
)
def test_mistakes_end_with_2_and_write_nothing(
    words: tuple[str, ...], said: str, call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = json.loads((tmp_path / "tokenizer.json").read_text())
    (tmp_path / "wrong.json").write_text(json.dumps({**table, "added_tokens": [None]}))
    write_corpus(tmp_path / "blank", [Row("a", "")])
    (tmp_path / "mix.toml").write_text('name = "m"\nseed = -1\n[[source]]\nname = "a"\ndatasets = ["a"]\nshare = 1\n')
    (tmp_path / "odd.toml").write_text('[[source]]\nname = "a"\npath = "web"\nshares = 1\n')
    before = everything(tmp_path)
    assert call(*words) == 2
    assert said in capsys.readouterr().err
    assert everything(tmp_path) == before


def test_a_tokenizer_that_panics_is_one_sentence(call: Call, tmp_path: Path) -> None:
    """In a process of its own: what Rust prints passes Python by."""
    table = json.loads((tmp_path / "tokenizer.json").read_text())
    table["normalizer"] = {"type": "Replace", "pattern": {"Regex": "(a+)+b"}, "content": ""}
    (tmp_path / "exploding.json").write_text(json.dumps(table))
    write_corpus(tmp_path / "long", [Row("a", "a" * 400)])
    command = [GRISTMILL, "pack", "long", "--tokenizer", "exploding.json", "--output", "out", "--length", "4"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"gristmill: the tokenizer fails at a text: .*retry-limit.*\n", done.stderr)
