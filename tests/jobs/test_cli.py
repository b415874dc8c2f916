"""The command as its user meets it: what it prints, what it leaves, and how it ends."""

import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.annotation.ports import free_port
from tests.jobs.calling import GRAIN, call


def test_curate_keeps_one_and_says_what_became_of_the_others(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    curated = tmp_path / "out"
    assert call("curate", "--input", corpus, "--output", curated, monkeypatch=monkeypatch) == 0
    said = capsys.readouterr().out
    for part in (
        "exact: same_text",
        "near: near_duplicate",
        "gopher_repetition: top_2_gram",
        "quarantined: 1 bad_json",
    ):
        assert part in said
    assert "1 of 4 documents kept" in said
    (row,) = pq.read_table(curated / "documents" / "00000.parquet").to_pylist()
    assert row["doc_id"] == "good"
    assert row["text"] == GRAIN
    assert (row["file"], row["offset"], row["source"], row["language"]) == ("part.jsonl", 0, "default", "en")
    assert row["metadata"] == '{"extra":{"a":[2],"b":1}}'
    manifest = json.loads((curated / "manifest.json").read_text())
    assert manifest["ledger"]["kept"] == {"default": {"documents": 1, "bytes": len(GRAIN), "words": 107}}


@pytest.mark.parametrize(
    ("doc_id", "said"),
    [
        ("good", "was kept: it passed every rule of the recipe fineweb"),
        ("good", "2 duplicates were removed for it:\n    copy (part.jsonl at "),
        ("copy", "was removed by exact: it has the same text as good"),
        ("close", "is a near-duplicate"),
        ("close", "good friends"),
        ("short", "words is 3, the recipe asks for at least 50"),
    ],
)
def test_explain_says_why(
    curated: Path, doc_id: str, said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    capsys.readouterr()
    assert call("explain", curated, doc_id, monkeypatch=monkeypatch) == 0
    assert said in capsys.readouterr().out


def test_explain_distinguishes_files_of_one_name(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    next_crawl = tmp_path / "next" / corpus.name
    next_crawl.parent.mkdir()
    same = json.dumps({"id": "same", "text": GRAIN})
    next_crawl.write_text(json.dumps({"id": "new", "text": "A word that is new."}) + f"\n{same}\n")
    for crawl, name, against in ((corpus, "first", []), (next_crawl, "second", ["--against", tmp_path / "first"])):
        command = ["curate", "--recipe", "none", "--input", crawl, "--output", tmp_path / name, *against]
        assert call(*command, monkeypatch=monkeypatch) == 0
    capsys.readouterr()
    assert call("explain", tmp_path / "second", "new", monkeypatch=monkeypatch) == 0
    said = capsys.readouterr().out
    assert "new (part.jsonl at 0) was kept" in said
    assert "removed for it" not in said


def test_explain_cuts_a_long_line_around_the_difference(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [f"word{number}" for number in range(400)]
    lines = [{"id": name, "text": " ".join([*words[:200], name, *words[200:]])} for name in ("rye", "oats")]
    (tmp_path / "in.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    asked = ["curate", "--recipe", "none", "--input", tmp_path / "in.jsonl", "--output", tmp_path / "out"]
    assert call(*asked, "--workers", "0", monkeypatch=monkeypatch) == 0
    capsys.readouterr()
    assert call("explain", tmp_path / "out", "--sample", "1", monkeypatch=monkeypatch) == 0
    minus, plus = (line for line in capsys.readouterr().out.splitlines() if line[2:6] in ("-...", "+..."))
    assert {" ".join(minus.split()).count(name) + plus.count(name) for name in ("rye", "oats")} == {1}
    assert max(len(minus), len(plus)) <= 162


def test_explain_shows_examples_of_a_reason(
    curated: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    capsys.readouterr()
    assert call("explain", curated, "--sample", "5", "--reason", "near_duplicate", monkeypatch=monkeypatch) == 0
    assert capsys.readouterr().out.startswith("close (part.jsonl at ")
    assert call("explain", curated, "--sample", "20", monkeypatch=monkeypatch) == 0
    shown = [line.partition(" ")[0] for line in capsys.readouterr().out.splitlines() if " was removed by " in line]
    assert sorted(shown) == ["close", "copy", "short"]
    assert call("explain", curated, "--sample", "5", "--reason", "nothing", monkeypatch=monkeypatch) == 2
    assert "near_duplicate" in capsys.readouterr().err


def test_verdict_reads_a_file_as_it_is_told_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notes").write_text("Some prose.\n")
    assert call("verdict", tmp_path / "notes", monkeypatch=monkeypatch) == 2
    assert "or say how to read it: --format text" in capsys.readouterr().err
    assert call("verdict", "--format", "text", tmp_path / "notes", monkeypatch=monkeypatch) == 0
    [line] = capsys.readouterr().out.splitlines()
    assert json.loads(line)["signals"]["words"] == 2


def test_verdict_writes_a_json_line_a_document(
    corpus: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call("verdict", "--recipe", "fineweb", corpus, monkeypatch=monkeypatch) == 0
    printed = capsys.readouterr()
    verdicts = [json.loads(line) for line in printed.out.splitlines()]
    assert [(verdict["doc_id"], verdict["kept"]) for verdict in verdicts] == [
        ("good", True),
        ("copy", True),
        ("close", True),
        ("short", False),
    ]
    assert verdicts[0]["reasons"] == []
    assert set(verdicts[3]["reasons"][0]) == {"stage", "reason", "value", "threshold"}
    assert verdicts[0]["signals"]["language"] == "en"
    assert "bad_json" in printed.err


def test_a_job_file_says_the_same_as_options(
    corpus: Path, curated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = tmp_path / "job.toml"
    job.write_text(f'input = "{corpus}"\noutput = "{tmp_path / "again"}"\nrecipe = "fineweb"\n')
    assert call("curate", job, monkeypatch=monkeypatch) == 0
    for name in ("documents/00000.parquet", "manifest.json"):
        assert (tmp_path / "again" / name).read_bytes() == (curated / name).read_bytes()


@pytest.mark.parametrize(
    ("beam", "sentence"),
    [
        ('runner = "PortableRunner"\njob_endpoint = "127.0.0.1:{free}"', "no Beam job server answers at 127.0.0.1:"),
        ('runner = "PortableRunner"\njob_endpoint = "nowhere"', "or correct job_endpoint"),
        ("nosuch = 1", "Beam does not know --nosuch: correct the name, or leave the option out"),
        (
            'runner = "DirectRunner"\nstreming = true',
            "Beam does not know --streming: correct the name, or leave the option out",
        ),
        ("streaming = false", "beam.streaming is False: give a text, a number, a list of them, or true"),
    ],
)
def test_a_job_file_holds_options_of_beam(
    beam: str,
    sentence: str,
    corpus: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job, out = tmp_path / "job.toml", tmp_path / "out"
    job.write_text(f'input = "{corpus}"\noutput = "{out}"\n[beam]\n{beam.replace("{free}", str(free_port()))}\n')
    assert call("curate", job, monkeypatch=monkeypatch) == 2
    assert sentence in capsys.readouterr().err


def test_a_dry_run_shows_the_plan_and_writes_nothing(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    assert call("curate", "--input", corpus, "--output", out, "--dry-run", monkeypatch=monkeypatch) == 0
    said = capsys.readouterr().out
    assert '"use": "gopher_quality"' in said
    assert "1 files" in said
    assert "about" in said
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["curate"], "say what to read and where to write"),
        (["curate", "--input", "{in}", "--output", "{out}", "--recipe", "finweb"], "did you mean 'fineweb'?"),
        (["curate", "--input", "{in}", "--output", "{out}", "--set", "near.band=3"], "did you mean 'bands'?"),
        (["curate", "--input", "{in}", "--output", "{out}", "--set", "near.bands"], "is not key=value"),
        (["curate", "--input", "{in}", "--output", "{out}", "--set", "nearr.bands=2"], "did you mean 'near'?"),
        (["curate", "--input", "{in}", "--output", "{out}", "--set", "near.threshold=2"], "between 0 and 1"),
        (["curate", "--input", "{in}", "--output", "{out}", "--set", "keep.policy=source"], "go together"),
        (
            [
                "curate",
                "--input",
                "{in}",
                "--output",
                "{out}",
                "--set",
                "keep.signal=wordz",
                "--set",
                "keep.policy=signal",
            ],
            "words",
        ),
        (["curate", "--input", "{in}x", "--output", "{out}"], "no file matches"),
        (["curate", "--input", "{in}", "--output", "{in}"], "is a file"),
        (["curate", "{out}/job.toml"], "cannot be read"),
        (["curate", "--outptu", "x"], "No such option"),
        (["verdict", "{in}", "--set", "language.min_scor=1"], "did you mean 'min_score'?"),
        (["explain", "{out}", "x"], "holds no finished run"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    arguments: list[str],
    sentence: str,
    corpus: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    named = [a.replace("{in}", str(corpus)).replace("{out}", str(tmp_path / "out")) for a in arguments]
    assert call(*named, monkeypatch=monkeypatch) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert "Traceback" not in said


def test_a_rule_that_can_never_fire_is_a_warning(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    change = ["--set", "gopher_quality.min_stop_words=0", "--set", "fineweb.max_short_lines=1"]
    assert call("curate", "--input", corpus, "--output", tmp_path / "o", *change, monkeypatch=monkeypatch) == 0
    said = capsys.readouterr().err
    assert "warning: gopher_quality: few_stop_words can never fire, since stop_words is never under 0" in said
    assert "warning: fineweb: short_lines can never fire, since short_lines is never over 1" in said


WARNED = "3 workers may need more than 1.5 GB of memory, which is enough for 2"


def test_more_workers_than_the_memory_is_enough_for_is_a_warning(
    corpus: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for workers, warned in (("2", False), ("3", True)):
        asked = ["--output", tmp_path / workers, "--workers", workers, "--memory", "1.5GB"]
        assert call("curate", "--input", corpus, *asked, monkeypatch=monkeypatch) == 0
        assert (WARNED in caplog.text) == warned
    caplog.clear()
    gone = tmp_path / "gone.txt"
    gone.write_text(pq.read_table(tmp_path / "3" / "documents")["doc_id"][0].as_py())
    asked = ["--doc-id", gone, "--output", tmp_path / "less", "--workers", "3", "--memory", "1.5GB"]
    assert call("takedown", tmp_path / "3", *asked, monkeypatch=monkeypatch) == 0
    assert WARNED in caplog.text


def test_too_many_unreadable_records_fail_the_run_after_it_wrote_what_it_saw(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bad.jsonl"
    good = "".join(json.dumps({"text": f"{GRAIN} {n}", "id": n}) + "\n" for n in range(50))
    path.write_text(good + "{broken\n" * 101)
    out = tmp_path / "out"
    assert call("curate", "--input", path, "--output", out, monkeypatch=monkeypatch) == 1
    assert "101 of 151 records could not be read (101 bad_json)" in capsys.readouterr().err
    assert pq.read_metadata(out / "quarantine" / "00000.parquet").num_rows == 101
    assert pq.read_metadata(out / "documents" / "00000.parquet").num_rows == 1
    assert not (out / "manifest.json").exists()
    path.write_text(good + "{broken\n" * 100)
    assert call("curate", "--input", path, "--output", tmp_path / "fine", monkeypatch=monkeypatch) == 0


def test_nothing_to_read_is_a_finished_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty.jsonl").touch()
    assert (
        call("curate", "--input", tmp_path / "empty.jsonl", "--output", tmp_path / "out", monkeypatch=monkeypatch) == 0
    )
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["ledger"]["read"] == {}
    assert pq.read_table(tmp_path / "out" / "documents" / "00000.parquet").num_rows == 0


def test_a_limit_reads_a_sample(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    assert call("curate", "--input", corpus, "--output", out, "--limit", "2", monkeypatch=monkeypatch) == 0
    ledger = json.loads((out / "manifest.json").read_text())["ledger"]
    assert ledger["read"]["default"]["documents"] == 2


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['gristmill', '--help']\n"
        "from jobs.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'apache_beam', 'pyarrow', 'numpy', 'numba', 'rich', 'fsspec'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_a_run_on_this_machine_imports_only_what_it_needs(corpus: Path, tmp_path: Path) -> None:
    code = (
        "import sys; sys.argv = ['gristmill', 'curate', '--input', sys.argv[1], '--output', sys.argv[2]]\n"
        "from jobs.cli import main\n"
        "main()\n"
        "unneeded = {'apache_beam', 'grpc', 'cffi', 'pandas', 'scipy.linalg'} & set(sys.modules)\n"
        "assert not unneeded, unneeded\n"
        "import pandas\n"
    )
    command = [sys.executable, "-c", code, str(corpus), str(tmp_path / "out")]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
