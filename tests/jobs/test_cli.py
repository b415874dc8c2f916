"""The command as its user meets it: what it prints, what it leaves, and how it ends."""

import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from jobs.cli import main
from tests.annotation.ports import free_port

GRAIN = (
    "The mill turns the grain of the village into flour that the bakers of the town will have with their bread. "
    "A river runs below the mill, and with its water the wheel is driven day and night to grind what is brought.\n"
    "People of the valley say that the miller and the baker have to be friends, or else the bread will be late. "
    "In winter the river freezes, and the mill stands still until the sun of the new year frees the wheel again.\n"
    "Every sack that comes in is weighed, counted and written into the book, and so is every sack that goes out."
)


def call(*arguments: str | Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Runs the command in this process; returns its exit code."""
    monkeypatch.setattr(sys, "argv", ["gristmill", *(str(argument) for argument in arguments)])
    try:
        main()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 1
    return 0


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


def test_explain_tells_files_of_one_name_apart(
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
        ('runner = "PortableRunner"\njob_endpoint = "nowhere"', "or mend job_endpoint"),
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


@pytest.fixture
def places(tmp_path: Path) -> Path:
    """Folders and files that are no place for a run."""
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / ".work").write_text("mine")
    for name, manifest in (("empty", "{}"), ("packed", '{"format": 1, "tokens": 3}'), ("broken", '{"job": ')):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text(manifest)
    return tmp_path


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("/proc/x", "cannot be made or written to (No such file or directory)"),
        ("notes.txt/out", "cannot be made or written to (Not a directory)"),
        ("n" * 300, "cannot be made or written to (File name too long)"),
        ("foo://bar", "no file system opens the folder 'foo://bar'"),
        ("s3://bar/x", "needs a package that is not installed"),
        ("odd", "is not empty (1 entries)"),
        ("empty", "was not written by gristmill curate"),
        ("packed", "was not written by gristmill curate"),
        ("broken", "manifest.json is broken"),
    ],
)
def test_a_folder_that_cannot_hold_a_run_is_one_sentence(
    output: str,
    sentence: str,
    places: Path,
    corpus: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(places)
    assert call("curate", "--input", corpus, "--output", output, monkeypatch=monkeypatch) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1


def test_a_folder_of_one_process_is_written_by_one(
    corpus: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ["--output", "memory://of-one-process", "--workers", "2"]
    assert call("curate", "--input", corpus, *asked, monkeypatch=monkeypatch) == 0
    assert "1 of 4 documents kept" in capsys.readouterr().out


ODD = " a", "#b", "c\u2028d", "e"


def test_a_list_of_ids_is_taken_as_it_is_and_other_lists_without_comments(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read, out, listed = tmp_path / "in.jsonl", tmp_path / "out", tmp_path / "listed.txt"
    documents = [{"id": name, "text": f"word {n}", "url": f"http://m{n}.example/"} for n, name in enumerate(ODD)]
    read.write_text("".join(json.dumps(document) + "\n" for document in documents))
    assert call("curate", "--recipe", "none", "--input", read, "--output", out, monkeypatch=monkeypatch) == 0
    listed.write_bytes("\ufeff a\r\n#b\r\n\nc\u2028d\n".encode())
    assert call("takedown", out, "--doc-id", listed, "--output", tmp_path / "less", monkeypatch=monkeypatch) == 0
    assert pq.read_table(tmp_path / "less/documents")["doc_id"].to_pylist() == ["e"]
    listed.write_bytes("\ufeff m0.example \r\n# m3.example\n\nm2.example\n".encode())
    assert call("takedown", out, "--host", listed, "--output", tmp_path / "other", monkeypatch=monkeypatch) == 0
    assert pq.read_table(tmp_path / "other/documents")["doc_id"].to_pylist() == ["#b", "e"]
    listed.write_text("e\n" + "".join(f"no{number}\n" for number in range(8)))
    capsys.readouterr()
    for _ in range(2):
        assert call("takedown", out, "--doc-id", listed, "--output", tmp_path / "third", monkeypatch=monkeypatch) == 0
        told = "not found: 8 of the 9 documents asked for: no0, no1, no2, no3, no4 and 3 more, see not_found/doc_id.txt"
        assert told in capsys.readouterr().out
    assert (tmp_path / "third/not_found/doc_id.txt").read_text().split() == [f"no{number}" for number in range(8)]


@pytest.mark.parametrize(
    ("manifest", "sentence"),
    [
        ('{"format": 1', "manifest.json is broken"),
        ('{"format": "gristmill.packed", "version": 1}', "manifest.json was not written by gristmill curate"),
        ("[]", "manifest.json was not written by gristmill curate"),
    ],
)
@pytest.mark.parametrize("command", ["takedown", "takedown to", "explain", "against"])
def test_a_manifest_that_is_none_is_told(
    command: str,
    manifest: str,
    sentence: str,
    curated: Path,
    corpus: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    odd, listed = tmp_path / "odd", tmp_path / "listed.txt"
    odd.mkdir()
    (odd / "manifest.json").write_text(manifest)
    listed.write_text("good\n")
    arguments: list[str | Path] = {
        "takedown": ["takedown", odd, "--doc-id", listed, "--output", tmp_path / "new"],
        "takedown to": ["takedown", curated, "--doc-id", listed, "--output", odd],
        "explain": ["explain", odd, "good"],
        "against": ["curate", "--input", corpus, "--output", tmp_path / "new", "--against", odd],
    }[command]
    assert call(*arguments, monkeypatch=monkeypatch) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_a_remote_folder_can_be_named(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, listed = f"memory://{tmp_path.name}", tmp_path / "listed.txt"
    listed.write_text("good\n")
    own = ("--workers", "0")
    command = ("curate", "--recipe", "none", "--input", corpus, "--output", f"{root}/first", *own)
    assert call(*command, monkeypatch=monkeypatch) == 0
    command = ("takedown", f"{root}/first", "--doc-id", listed, "--output", f"{root}/less", *own)
    assert call(*command, monkeypatch=monkeypatch) == 0
    capsys.readouterr()
    assert call("explain", f"{root}/less", "good", monkeypatch=monkeypatch) == 0
    assert "was taken down, by its doc_id" in capsys.readouterr().out


def test_a_rule_that_can_never_fire_is_a_warning(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    change = ["--set", "gopher_quality.min_stop_words=0", "--set", "fineweb.max_short_lines=1"]
    assert call("curate", "--input", corpus, "--output", tmp_path / "o", *change, monkeypatch=monkeypatch) == 0
    said = capsys.readouterr().err
    assert "warning: gopher_quality: few_stop_words can never fire, since stop_words is never under 0" in said
    assert "warning: fineweb: short_lines can never fire, since short_lines is never over 1" in said


def test_more_workers_than_the_memory_is_enough_for_is_a_warning(
    corpus: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for workers, warned in (("2", False), ("3", True)):
        asked = ["--output", tmp_path / workers, "--workers", workers, "--memory", "1.5GB"]
        assert call("curate", "--input", corpus, *asked, monkeypatch=monkeypatch) == 0
        told = "3 workers may take more than 1.5 GB of memory, which is enough for 2"
        assert (told in caplog.text) == warned


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
