"""``campaign undo`` and ``push --new-guidelines``, killed at every third request: the next run completes them."""

import multiprocessing
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from annotation.journal.fold import fold
from annotation.journal.journal import Journal
from annotation.journal.signing import PUBLIC_KEY, key_file, read_public_key, sign
from annotation.judgments.audit import verify_journal
from annotation.judgments.snapshot import load
from annotation.studio.client import Studio
from jobs.campaign import audit, commands, overview
from jobs.cli import main
from tests.annotation.faults import Faults, faulty
from tests.annotation.labelling import Annotator, safe_opinion, signed_in
from tests.annotation.parts import Studio as Server
from tests.annotation.studio.test_new_guidelines import SECOND
from tests.jobs.calling import call

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload([__name__])
IMPORTED = (audit, commands, overview)
"""What the commands need, so that a process that is forked has it."""

TOML = """name = "mill"
protocol = "safety"
batch = "b1"
responses = "responses.jsonl"
annotators = ["{}", "{}"]
votes = 2
gold = {{file = "gold.jsonl", share = 0.1}}
categories = {{illicit = "Crime", hateful = "Hate", unqualified = "Unqualified advice"}}
"""


class Mill:
    """A campaign of the safety protocol before two annotators, and the commands that are run on it."""

    def __init__(self, path: Path, server: Server, people: list[Annotator], faults: Faults):
        self.path, self.server, self.people, self.faults = path, server, people, faults
        self.said = path / "said"

    def start(self, *words: str) -> Any:
        token = self.server.connection.token
        env = {"GRISTMILL_STUDIO_URL": self.faults.url, "GRISTMILL_STUDIO_TOKEN": token}
        env["GRISTMILL_SIGNING_KEY"] = str(key_file())
        arguments = ("gristmill", "campaign", words[0], str(self.path), *words[1:])
        process = processes.Process(target=run, args=(arguments, env, self.said))
        process.start()
        return process

    def run(self, *words: str, code: int = 0) -> str:
        """What the command printed, once it has ended with ``code``."""
        process = self.start(*words)
        process.join(120)
        printed = self.said.read_text(encoding="utf-8")
        assert process.exitcode == code, printed
        return printed

    def killed(self, *words: str, at: int, moment: str) -> bool:
        """Whether the command was killed at its ``at``-th request, rather than over before."""
        target = self.faults.requests + at

        def strike(number: int, now: str) -> None:
            if number >= target and now == moment:
                process.kill()

        process = self.start(*words)
        self.faults.watch = strike
        process.join(120)
        self.faults.watch = lambda number, now: None
        assert process.exitcode is not None, f"{words} hangs"
        if process.exitcode >= 0:
            assert process.exitcode == 0, self.said.read_text(encoding="utf-8")
        return int(process.exitcode) < 0

    def tasks(self) -> list[tuple[Annotator, dict[str, Any]]]:
        """The open tasks that Label Studio has, with their annotators."""
        with Journal(self.path / "campaign.db") as journal:
            places = {project: int(place.annotator[-1]) - 1 for place, project in journal.cache.projects().items()}
        found = [(self.people[number], each) for place, number in places.items() for each in self.listed(place, number)]
        return [(who, task) for who, task in found if not task["annotations"]]

    def listed(self, project: int, annotator: int) -> list[dict[str, Any]]:
        return self.people[annotator].tasks(project)

    def projects(self) -> int:
        """The number of projects of the campaign's annotators."""
        emails = {each.name for each in self.people}
        with Studio(self.server.connection) as studio:
            return sum(each.owner in emails for each in studio.projects())

    def check_chain(self) -> None:
        with Journal(self.path / "campaign.db") as journal:
            sign(journal, key_file())
            verify_journal(journal, read_public_key(self.path / PUBLIC_KEY))


def run(arguments: tuple[str, ...], env: Mapping[str, str], said: Path) -> None:
    os.environ.update(env)
    with said.open("w", encoding="utf-8") as file:
        sys.argv, sys.stdout, sys.stderr = [*arguments], file, file
        main()


@pytest.fixture
def mill(tmp_path: Path, studio: Server) -> Iterator[Mill]:
    with ExitStack() as stack:
        accounts = [studio.annotator(name) for name in ("kit", "lou")]
        people = [stack.enter_context(signed_in(studio.connection.url, each)) for each in accounts]
        path = tmp_path / "mill"
        path.mkdir()
        made = Mill(path, studio, people, stack.enter_context(faulty(studio.connection.url, 1, {})))
        rows = (
            f'{{"prompt": "What is {n * 7} of mill{n}?", "responses": [{{"model": "a", "text": "It is {n}."}}, '
            f'{{"model": "b", "text": "It is {n + 1}."}}]}}\n'
            for n in range(80)
        )
        (path / "responses.jsonl").write_text("".join(rows), encoding="utf-8")
        (path / "gold.jsonl").write_text('{"prompt": "1 + 1?", "chosen": "2", "rejected": "3"}\n', encoding="utf-8")
        (path / "guidelines.md").write_text("# Be careful\n", encoding="utf-8")
        (path / "campaign.toml").write_text(TOML.format(*(each.name for each in people)), encoding="utf-8")
        yield made


Moments = Sequence[tuple[int, str]]
"""The request at which a command is killed, and whether before or after the server did what it asks."""
EVERY: Moments = [(at, "after" if at % 2 else "before") for at in range(1, 200, 3)]


def undone_after_kills(mill: Mill, moments: Moments) -> None:
    others, killed = mill.projects(), 0
    for at, moment in moments:
        mill.run("push")
        assert mill.projects() == others + 2
        if not mill.killed("undo", "b1", at=at, moment=moment):
            break
        killed += 1
        with Journal(mill.path / "campaign.db") as journal:
            is_undone = not fold(journal).batches
        mill.check_chain()
        if is_undone:
            assert mill.projects() == others
        elif killed % 2:
            mill.run("push")
            assert len(mill.tasks()) == len(load(mill.path).assignments) == 162
        assert "undone" in mill.run("undo", "b1")
        assert mill.projects() == others
        with Journal(mill.path / "campaign.db") as journal:
            assert not fold(journal).batches
    assert killed
    assert "all as they were written" in mill.run("audit")
    mill.run("push")
    assert len(mill.tasks()) == 162
    mill.run("undo", "b1")


def reworded_after_kills(mill: Mill, moments: Moments) -> None:
    mill.run("push")
    votes, number, killed = 0, 1, 0

    def vote(newest: int) -> None:
        nonlocal votes
        who, task = mill.tasks()[votes * 31 % len(mill.tasks())]
        mark = [{**SECOND, "value": {"number": newest}}] if newest > 1 else []
        who.submit(task["id"], [*safe_opinion(task["data"], who.name), *mark])
        votes += 1

    for at, moment in moments:
        vote(number)
        (mill.path / "guidelines.md").write_text(f"# Be careful {number}\n", encoding="utf-8")
        if not mill.killed("push", "--new-guidelines", at=at, moment=moment):
            break
        killed += 1
        mill.check_chain()
        with Journal(mill.path / "campaign.db") as journal:
            noted = len(fold(journal).wordings.get("b1", ("",)))
        vote(number)
        pulled = mill.run("pull")
        waiting = "not read, as a push of new guidelines is under way or failed" in pulled
        assert ("a push of new guidelines is under way or failed" in mill.run("status")) == waiting
        assert noted > number or not waiting
        mill.run("push", *(["--new-guidelines"] if noted == number else []))
        number += 1
        assert len(fold_wordings(mill)) == number
        mill.run("pull")
        snapshot = load(mill.path)
        assert (len(snapshot.judgments), len(snapshot.refused), snapshot.findings) == (votes, 0, ())
        assert snapshot.assignments["state"].to_pylist().count("done") == votes
        assert "Nothing needs attention" in mill.run("status")
    assert killed
    assert "all as they were written" in mill.run("audit")


def fold_wordings(mill: Mill) -> tuple[str, ...]:
    with Journal(mill.path / "campaign.db") as journal:
        return fold(journal).wordings["b1"]


@pytest.mark.soak
def test_new_guidelines_are_not_noted_if_the_push_is_refused(mill: Mill) -> None:
    mill.run("push")
    (mill.path / "guidelines.md").write_text("# Be kind\n", encoding="utf-8")
    with (mill.path / "responses.jsonl").open("a", encoding="utf-8") as file:
        file.write("\n")
    assert "the responses changed after batch b1 was made" in mill.run("push", "--new-guidelines", code=2)
    with Journal(mill.path / "campaign.db") as journal:
        assert fold(journal).wordings == {}
    assert "Nothing needs attention" in mill.run("status")


def test_a_push_says_that_its_batch_was_undone_meanwhile(
    mill: Mill, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    push_all = commands.push_all

    def late(*arguments: Any, **options: Any) -> Any:
        mill.run("undo", "b1")
        return push_all(*arguments, **options)

    monkeypatch.setenv("GRISTMILL_STUDIO_HOME", str(mill.server.home))
    monkeypatch.setattr(commands, "push_all", late)
    assert call("campaign", "push", mill.path, monkeypatch=monkeypatch) == 2
    assert "batch b1 was undone by another command" in capsys.readouterr().err


@pytest.mark.soak
def test_an_undo_that_is_killed_anywhere_can_be_repeated(mill: Mill) -> None:
    undone_after_kills(mill, EVERY)


@pytest.mark.soak
def test_new_guidelines_lose_no_vote_wherever_a_push_is_killed(mill: Mill) -> None:
    reworded_after_kills(mill, EVERY)
