"""However often pushes and pulls are killed, and whatever the network does: the dataset is that of a calm run."""

import json
import multiprocessing
import random
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import httpx
import pytest

from annotation.campaign.plan import plan
from annotation.campaign.settings import Campaign, CampaignFolder, Gold
from annotation.dataset import build
from annotation.journal.journal import Journal
from annotation.journal.places import Place
from annotation.judgments.snapshot import Snapshot, load
from annotation.server.connection import Connection
from annotation.studio.client import Studio
from annotation.studio.pull import pull
from annotation.studio.push import marker, push
from curation.dedup.near import families
from schemas.errors import RunError
from tests.annotation.faults import Faults, faulty
from tests.annotation.labelling import Annotator, safe_opinion, signed_in
from tests.annotation.parts import Studio as Server

NAMES = ("ann", "bob", "cy", "dee")
CATEGORIES = {"illicit": "Illicit activity", "hateful": "Hateful activity", "unqualified": "Unqualified advice"}
processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["tests.annotation.test_interrupted"])


@dataclass
class Run:
    """One campaign on the real server, with its annotators at work."""

    folder: CampaignFolder
    server: Server
    people: Mapping[str, Annotator]

    def snapshot(self) -> Snapshot:
        return load(self.folder.path)

    def tasks(self) -> Iterator[tuple[Annotator, dict[str, Any]]]:
        """Every task of the campaign with the annotator whose it is, whether the campaign knows of it or not."""
        with Journal(self.folder.store) as journal:
            campaign = self.folder.campaign
            places = {
                marker(journal.campaign_id, Place(campaign.batch, "vote", f"{campaign.name}/a{number}")): email
                for number, email in enumerate(campaign.annotators, 1)
            }
        with Studio(self.server.connection) as studio:
            projects = studio.projects()
        for project in projects:
            if project.marker in places:
                annotator = self.people[places[project.marker]]
                yield from ((annotator, task) for task in annotator.tasks(project.project))

    def label(self, draw: random.Random, share: float) -> None:
        """Annotators do a share of what is open, and some of it in more steps than one."""
        for annotator, task in self.tasks():
            if _votes(task) or draw.random() > share:
                continue
            answer, way = safe_opinion(task["data"], annotator.name), draw.random()
            try:
                if way < 0.1:
                    annotator.skip(task["id"])
                elif way < 0.2:
                    swapped = {**task["data"], "a": task["data"]["b"], "b": task["data"]["a"]}
                    other = safe_opinion(swapped, annotator.name)
                    annotator.change(annotator.submit(task["id"], other), answer)
                elif way < 0.3:
                    annotator.delete(annotator.submit(task["id"], answer))
                else:
                    annotator.submit(task["id"], answer)
            except httpx.HTTPStatusError as error:  # the server still does what a killed push asked for
                if error.response.status_code != 404:
                    raise

    def finish(self) -> int:
        """Annotators do what is left; how much that was."""
        left = [(annotator, task) for annotator, task in self.tasks() if not _votes(task)]
        for annotator, task in left:
            annotator.submit(task["id"], safe_opinion(task["data"], annotator.name))
        return len(left)


def _votes(task: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in task["annotations"] if not each["was_cancelled"]]


def work(operation: str, folder: CampaignFolder, connection: Connection) -> None:
    """What ``gristmill campaign push`` or ``pull`` does; ends with 1 after an outage, as the command does."""
    try:
        with Journal(folder.store, create=True) as journal, Studio(connection, timeout=30) as studio:
            if operation == "push":
                plan(folder, journal, families)
                push(journal, studio)
            else:
                pull(journal, studio)
    except RunError:
        raise SystemExit(1) from None


def attempt(operation: str, run: Run, faults: Faults) -> BaseProcess:
    mine = run.server.connection
    connection = Connection(url=faults.url, token=mine.token, public_url=mine.public_url)
    process = processes.Process(target=work, args=(operation, run.folder, connection))
    process.start()
    return process


def killed(operation: str, run: Run, faults: Faults, at: int, moment: str) -> bool:
    """Whether the operation was killed at its ``at``-th request, rather than over before."""
    target = faults.requests + at

    def strike(number: int, now: str) -> None:
        if number >= target and now == moment and process.is_alive():
            process.kill()

    process = attempt(operation, run, faults)
    faults.watch = strike
    process.join(120)
    faults.watch = lambda number, now: None
    assert process.exitcode is not None, f"{operation} hangs"
    return process.exitcode < 0


def until_done(operation: str, run: Run, faults: Faults) -> None:
    for _ in range(20):
        process = attempt(operation, run, faults)
        process.join(120)
        if process.exitcode == 0:
            return
        assert process.exitcode == 1, f"{operation} ends with {process.exitcode}"
    raise AssertionError(f"{operation} does not get through")


@pytest.fixture
def people(studio: Server) -> Iterator[dict[str, Annotator]]:
    with ExitStack() as stack:
        accounts = [studio.annotator(name) for name in NAMES[:3]]
        yield {each.email: stack.enter_context(signed_in(studio.connection.url, each)) for each in accounts}


def make(path: Path, prompts: int, emails: tuple[str, ...]) -> CampaignFolder:
    path.mkdir()
    rows = []
    for number in range(prompts):
        texts = [f"Answer {letter} to question {number}. " + f"{letter} {number} " * 20 for letter in "xy"]
        answers = [
            {"model": f"model-{letter}", "temperature": 0.5, "text": text}
            for letter, text in zip("xy", texts, strict=True)
        ]
        rows.append({"prompt_id": f"p{number}", "prompt": f"{number}: " + f"w{number} " * 8, "responses": answers})
    gold = [{"prompt": f"gold {n} " * 5, "chosen": f"right {n}", "rejected": f"wrong {n}"} for n in range(4)]
    for name, content in (("responses.jsonl", rows), ("gold.jsonl", gold)):
        (path / name).write_text("".join(json.dumps(row) + "\n" for row in content), encoding="utf-8")
    (path / "guidelines.md").write_text("# Be careful\n", encoding="utf-8")
    campaign = Campaign(
        name="mill",
        protocol="safety",
        batch="b1",
        responses="responses.jsonl",
        annotators=emails,
        votes=2,
        seed=5,
        gold=Gold(file="gold.jsonl", share=0.1),
        categories=CATEGORIES,
    )
    return CampaignFolder(path, campaign, "the same settings")


def dataset(run: Run, into: Path) -> dict[str, bytes]:
    build([run.snapshot()], into, families)
    return {str(file.relative_to(into)): file.read_bytes() for file in sorted(into.rglob("*")) if file.is_file()}


def same_dataset(
    tmp_path: Path, studio: Server, people: dict[str, Annotator], prompts: int, kills: int, seed: int
) -> None:
    calm = Run(make(tmp_path / "calm", prompts, tuple(people)), studio, people)
    work("push", calm.folder, studio.connection)
    calm.finish()
    work("pull", calm.folder, studio.connection)
    expected = dataset(calm, tmp_path / "expected")

    rough, draw, struck = Run(make(tmp_path / "rough", prompts, tuple(people)), studio, people), random.Random(seed), 0
    with faulty(studio.connection.url, seed) as faults:
        for _ in range(3 * kills):
            operation = draw.choice(["push", "pull"]) if rough.folder.store.exists() else "push"
            struck += killed(operation, rough, faults, draw.randint(1, 10), draw.choice(["before", "after"]))
            rough.label(draw, 1.5 / kills)
            if struck == kills // 2:
                meddle(rough, draw)
            if struck >= kills:
                break
        for _ in range(10):
            until_done("push", rough, faults)
            left = rough.finish()
            for _ in range(3):
                until_done("pull", rough, faults)
            if not left and not _open(rough):
                break
        happened = dict(faults.happened)
    assert struck >= kills
    assert set(happened) >= {"refuse", "lose", "error", "repeat"}
    assert difference(calm.snapshot(), rough.snapshot()) == {}
    found, refused = dataset(rough, tmp_path / "found"), rough.snapshot().refused["reason"].to_pylist()
    assert set(refused) <= {"repeated"}, "somebody may vote on both copies of a task before a push removes one"
    assert without_refused(found) == without_refused(expected)
    assert refused or found == expected


def without_refused(files: Mapping[str, bytes]) -> dict[str, Any]:
    """A dataset but for the number of refused votes, which its manifest and its README give."""
    manifest = json.loads(files["manifest.json"])
    del manifest["ledger"]["refused"], manifest["files"]["README.md"]
    return {**files, "manifest.json": manifest, "README.md": re.sub(rb"in quarantine: .*", b"", files["README.md"])}


def meddle(run: Run, draw: random.Random) -> None:
    """Somebody deletes a task, and a whole project."""
    tasks = list(run.tasks())
    if tasks:
        annotator, task = draw.choice(tasks)
        annotator.delete_task(task["id"])
        annotator, task = draw.choice(tasks)
        annotator.delete_project(task["project"])


def difference(one: Snapshot, other: Snapshot) -> dict[Any, Any]:
    """Votes that are not the same in both; what is secret to a campaign (names of tasks, sides) and times aside."""
    found = []
    for each in (one, other):
        rows = each.judgments.drop_columns(["uid", "swapped", "submitted"]).to_pylist()
        found.append({(row["pair_id"], row["annotator"]): row for row in rows})
    return {
        key: [each.get(key) for each in found] for key in found[0] | found[1] if found[0].get(key) != found[1].get(key)
    }


def _open(run: Run) -> int:
    return sum(state == "open" for state in run.snapshot().assignments["state"].to_pylist())


@pytest.mark.soak
def test_fifty_kills_and_faults_change_nothing(tmp_path: Path, studio: Server, people: dict[str, Annotator]) -> None:
    same_dataset(tmp_path, studio, people, prompts=60, kills=50, seed=7)
