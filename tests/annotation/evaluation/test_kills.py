"""A judge that is killed at any point asks again only what was in flight, and comes to the same verdicts."""

import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from annotation.evaluation.book import Book
from annotation.evaluation.judging import questions
from annotation.evaluation.outputs import read_outputs
from annotation.evaluation.pairs import of_outputs
from jobs.cli import main
from tests.annotation.evaluation.endpoint import Play, Server, endpoint, fails, prefers_quality
from tests.annotation.evaluation.judged import judge, rows, write_rows

GRISTMILL = Path(sys.executable).parent / "gristmill"
CONCURRENCY = 4
MOMENTS = ("before", "during", "after")
"""When a run is killed: before a response is sent, in the middle of it, or when it is sent and perhaps not yet kept."""


class Faulty:
    """A judge with faults by a seed: refusals to answer now, errors and cut answers. It kills the run at a request."""

    def __init__(self, seed: int, faults: float):
        self.random = random.Random(seed)
        self.faults = faults
        self.kill: Callable[[], None] = lambda: None
        self.at = 0
        self.moment = ""

    def __call__(self, body: dict[str, Any], number: int) -> Play:
        play = prefers_quality(body)
        if self.random.random() < self.faults:
            cut = Play(play.body, sent=len(play.body) // 2)
            play = self.random.choice([fails(429, retry_after_ms="1"), fails(500), cut])
        if number == self.at:
            if self.moment == "before":
                self.kill()
            else:
                play.sent = len(play.body) // 2 if self.moment == "during" else None
                play.after = self.kill
        return play


def start(server: Server, source: Path, output: Path) -> subprocess.Popen[str]:
    words = ["judge", source, "--model", "judge-1", "--base-url", server.url, "--output", output, "--progress", "none"]
    words += ["--concurrency", str(CONCURRENCY)]
    return subprocess.Popen(
        [GRISTMILL, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=source.parent
    )


def kept(book: Path, keys: dict[str, bytes]) -> tuple[set[bytes], set[bytes]]:
    """The keys of the requests that the book has answers to, and of those in flight."""
    with Book(book) as held:
        return set(held.answers(keys.values())), held.in_flight()


@pytest.mark.parametrize(("kills", "faults"), [(3, 0.02), pytest.param(30, 0.05, marks=pytest.mark.soak)])
def test_a_killed_run_asks_again_only_what_was_in_flight(
    kills: int, faults: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_rows(tmp_path / "r.jsonl", rows(12 if kills == 3 else 120, ("alpha", "beta")))
    asked = list(questions(of_outputs(read_outputs([source])).pairs, judge()))
    keys = {json.dumps(each.request.body["messages"]): each.request.key for each in asked}
    chosen, script = random.Random(kills), Faulty(kills, faults)
    answered: set[bytes] = set()
    flown: set[bytes] = set()
    repeats = 0
    for number in range(kills + 1):
        with endpoint(script) as server:
            left = len(keys) - len(answered)
            script.at = chosen.randint(1, 1 + left // (kills - number + 1)) if number < kills else 0
            script.moment = chosen.choice(MOMENTS)
            run = start(server, source, tmp_path / "killed")
            script.kill = run.kill
            out, err = run.communicate(timeout=120)
        sent = {keys[json.dumps(body["messages"])] for body in server.requests}
        assert not sent & answered, "an answer that had arrived was asked for again"
        assert len(flown) <= CONCURRENCY
        repeats, last = repeats + len(sent & flown), flown
        if number < kills:
            assert run.returncode == -9, err
        before, (answered, flown) = answered, kept(tmp_path / "judge.db", keys)
        assert before <= answered
        assert sent <= answered | flown, "a request was sent that the book does not know"
    assert run.returncode == 0, err
    assert answered == set(keys.values())
    assert flown == set()
    assert repeats <= kills * CONCURRENCY
    assert (f"{len(last)} sent before, without an answer" in out) == bool(last)
    assert_same_as_uninterrupted(source, tmp_path, monkeypatch)


def assert_same_as_uninterrupted(source: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compares the verdicts with those of a run in another folder, without kills and faults."""
    (folder / "calm").mkdir()
    copy = folder / "calm" / source.name
    copy.write_bytes(source.read_bytes())
    with endpoint(prefers_quality) as server:
        words = ["judge", copy, "--model", "judge-1", "--base-url", server.url, "--output", folder / "whole"]
        monkeypatch.setattr(sys, "argv", ["gristmill", *map(str, words)])
        main()
    assert max(Counter(json.dumps(body) for body in server.requests).values()) == 1
    names = sorted(path.name for path in (folder / "whole").iterdir())
    assert names == sorted(path.name for path in (folder / "killed").iterdir())
    for name in names:
        assert (folder / "killed" / name).read_bytes() == (folder / "whole" / name).read_bytes()
