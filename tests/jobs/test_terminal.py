"""No command sends a control, bidi or zero-width character of a name, an id or a text to a terminal."""

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rich.progress import Progress, TextColumn
from rich.table import Table

from annotation.judgments.policy import Policy
from curation.release.ledger import Ledger
from jobs import consoles, terminal
from jobs.campaign.overview import overview
from jobs.campaign.tables import print_resolution, print_status
from jobs.corpus.summary import print_summary
from schemas import REFUSED
from schemas.visible import HIDDEN
from tests.annotation.written import pair, snapshot, table, votes
from tests.curation.packing.corpora import Row, byte_level, saved, write_corpus
from tests.jobs.calling import GRAIN, call

EVIL = "x\x1b]0;owned\x07\x1b[31m\x1b[2K\r\x7f\x9b1mgone\u202egpj\u2066\u200b\u2028\ufeffend\ngristmill: all is well"
"""Sets the title, hides, turns round, and claims a line of its own."""
SHOWN = r"x\x1b]0;owned\x07\x1b[31m\x1b[2K\r\x7f\x9b1mgone\u202egpj\u2066\u200b\u2028\ufeffend\ngristmill: all is well"
RAW = re.compile(rf"(?!\n)[{HIDDEN}]")


def assert_shown(text: str, *, at_least: int = 1) -> None:
    """Nothing hidden is in the output, no line pretends to be ours, and what was hidden can be seen."""
    assert not RAW.search(text), ascii(text)
    assert not [line for line in text.splitlines() if line.startswith("gristmill: all is well")]
    assert text.count("owned") >= at_least, text


@pytest.fixture
def crawl(tmp_path: Path) -> Path:
    """A file with a hostile name: a document, its near copy, a text that is too short, and lines that are no JSON."""
    lines = [
        json.dumps({"id": EVIL, "text": f"{GRAIN}\n{EVIL}", "url": f"https://mill.example/{EVIL}", "source": EVIL}),
        json.dumps({"id": f"copy {EVIL}", "text": f"{GRAIN}\n{EVIL} more", "url": f"https://b.example/{EVIL}"}),
        json.dumps({"id": f"short {EVIL}", "text": f"Flour {EVIL} bread.", "date": EVIL}),
        json.dumps({"id": "plain", "text": GRAIN.replace("mill", "wheel").replace("flour", "meal")}),
        json.dumps({"id": EVIL, EVIL: EVIL, "text": 3}),
        f'{{"id": "{EVIL[:9]}',
    ]
    path = tmp_path / f"{EVIL}.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_corpus_with_evil_names_ids_urls_and_texts(
    crawl: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / f"out {EVIL}"
    glob = str(tmp_path / "*.jsonl")
    for words in (
        ["curate", "--input", glob, "--output", out],
        ["curate", "--input", glob, "--output", out],
        ["curate", "--input", glob, "--output", out, "--progress", "json"],
        ["curate", "--input", glob, "--output", out, "--dry-run"],
        ["verdict", crawl],
        ["explain", out, EVIL],
        ["explain", out, f"copy {EVIL}"],
        ["explain", out, f"short {EVIL}"],
        ["explain", out, "--sample", "3"],
    ):
        assert call(*words, monkeypatch=monkeypatch) == 0
        said = capsys.readouterr()
        assert_shown(said.out + said.err)
        if words[0] == "verdict":
            ids = [json.loads(line)["doc_id"] for line in said.out.splitlines()]
            assert ids == [EVIL, f"copy {EVIL}", f"short {EVIL}", "plain"], "what a program reads is unchanged"
            assert said.err.count(SHOWN) >= 1

    (tmp_path / "ids.txt").write_bytes(f"{EVIL[:40]}\nplain\n".encode())
    (tmp_path / "urls.txt").write_bytes(f"https://mill.example/{EVIL[:40]}\n".encode())
    lists = ["--doc-id", tmp_path / "ids.txt", "--url", tmp_path / "urls.txt"]
    assert call("takedown", out, *lists, "--output", tmp_path / "less", monkeypatch=monkeypatch) == 0
    said = capsys.readouterr()
    assert_shown(said.out + said.err, at_least=2)


@pytest.mark.parametrize(
    "words",
    [
        ["curate", "--input", f"nothing/{EVIL}", "--output", "out"],
        ["curate", f"{EVIL}.toml"],
        ["curate", "--input", "*", "--output", "out", "--recipe", EVIL],
        ["curate", "--input", "*", "--output", "out", "--set", f"language.{EVIL}=1"],
        ["curate", "--input", "*", "--output", "out", "--set", f"language.min_score={EVIL}"],
        ["curate", "--input", "*", "--output", "out", "--against", EVIL],
        ["curate", "--input", "*", "--output", "out", "--memory", EVIL],
        ["curate", "--input", f"nothing/{EVIL}", "--output", "out", "--progress", "json"],
        ["verdict", f"nothing/{EVIL}"],
        ["explain", EVIL, EVIL],
        ["takedown", EVIL, "--host", EVIL, "--output", "out"],
        ["pack", EVIL, "--tokenizer", EVIL, "--output", "out"],
        ["pack-export", EVIL, "--format", "megatron", "--output", "out"],
        ["verify", EVIL],
        ["dataset", "import", EVIL, "--schema", "hh", "--output", "out"],
        ["dataset", "import", EVIL, "--schema", EVIL, "--output", "out"],
        ["dataset", "mix", EVIL, "--output", "out"],
        ["dataset", "export", EVIL, "--format", "hh", "--output", "out"],
        ["campaign", "status", EVIL],
        ["campaign", "new", "--protocol", EVIL, "there"],
        ["studio", "status", "--home", EVIL],
        [f"--{EVIL}"],
        [EVIL],
    ],
    ids=lambda words: "-".join(word for word in words if word.isascii() and word.isprintable()),
)
def test_mistakes_in_settings_and_names(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.jsonl").write_text('{"text": "Flour."}\n')
    assert call(*words, monkeypatch=monkeypatch) in (1, 2)
    said = capsys.readouterr()
    assert_shown(said.out + said.err)


def test_sources_of_a_packing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name = f"[bold] :smile: {EVIL[:30]}"
    write_corpus(tmp_path / name, [Row(f"{number}", f"mill {number}") for number in range(40)])
    saved(tmp_path / "tokenizer.json", byte_level())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    words = ["pack", name, "--tokenizer", "tokenizer.json", "--length", "16", "--output", "out"]
    assert call(*words, monkeypatch=monkeypatch) == 0
    said = capsys.readouterr()
    assert_shown(said.out + said.err)
    assert "[bold] :smile:" in said.out, "a name is no markup"


def test_tables_of_a_campaign(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    raw = json.dumps({"author": EVIL, "project": 1, "task": 2}).encode()
    refused = [{"annotation": EVIL, "reason": "not_asked", "message": EVIL, "raw": raw}]
    pairs = [pair("p"), pair("q")]
    rows = [*votes("p", "f3 f2 s1"), *votes("q", "s1 s1 s2")]
    campaign = snapshot(pairs, rows, refused=table(REFUSED, refused), name=EVIL)
    print_status(overview(campaign, {"mill/a1": EVIL}, "mill"))
    print_resolution(snapshot(pairs, rows, policy=Policy(use="unanimous"), name=EVIL), Path("mill"))
    assert_shown(capsys.readouterr().out, at_least=5)


def test_a_summary_of_evil_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    ledger = Ledger()
    ledger.read[EVIL] = ledger.rejected[EVIL, EVIL, EVIL] = ledger.quarantined[EVIL] = (1, 1, 1)
    ledger.skipped[EVIL] = 1
    print_summary(ledger, EVIL, 1.0)
    assert_shown(capsys.readouterr().out, at_least=4)


def test_tracebacks_and_logs_show_hidden_characters(tmp_path: Path) -> None:
    """Also what nobody thought of: a bug whose message holds a text, a warning, and output in ASCII."""
    script = (
        "import sys, logging, warnings\n"
        "from jobs.terminal import show_hidden\n"
        "show_hidden(); show_hidden()\n"
        "evil = sys.stdin.buffer.read().decode()\n"
        "logging.warning(evil); warnings.warn(evil); print(evil, '\\udcff \\u00fc'); sys.stdout.writelines([evil])\n"
        "raise ValueError(evil)"
    )
    for encoding in ("utf-8", "ascii", "latin-1"):
        environment = {**os.environ, "PYTHONIOENCODING": encoding}
        done = subprocess.run(
            [sys.executable, "-c", script], input=EVIL.encode(), capture_output=True, env=environment, check=False
        )
        assert done.returncode == 1
        for stream, times in ((done.stdout, 2), (done.stderr, 3)):
            text = stream.decode("latin-1" if encoding == "latin-1" else "utf-8")
            assert not RAW.search(text), ascii(text)
            assert text.count(r"x\x1b]0;owned") == times, ascii(text)


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("width", [20, 200])
def test_on_a_terminal_only_styles_and_movements_of_our_own_are_sent(
    width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", str(width))
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    screen = Screen()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setattr(sys, "stderr", screen)
    terminal.show_hidden()
    rows = Table(EVIL, "title")
    rows.add_row(EVIL, EVIL, style="bold")
    consoles.console().print(rows)
    with Progress(TextColumn("{task.description}"), console=consoles.console(err=True), transient=True) as bars:
        bars.add_task(EVIL, total=1)
        bars.refresh()
    text = screen.getvalue()
    assert "\x1b[1m" in text, "rows are bold"
    sent = re.findall(r"\x1b(?:\[\??[\d;]*[A-Za-z]|.)", text)
    assert not [code for code in sent if code == "\x1b]"]
    rest = re.sub(r"\x1b\[\??[\d;]*[A-Za-z]|\r", "", text)
    assert not RAW.search(rest), ascii(rest)
    assert "\x1b[31m" not in sent
    assert "\\x1b" in text
