"""The command ``gristmill judge``, over a real server on loopback."""

import csv
import json
import re
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from annotation.evaluation.folder import load
from jobs.evaluation import progress
from tests.annotation.campaigns import desk
from tests.annotation.evaluation.endpoint import Play, Script, endpoint, fails, prefers_quality, quality, says, shown
from tests.annotation.evaluation.judged import rows, write_rows
from tests.jobs.calling import call

MODELS = ("alpha", "beta", "gamma")


def judge(source: Path, script: Script, *more: str | Path, monkeypatch: pytest.MonkeyPatch) -> tuple[int, Any]:
    """The exit code, and the requests that the endpoint received."""
    with endpoint(script) as server:
        words = ("judge", source, "--model", "judge-1", "--base-url", server.url, "--progress", "none", *more)
        return call(*words, monkeypatch=monkeypatch), server.requests


@pytest.fixture
def responses(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "responses.jsonl", rows(14, MODELS))


def test_pairs_are_judged_in_both_orders_and_counted(
    responses: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Qualities repeat every seven prompts: in each round a has 1..6, b 2 4 6 1 3 5, c 3 6 2 5 1 4, and all 0 once."""
    code, requests = judge(responses, prefers_quality, "--output", tmp_path / "out", monkeypatch=monkeypatch)
    assert (code, len(requests)) == (0, 14 * 3 * 2)
    printed = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert any(line[:8] == ["alpha", "against", "beta", "6", "2", "6", "0", "50.0%"] for line in printed)
    found = pq.read_table(tmp_path / "out" / "verdicts.parquet").to_pylist()
    for row in found:
        first, second = (int(row[name].rpartition(" ")[2]) for name in ("first", "second"))
        assert row["outcome"] == ("tie" if first == second else "first" if first > second else "second")
    assert len(found) == 42
    assert call("verify", tmp_path / "out", monkeypatch=monkeypatch) == 0


def test_a_repeated_run_asks_nothing_and_writes_the_same_bytes(
    responses: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge(responses, prefers_quality, "--output", tmp_path / "one", monkeypatch=monkeypatch)
    _, requests = judge(responses, prefers_quality, "--output", tmp_path / "two", monkeypatch=monkeypatch)
    assert requests == []
    for path in sorted((tmp_path / "one").iterdir()):
        assert (tmp_path / "two" / path.name).read_bytes() == path.read_bytes()


def test_what_has_no_verdict_is_neither_win_nor_loss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Five prompts whose judge agrees, refuses, is cut off, does not say, and says the prompt is too long."""

    def script(body: dict[str, Any], number: int) -> Any:
        user = body["messages"][1]["content"]
        verdict = f"verdict {shown(body).key}: {'A' if 'alpha' in shown(body).first else 'B'}"
        plays = {
            "Question 1?": says("", refusal="I will not."),
            "Question 2?": says(verdict, "length"),
            "Question 3?": says("Both are fine."),
            "Question 4?": fails(400, "This model's maximum context length is 10 tokens.", "context_length_exceeded"),
        }
        return next((play for text, play in plays.items() if text in user), says(verdict))

    given = [row for row in rows(6) if (row["prompt_id"], row["model"]) != ("p0005", "beta")]
    path = write_rows(tmp_path / "r.jsonl", [*given, {"prompt_id": "p0005", "model": "beta", "response": None}])
    code, _ = judge(path, script, "--output", tmp_path / "out", monkeypatch=monkeypatch)
    assert code == 0
    printed = capsys.readouterr().out
    [cells] = [line.split() for line in printed.splitlines() if line.startswith("alpha against")]
    assert cells[3:8] == ["1", "0", "0", "5", "100.0%"]
    assert cells[-3:] == ["16.7%", "to", "100.0%"]
    assert "refused: 2 of 10 answers" in printed
    assert "truncated: 2 of 10 answers" in printed
    assert "unparsed: 2 of 10 answers; to ask these again: --again unparsed" in printed
    assert "error: 2 of 10 requests: the request is too long for the model (context_length)" in printed
    assert "unanswered: beta has no response to 1 prompt" in printed
    ledger = json.loads((tmp_path / "out" / "manifest.json").read_text())["ledger"]
    assert ledger["outcomes"] == {"error": 1, "first": 1, "refused": 1, "truncated": 1, "unparsed": 1}


def test_a_dry_run_asks_nothing_and_writes_nothing(
    responses: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    prices = ("--prompt-price", "1000", "--answer-price", "1000")
    code, requests = judge(responses, prefers_quality, "--dry-run", *prices, monkeypatch=monkeypatch)
    assert (code, requests) == (0, [])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["responses.jsonl"]
    printed = capsys.readouterr().out
    assert "42 pairs compared, 84 requests, 0 already answered" in printed
    assert "cost: about" in printed
    assert "the budget does not allow" not in printed
    judge(responses, prefers_quality, "--dry-run", *prices, "--budget", "1", monkeypatch=monkeypatch)
    assert "the budget does not allow all of this" in capsys.readouterr().out


def test_a_dry_run_leaves_a_book_of_version_1_as_it_is(
    responses: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    judge(responses, prefers_quality, "--output", tmp_path / "out", monkeypatch=monkeypatch)
    book = tmp_path / "judge.db"
    with closing(sqlite3.connect(book, isolation_level=None)) as old:
        old.execute("DROP TABLE replaced")
        old.execute("PRAGMA user_version = 1")
    before, names = book.read_bytes(), sorted(path.name for path in tmp_path.iterdir())
    capsys.readouterr()
    code, requests = judge(responses, prefers_quality, "--dry-run", monkeypatch=monkeypatch)
    assert (code, requests) == (0, [])
    assert "84 requests, 84 already answered" in capsys.readouterr().out
    assert (book.read_bytes(), sorted(path.name for path in tmp_path.iterdir())) == (before, names)


def test_a_budget_stops_the_run_and_more_of_it_continues(
    responses: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An answer takes 120 tokens, but 300 are expected of the first one."""
    output = ("--output", tmp_path / "out", "--concurrency", "1")
    code, first = judge(responses, prefers_quality, "--token-budget", "4000", *output, monkeypatch=monkeypatch)
    assert code == 1
    assert 120 * len(first) <= 4000
    assert f"{len(first)} of 84 requests are answered and kept, {84 - len(first)} are left" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    code, second = judge(responses, prefers_quality, "--token-budget", "40000", *output, monkeypatch=monkeypatch)
    assert (code, len(first) + len(second)) == (0, 84)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ((), "say where to write the verdicts"),
        (("--output", "out", "--budget", "1"), "give --prompt-price and --answer-price"),
        (("--output", "out", "--baseline", "alfa"), "did you mean 'alpha'"),
        (("--output", "out", "--parameter", "n=2"), "--parameter cannot set n"),
        (("--output", "out", "--parameter", "top_p=nan"), "give a value that JSON can hold"),
        (("--output", "out", "--parameter", "user=2026-01-01"), "give a value that JSON can hold"),
        (("--output", "out", "--parameter", "seed=99999999999999999999"), "give a value that JSON can hold"),
        (("--output", "out", "--timeout", "inf"), "inf is not a finite number"),
        (("--output", "out", "--token-budget", "-1"), "-1 is not in the range"),
        (("--output", "out", "--template", "singel"), "did you mean 'single'"),
    ],
)
def test_a_mistake_is_one_sentence(
    more: tuple[str, ...],
    message: str,
    responses: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, requests = judge(responses, prefers_quality, *more, monkeypatch=monkeypatch)
    assert (code, requests) == (2, [])
    assert message in capsys.readouterr().err


def test_one_fixed_order_is_warned_of(
    responses: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    output = ("--output", tmp_path / "out", "--orders", "first")
    code, requests = judge(responses, prefers_quality, *output, monkeypatch=monkeypatch)
    assert (code, len(requests)) == (0, 42)
    assert "warning: with one fixed order" in capsys.readouterr().err


def test_a_campaign_is_judged_and_compared_with_its_votes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """People always prefer the answer of alpha; the judge does on three of four pairs."""

    def script(body: dict[str, Any], number: int) -> Any:
        seen = shown(body)
        alpha = "Answer 0" in seen.first
        return says(f"verdict {seen.key}: {'A' if alpha != ('to 3.' in seen.first) else 'B'}")

    with desk(tmp_path) as mill:
        for task in mill.tasks():
            mill.answer(task, "b_better" if task["swapped"] else "a_better")
    code, requests = judge(tmp_path, script, "--output", tmp_path / "out", monkeypatch=monkeypatch)
    assert (code, len(requests)) == (0, 8)
    printed = capsys.readouterr().out
    assert "over 4 pairs and 12 votes" in printed
    assert "as most votes: 3 of 4 pairs where both prefer a response" in printed
    assert (tmp_path / "judge.db").exists()
    source = json.loads((tmp_path / "out" / "manifest.json").read_text())["source"]
    assert (source["campaign"], source["compared"]) == ("mill", [["alpha", "beta"]])


def test_single_responses_are_graded_and_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Grades 1 to 7 by quality; the judge gives grade 11 to one response of gamma, which is none."""

    def script(body: dict[str, Any], number: int) -> Any:
        user, key = body["messages"][1]["content"], re.search(r"carry the code (\w+)", body["messages"][0]["content"])
        assert key
        grade = quality(user) + 1 if "gamma to 3," not in user else 11
        return says(f"It says:\n{user}\ngrade {key[1]}: {grade}")

    path = write_rows(tmp_path / "r.jsonl", rows(7, MODELS))
    words = ("--output", tmp_path / "out", "--template", "single")
    code, requests = judge(path, script, *words, monkeypatch=monkeypatch)
    assert (code, len(requests)) == (0, 21)
    printed = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["alpha", "7", "0", "4.00"] in [line[:4] for line in printed]
    [gamma] = [line for line in printed if line[:1] == ["gamma"]]
    assert (gamma[1:3], gamma[-3:]) == (["6", "1"], [f"{26 / 7:.2f}", "to", f"{(25 + 10) / 7:.2f}"])
    assert ["alpha", "against", "beta", "3", "1", "3", "0", "50.0%"] in [line[:8] for line in printed]
    assert ["alpha", "against", "gamma"] in [line[:3] for line in printed]
    assert call("verify", tmp_path / "out", monkeypatch=monkeypatch) == 0
    manifest, tables = load(tmp_path / "out")
    assert manifest.ledger.outcomes["unparsed"] == 2
    assert tables.answers is None
    assert tables.grades is not None
    assert {row["grade"] for row in tables.grades.to_pylist()} == {1, 2, 3, 4, 5, 6, 7, None}
    capsys.readouterr()
    report = ("evaluation", "report", tmp_path / "out", "--output", tmp_path / "report")
    assert call(*report, monkeypatch=monkeypatch) == 0
    assert "verdicts and 20 grades" in capsys.readouterr().out
    with (tmp_path / "report" / "grades.csv").open(encoding="utf-8") as lines:
        means = {row["model"]: row for row in csv.DictReader(lines)}
    ends = [f"{float(means['gamma'][name]):.2f}" for name in ("value", "low", "high", "least", "most")]
    assert [each.strip("()") for each in gamma[3:]] == [*ends[:2], "to", *ends[2:4], "to", ends[4]]
    assert (means["gamma"]["votes"], means["gamma"]["left_out"]) == ("6", "1 unparsed")
    assert call("evaluation", "why", tmp_path / "report", means["gamma"]["number"], monkeypatch=monkeypatch) == 0
    assert "made from 7 rows of graded.parquet, of which 6 count" in capsys.readouterr().out


def test_a_single_model_can_be_graded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_rows(tmp_path / "r.jsonl", rows(3, MODELS[:1]))
    code, _ = judge(path, prefers_quality, "--dry-run", "--template", "single", monkeypatch=monkeypatch)
    assert code == 0
    assert "3 responses graded, 3 requests" in capsys.readouterr().out
    code, _ = judge(path, prefers_quality, "--dry-run", monkeypatch=monkeypatch)
    assert code == 2
    assert "all responses are of the model 'alpha'" in capsys.readouterr().err


def test_progress_goes_on_while_the_endpoint_makes_everybody_wait(
    responses: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first request is told to wait for half a second; until then no answer can arrive."""
    monkeypatch.setattr(progress, "BEAT_SECONDS", 0.02)
    monkeypatch.setattr(progress, "LINE_EVERY_SECONDS", {"lines": 0.0, "json": 0.0})

    def script(body: dict[str, Any], number: int) -> Any:
        return fails(429, Retry_After="0.5") if number == 1 else prefers_quality(body)

    for style in ("lines", "json"):
        words = ("--concurrency", "1", "--progress", style, "--book", tmp_path / f"{style}.db")
        judge(responses, script, "--output", tmp_path / style, *words, monkeypatch=monkeypatch)
        printed = capsys.readouterr().err
        if style == "lines":
            assert "0 of 84 requests, waiting 1 s as the endpoint asks" in printed
        else:
            waits = [json.loads(line)["waiting"] for line in printed.splitlines()]
            assert max(waits) > 0
            assert waits[-1] == 0


def test_answers_without_a_verdict_are_asked_again_only_if_asked_for(
    responses: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At first the judge does not say its verdict on the pairs of alpha and beta."""

    def shy(body: dict[str, Any], number: int) -> Any:
        seen = shown(body)
        return says("Both.") if {seen.first[:1], seen.second[:1]} == {"a", "b"} else prefers_quality(body)

    judge(responses, shy, "--output", tmp_path / "one", monkeypatch=monkeypatch)
    _, requests = judge(responses, prefers_quality, "--output", tmp_path / "two", monkeypatch=monkeypatch)
    assert requests == []
    again = ("--output", tmp_path / "three", "--again", "unparsed", "--again", "refused")
    _, requests = judge(responses, prefers_quality, *again, monkeypatch=monkeypatch)
    assert len(requests) == 14 * 2
    outcomes = load(tmp_path / "three")[0].ledger.outcomes
    assert set(outcomes) == {"first", "second", "tie"}


def test_an_output_that_exists_is_refused_before_anything_is_asked(
    responses: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "file").touch()
    code, requests = judge(responses, prefers_quality, "--output", tmp_path / "out", monkeypatch=monkeypatch)
    assert (code, requests) == (2, [])
    assert "is not empty" in capsys.readouterr().err


def test_no_book_is_added_to_a_finished_output(
    responses: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    judge(responses, prefers_quality, "--output", tmp_path / "out", monkeypatch=monkeypatch)
    inside = write_rows(tmp_path / "out" / "r.jsonl", rows(1))
    code, _ = judge(inside, prefers_quality, "--output", tmp_path / "two", monkeypatch=monkeypatch)
    assert code == 2
    assert "with --book FILE" in capsys.readouterr().err


def test_the_summary_names_other_endpoints_and_own_responses(
    responses: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_rows(tmp_path / "own.jsonl", rows(2, ("judge-1", "beta")))
    judge(path, prefers_quality, "--output", tmp_path / "one", monkeypatch=monkeypatch)
    assert "judge-1 judges its own responses" in capsys.readouterr().err
    judge(path, prefers_quality, "--output", tmp_path / "two", monkeypatch=monkeypatch)
    assert re.search(r"4 of these answers are from http://127\.0\.0\.1:\d+/v1", capsys.readouterr().out)


def test_progress_for_programs_ends_with_the_totals(
    responses: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    more = ("--output", tmp_path / "out", "--progress", "json", "--prompt-price", "1", "--answer-price", "5")
    judge(responses, prefers_quality, *more, monkeypatch=monkeypatch)
    last = json.loads(capsys.readouterr().err.splitlines()[-1])
    del last["seconds"]
    assert last == {
        "event": "finished",
        "requests": 84,
        "before": 0,
        "answered": 84,
        "failed": 0,
        "repeated": 0,
        "tokens": 84 * 120,
        "cost": round(84 * 200e-6, 6),
        "waiting": 0.0,
    }


def test_the_length_of_preferred_responses_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of three pairs, the judge prefers the longer response once; one pair has equal lengths."""
    given = [("long", "quality 2, and more"), ("short", "quality 3"), ("same", "quality 3")]
    both = [
        {"prompt_id": name, "prompt": f"{name}?", "model": model, "response": text}
        for name, first in given
        for model, text in (("alpha", first), ("beta", "quality 1" if name != "short" else "quality 2, and more"))
    ]
    path = write_rows(tmp_path / "r.jsonl", both)
    judge(path, prefers_quality, "--output", tmp_path / "out", monkeypatch=monkeypatch)
    assert "length: the longer response is preferred in 50.0% of 2 verdicts" in capsys.readouterr().out


def _hear_of_interrupts() -> None:
    """Where the tests run in the background of a shell, they were told not to."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("number", [pytest.param(signal.SIGINT, marks=pytest.mark.soak), signal.SIGTERM])
def test_a_signal_ends_the_run_and_the_next_one_continues(number: signal.Signals, tmp_path: Path) -> None:
    """The endpoint sends the signal with its fifth request, and leaves that request without an answer."""
    path = write_rows(tmp_path / "r.jsonl", rows(10))
    gristmill = Path(sys.executable).parent / "gristmill"
    started: list[subprocess.Popen[str]] = []

    def script(body: dict[str, Any], count: int) -> Any:
        if count == 5:
            started[0].send_signal(number)
            return Play(hang=True)
        return prefers_quality(body)

    def start(url: str) -> subprocess.Popen[str]:
        words = [gristmill, "judge", path, "--model", "judge-1", "--base-url", url, "--output", tmp_path / "out"]
        words += ["--concurrency", "1", "--progress", "none"]
        return subprocess.Popen(
            list(map(str, words)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=_hear_of_interrupts,
        )

    with endpoint(script) as server:
        started.append(start(server.url))
        _, err = started[0].communicate(timeout=60)
        assert (started[0].returncode, "Traceback" in err) == (-number, False)
        assert f"4 of 20 requests are answered and kept in {tmp_path / 'judge.db'}: the same command continues" in err
        assert not (tmp_path / "out").exists()
        again = start(server.url)
        out, _ = again.communicate(timeout=60)
    assert again.returncode == 0
    assert "16 answered now (1 sent before, without an answer), 4 before" in out


def test_the_printed_template_is_the_built_in_one(
    responses: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A copy asks the same, so that nothing is asked twice; a changed copy asks anew."""
    assert call("evaluation", "template", "pairwise", monkeypatch=monkeypatch) == 0
    mine = tmp_path / "mine.toml"
    mine.write_text(capsys.readouterr().out, encoding="utf-8")
    judge(responses, prefers_quality, "--output", tmp_path / "one", monkeypatch=monkeypatch)
    more = ("--template", mine, "--output")
    _, requests = judge(responses, prefers_quality, *more, tmp_path / "two", monkeypatch=monkeypatch)
    assert requests == []
    mine.write_text(mine.read_text(encoding="utf-8").replace("a few sentences", "one sentence"), encoding="utf-8")
    _, requests = judge(responses, prefers_quality, *more, tmp_path / "three", monkeypatch=monkeypatch)
    assert len(requests) == 84
